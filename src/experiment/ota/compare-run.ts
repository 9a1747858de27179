import { ExitCode, SctError, UsageError } from '../../common/errors.ts';
import { encodePng } from '../../sct/image/save.ts';
import type { LinkCodec } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { openQualityInputs } from '../config/quality-inputs.ts';
import type { OpenedExchange, PictureRun } from '../loopback/picture-run.ts';
import { recordedMetrics } from '../replay/recorded-metrics.ts';
import { beginRun } from '../run/begin-run.ts';
import { endManifest } from '../run/manifest.ts';
import { loadPhoto } from '../run/photo.ts';
import { annotateTrace, RUN_FILES, writeFrames } from '../run/run-files.ts';
import type { RunIo } from '../run/run-io.ts';
import { type Comparison, compareMappings, type Mapping } from './compare.ts';
import { comparePage } from './compare-page.ts';

/** What `sct link --compare` prints as JSON. */
export interface CompareResult extends Omit<Comparison, 'shown'> {
  readonly schema: 'sct.compare/1';
  readonly ok: boolean;
  readonly mappings: readonly Mapping[];
  readonly count: number;
  readonly seed: number;
  readonly codec: string;
  readonly symbolsPerPixel: number;
  readonly lostSamples: number;
  readonly files: Readonly<Record<string, string>>;
  readonly exitCode: number;
}

const MAPPINGS: readonly string[] = ['matched', 'uniform', 'random', 'worst'];

/** The words of `--compare A,B[,...]`. UsageError for fewer than two, an unknown one, or one twice. */
export function comparedMappings(text: string): Mapping[] {
  const words = text.split(',');
  const wrong = words.find((w) => !MAPPINGS.includes(w));
  if (wrong !== undefined)
    throw new UsageError(`--compare: "${wrong.slice(0, 40)}" is not one of ${MAPPINGS.join(', ')}`);
  if (words.length < 2 || new Set(words).size < words.length) {
    throw new UsageError('--compare needs two different mappings or more', 'for example --compare matched,uniform');
  }
  return words as Mapping[];
}

/** UsageError for settings under which a comparison would compare something else. */
export function checkComparable(config: LinkConfig): void {
  if (config.powerLoading) throw new UsageError('--compare: power is fixed, so not with --power-loading');
  if (config.feedback === 'none') throw new UsageError('--compare needs a CSI report', 'leave --feedback none out');
}

/** Mappings of one picture against one another, on one report each time, with paired statistics. */
export async function runCompare(
  what: PictureRun & { readonly coding: LinkCodec },
  mappings: readonly Mapping[],
  count: number,
  io: RunIo,
): Promise<CompareResult> {
  const { config, numerology } = what;
  if (!what.photo) throw new UsageError('only photos are compared, not speech');
  const { image, name } = await loadPhoto(what.photo);
  const { roiMask } = await openQualityInputs(config, image);
  const settings = { ...what.settings, compare: mappings.join(','), count };
  const { run, manifest: begun } = await beginRun(
    { name, channel: 'compare', directory: what.directory, seed: config.seed, config: settings },
    io,
  );
  let manifest = begun;
  let opened: OpenedExchange | null = null;
  try {
    opened = await what.open(run, name, {});
    const { exchange, captures } = opened;
    await exchange.open(image);
    const link = { config, numerology, roiMask, labels: what.coding.labels };
    const { shown, ...comparison } = await compareMappings(exchange, image, mappings, count, link, (t) =>
      io.progress.update(`compare  ${t + 1}/${count}`),
    );
    await exchange.close();
    manifest = { ...manifest, device: exchange.deviceFacts() };
    annotateTrace(captures.rx!, exchange.trace, numerology, what.loOffsetHz, opened.frequencyHz);
    await captures.tx!.close();
    await captures.rx!.close({ 'sct:clipped_samples': exchange.clippedSamples });
    writeFrames(run, exchange.trace);
    await run.write(RUN_FILES.source, await encodePng(image));
    const rx = run.file(RUN_FILES.rx);
    await run.writeMetrics(await recordedMetrics(rx, config, image, what.modelled, run, io));
    const { lostSamples } = exchange.chain;
    const heard = exchange.trace.bursts.length > 0;
    const lossy = config.maxDrops !== undefined && lostSamples > config.maxDrops;
    const exitCode = heard ? (lossy ? ExitCode.samplesLost : ExitCode.ok) : ExitCode.noSignal;
    const result: CompareResult = {
      schema: 'sct.compare/1',
      ok: exitCode === ExitCode.ok,
      mappings,
      count,
      seed: config.seed,
      codec: config.codec,
      symbolsPerPixel: config.symbolsPerPixel,
      lostSamples,
      ...comparison,
      files: {
        directory: run.path,
        report: run.file(RUN_FILES.report),
        compare: run.file('compare.json'),
        metrics: run.file(RUN_FILES.metrics),
      },
      exitCode,
    };
    const { exitCode: _, ...json } = result;
    await run.write('compare.json', `${JSON.stringify(json, null, 2)}\n`);
    const facts = {
      codec: config.codec,
      budget: `${Number(config.symbolsPerPixel.toPrecision(3))} symbols a pixel`,
      power: 'fixed: same gains, same digital level',
      order: `drawn anew for each report, seed ${config.seed}`,
      link: what.modelled
        ? `channel ${config.channel}, ${config.snrDb ?? 'recorded'} dB`
        : [...exchange.notes(), ...exchange.warnings()].join('; '),
    };
    await run.write(RUN_FILES.report, await comparePage(name, facts, comparison, image, shown));
    await run.writeManifest(endManifest(manifest, io.now(), exitCode));
    return result;
  } catch (error) {
    await opened?.exchange.close().catch(() => undefined);
    await opened?.captures.tx?.close().catch(() => undefined);
    await opened?.captures.rx?.close().catch(() => undefined);
    const code = error instanceof SctError ? error.exitCode : ExitCode.internal;
    await run.writeManifest(endManifest(manifest, io.now(), code, (error as Error).message));
    throw error;
  } finally {
    run.close();
  }
}
