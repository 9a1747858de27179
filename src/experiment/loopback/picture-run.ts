import { ExitCode, SctError } from '../../common/errors.ts';
import type { RxChain } from '../../link/chains.ts';
import { unsentOf } from '../../link/plan/coded-in-budget.ts';
import type { SendPolicy, TransmissionPlan, Transmitter } from '../../link/transmitter.ts';
import type { Numerology } from '../../phy/numerology.ts';
import type { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { codecTimings, decodeOptions, type LinkCodec } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { openQualityInputs } from '../config/quality-inputs.ts';
import { exitCodeOf, outcomeText } from '../metrics/exit-code.ts';
import { linkMetrics } from '../metrics/link-metrics.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';
import { traceWarnings } from '../metrics/link-trace.ts';
import { cleanTask } from '../metrics/machine-metrics.ts';
import { sentSemantics } from '../metrics/semantic-collect.ts';
import { transmitFacts } from '../metrics/transmit-facts.ts';
import { beginRun } from '../run/begin-run.ts';
import type { Json } from '../run/canonical-json.ts';
import { endManifest } from '../run/manifest.ts';
import { loadPhoto } from '../run/photo.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { annotateTrace, captureWaterfall, fileList, RUN_FILES, writeFrames, writeReport } from '../run/run-files.ts';
import type { PhotoSource, RunIo, RunResult } from '../run/run-io.ts';
import type { SpeechSending } from '../speech/speech-sending.ts';
import { watchRun } from '../telemetry/run-facts.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import { knowledgeRecord, type SessionKnowledge } from './session-knowledge.ts';

/** Both ends of a link, simulated or by radio, as a run sees them. */
export interface PictureExchange {
  readonly transmitter: Transmitter;
  readonly chain: RxChain;
  readonly trace: LinkTrace;
  readonly knowledge: SessionKnowledge | null;
  /** Samples limited by the converters, as far as both ends are here. */
  readonly clippedSamples: number;
  /** What run.json says of channel and radios, once they are open. */
  deviceFacts(): { [key: string]: Json };
  /** @param image sent later: what can be known of it is found out before the streams are open */
  open(image?: RgbImage): Promise<void>;
  /** @param budgetRe default what the configuration says of its pixels */
  sendPicture(image: RgbImage, budgetRe?: number): Promise<TransmissionPlan>;
  close(): Promise<void>;
  /** What went wrong with this air, at the end. */
  warnings(): readonly string[];
  /** What a user should know of it besides: how gains were found. */
  notes(): readonly string[];
}

/** An exchange that can send the same picture differently on one CSI report. */
export interface ComparableExchange extends PictureExchange {
  /** What does not depend on the channel; gains. */
  prepare(image: RgbImage): Promise<void>;
  /** Measures the channel anew. */
  measure(): Promise<void>;
  /** Sends a picture by the latest report. */
  sendWith(image: RgbImage, policy: SendPolicy): Promise<TransmissionPlan>;
}

/** Who is told what while a picture is on its way. */
export interface ExchangeHooks {
  burst?(use: string): void;
  planned?(plan: TransmissionPlan): void;
  readonly watch?: RunWatch | null;
}

/** An exchange with its captures. */
export interface OpenedExchange {
  readonly exchange: ComparableExchange;
  /** Made when the exchange opens, at the latest. */
  readonly captures: { readonly tx?: CaptureWriter; readonly rx?: CaptureWriter };
  /** LO of the receiver, Hz; undefined at baseband. */
  readonly frequencyHz: number | undefined;
}

export interface PictureRun {
  readonly config: LinkConfig;
  /** As config.resolved.yaml and run.json say it. */
  readonly settings: object;
  readonly numerology: Numerology;
  /** LO of the receiver over the middle of the signal, Hz. */
  readonly loOffsetHz: number;
  readonly photo: Exclude<PhotoSource, { kind: 'folder' }> | undefined;
  /** Speech, alone or beside a photo: then everything that is sent comes from here. */
  readonly speech?: SpeechSending | undefined;
  readonly coding: LinkCodec;
  /** Name of the channel in the run's directory. */
  readonly channel: string;
  readonly modelled: boolean;
  readonly directory: string | undefined;
  /** Radios or channel model, and the captures; called once the run's directory is there and the picture is loaded. */
  open(run: RunDirectory, name: string, hooks: ExchangeHooks): Promise<OpenedExchange>;
}

/** One picture over a link: sent, received, decoded, measured, written down. The same for a simulated channel and for radios. */
export async function runPicture(what: PictureRun, io: RunIo): Promise<RunResult> {
  const { config, numerology, coding } = what;
  const started = performance.now();
  const { speech } = what;
  const { image, name } = speech ?? (await loadPhoto(what.photo!));
  const source = speech ? speech.photo : image;
  const measure = await openQualityInputs(config, source);
  const begun = await beginRun(
    { name, channel: what.channel, directory: what.directory, seed: config.seed, config: what.settings },
    io,
  );
  const { run } = begun;
  let { manifest } = begun;
  const watch = watchRun(io.telemetry, { ...what, title: name }, begun);
  let opened: OpenedExchange | null = null;
  try {
    opened = await what.open(run, name, {
      watch,
      burst: (use) => io.progress.update(() => progressText(use, opened?.exchange)),
      planned: (plan) => {
        watch?.planned(plan.reportedSnrDb, plan);
        const { labels } = coding;
        if (source)
          void watch?.sending(name, source, labels ? sentSemantics(numerology, labels, plan.source, plan) : undefined);
      },
    });
    const { exchange } = opened;
    await exchange.open(image);
    const captures = opened.captures as { readonly tx: CaptureWriter; readonly rx: CaptureWriter };
    manifest = { ...manifest, device: exchange.deviceFacts() };
    const coded = performance.now();
    const plan = await unsentOf(exchange.sendPicture(image, speech?.budgetRe));
    await exchange.close();
    manifest = { ...manifest, device: exchange.deviceFacts(), ...knowledgeRecord(exchange.knowledge?.facts) };
    const sent = transmitFacts(plan, exchange.transmitter);
    // One age of one report: by the receiver's samples, where they are a radio's and the burst was heard.
    const facts = what.modelled ? sent : { ...sent, csiAgeMs: exchange.trace.csiAgeMs ?? sent.csiAgeMs };
    const linked = performance.now();

    const picture = exchange.chain.receiver.received.at(-1);
    const decoded = picture ? await exchange.chain.receiver.picture(picture, decodeOptions(config)) : undefined;
    const decodedAt = performance.now();
    annotateTrace(captures.rx, exchange.trace, numerology, what.loOffsetHz, opened.frequencyHz);
    await captures.tx.close();
    await captures.rx.close({ 'sct:clipped_samples': exchange.clippedSamples });
    const semantic = coding.labels ? sentSemantics(numerology, coding.labels, plan.source, plan, decoded) : undefined;
    const metrics = linkMetrics({
      config,
      trace: exchange.trace,
      facts,
      source,
      speech: speech?.speech,
      decoded,
      picture,
      labels: coding.labels,
      importance: semantic?.importance,
      samples: exchange.chain.samples,
      lostSamples: exchange.chain.lostSamples,
      clippedSamples: exchange.clippedSamples,
      modelled: what.modelled,
      roiMask: measure.roiMask,
      machine: { truth: measure.truth, clean: await cleanTask(coding.models, decoded, source) },
      networks: await measure.networks(source, decoded),
    });
    const heard = exchange.trace.bursts.length > 0;
    const exitCode = exitCodeOf(metrics, config, heard);
    metrics.ok = exitCode === ExitCode.ok;
    const waterfall = await captureWaterfall(run.file(RUN_FILES.rx), exchange.chain.deviceRateHz);
    writeFrames(run, exchange.trace);
    await run.write(RUN_FILES.allocation, `${JSON.stringify(facts, null, 2)}\n`);
    await run.writeMetrics(metrics);
    const lost = outcomeText(metrics, config, decoded, exchange.trace);
    const outcome = plan.unsent ? `${lost}: ${plan.unsent.why}` : lost;
    if (outcome) io.progress.note(outcome);
    manifest = endManifest(manifest, io.now(), exitCode, outcome);
    const report = await writeReport(
      run,
      {
        title: name,
        config,
        numerology,
        manifest,
        metrics,
        trace: exchange.trace,
        facts,
        source,
        speech: speech?.speech,
        decoded,
        waterfall,
        semantic,
        knowledge: exchange.knowledge?.facts,
        notes: exchange.notes(),
        warnings: [
          ...(outcome ? [outcome] : []),
          ...plan.warnings,
          ...exchange.warnings(),
          ...mapWarnings(plan.map, config),
          ...(exchange.knowledge?.warnings ?? []),
          ...traceWarnings(exchange.trace, exchange.clippedSamples),
        ],
      },
      { source, decoded },
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
    await watch?.decoded(decoded, { psnrDb: metrics.psnrDb, msSsim: metrics.msSsim });
    watch?.ended(exitCode, outcome, { ...metrics });
    return { metrics, report, directory: run.path, exitCode, facts };
  } catch (error) {
    // Whatever went wrong, what was recorded stays a valid capture and run.json says how it ended.
    await opened?.exchange.close().catch(() => undefined);
    await opened?.captures.tx?.close().catch(() => undefined);
    await opened?.captures.rx?.close().catch(() => undefined);
    const code = error instanceof SctError ? error.exitCode : ExitCode.internal;
    manifest = { ...manifest, ...knowledgeRecord(opened?.exchange.knowledge?.facts) };
    await run.writeManifest(endManifest(manifest, io.now(), code, (error as Error).message));
    watch?.ended(code, (error as Error).message, null);
    throw error;
  } finally {
    run.close();
  }
}

function progressText(use: string, exchange: PictureExchange | undefined): string {
  const last = exchange?.trace.bursts.at(-1);
  const snr = last ? `  SNR ${last.snrDb.toFixed(1)} dB  CFO ${Math.round(last.cfoHz)} Hz` : '';
  return `${use} burst sent${snr}  drops ${exchange?.chain.lostSamples ?? 0}`;
}

function mapWarnings(map: string, config: LinkConfig): string[] {
  if (map !== 'robust') return [];
  const loading = config.powerLoading ? 'no bit or power loading' : 'no bit loading';
  const why = config.feedback === 'none' ? 'no CSI report without feedback' : 'the CSI report was missing or too old';
  return [`${why}: robust map, whole band, ${loading}`];
}
