import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, UsageError } from '../common/errors.ts';
import { FileRadio } from '../radio/file/file-radio.ts';
import { beginRun } from './begin-run.ts';
import { compareMetrics, type MetricDifference } from './compare-metrics.ts';
import { readJsonFile } from './json-input.ts';
import { ReceiverCodecs } from './link-codecs.ts';
import { type LinkConfig, type LinkInput, parseLinkInput, resolveLinkConfig } from './link-config.ts';
import { loadPhoto } from './photo.ts';
import { withoutMissingInputs } from './quality-inputs.ts';
import { nothingFound } from './receive-run.ts';
import { captureHints, receiveStream } from './receive-stream.ts';
import { type ReceiverOutcome, receiverMetrics, writeReceiverRun } from './receiver-report.ts';
import { readRun, type StoredRun } from './run-directory.ts';
import { RUN_FILES } from './run-files.ts';
import type { ReplayConfig, RunIo, RunResult } from './run-io.ts';
import { MAX_SEMANTICS_JSON, parseSemanticFacts, type SemanticFacts } from './semantic-facts.ts';
import { parseTransmitFacts, type TransmitFacts } from './transmit-facts.ts';

/** A replay's result; `differences` where `--check` compared it with what the run had written. */
export interface ReplayResult extends RunResult {
  readonly differences: readonly MetricDifference[] | null;
}

/**
 * `sct replay`: receives a recording again. Of a run directory it takes the configuration, the source picture and what
 * the transmitter noted; `--check` demands the same metrics (exit 7 otherwise). A bare capture is received as it is.
 */
export async function runReplay(config: ReplayConfig, io: RunIo): Promise<ReplayResult> {
  const run = await storedRun(config.source);
  if (!run && config.check) {
    throw new UsageError('--check compares with the metrics of a run', 'give a run directory or its run.json');
  }
  const capturePath = run ? join(run.directory, RUN_FILES.rx) : config.source;
  const hints = await captureHints(capturePath);
  const link = replayConfig(run, config.given, hints);
  const facts = run ? await storedFacts(run.directory) : null;
  const referencePath = config.reference ?? (run ? join(run.directory, RUN_FILES.source) : undefined);
  const hasReference = referencePath !== undefined && (config.reference !== undefined || existsSync(referencePath));
  const reference = hasReference ? (await loadPhoto({ kind: 'file', path: referencePath })).image : undefined;
  const modelled = typeof run?.metrics?.channel === 'string';
  const rx = await new FileRadio(capturePath).openRx({});
  const stop = () => void rx.close();
  io.signal.addEventListener('abort', stop, { once: true });
  const stream = await receiveStream(
    rx,
    {
      ...{ numerology: link.numerology, rateHz: hints.rateHz, loOffsetHz: hints.loOffsetHz },
      ...{ estimator: link.estimator, codecs: new ReceiverCodecs(link) },
    },
    { progress: (samples) => io.progress.update(`replay  ${(samples / hints.rateHz).toFixed(2)} s`) },
  ).finally(() => {
    io.signal.removeEventListener('abort', stop);
    return rx.close();
  });
  const outcome: ReceiverOutcome = {
    config: { ...link, rateHz: hints.rateHz, sampleFormat: hints.format },
    title: config.source,
    stream,
    facts,
    semantics: run ? await storedSemantics(run.directory) : null,
    reference,
    modelled,
    clippedSamples: hints.clippedSamples,
    capturePath,
    warnings: [],
    sounding: run?.metrics?.codec === 'none',
  };
  const differences = config.check && run ? await check(run, outcome) : null;
  const { run: directory, manifest } = await beginRun(
    {
      name: 'replay',
      channel: modelled ? link.channel : 'capture',
      directory: io.outputDirectory,
      seed: run?.manifest.seed ?? null,
      config: outcome.config,
    },
    io,
  );
  try {
    const result = await writeReceiverRun(directory, manifest, outcome, io);
    if (io.signal.aborted) return { ...result, differences, exitCode: ExitCode.interrupted };
    if (differences && differences.length > 0) return { ...result, differences, exitCode: ExitCode.replayDiffers };
    // A run that ended badly and does so again has been reproduced: that is what --check asks.
    if (differences) return { ...result, differences, exitCode: ExitCode.ok };
    if (result.exitCode === ExitCode.noSignal)
      throw nothingFound(stream.trace.misses, link.numerology, directory.path, hints.numerology);
    return { ...result, differences };
  } finally {
    directory.close();
  }
}

async function storedRun(path: string): Promise<StoredRun | null> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() || (found && path.endsWith('run.json'))) return readRun(path);
  return null;
}

/** Settings of a run that say where it sent and listened, not how. */
const RUN_KEYS: ReadonlySet<string> = new Set(['to', 'from', 'reference', 'tx', 'rx', 'periodMs']);

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
  const { metrics } = await receiverMetrics(outcome);
  return compareMetrics(run.metrics, JSON.parse(JSON.stringify(metrics)));
}
