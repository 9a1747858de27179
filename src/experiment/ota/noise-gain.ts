import { blockLength, type GainStage, type Radio, type StreamRequest } from '../../radio/radio.ts';
import { GainKeeper } from './gain-keeper.ts';

/** Listened to with each gain, s of the stream; its first half may be from before a change. */
const LISTEN_S = 60e-3;
/** Changes of the gain. */
const MOST_CHANGES = 4;

/**
 * The request with a receive gain at which noise moves the converter, found by listening before anything is expected: a weak burst
 * is not lost between two of its steps then. As it is for a radio whose gain cannot be changed while it is open.
 */
export async function gainForNoise(
  radio: Radio,
  request: StreamRequest,
  stages: readonly GainStage[],
  signal: AbortSignal,
): Promise<StreamRequest> {
  const rx = await radio.openRx(request);
  const stop = () => void rx.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (!rx.setGains || signal.aborted) return request;
    const keeper = new GainKeeper(rx, stages);
    let heardS = 0;
    let changes = 0;
    for await (const block of rx) {
      keeper.hear(block);
      const beforeS = heardS;
      heardS += blockLength(block) / rx.settings.rateHz;
      if (beforeS < LISTEN_S / 2 && heardS >= LISTEN_S / 2) keeper.forget();
      if (heardS < LISTEN_S) continue;
      if (!(await keeper.settle(false)) || ++changes === MOST_CHANGES) break;
      heardS = 0;
    }
    return { ...request, gainsDb: keeper.gainsDb };
  } finally {
    signal.removeEventListener('abort', stop);
    await rx.close();
  }
}
