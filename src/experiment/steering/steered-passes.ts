import type { Telemetry } from '../../link/telemetry.ts';
import { systemClock } from '../../radio/file/file-rx.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import { type HeardAgain, type Recording, receiveAgain } from '../receive-again.ts';
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

/**
 * Receives a recording as commands say: with a new receiver at each place that it is sent to. What was received where it ran straight
 * through; null otherwise.
 *
 * @param judge the picture in one pass of several
 */
export async function receiveSteered(
  what: Recording,
  watch: RunWatch,
  telemetry: Telemetry,
  commands: CommandSource,
  judge: (heard: HeardAgain) => Promise<PartMetrics>,
): Promise<HeardAgain | null> {
  const { signal } = what.io;
  const { rateHz, endIndex } = what.hints;
  const steering = new ReplaySteering({
    ...{ rateHz, endIndex, signal, clock: systemClock },
    tell: (event) => telemetry.tell(event),
    note: (text) => watch.log('warning', text),
  });
  const silence = commands.listen(
    (line) => steering.command(line),
    () => steering.commandsEnded(),
  );
  let heard: HeardAgain | null = null;
  try {
    // What has been said before this began holds from its first sample on.
    await systemClock.sleep(0);
    while (steering.wanted) {
      try {
        heard = await receiveAgain(what, steering);
      } catch (error) {
        if (!(error instanceof PassGivenUp)) throw error;
        heard = null;
      }
      if (!steering.moved || signal.aborted) continue;
      if (heard) {
        const { decoded, metrics } = await judge(heard);
        await watch.decoded(decoded, metrics);
      }
      watch.again();
    }
  } finally {
    silence();
  }
  return steering.moved || signal.aborted ? null : heard;
}
