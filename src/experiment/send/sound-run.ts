import { ExitCode, SctError, UsageError } from '../../common/errors.ts';
import { TxChain } from '../../link/chains.ts';
import { Transmitter } from '../../link/transmitter.ts';
import { FileRadio } from '../../radio/file/file-radio.ts';
import type { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import { parseRadioUri } from '../../radio/uri.ts';
import { type LinkSetup, setupLink } from '../config/link-setup.ts';
import { LoopbackExchange } from '../loopback/exchange.ts';
import { linkMetrics } from '../metrics/link-metrics.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';
import { linkCaptures } from '../ota/link-run.ts';
import { checkEnds, permissionOf, radioEnd } from '../ota/radio-end.ts';
import { RadioExchange } from '../ota/radio-exchange.ts';
import { nothingFound } from '../receive/receive-run.ts';
import { receiveStream } from '../receive/receive-stream.ts';
import { recordedChannel, traceWarning } from '../replay/recorded-channel.ts';
import { reportHtml } from '../report/html.ts';
import { reportData } from '../report/link-report.ts';
import { beginRun } from '../run/begin-run.ts';
import type { Json } from '../run/canonical-json.ts';
import { endManifest } from '../run/manifest.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { annotateTrace, captureWaterfall, openCapture, RUN_FILES, writeFrames } from '../run/run-files.ts';
import type { RunIo, RunResult, SoundConfig } from '../run/run-io.ts';
import { paceOf } from '../telemetry/pace.ts';
import { watchRun } from '../telemetry/run-facts.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';

/** Period when only a duration or a count is given, s. */
const DEFAULT_PERIOD_S = 0.02;
/** The same of a model that is watched until somebody stops it; of its recording only the beginning is kept, and it ends by itself. */
const WATCHED_PERIOD_S = 0.05;
const WATCHED_RECORDED_S = 5;
const WATCHED_S = 600;

/** What a sounding gave, whichever way its samples went. */
interface Heard {
  readonly trace: LinkTrace;
  readonly samples: number;
  readonly lostSamples: number;
  readonly clippedSamples: number;
  /** Of the receiving board; absent: that of the configuration. */
  readonly rateHz?: number;
  /** Received capture to draw the waterfall from. */
  readonly capturePath: string;
  /** Channel and front end of a simulation, for run.json. */
  readonly device: { [key: string]: Json } | null;
  readonly warnings: readonly string[];
  readonly notes?: readonly string[];
}

/** `sct sound`: sounding bursts only; the RB SNR of each goes to frames.jsonl and, as their mean, into the metrics. */
export async function runSound(config: SoundConfig, io: RunIo): Promise<RunResult> {
  if (config.powerLoading) {
    throw new UsageError('--power-loading loads a payload, and sound sends none', 'leave it out, or use sct loopback');
  }
  const modelled = parseRadioUri(config.tx).kind === 'loopback';
  const setup = setupLink(config, modelled ? await recordedChannel(config) : null);
  // A page's user would see nothing of one burst.
  const untilStopped =
    modelled && io.telemetry !== undefined && config.count === undefined && config.durationS === undefined;
  const periodS = (config.periodMs ?? 1e3 * (untilStopped ? WATCHED_PERIOD_S : DEFAULT_PERIOD_S)) / 1e3;
  const durationS = untilStopped ? WATCHED_S : config.durationS;
  const byDuration = durationS === undefined ? null : Math.max(1, Math.floor(durationS / periodS));
  const count = config.count ?? byDuration ?? 1;
  const tx = parseRadioUri(config.tx);
  const channel = tx.kind === 'loopback' ? config.channel : tx.kind;
  const begun = await beginRun(
    { name: 'sound', channel, directory: io.outputDirectory, seed: config.seed, config },
    io,
  );
  const { run } = begun;
  let { manifest } = begun;
  const { numerology, frontend } = setup;
  const { loOffsetHz } = frontend;
  const told = { config, numerology, title: 'sounding', channel, modelled, loOffsetHz, sounding: true };
  const watch = watchRun(io.telemetry, told, begun);
  try {
    const recordedS = untilStopped ? WATCHED_RECORDED_S : Number.POSITIVE_INFINITY;
    const work: SoundWork = { config, setup, run, io, count, periodS, recordedS, watch };
    const heard = await (tx.kind === 'loopback' ? soundLoopback(work) : soundRadios(work));
    const metrics = linkMetrics({ config, facts: null, source: undefined, decoded: undefined, modelled, ...heard });
    metrics.codec = 'none';
    if (heard.device) manifest = { ...manifest, device: heard.device };
    const found = heard.trace.bursts.length > 0;
    const { aborted } = io.signal;
    const exitCode = aborted ? ExitCode.interrupted : found ? ExitCode.ok : ExitCode.noSignal;
    metrics.ok = found;
    metrics.files = { directory: run.path, report: run.file(RUN_FILES.report), frames: run.file(RUN_FILES.frames) };
    writeFrames(run, heard.trace);
    await run.writeMetrics(metrics);
    const ended = endManifest(
      manifest,
      io.now(),
      exitCode,
      aborted ? 'stopped; what was heard until then counts' : null,
    );
    const report = await reportData({
      title: 'channel sounding',
      config,
      numerology: setup.numerology,
      manifest: ended,
      metrics,
      trace: heard.trace,
      facts: null,
      source: undefined,
      decoded: undefined,
      waterfall: await captureWaterfall(heard.capturePath, heard.rateHz ?? config.rateHz),
      warnings: heard.warnings,
      notes: heard.notes ?? [],
      purpose: 'sounding',
    });
    await run.write(RUN_FILES.report, reportHtml(report));
    await run.writeManifest(ended);
    if (!found && !aborted) throw nothingFound(heard.trace, config.numerology, run.path);
    watch?.ended(exitCode, null, { ...metrics });
    return { metrics, report, directory: run.path, exitCode };
  } catch (error) {
    const code = error instanceof SctError ? error.exitCode : ExitCode.internal;
    await run.writeManifest(endManifest(manifest, io.now(), code, (error as Error).message));
    watch?.ended(code, (error as Error).message, null);
    throw error;
  } finally {
    run.close();
  }
}

interface SoundWork {
  readonly config: SoundConfig;
  readonly setup: LinkSetup;
  readonly run: RunDirectory;
  readonly io: RunIo;
  readonly count: number;
  readonly periodS: number;
  /** So much of the beginning is recorded, s. */
  readonly recordedS: number;
  readonly watch: RunWatch | null;
}

async function soundLoopback(work: SoundWork): Promise<Heard> {
  const { config, setup, run, io, count, periodS, recordedS, watch } = work;
  const hardware = `simulated ${config.profile} (modelled channel, no hardware)`;
  const capture = await openCapture(run, 'rx', setup, { hardware, description: 'sounding', simulated: true });
  const recordedSamples = recordedS * config.rateHz;
  const exchange = new LoopbackExchange(config, setup, {
    rx: {
      write: async (block) => (block.index < recordedSamples ? capture.write(block) : undefined),
      get bytes() {
        return capture.bytes;
      },
    },
    watch,
    pace: paceOf(io),
    burst: (): void => {
      const done = exchange.trace.bursts.length;
      io.progress.update(`sound  ${done}/${count}`);
    },
  });
  try {
    await exchange.open();
    await exchange.sound(count, periodS, () => io.signal.aborted);
    await exchange.close();
    const recorded = {
      bursts: exchange.trace.bursts.filter((b) => b.startSample + b.lengthSamples <= capture.samples),
    };
    annotateTrace(capture, recorded, setup.numerology, setup.frontend.loOffsetHz, config.frequencyHz);
  } finally {
    await capture.close({ 'sct:clipped_samples': exchange.clippedSamples });
  }
  const short =
    exchange.nowS > recordedS ? `watched until it was stopped: only the first ${recordedS} s are recorded` : null;
  const warnings = [traceWarning(exchange.recorded, exchange.nowS), short].filter((text) => text !== null);
  for (const warning of warnings) io.progress.note(warning);
  return {
    trace: exchange.trace,
    samples: exchange.chain.samples,
    lostSamples: exchange.chain.lostSamples,
    clippedSamples: exchange.clippedSamples,
    capturePath: run.file(RUN_FILES.rx),
    device: exchange.deviceFacts(),
    warnings,
  };
}

/** One file for both ends: first all bursts are written, then the file is received. */
async function soundRadios(work: SoundWork): Promise<Heard> {
  const { config, setup, io, count, periodS, watch } = work;
  const to = parseRadioUri(config.tx);
  const from = parseRadioUri(config.rx);
  if (to.kind !== 'file' || from.kind !== 'file') return soundBoards(work);
  const rate = setup.frontend.deviceRateHz;
  const radio = new FileRadio(to.path, {
    format: setup.format,
    fullScale: setup.fullScale,
    overwrite: true,
    capture: {
      hardware: `sct sound, ${config.profile} profile`,
      fields: { 'sct:numerology': config.numerology, 'sct:lo_offset_hz': setup.frontend.loOffsetHz },
    },
  });
  const tx = await radio.openTx({ rateHz: rate });
  const chain = new TxChain(setup.frontend, tx);
  const transmitter = new Transmitter({ numerology: setup.numerology, codec: setup.codec, harq: 0 });
  let at = Math.ceil(2e-3 * rate);
  for (let i = 0; i < count && !io.signal.aborted; i++) {
    const placed = await chain.send(transmitter.sounding().samples, at);
    at = Math.max(placed.index + placed.samples, at + Math.ceil(periodS * rate));
  }
  await tx.write(new Float32Array(2 * Math.ceil(5e-3 * rate)), at);
  await radio.close();
  const rx = await new FileRadio(from.path).openRx({});
  const stream = await receiveStream(
    rx,
    {
      numerology: config.numerology,
      rateHz: rx.settings.rateHz,
      loOffsetHz: setup.frontend.loOffsetHz,
      estimator: config.estimator,
    },
    { watch },
  ).finally(() => rx.close());
  return {
    trace: stream.trace,
    samples: stream.chain.samples,
    lostSamples: stream.chain.lostSamples,
    clippedSamples: rx.counters.clippedSamples,
    capturePath: from.path,
    device: null,
    warnings: [],
  };
}

/** A board at each end, or one that does both. */
async function soundBoards({ config, run, io, count, periodS, watch }: SoundWork): Promise<Heard> {
  const { tx: sender, rx: receiver, periodMs: _, ...link } = config;
  const tx = radioEnd(link, sender, 'tx', null);
  const rx = radioEnd(link, receiver, 'rx', null);
  checkEnds(tx, rx);
  const permission = permissionOf(tx, rx.board ? rx.profile : null);
  const files: { tx?: CaptureWriter; rx?: CaptureWriter } = {};
  const exchange = new RadioExchange({
    tx,
    rx,
    permission,
    signal: io.signal,
    watch,
    captures: async (sending, receiving) =>
      Object.assign(files, await linkCaptures(run, 'sounding', { tx, rx }, sending, receiving)),
    burst: () => io.progress.update(`sound  ${exchange.trace.bursts.length}/${count}`),
  });
  try {
    await exchange.open();
    await unlessStopped(
      exchange.sound(count, periodS, () => io.signal.aborted),
      io.signal,
    );
    await unlessStopped(exchange.close(), io.signal);
    annotateTrace(files.rx!, exchange.trace, rx.setup.numerology, rx.setup.frontend.loOffsetHz, exchange.frequencyHz);
  } finally {
    await exchange.close().catch(() => undefined);
    await files.tx?.close();
    await files.rx?.close({ 'sct:clipped_samples': exchange.clippedSamples });
  }
  return {
    trace: exchange.trace,
    samples: exchange.chain.samples,
    lostSamples: exchange.chain.lostSamples,
    clippedSamples: exchange.clippedSamples,
    capturePath: run.file(RUN_FILES.rx),
    rateHz: exchange.chain.deviceRateHz,
    device: exchange.deviceFacts(),
    warnings: exchange.warnings(),
    notes: exchange.notes(),
  };
}

/** What was heard until somebody stopped it counts: being stopped is no error. */
async function unlessStopped(work: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
