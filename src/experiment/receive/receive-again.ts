import { FileRadio } from '../../radio/file/file-radio.ts';
import type { StreamSettings } from '../../radio/radio.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import { ReceiverCodecs } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { predictionOf } from '../config/link-setup.ts';
import type { BurstTrace } from '../metrics/burst-trace.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { writeFrame } from '../run/run-files.ts';
import type { RunIo } from '../run/run-io.ts';
import type { ReplaySteering } from '../steering/replay-steering.ts';
import type { BudgetFacts } from '../telemetry/link-budget.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import type { DroppedBursts } from './dropped-bursts.ts';
import { PictureLedger } from './picture-ledger.ts';
import { type CaptureHints, receiveStream, type StreamResult } from './receive-stream.ts';

/** A recording, and how it is received again. */
export interface Recording {
  readonly path: string;
  readonly hints: CaptureHints;
  readonly config: LinkConfig;
  readonly reference: RgbImage | undefined;
  /** The original of speech. */
  readonly speech?: Speech | undefined;
  readonly directory: RunDirectory;
  readonly io: RunIo;
  readonly watch: RunWatch | null;
  /** Bursts that are not decoded. */
  readonly leftOut?: DroppedBursts;
  /** What is known of the link that was recorded. */
  budget?(settings: StreamSettings): BudgetFacts;
}

/** What came of it. */
export interface HeardAgain {
  readonly stream: StreamResult;
  readonly ledger: PictureLedger;
  readonly warnings: readonly string[];
}

/**
 * The recording through the receiver; several pictures are settled as they come.
 *
 * @param steering paces it and says where it begins
 */
export async function receiveAgain(
  { path, hints, config, reference, speech, directory, io, watch, budget, leftOut }: Recording,
  steering: ReplaySteering | null = null,
): Promise<HeardAgain> {
  const codecs = new ReceiverCodecs(config);
  const ledger = new PictureLedger({
    config,
    reference,
    speech,
    codecs,
    write: (name, bytes) => directory.write(name, bytes),
    note: (text) => io.progress.note(text),
    watch,
  });
  const rx = await new FileRadio(path, steering ? { fromIndex: steering.begin() } : {}).openRx({});
  watch?.reads(() => ({
    clippedSamples: rx.counters.clippedSamples,
    underruns: 0,
    rxGainsDb: rx.settings.gainsDb,
    txGainsDb: null,
    ...(budget ? { budget: budget(rx.settings) } : {}),
  }));
  const stop = () => void rx.close();
  io.signal.addEventListener('abort', stop, { once: true });
  const stream = await receiveStream(
    steering?.paced(rx) ?? rx,
    {
      numerology: config.numerology,
      rateHz: hints.rateHz,
      loOffsetHz: hints.loOffsetHz,
      estimator: config.estimator,
      codecs,
      prediction: predictionOf(config),
      ...(leftOut ? { leftOut } : {}),
    },
    {
      watch,
      burst: () => {
        steering?.heard();
        return undefined;
      },
      picture: (heard, receiver) => ledger.settle(heard, receiver),
      // A pass that somebody steers may be one of several.
      ...(steering ? {} : { leaves: (burst: BurstTrace) => writeFrame(directory, burst) }),
      progress: (samples) => io.progress.update(`replay  ${(samples / hints.rateHz).toFixed(2)} s`),
    },
  ).finally(() => {
    io.signal.removeEventListener('abort', stop);
    return rx.close();
  });
  await ledger.finish(stream);
  const warnings = [...hints.problems, ...(rx.warning ? [rx.warning] : [])];
  for (const warning of warnings) io.progress.note(warning);
  return { stream, ledger, warnings };
}
