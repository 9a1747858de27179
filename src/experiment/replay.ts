import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeviceError, ExitCode, SctError, UsageError } from '../common/errors.ts';
import { numerology } from '../phy/numerology.ts';
import type { StreamSettings } from '../radio/radio.ts';
import type { RgbImage } from '../sct/image/rgb-image.ts';
import { beginRun } from './begin-run.ts';
import { compareMetrics, type MetricDifference } from './compare-metrics.ts';
import { asObject, type JsonObject, readJsonFile } from './json-input.ts';
import { type LinkConfig, type LinkInput, parseLinkInput, resolveLinkConfig } from './link-config.ts';
import { endManifest } from './manifest.ts';
import { loadPhoto } from './photo.ts';
import { withoutMissingInputs } from './quality-inputs.ts';
import { type HeardAgain, type Recording, receiveAgain } from './receive-again.ts';
import { nothingFound } from './receive-run.ts';
import { type CaptureHints, captureHints } from './receive-stream.ts';
import { receivedCapture } from './received-capture.ts';
import { type ReceiverOutcome, receiverMetrics, withImages, writeReceiverRun } from './receiver-report.ts';
import { type RunDirectory, readRun, type StoredRun } from './run-directory.ts';
import { RUN_FILES } from './run-files.ts';
import type { ReplayConfig, RunIo, RunResult } from './run-io.ts';
import { MAX_SEMANTICS_JSON, parseSemanticFacts, type SemanticFacts } from './semantic-facts.ts';
import { tellOverview } from './steering/capture-overview.ts';
import { watchablePace } from './steering/replay-command.ts';
import { type CommandSource, receiveSteered } from './steering/steered-passes.ts';
import { recordedBudget } from './telemetry/recorded-budget.ts';
import { watchRun } from './telemetry/run-facts.ts';
import { parseTransmitFacts, type TransmitFacts } from './transmit-facts.ts';

/** So long the overview of a capture is waited for, ms. */
const OVERVIEW_MS = 400;

/** A replay's result; `differences` where `--check` compared it with what the run had written. */
export interface ReplayResult extends RunResult {
  readonly differences: readonly MetricDifference[] | null;
}

/**
 * `sct replay`: receives a recording again. Of a run directory it takes the configuration, the source picture and what
 * the transmitter noted; `--check` demands the same metrics (exit 7 otherwise). A bare capture is received as it is.
 */
export async function runReplay(config: ReplayConfig, io: RunIo): Promise<ReplayResult> {
  return (await receivedAgain(config, io, null))!;
}

/**
 * The same for who watches, at the capture's own pace (with --check as fast as it goes) or as `commands` say; null where these sent it
 * elsewhere last, so that what was received says nothing of the whole.
 */
export function runSteeredReplay(
  config: ReplayConfig,
  io: RunIo,
  commands: CommandSource,
): Promise<ReplayResult | null> {
  return receivedAgain(config, io, commands);
}

async function receivedAgain(
  config: ReplayConfig,
  io: RunIo,
  commands: CommandSource | null,
): Promise<ReplayResult | null> {
  const run = await storedRun(config.source);
  if (!run && config.check) {
    throw new UsageError('--check compares with the metrics of a run', 'give a run directory or its run.json');
  }
  const capturePath = run ? receivedCapture(run.directory) : config.source;
  const hints = await captureHints(capturePath).catch((error: unknown) => {
    if (!run || !(error instanceof DeviceError)) throw error;
    const sent = existsSync(join(run.directory, `${RUN_FILES.tx}.sigmf-meta`));
    throw new UsageError(
      `${run.directory} has no received capture${sent ? ': this run only transmitted' : ''}`,
      sent
        ? `its own samples can be received: sct replay ${join(run.directory, RUN_FILES.tx)}`
        : 'give a run that received',
    );
  });
  if (hints.complete && hints.endIndex === hints.startIndex) throw new UsageError(`${capturePath} has no samples`);
  const link = replayConfig(run, config.given, hints);
  const facts = run ? await storedFacts(run.directory) : null;
  const referencePath = config.reference ?? (run ? join(run.directory, RUN_FILES.source) : undefined);
  const hasReference = referencePath !== undefined && (config.reference !== undefined || existsSync(referencePath));
  const reference = hasReference ? (await loadPhoto({ kind: 'file', path: referencePath })).image : undefined;
  const modelled = typeof run?.metrics?.channel === 'string';
  const semantics = run ? await storedSemantics(run.directory) : null;
  const resolved = { ...link, rateHz: hints.rateHz, sampleFormat: hints.format };
  const channel = modelled ? link.channel : 'capture';
  const begun = await beginRun(
    {
      name: 'replay',
      channel,
      directory: io.outputDirectory,
      seed: run?.manifest.seed ?? null,
      config: resolved,
    },
    io,
  );
  const { run: directory, manifest } = begun;
  const { loOffsetHz } = hints;
  const sounding = run?.metrics?.codec === 'none';
  const n = numerology(link.numerology);
  const watch = watchRun(
    io.telemetry,
    {
      config: { ...resolved, ...signalOf(hints) },
      numerology: n,
      title: basename(config.source),
      channel,
      modelled,
      loOffsetHz,
      sounding,
    },
    begun,
  );
  const overview = new AbortController();
  let first = () => {};
  const begins = new Promise<void>((resolve) => {
    first = resolve;
  });
  const shown =
    io.telemetry &&
    tellOverview(capturePath, overview.signal, (event) => {
      io.telemetry?.tell(event);
      first();
    });
  try {
    // Where the capture begins and ends is told before where the replay stands.
    await Promise.race([begins, shown?.catch(() => {})]);
    if (reference) await watch?.sending(basename(config.source), reference, undefined);
    if (facts) watch?.planned(facts.reportedSnrDb);
    const forGains = run?.manifest.device?.soundingsForGains;
    const outcomeOf = ({ stream, ledger, warnings }: HeardAgain): ReceiverOutcome => {
      if (typeof forGains === 'number') stream.trace.forGains = forGains;
      return {
        config: resolved,
        title: config.source,
        stream,
        facts,
        semantics,
        reference,
        // Where a transmitter noted what it sent, it sent one picture.
        ledger: facts ? undefined : ledger,
        modelled,
        clippedSamples: hints.clippedSamples,
        lostAtEnd: hints.lostAtEnd,
        capturePath,
        warnings,
        sounding,
        watch,
      };
    };
    const budget = (settings: StreamSettings) =>
      recordedBudget(
        resolved,
        { modelled, known: run !== null, device: run?.manifest.device ?? null },
        n,
        loOffsetHz,
        settings,
      );
    const what: Recording = { path: capturePath, hints, config: resolved, reference, directory, io, watch, budget };
    const heard =
      commands && watch && io.telemetry
        ? await receiveSteered(what, watch, io.telemetry, commands, {
            speed: config.check ? 0 : watchablePace((hints.endIndex - hints.startIndex) / hints.rateHz),
            // Beside a receiver that computes it takes longer: of most captures it is there before.
            ready: Promise.race([shown?.catch(() => {}), sleep(OVERVIEW_MS, undefined, { ref: false })]),
            judge: (part) => receiverMetrics(outcomeOf(part)),
          })
        : await receiveAgain(what);
    if (!heard) {
      const text = 'the last pass did not run from beginning to end: there are no metrics of the whole';
      const code = io.signal.aborted ? ExitCode.interrupted : ExitCode.ok;
      io.progress.note(text);
      await directory.writeManifest(endManifest(manifest, io.now(), code, text));
      watch?.ended(code, text, null);
      return null;
    }
    const outcome = outcomeOf(heard);
    const { trace } = outcome.stream;
    const differences = config.check && run ? await check(run, outcome) : null;
    const result = await writeReceiverRun(directory, manifest, outcome, io);
    const exitCode = io.signal.aborted ? ExitCode.interrupted : checkedCode(result.exitCode, differences);
    if (exitCode === ExitCode.noSignal) throw nothingFound(trace, link.numerology, directory.path, hints.numerology);
    const sounded = exitCode === ExitCode.ok && !result.metrics.ok ? 'soundings were heard, and no picture' : null;
    watch?.ended(exitCode, differences ? verdictOf(differences) : (result.outcome ?? sounded), { ...result.metrics });
    return { ...result, differences, exitCode };
  } catch (error) {
    const code = error instanceof SctError ? error.exitCode : ExitCode.internal;
    await directory.writeManifest(endManifest(manifest, io.now(), code, (error as Error).message));
    watch?.ended(code, (error as Error).message, null);
    throw error;
  } finally {
    if (io.signal.aborted) overview.abort();
    // What cannot be read has been said by who receives it.
    await shown?.catch(() => {});
    directory.close();
  }
}

/** Differences in one sentence. */
export function verdictOf(differences: readonly MetricDifference[]): string {
  if (differences.length === 0) return 'the replay gives the metrics of the run';
  const named = differences.slice(0, 3).map((d) => `${d.path} ${short(d.a)} in the run, ${short(d.b)} now`);
  const more = differences.length > 3 ? `; ${differences.length - 3} more` : '';
  return `the replay does not give the metrics of the run: ${named.join('; ')}${more}`;
}

function short(value: MetricDifference['a']): string {
  return String(JSON.stringify(value)).slice(0, 40);
}

/** Where the signal of a recording lies on the air, where that stands in it. */
function signalOf({
  frequencyHz,
  loOffsetHz,
}: Pick<CaptureHints, 'frequencyHz' | 'loOffsetHz'>): Pick<LinkInput, 'frequencyHz'> {
  return frequencyHz ? { frequencyHz: frequencyHz - loOffsetHz } : {};
}

/** A run that ended badly and does so again has been reproduced: that is what --check asks. */
function checkedCode(exitCode: number, differences: readonly MetricDifference[] | null): number {
  if (!differences) return exitCode;
  return differences.length > 0 ? ExitCode.replayDiffers : ExitCode.ok;
}

/** Metrics of a recording with several pictures, as a replay of the run has them; the pictures are written beside it. */
export async function recordedMetrics(
  capturePath: string,
  config: LinkConfig,
  reference: RgbImage,
  modelled: boolean,
  directory: RunDirectory,
  io: RunIo,
) {
  const hints = await captureHints(capturePath);
  const resolved = { ...config, rateHz: hints.rateHz, sampleFormat: hints.format };
  const { stream, ledger, warnings } = await receiveAgain({
    ...{ path: capturePath, hints, config: resolved, reference, directory, io, watch: null },
  });
  const { metrics, images } = await receiverMetrics({
    ...{ config: resolved, title: '', stream, facts: null, reference, ledger, modelled, capturePath, warnings },
    clippedSamples: hints.clippedSamples,
    lostAtEnd: hints.lostAtEnd,
  });
  return withImages(metrics, images);
}

async function storedRun(path: string): Promise<StoredRun | null> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() || (found && path.endsWith('run.json'))) return readRun(path);
  return null;
}

/** Settings of a run that say where it sent and listened, not how. */
const RUN_KEYS: ReadonlySet<string> = new Set([
  'to',
  'from',
  'reference',
  'tx',
  'rx',
  'periodMs',
  'compare',
  'attenuator',
]);

/** The run's own settings, overridden by the flags that were given. */
function replayConfig(
  run: StoredRun | null,
  given: LinkInput,
  hints: { numerology: number | null; rateHz: number },
): LinkConfig {
  if (run) {
    const stored = Object.fromEntries(Object.entries(run.manifest.config).filter(([key]) => !RUN_KEYS.has(key)));
    return resolveLinkConfig({ ...withoutMissingInputs(parseLinkInput(stored)), ...given });
  }
  const numerology = given.numerology ?? hints.numerology;
  return resolveLinkConfig({ ...given, ...(numerology === null ? {} : { numerology }) });
}

async function storedFacts(directory: string): Promise<TransmitFacts | null> {
  const path = join(directory, RUN_FILES.allocation);
  return existsSync(path) ? parseTransmitFacts(await readJsonFile(path, 1 << 20)) : null;
}

async function storedSemantics(directory: string): Promise<SemanticFacts | null> {
  const path = join(directory, RUN_FILES.semantics);
  return existsSync(path) ? parseSemanticFacts(await readJsonFile(path, MAX_SEMANTICS_JSON)) : null;
}

async function check(run: StoredRun, outcome: ReceiverOutcome): Promise<MetricDifference[]> {
  if (!run.metrics) throw new UsageError(`${run.directory} has no metrics.json to check against`);
  const { metrics, images } = await receiverMetrics(outcome);
  return compareMetrics(
    withoutPaths(run.metrics),
    withoutPaths(JSON.parse(JSON.stringify(withImages(metrics, images)))),
  );
}

/** Metrics without the paths and times of several pictures, which no two runs share. */
function withoutPaths(metrics: JsonObject): JsonObject {
  if (!Array.isArray(metrics.images)) return metrics;
  return {
    ...metrics,
    images: metrics.images.map((m: unknown) => ({ ...asObject('images', m), files: {}, timings: {} })),
  };
}
