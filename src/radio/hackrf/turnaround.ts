import { inRange } from '../../common/errors.ts';
import { blockLength } from '../radio.ts';
import type { HackrfRadio } from './hackrf-radio.ts';
import type { HackrfRequest } from './tuning.ts';

export interface TurnaroundFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How long the board is deaf and mute when it changes direction, as the host sees it. */
export interface TurnaroundReport {
  readonly count: number;
  /** From the decision to send until the last of the shortest possible run is in the air, less its own length: closing, opening, filling. */
  readonly rxToTx: TurnaroundFigures;
  /** From the end of transmission until the first received sample. */
  readonly txToRx: TurnaroundFigures;
}

/** The shortest run: the converter starts with 32 KiB. */
const RUN_SAMPLES = 16_384;

/**
 * Turns the board around so many times and measures. Only zeros are sent, at the lowest gain; the local oscillator leaks all the same, so
 * that the caller asks for permission as for any transmission.
 *
 * @param options.count at most 1000 turns each way
 */
export async function measureTurnaround(
  radio: HackrfRadio,
  options: HackrfRequest & { readonly count: number },
): Promise<TurnaroundReport> {
  const { count, frequencyHz, rateHz } = options;
  inRange('turns', count, 1, 1000);
  const request = {
    ...(frequencyHz === undefined ? {} : { frequencyHz }),
    ...(rateHz === undefined ? {} : { rateHz }),
  };
  const rxToTx: number[] = [];
  const txToRx: number[] = [];
  const silence = new Float32Array(2 * RUN_SAMPLES);
  let rx = await radio.openRx(request);
  for (let turn = 0; turn < count; turn++) {
    const decided = performance.now();
    const tx = await radio.turnToTx(request);
    await tx.write(silence);
    await tx.drain();
    const ended = performance.now();
    rxToTx.push(ended - decided - (tx.counters.samples / tx.settings.rateHz) * 1000);
    rx = await radio.turnToRx(request);
    for await (const block of rx) {
      // The block ends now; its first sample was that much earlier.
      const heard = performance.now() - (blockLength(block) / rx.settings.rateHz) * 1000;
      txToRx.push(heard - ended);
      if (turn < count - 1) rx = await reopened(radio, rx, request);
      break;
    }
  }
  await rx.close();
  return { count, rxToTx: figures(rxToTx), txToRx: figures(txToRx) };
}

/** Leaving the loop closes a stream: the next turn starts from one that runs. */
async function reopened(
  radio: HackrfRadio,
  rx: Awaited<ReturnType<HackrfRadio['openRx']>>,
  request: HackrfRequest,
): Promise<typeof rx> {
  await rx.close();
  return radio.openRx(request);
}

function figures(valuesMs: readonly number[]): TurnaroundFigures {
  const sorted = [...valuesMs].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
