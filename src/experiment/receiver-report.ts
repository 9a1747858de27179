import { ExitCode, UsageError } from '../common/errors.ts';
import type { DecodedImage } from '../sct/codec/codec.ts';
import type { RgbImage } from '../sct/image/rgb-image.ts';
import { exitCodeOf, outcomeText } from './exit-code.ts';
import { decodeOptions } from './link-codecs.ts';
import type { LinkConfig } from './link-config.ts';
import { linkMetrics } from './link-metrics.ts';
import { traceWarnings } from './link-trace.ts';
import type { RunManifest } from './manifest.ts';
import { endManifest } from './manifest.ts';
import type { LinkMetrics } from './metrics.ts';
import { openQualityInputs } from './quality-inputs.ts';
import { lastPicture, type StreamResult } from './receive-stream.ts';
import type { SemanticData } from './report/semantic-data.ts';
import type { RunDirectory } from './run-directory.ts';
import { captureWaterfall, fileList, RUN_FILES, writeFrames, writeReport } from './run-files.ts';
import type { RunIo, RunResult } from './run-io.ts';
import { heardSemantics } from './semantic-collect.ts';
import type { SemanticFacts } from './semantic-facts.ts';
import { burstsOf } from './sfv-metrics.ts';
import type { TransmitFacts } from './transmit-facts.ts';

/** What `receive` and `replay` turn into a run's results, once the stream has ended. */
export interface ReceiverOutcome {
  readonly config: LinkConfig;
  readonly title: string;
  readonly stream: StreamResult;
  readonly facts: TransmitFacts | null;
  /** What the sender had stored of the SFVs; null where it did not, and without SFVs. */
  readonly semantics?: SemanticFacts | null;
  readonly reference: RgbImage | undefined;
  readonly modelled: boolean;
  readonly clippedSamples: number;
  /** Capture that the waterfall is drawn from. */
  readonly capturePath: string;
  readonly warnings: readonly string[];
  /** No picture was sent: `sct sound` made the recording. */
  readonly sounding?: boolean;
}

/** Metrics of a received stream and the picture in it; `ok` and the exit code follow the contract. */
export async function receiverMetrics(
  outcome: ReceiverOutcome,
): Promise<{ metrics: LinkMetrics; decoded: DecodedImage | undefined; exitCode: ExitCode }> {
  const { config, stream, facts, reference } = outcome;
  const picture = stream.chain.receiver.received.at(-1);
  const decoded = await lastPicture(stream, decodeOptions(config));
  if (
    reference &&
    decoded?.image &&
    (reference.width !== decoded.image.width || reference.height !== decoded.image.height)
  ) {
    const { width, height } = decoded.image;
    throw new UsageError(
      `the reference is ${reference.width}x${reference.height}, the received picture ${width}x${height}`,
      'give the photo that was sent',
    );
  }
  const measure = await openQualityInputs(config, reference);
  const metrics = linkMetrics({
    config,
    trace: stream.trace,
    facts,
    source: reference,
    decoded,
    picture,
    labels: stream.codecs?.labels ?? null,
    importance: outcome.semantics?.importance,
    samples: stream.chain.samples,
    lostSamples: stream.chain.lostSamples,
    clippedSamples: outcome.clippedSamples,
    modelled: outcome.modelled,
    roiMask: reference ? measure.roiMask : undefined,
    lpips: await measure.lpips(reference, decoded?.decodable ? decoded.image : undefined),
  });
  const heard = stream.trace.bursts.length > 0;
  const onlySounded = heard && decoded === undefined && stream.trace.dataBursts.length === 0 && facts === null;
  const exitCode = onlySounded ? ExitCode.ok : exitCodeOf(metrics, config, heard);
  metrics.ok = exitCode === ExitCode.ok && !onlySounded;
  if (outcome.sounding) {
    metrics.codec = 'none';
    metrics.ok = heard;
  }
  return { metrics, decoded, exitCode };
}

/** What is known here of the SFVs; undefined for a picture without. */
function knownSemantics(
  { stream, semantics }: ReceiverOutcome,
  decoded: DecodedImage | undefined,
): SemanticData | undefined {
  const labels = stream.codecs?.labels;
  if (!labels) return undefined;
  if (semantics) return { ...semantics, labels, timingsMs: { ...semantics.timingsMs, ...decoded?.timingsMs } };
  if (!decoded?.sfvs) return undefined;
  const bursts = burstsOf(stream.trace, stream.chain.receiver.received.at(-1));
  return heardSemantics(stream.numerology, labels, bursts, decoded);
}

/** Writes metrics, frames, pictures and report of a received stream into its run directory. */
export async function writeReceiverRun(
  run: RunDirectory,
  manifest: RunManifest,
  outcome: ReceiverOutcome,
  io: RunIo,
): Promise<RunResult> {
  const { metrics, decoded, exitCode } = await receiverMetrics(outcome);
  writeFrames(run, outcome.stream.trace);
  await run.writeMetrics(metrics);
  const waterfall = await captureWaterfall(outcome.capturePath, outcome.config.rateHz);
  const { trace } = outcome.stream;
  const text = outcome.sounding ? null : outcomeText(metrics, outcome.config, decoded, trace);
  if (text && trace.bursts.length > 0) io.progress.note(text);
  const ended = endManifest(manifest, io.now(), exitCode, text);
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
      source: outcome.reference,
      decoded,
      waterfall,
      semantic: knownSemantics(outcome, decoded),
      ...(outcome.sounding ? { purpose: 'sounding' as const } : {}),
      warnings: [...(text ? [text] : []), ...outcome.warnings, ...traceWarnings(trace, outcome.clippedSamples)],
    },
    { source: outcome.reference, decoded },
  );
  metrics.files = fileList(run, outcome.capturePath === run.file(RUN_FILES.rx) ? ['rx'] : []);
  await run.writeMetrics(metrics);
  await run.writeManifest(ended);
  return { metrics, report, directory: run.path, exitCode };
}
