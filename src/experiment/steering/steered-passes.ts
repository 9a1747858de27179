import { systemClock } from '../../common/wait-clock.ts';
import type { Telemetry } from '../../link/telemetry.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import { type HeardAgain, type Recording, receiveAgain } from '../receive/receive-again.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import { PassGivenUp, ReplaySteering } from './replay-steering.ts';

/** Where lines with commands come from. */
export interface CommandSource {
  /** Calls `line` for each and `ended` when no more can come; returns what ends listening. */
  listen(line: (text: string) => void, ended: () => void): () => void;
}

/** What is told of a picture that was received on the way. */
interface PartMetrics {
  readonly decoded: DecodedImage | undefined;
  readonly metrics: { readonly psnrDb: number | null; readonly msSsim: number | null };
}

export interface SteeredOptions {
  /** Pace at first. */
  readonly speed: number;
  /** What is to be there before the first sample is received. Commands are taken meanwhile. */
  readonly ready: Promise<unknown>;
  /** The picture in a pass over a part. */
  judge(heard: HeardAgain): Promise<PartMetrics>;
}

/**
 * Receives a recording as commands say: with a new receiver at each place that it is sent to. What the last pass received, where it ran from
 * the first sample to the end, at whatever pace; null otherwise.
 */
export async function receiveSteered(
  what: Recording,
  watch: RunWatch,
  telemetry: Telemetry,
  commands: CommandSource,
  { speed, ready, judge }: SteeredOptions,
): Promise<HeardAgain | null> {
  const { signal } = what.io;
  const { rateHz, startIndex, endIndex } = what.hints;
  const steering = new ReplaySteering({
    rateHz,
    startIndex,
    endIndex,
    speed,
    signal,
    clock: systemClock,
    tell: (event) => telemetry.tell(event),
    note: (text) => watch.log('warning', text),
  });
  watch.patience = () => steering.patience;
  const silence = commands.listen(
    (line) => steering.command(line),
    () => steering.commandsEnded(),
  );
  try {
    // What has been said before this began holds from its first sample on.
    await Promise.all([ready, systemClock.sleep(0)]);
    for (;;) {
      const heard = await pass(what, steering);
      if (signal.aborted) return null;
      if (heard && steering.whole) return heard;
      if (heard) {
        const { decoded, metrics } = await judge(heard);
        await watch.decoded(decoded, metrics);
      }
      if (!steering.wanted) return null;
      watch.again();
    }
  } finally {
    silence();
  }
}

/** One pass; null where it was given up for another. */
async function pass(what: Recording, steering: ReplaySteering): Promise<HeardAgain | null> {
  try {
    return await receiveAgain(what, steering);
  } catch (error) {
    if (error instanceof PassGivenUp) return null;
    throw error;
  }
}
