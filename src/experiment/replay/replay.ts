import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitCode, SctError } from '../../common/errors.ts';
import { numerology } from '../../phy/numerology.ts';
import type { StreamSettings } from '../../radio/radio.ts';
import type { LinkInput } from '../config/link-config.ts';
import { type HeardAgain, type Recording, receiveAgain } from '../receive/receive-again.ts';
import { nothingFound } from '../receive/receive-run.ts';
import type { CaptureHints } from '../receive/receive-stream.ts';
import { type ReceiverOutcome, receiverMetrics, writeReceiverRun } from '../receive/receiver-report.ts';
import { beginRun } from '../run/begin-run.ts';
import type { MetricDifference } from '../run/compare-metrics.ts';
import { endManifest } from '../run/manifest.ts';
import type { ReplayConfig, RunIo, RunResult } from '../run/run-io.ts';
import { tellOverview } from '../steering/capture-overview.ts';
import { watchablePace } from '../steering/replay-command.ts';
import { type CommandSource, receiveSteered } from '../steering/steered-passes.ts';
import { recordedBudget } from '../telemetry/recorded-budget.ts';
import { watchRun } from '../telemetry/run-facts.ts';
import { check, checkedCode, verdictOf } from './replay-check.ts';
import { replaySource } from './replay-source.ts';

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
  const source = await replaySource(config);
  const { run, capturePath, hints, link, facts, semantics, reference, speech, modelled, sounding } = source;
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
        speech,
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
    // What is to be compared with the run leaves out what the run left out.
    const leftOut = config.check && hints.dropped.count > 0 ? hints.dropped : undefined;
    if (leftOut)
      io.progress.note(`left out again: ${leftOut.count} bursts that the run dropped because it could not keep up`);
    const what: Recording = {
      path: capturePath,
      hints,
      config: resolved,
      reference,
      speech,
      directory,
      io,
      watch,
      budget,
      ...(leftOut ? { leftOut } : {}),
    };
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

/** Where the signal of a recording lies on the air, where that stands in it. */
function signalOf({
  frequencyHz,
  loOffsetHz,
}: Pick<CaptureHints, 'frequencyHz' | 'loOffsetHz'>): Pick<LinkInput, 'frequencyHz'> {
  return frequencyHz ? { frequencyHz: frequencyHz - loOffsetHz } : {};
}
