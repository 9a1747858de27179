import { ExitCode, UsageError } from '../../common/errors.ts';
import type { ReceivedPicture } from '../../link/receiver.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import { codecTimings, decodeOptions } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { openQualityInputs } from '../config/quality-inputs.ts';
import { heldAlone, knowledgeRecord } from '../loopback/session-knowledge.ts';
import { exitCodeOf, outcomeText } from '../metrics/exit-code.ts';
import { meansOf } from '../metrics/folder-means.ts';
import { linkMetrics } from '../metrics/link-metrics.ts';
import { traceWarnings } from '../metrics/link-trace.ts';
import { cleanTask, decodedSize } from '../metrics/machine-metrics.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import { heardSemantics } from '../metrics/semantic-collect.ts';
import type { SemanticFacts } from '../metrics/semantic-facts.ts';
import { burstsOf } from '../metrics/sfv-metrics.ts';
import type { TransmitFacts } from '../metrics/transmit-facts.ts';
import type { SemanticData } from '../report/semantic-data.ts';
import type { RunManifest } from '../run/manifest.ts';
import { endManifest } from '../run/manifest.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { captureWaterfall, fileList, RUN_FILES, writeFrames, writeReport } from '../run/run-files.ts';
import type { RunIo, RunResult } from '../run/run-io.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import type { EarlierPictures, PictureLedger, PictureMetrics } from './picture-ledger.ts';
import type { StreamResult } from './receive-stream.ts';

/** What `receive` and `replay` turn into a run's results, once the stream has ended. */
export interface ReceiverOutcome {
  readonly config: LinkConfig;
  readonly title: string;
  readonly stream: StreamResult;
  readonly facts: TransmitFacts | null;
  /** What the sender had stored of the SFVs; null where it did not, and without SFVs. */
  readonly semantics?: SemanticFacts | null;
  readonly reference: RgbImage | undefined;
  /** The original of speech. */
  readonly speech?: Speech | undefined;
  readonly modelled: boolean;
  readonly clippedSamples: number;
  /** Samples lost behind the last one that came, at most; those before it are the stream's. */
  readonly lostAtEnd: number;
  /** Capture that the waterfall is drawn from. */
  readonly capturePath: string;
  readonly warnings: readonly string[];
  /** Worth knowing, and nothing wrong. */
  readonly notes?: readonly string[];
  /** What there is of several pictures; a stream with one leaves it empty. */
  readonly ledger?: PictureLedger | undefined;
  /** No picture was sent: `sct sound` made the recording. */
  readonly sounding?: boolean;
  readonly watch?: RunWatch | null;
}

/** The last picture of which anything arrived, with the bursts to judge it by; decoded where it is not yet. */
async function lastPicture({ config, stream, ledger }: ReceiverOutcome) {
  if (ledger?.several) {
    const { picture, decoded, trace } = ledger.last ?? { trace: stream.trace };
    trace.harq = stream.trace.harq; // counted over the stream
    trace.takeDropped(stream.trace);
    return { picture, decoded, trace };
  }
  const { receiver } = stream.chain;
  const picture = receiver.received.at(-1);
  const decoded = picture ? await receiver.picture(picture, decodeOptions(config)) : undefined;
  return { picture, decoded, trace: stream.trace };
}

/** Metrics as metrics.json holds them: with those of each picture where there were several. */
export function withImages(
  metrics: LinkMetrics,
  images: readonly PictureMetrics[] | undefined,
  earlier: EarlierPictures = { count: 0, whole: 0 },
): LinkMetrics & {
  images?: readonly PictureMetrics[];
  earlierImages?: EarlierPictures;
  means?: Record<string, number | null>;
} {
  if (!images) return metrics;
  return { ...metrics, images, ...(earlier.count > 0 ? { earlierImages: earlier } : {}), means: meansOf(images) };
}

/** Metrics of a received stream and the picture in it; `ok` and the exit code follow the contract. */
export async function receiverMetrics(outcome: ReceiverOutcome): Promise<{
  metrics: LinkMetrics;
  picture: ReceivedPicture | undefined;
  decoded: DecodedImage | undefined;
  /** Original of the picture; undefined too where of several the last has another size. */
  reference: RgbImage | undefined;
  exitCode: ExitCode;
  images: readonly PictureMetrics[] | undefined;
  earlier?: EarlierPictures;
}> {
  const { config, stream, facts, ledger } = outcome;
  const { picture, decoded, trace } = await lastPicture(outcome);
  const several = ledger?.several === true;
  const { width, height } = decodedSize(decoded) ?? outcome.reference ?? {};
  const fits = outcome.reference?.width === width && outcome.reference?.height === height;
  // Of several pictures only those of its size are compared with it.
  const reference = fits || !several ? outcome.reference : undefined;
  if (reference && !fits) {
    throw new UsageError(
      `the reference is ${reference.width}x${reference.height}, the received picture ${width}x${height}`,
      'give the photo that was sent',
    );
  }
  const measure = await openQualityInputs(config, reference);
  const metrics = linkMetrics({
    config,
    trace,
    facts,
    source: reference,
    speech: outcome.speech,
    decoded,
    picture,
    labels: stream.codecs?.labels ?? null,
    importance: outcome.semantics?.importance,
    samples: stream.chain.samples,
    lostSamples: stream.chain.lostSamples + outcome.lostAtEnd,
    clippedSamples: outcome.clippedSamples,
    modelled: outcome.modelled,
    roiMask: reference ? measure.roiMask : undefined,
    machine: {
      truth: measure.truth,
      clean: await cleanTask(stream.codecs?.models, decoded, reference),
    },
    networks: await measure.networks(reference, decoded),
  });
  const heard = stream.trace.bursts.length > 0;
  if (several) {
    const { counts, images, earlier } = ledger;
    const exitCode = counts.whole === counts.all ? exitCodeOf(metrics, config, heard) : ExitCode.quality;
    metrics.ok = exitCode === ExitCode.ok;
    return { metrics, picture, decoded, reference, exitCode, images, earlier };
  }
  const onlySounded = heard && decoded === undefined && stream.trace.dataBursts.length === 0 && facts === null;
  // No picture was to come, so none is missing; samples may be.
  const exitCode = exitCodeOf(onlySounded ? { ...metrics, ok: true } : metrics, config, heard);
  metrics.ok = exitCode === ExitCode.ok && !onlySounded;
  if (outcome.sounding) {
    metrics.codec = 'none';
    metrics.ok = heard;
  }
  return { metrics, picture, decoded, reference, exitCode, images: undefined };
}

/** What is known here of the SFVs; undefined for a picture without. */
function knownSemantics(
  { stream, semantics }: ReceiverOutcome,
  picture: ReceivedPicture | undefined,
  decoded: DecodedImage | undefined,
): SemanticData | undefined {
  const labels = stream.codecs?.labels;
  if (!labels) return undefined;
  if (semantics) return { ...semantics, labels, timingsMs: { ...semantics.timingsMs, ...decoded?.timingsMs } };
  if (!decoded?.sfvs) return undefined;
  const bursts = burstsOf(stream.trace, picture);
  return heardSemantics(stream.numerology, labels, bursts, decoded);
}

/** Tells what became of the picture; of the original what is known only now. */
async function tellPicture(
  { watch, title }: ReceiverOutcome,
  reference: RgbImage | undefined,
  semantic: SemanticData | undefined,
  decoded: DecodedImage | undefined,
  metrics: LinkMetrics,
): Promise<void> {
  if (reference && semantic) await watch?.sending(title, reference, semantic);
  await watch?.decoded(decoded, metrics);
}

/** Writes metrics, frames, pictures and report of a received stream into its run directory. */
export async function writeReceiverRun(
  run: RunDirectory,
  manifest: RunManifest,
  outcome: ReceiverOutcome,
  io: RunIo,
): Promise<RunResult> {
  const { metrics, picture, decoded, reference, exitCode, images, earlier } = await receiverMetrics(outcome);
  writeFrames(run, outcome.stream.trace);
  await run.writeMetrics(withImages(metrics, images, earlier));
  const waterfall = await captureWaterfall(outcome.capturePath, outcome.config.rateHz);
  const { trace } = outcome.stream;
  const semantic = knownSemantics(outcome, picture, decoded);
  // Of several pictures each was told as it came.
  if (!images) await tellPicture(outcome, reference, semantic, decoded, metrics);
  const alone = outcome.sounding || images ? null : outcomeText(metrics, outcome.config, decoded, trace);
  // A picture can be whole and something still be amiss: a reference that is not here.
  const amiss = !images && alone === null && decoded?.note !== undefined ? [decoded.note] : [];
  for (const note of amiss) io.progress.note(note);
  if (alone && trace.bursts.length > 0) io.progress.note(alone);
  const { all, whole } = outcome.ledger?.counts ?? { all: 0, whole: 0 };
  const kept = images && images.length < all ? `, figures of the last ${images.length} are kept` : '';
  const several = images ? [`${all} pictures, ${whole} whole; the last is shown${kept}`] : [];
  const text = images ? [...several, ...outcome.ledger!.problems].join('; ') : alone;
  const held = await outcome.stream.codecs?.held();
  const knowledge = held ? heldAlone(held.knowledge()) : undefined;
  const code = io.signal.aborted ? ExitCode.interrupted : exitCode;
  const ended = { ...endManifest(manifest, io.now(), code, text), ...knowledgeRecord(knowledge) };
  const report = await writeReport(
    run,
    {
      title: outcome.title,
      config: outcome.config,
      numerology: outcome.stream.numerology,
      manifest: ended,
      metrics,
      trace,
      facts: outcome.facts,
      source: reference,
      speech: outcome.speech,
      decoded,
      waterfall,
      semantic,
      knowledge,
      ...(outcome.sounding ? { purpose: 'sounding' as const } : {}),
      notes: outcome.notes ?? [],
      warnings: [
        ...(images ? [...several, ...outcome.ledger!.problems] : alone ? [alone] : []),
        ...amiss,
        ...outcome.warnings,
        ...traceWarnings(trace, outcome.clippedSamples),
      ],
    },
    { source: reference, decoded },
  );
  metrics.timings = codecTimings(decoded?.timingsMs ?? {}, decoded?.task);
  metrics.files = fileList(run, outcome.capturePath === run.file(RUN_FILES.rx) ? ['rx'] : []);
  await run.writeMetrics(withImages(metrics, images, earlier));
  await run.writeManifest(ended);
  const result = { metrics, report, directory: run.path, exitCode };
  return {
    ...result,
    ...(text ? { outcome: text } : {}),
    ...(images ? { pictures: images } : {}),
    ...(earlier ? { earlier } : {}),
  };
}
