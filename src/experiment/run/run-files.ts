import { existsSync } from 'node:fs';
import type { SentBurst } from '../../link/session/live-air.ts';
import type { Numerology } from '../../phy/numerology.ts';
import { toFloat } from '../../radio/format/convert.ts';
import { CaptureReader } from '../../radio/sigmf/capture-reader.ts';
import { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { encodePng } from '../../sct/image/save.ts';
import { occupiedHz } from '../config/link-config.ts';
import type { LinkSetup } from '../config/link-setup.ts';
import type { BurstTrace } from '../metrics/burst-trace.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';
import { semanticFactsJson } from '../metrics/semantic-facts.ts';
import { DROPPED_LABEL } from '../receive/dropped-bursts.ts';
import type { ReportData } from '../report/data.ts';
import { reportHtml } from '../report/html.ts';
import { type ReportInput, receivedPng, reportData } from '../report/link-report.ts';
import { computeWaterfall, type Waterfall } from '../report/waterfall.ts';
import { heardSpeech } from '../speech/speech-figures.ts';
import { writeSpeech } from '../speech/speech-files.ts';
import type { RunDirectory } from './run-directory.ts';

/** Names of the files that a run directory can hold; `--json` lists those that are there. */
export const RUN_FILES = {
  manifest: 'run.json',
  config: 'config.resolved.yaml',
  metrics: 'metrics.json',
  report: 'report.html',
  source: 'source.png',
  received: 'received.png',
  uncorrected: 'uncorrected.png',
  sourceSpeech: 'source.wav',
  receivedSpeech: 'received.wav',
  semantics: 'semantics.json',
  allocation: 'allocation.json',
  frames: 'frames.jsonl',
  tx: 'tx',
  rx: 'rx',
} as const;

/** Opens a capture of a run for writing at the device's rate and format. */
export function openCapture(
  directory: RunDirectory,
  name: 'tx' | 'rx',
  setup: LinkSetup,
  options: { hardware: string; description: string; frequencyHz?: number; simulated: boolean },
): Promise<CaptureWriter> {
  return CaptureWriter.create(directory.file(name), {
    format: setup.format,
    fullScale: setup.fullScale,
    rateHz: setup.frontend.deviceRateHz,
    frequencyHz: options.frequencyHz ?? null,
    hardware: options.hardware,
    description: options.description,
    overwrite: true,
    ...(options.simulated ? { startTime: null } : {}),
    fields: {
      'sct:numerology': setup.numerology.nSubbands,
      'sct:lo_offset_hz': setup.frontend.loOffsetHz,
      'sct:modem_rate_hz': setup.frontend.modemRateHz,
    },
  });
}

/** Marks a burst in the received capture. */
export function annotateBurst(
  writer: CaptureWriter,
  b: BurstTrace,
  n: Numerology,
  loOffsetHz: number,
  frequencyHz: number | undefined,
): void {
  const centre = (frequencyHz ?? 0) - loOffsetHz;
  const half = occupiedHz(n) / 2;
  writer.annotate({
    index: Math.max(0, Math.round(b.startSample)),
    count: Math.max(1, Math.round(b.lengthSamples)),
    label: `burst ${b.use}`,
    comment: `burst ${b.burst}, SNR ${b.snrDb.toFixed(1)} dB, CFO ${Math.round(b.cfoHz)} Hz${b.suspect ? `, ${b.suspect}` : ''}`,
    freqLowerEdgeHz: centre - half,
    freqUpperEdgeHz: centre + half,
    fields: {
      'sct:burst_id': b.burst,
      ...(b.csiAgeMs === null ? {} : { 'sct:csi_age_ms': Math.round(1e3 * b.csiAgeMs) / 1e3 }),
      ...(b.suspect ? { 'sct:suspect': true } : {}),
    },
  });
}

/** Marks every burst that the trace has in the received capture. */
export function annotateTrace(
  writer: CaptureWriter,
  trace: Pick<LinkTrace, 'bursts'> & Partial<Pick<LinkTrace, 'droppedBursts'>>,
  n: Numerology,
  loOffsetHz: number,
  frequencyHz: number | undefined,
): void {
  for (const b of trace.bursts) annotateBurst(writer, b, n, loOffsetHz, frequencyHz);
  for (const { burst, startSample, lengthSamples } of trace.droppedBursts ?? []) {
    const [index, count] = [Math.max(0, Math.round(startSample)), Math.max(1, Math.round(lengthSamples))];
    const comment = `burst ${burst}, not decoded: the receiver could not keep up`;
    writer.annotate({ index, count, label: DROPPED_LABEL, comment, fields: { 'sct:burst_id': burst } });
  }
}

/** Marks every burst that was sent in the transmitted capture. */
export function annotateSent(writer: CaptureWriter, sent: readonly Omit<SentBurst, 'endS'>[]): void {
  for (const { burst, use, index, samples } of sent) {
    const fields = { 'sct:burst_id': burst };
    writer.annotate({ index, count: samples, label: `burst ${use}`, comment: `burst ${burst}`, fields });
  }
}

/** Waterfall of a finished capture. */
export async function captureWaterfall(path: string, rateHz: number): Promise<Waterfall> {
  const reader = await CaptureReader.open(path);
  try {
    const scale = reader.layout.fullScale;
    return await computeWaterfall(
      {
        length: reader.sampleCount,
        read: async (start, count, out) => {
          toFloat(await reader.readSamples(start, count), scale, out);
        },
      },
      { rateHz },
    );
  } finally {
    await reader.close();
  }
}

/** Writes the bursts that the trace has into frames.jsonl. */
export function writeFrames(directory: RunDirectory, trace: LinkTrace): void {
  for (const burst of trace.bursts) writeFrame(directory, burst);
}

/** A line of frames.jsonl: a burst with everything scalar and the RB SNR. */
export function writeFrame(directory: RunDirectory, burst: BurstTrace): void {
  const { channel, phase, constellations, rbSnrDb, subbandSnrDb, subbandSnrErrorDb, ...rest } = burst;
  directory.appendFrame({
    ...rest,
    subbandSnrDb: rounded(subbandSnrDb),
    subbandSnrErrorDb: rounded(subbandSnrErrorDb),
    rbSnrDb: rounded(rbSnrDb),
  });
}

function rounded(values: Float32Array): number[] {
  return Array.from(values, (v) => Math.round(100 * v) / 100);
}

/** Pictures and report of a run; returns what the report shows. */
export async function writeReport(
  directory: RunDirectory,
  input: ReportInput,
  pictures: { source: RgbImage | undefined; decoded: DecodedImage | undefined },
): Promise<ReportData> {
  const received = await receivedPng(pictures.decoded, pictures.source);
  if (received) await directory.write(RUN_FILES.received, received);
  if (pictures.source) await directory.write(RUN_FILES.source, await encodePng(pictures.source));
  if (pictures.decoded?.uncorrected) {
    await directory.write(RUN_FILES.uncorrected, await encodePng(pictures.decoded.uncorrected));
  }
  await writeSpeech(directory, input.speech, heardSpeech(pictures.decoded)?.speech);
  const semantic = input.semantic;
  // Without an importance map this end is not the sender's and knows nothing that does not come over the air again.
  if (semantic?.partition && semantic.importance) {
    const facts = semanticFactsJson({ ...semantic, partition: semantic.partition });
    await directory.write(RUN_FILES.semantics, `${JSON.stringify(facts)}\n`);
  }
  const data = await reportData(input);
  await directory.write(RUN_FILES.report, reportHtml(data));
  return data;
}

/** Paths of those files of a run that are there by now, and of the captures it made, for `--json`. */
export function fileList(run: RunDirectory, captures: readonly ('tx' | 'rx')[]): Record<string, string> {
  const names = {
    report: RUN_FILES.report,
    received: RUN_FILES.received,
    uncorrected: RUN_FILES.uncorrected,
    source: RUN_FILES.source,
    sourceSpeech: RUN_FILES.sourceSpeech,
    receivedSpeech: RUN_FILES.receivedSpeech,
    semantics: RUN_FILES.semantics,
    metrics: RUN_FILES.metrics,
    run: RUN_FILES.manifest,
    frames: RUN_FILES.frames,
    ...Object.fromEntries(captures.map((name) => [name, `${RUN_FILES[name]}.sigmf-meta`])),
  };
  const there = Object.entries(names).filter(([, name]) => existsSync(run.file(name)));
  return { directory: run.path, ...Object.fromEntries(there.map(([key, name]) => [key, run.file(name)])) };
}
