import { basename, join } from 'node:path';
import { ExitCode, SctError } from '../common/errors.ts';
import type { CaptureWriter } from '../radio/sigmf/capture-writer.ts';
import { beginRun } from './begin-run.ts';
import { LoopbackExchange } from './exchange.ts';
import { exitCodeOf, outcomeText } from './exit-code.ts';
import { meansOf } from './folder-means.ts';
import { codecTimings, decodeOptions, type LinkCodec, senderCodec } from './link-codecs.ts';
import { linkMetrics } from './link-metrics.ts';
import { type LinkSetup, setupLink } from './link-setup.ts';
import { traceWarnings } from './link-trace.ts';
import { cleanTask } from './machine-metrics.ts';
import { endManifest } from './manifest.ts';
import type { LinkMetrics } from './metrics.ts';
import { loadPhoto } from './photo.ts';
import { openQualityInputs, truthOfPhoto } from './quality-inputs.ts';
import { type RecordedChannel, recordedChannel, traceWarning } from './recorded-channel.ts';
import type { RunDirectory } from './run-directory.ts';
import {
  annotateTrace,
  captureWaterfall,
  fileList,
  openCapture,
  RUN_FILES,
  writeFrames,
  writeReport,
} from './run-files.ts';
import type { FolderResult, LoopbackConfig, PhotoSource, RunIo, RunResult } from './run-io.ts';
import { sentSemantics } from './semantic-collect.ts';
import { knowledgeRecord } from './session-knowledge.ts';
import { transmitFacts } from './transmit-facts.ts';

/** `sct loopback`: one picture, or every picture of a folder, through a modelled channel. */
export async function runLoopback(config: LoopbackConfig, io: RunIo): Promise<RunResult | FolderResult> {
  const { photo } = config;
  const recorded = await recordedChannel(config);
  const coding = await senderCodec(config);
  if (photo.kind !== 'folder') return loopbackPicture(config, photo, recorded, coding, io, io.outputDirectory);
  const images: (LinkMetrics & { photo: string })[] = [];
  let exitCode: number = ExitCode.ok;
  for (const [i, path] of photo.files.entries()) {
    if (io.signal.aborted) throw new SctError('interrupted', ExitCode.interrupted);
    io.progress.update(`picture ${i + 1}/${photo.files.length}  ${basename(path)}`);
    const directory = io.outputDirectory ? join(io.outputDirectory, basename(path)) : undefined;
    const result = await loopbackPicture(
      truthOfPhoto(config, path),
      { kind: 'file', path },
      recorded,
      coding,
      io,
      directory,
    );
    images.push({ ...result.metrics, photo: basename(path) });
    exitCode = Math.max(exitCode, result.exitCode);
  }
  return {
    images,
    means: meansOf(images),
    ...(io.outputDirectory ? { directory: io.outputDirectory } : {}),
    exitCode,
  };
}

async function loopbackPicture(
  config: LoopbackConfig,
  photo: Exclude<PhotoSource, { kind: 'folder' }>,
  recorded: RecordedChannel | null,
  coding: LinkCodec,
  io: RunIo,
  directory: string | undefined,
): Promise<RunResult> {
  const started = performance.now();
  const setup = setupLink(config, recorded, coding);
  const { image, name } = await loadPhoto(photo);
  const measure = await openQualityInputs(config, image);
  const { photo: _, ...settings } = config;
  const begun = await beginRun({ name, channel: config.channel, directory, seed: config.seed, config: settings }, io);
  const { run } = begun;
  let { manifest } = begun;
  const captures = await openCaptures(run, setup, config, name);
  const exchange = new LoopbackExchange(config, setup, {
    ...captures,
    signal: io.signal,
    burst: (use): void => io.progress.update(() => progressText(use, exchange)),
  });
  manifest = { ...manifest, device: exchange.deviceFacts() };
  try {
    await exchange.open();
    const coded = performance.now();
    const plan = await exchange.sendPicture(image);
    await exchange.close();
    manifest = { ...manifest, ...knowledgeRecord(exchange.knowledge?.facts) };
    const facts = transmitFacts(plan, exchange.transmitter);
    const linked = performance.now();

    const picture = exchange.chain.receiver.received.at(-1);
    const decoded = picture ? await exchange.chain.receiver.picture(picture, decodeOptions(config)) : undefined;
    const decodedAt = performance.now();
    annotateTrace(captures.rx, exchange.trace, setup.numerology, setup.frontend.loOffsetHz, config.frequencyHz);
    await captures.tx.close();
    await captures.rx.close({ 'sct:clipped_samples': exchange.clippedSamples });
    const semantic = coding.labels
      ? sentSemantics(setup.numerology, coding.labels, plan.source, plan, decoded)
      : undefined;
    const metrics = linkMetrics({
      config,
      trace: exchange.trace,
      facts,
      source: image,
      decoded,
      picture,
      labels: coding.labels,
      importance: semantic?.importance,
      samples: exchange.chain.samples,
      lostSamples: exchange.chain.lostSamples,
      clippedSamples: exchange.clippedSamples,
      modelled: true,
      roiMask: measure.roiMask,
      machine: { truth: measure.truth, clean: await cleanTask(coding.models, decoded, image) },
      lpips: await measure.lpips(image, decoded?.decodable ? decoded.image : undefined),
    });
    const heard = exchange.trace.bursts.length > 0;
    const exitCode = exitCodeOf(metrics, config, heard);
    metrics.ok = exitCode === ExitCode.ok;
    const waterfall = await captureWaterfall(run.file(RUN_FILES.rx), config.rateHz);
    writeFrames(run, exchange.trace);
    await run.write(RUN_FILES.allocation, `${JSON.stringify(facts, null, 2)}\n`);
    await run.writeMetrics(metrics);
    const outcome = outcomeText(metrics, config, decoded, exchange.trace);
    if (outcome) io.progress.note(outcome);
    manifest = endManifest(manifest, io.now(), exitCode, outcome);
    const report = await writeReport(
      run,
      {
        title: name,
        config,
        numerology: setup.numerology,
        manifest,
        metrics,
        trace: exchange.trace,
        facts,
        source: image,
        decoded,
        waterfall,
        semantic,
        knowledge: exchange.knowledge?.facts,
        warnings: [...(outcome ? [outcome] : []), ...plan.warnings, ...warningsOf(exchange, plan.map, config)],
      },
      { source: image, decoded },
    );
    metrics.timings = {
      ...codecTimings({ ...plan.timingsMs, ...decoded?.timingsMs }, decoded?.task),
      startMs: Math.round(coded - started),
      linkMs: Math.round(linked - coded),
      decodeMs: Math.round(decodedAt - linked),
      totalMs: Math.round(performance.now() - started),
    };
    metrics.files = fileList(run, ['tx', 'rx']);
    await run.writeMetrics(metrics);
    await run.writeManifest(manifest);
    return { metrics, report, directory: run.path, exitCode };
  } catch (error) {
    // Whatever went wrong, what was recorded stays a valid capture and run.json says how it ended.
    await captures.tx.close().catch(() => undefined);
    await captures.rx.close().catch(() => undefined);
    const code = error instanceof SctError ? error.exitCode : ExitCode.internal;
    manifest = { ...manifest, ...knowledgeRecord(exchange.knowledge?.facts) };
    await run.writeManifest(endManifest(manifest, io.now(), code, (error as Error).message));
    throw error;
  } finally {
    run.close();
  }
}

interface Captures {
  readonly tx: CaptureWriter;
  readonly rx: CaptureWriter;
}

async function openCaptures(
  run: RunDirectory,
  setup: LinkSetup,
  config: LoopbackConfig,
  name: string,
): Promise<Captures> {
  const common = { ...(config.frequencyHz !== undefined ? { frequencyHz: config.frequencyHz } : {}), simulated: true };
  const hardware = `simulated ${config.profile} (modelled channel, no hardware)`;
  return {
    tx: await openCapture(run, 'tx', setup, { ...common, hardware, description: `transmitted: ${name}` }),
    rx: await openCapture(run, 'rx', setup, { ...common, hardware, description: `received: ${name}` }),
  };
}

function progressText(use: string, exchange: LoopbackExchange): string {
  const last = exchange.trace.bursts.at(-1);
  const snr = last ? `  SNR ${last.snrDb.toFixed(1)} dB  CFO ${last.cfoHz.toFixed(0)} Hz` : '';
  return `${use} burst sent${snr}  drops ${exchange.chain.lostSamples}`;
}

function warningsOf(exchange: LoopbackExchange, map: string, config: LoopbackConfig): string[] {
  const out: string[] = [];
  if (config.ideal) out.push('ideal: no unknown start, fractional delay, phase, frequency or clock offset');
  const short = traceWarning(exchange.recorded, exchange.nowS);
  if (short) out.push(short);
  if (map === 'robust') {
    const loading = config.powerLoading ? 'no bit or power loading' : 'no bit loading';
    const why = config.feedback === 'none' ? 'no CSI report without feedback' : 'the CSI report was missing or too old';
    out.push(`${why}: robust map, whole band, ${loading}`);
  }
  out.push(...(exchange.knowledge?.warnings ?? []));
  out.push(...traceWarnings(exchange.trace, exchange.clippedSamples));
  return out;
}
