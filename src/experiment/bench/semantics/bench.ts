import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { SctError } from '../../../common/errors.ts';
import { makeFolder, writableFolder } from '../../../common/make-folder.ts';
import { loadModels } from '../../../sct/semantics/models.ts';
import { plot } from '../../report/svg/plot.ts';
import { gitFacts, hostFacts, packageRoot } from '../../run/host-facts.ts';
import { codeHash, ResultStore, writeAtomically } from '../result-store.ts';
import { CodecShelf } from './codec-shelf.ts';
import { type BenchData, folderData, quickData, requireSets } from './data.ts';
import { type Check, rowOf } from './figures.ts';
import { judged } from './judge.ts';
import type { NamedPlot, Part, PartContext, Scale, SemanticsPart, Unit } from './part.ts';
import { PARTS } from './parts.ts';
import { type JudgedRow, SEMANTICS_SCHEMA, type SemanticsReport } from './report.ts';
import type { Series } from './series.ts';

const ROW_SCHEMA = 'sct.bench.semantics-row/1';
/** Of the program's rooms, what decides the figures; a part's own file counts for that part alone. */
const DECIDES = [
  'common',
  'phy',
  'radio/loopback',
  'sct',
  'link',
  'experiment/exchange',
  'experiment/link-config',
  'experiment/link-setup',
  'experiment/bench/semantics',
] as const;
const SHARED = [
  'air',
  'butteraugli',
  'codec-shelf',
  'data',
  'fixed-mcs',
  'ground-truth',
  'measure',
  'memo-codec',
  'over-link',
  'send-all',
];
const NOT_SHARED = new RegExp(`/bench/semantics/(?!(${SHARED.join('|')})\\.)[a-z0-9-]+\\.[jt]s$`);

export interface SemanticsBenchOptions {
  /** Folder with kodak, camvid/test and saliency/test; not read by a quick run. */
  readonly data?: string | undefined;
  readonly models?: string | undefined;
  readonly size?: 'base' | 'live' | undefined;
  /** Crops of the demo photo, the live set, few trials. */
  readonly quick?: boolean;
  readonly only?: readonly SemanticsPart[] | undefined;
  /** Folder where finished measurements are kept and found again; without it nothing is written. */
  readonly out?: string | undefined;
  readonly command: string;
  readonly signal?: AbortSignal;
  readonly progress?: (what: string) => void;
  /** Told after each unit of work. */
  readonly note?: (what: string) => void;
}

interface Finished {
  readonly cpuSeconds: number;
  readonly series: readonly Series[];
}

/**
 * `sct bench semantics`: what semantic coding over the whole modem is worth, part by part. With `out` a run goes on where another
 * stopped and several processes share the work: each takes what no other has finished or is at.
 *
 * @throws UsageError for a folder that is missing or cannot be written; AbortError when interrupted
 */
export async function benchSemantics(options: SemanticsBenchOptions): Promise<SemanticsReport> {
  const { quick = false, only, note = () => {} } = options;
  const parts = PARTS.filter((p) => only?.includes(p.name) ?? true);
  const data = dataOf(options, parts);
  const out = options.out === undefined ? null : await writableFolder(options.out);
  const models = await loadModels({ dir: options.models, size: options.size ?? (quick ? 'live' : 'base') });
  try {
    const work = new Work(parts, scaleOf(quick), out, models.set.sha256);
    const pictures = out ? await makeFolder(join(out, 'pictures')) : null;
    const context = { data, codecs: new CodecShelf(models), scale: work.scale, pictures };
    const common = { command: options.command, quick, set: models.set, pictures };
    const started = new EtaClock(work);
    for (const { part, unit } of work.order) {
      if (work.results.has(unit.id) || work.find(part, unit) || !work.claim(unit)) continue;
      try {
        const finished = await measure(unit, context, options);
        work.keep(part, unit, finished);
        note(`${unit.id}: ${finished.cpuSeconds} s; ${started.after(finished.cpuSeconds, unit.cpuSeconds)}`);
      } catch (error) {
        // One unit that cannot be measured must not take hours of others with it; it is told, and the bench fails.
        if (!(error instanceof SctError)) throw error;
        work.fail(unit, error.message);
        note(`${unit.id}: failed: ${error.message}`);
      } finally {
        work.release(unit);
      }
      // After each, so that an interrupted run has a report of what it and others beside it finished.
      work.findAll();
      if (out) writeAtomically(join(out, 'semantics.json'), await work.report(common));
    }
    work.findAll();
    const report = await work.report(common);
    if (out) {
      writeAtomically(join(out, 'semantics.json'), report);
      for (const { name, spec } of work.plots()) await writeFile(join(out, `semantics-${name}.svg`), plot(spec));
    }
    return report;
  } finally {
    await models.close();
  }
}

function dataOf({ data, quick = false }: SemanticsBenchOptions, parts: readonly Part[]): BenchData {
  if (quick || data === undefined) return quickData();
  requireSets(data, [...new Set(parts.flatMap((p) => p.sets))]);
  return folderData(data);
}

export function scaleOf(quick: boolean): Scale {
  return { quick, of: (full, few) => (quick ? few : full), subbands: quick ? 6 : 25 };
}

/** The units of a run with what is known of them. */
class Work {
  readonly scale: Scale;
  readonly order: readonly { readonly part: Part; readonly unit: Unit }[];
  readonly results = new Map<string, Finished>();
  private readonly failures: { readonly id: string; readonly message: string }[] = [];
  private readonly parts: readonly Part[];
  private readonly store: ResultStore<Finished> | null;
  private readonly sourceSha256: string;
  private readonly keys = new Map<SemanticsPart, string>();

  constructor(parts: readonly Part[], scale: Scale, out: string | null, setSha256: string) {
    this.parts = parts;
    this.scale = scale;
    this.store = out ? new ResultStore(out, ROW_SCHEMA) : null;
    this.sourceSha256 = codeHash(DECIDES, NOT_SHARED);
    this.order = parts.flatMap((part) => part.units(scale).map((unit) => ({ part, unit })));
    for (const { name } of parts) {
      const own = codeHash([`experiment/bench/semantics/${name}`]);
      this.keys.set(name, [this.sourceSha256, own, setSha256, scale.quick ? 'quick' : 'full'].join('/'));
    }
  }

  /** CPU seconds of what is not finished, by the units' own guesses. */
  get guessedSeconds(): number {
    return this.order.reduce((sum, { unit }) => sum + (this.results.has(unit.id) ? 0 : unit.cpuSeconds), 0);
  }

  /** Whether the unit is stored; then it is taken. */
  find(part: Part, unit: Unit): boolean {
    const stored = this.store?.load(unit.id, this.keys.get(part.name)!);
    if (stored) this.results.set(unit.id, stored);
    return stored !== null && stored !== undefined;
  }

  findAll(): void {
    for (const { part, unit } of this.order) if (!this.results.has(unit.id)) this.find(part, unit);
  }

  claim(unit: Unit): boolean {
    return this.store?.claim(unit.id) ?? true;
  }

  release(unit: Unit): void {
    this.store?.release(unit.id);
  }

  keep(part: Part, unit: Unit, finished: Finished): void {
    this.store?.save(unit.id, this.keys.get(part.name)!, finished);
    this.results.set(unit.id, finished);
  }

  fail(unit: Unit, message: string): void {
    this.failures.push({ id: unit.id, message });
  }

  private seriesOf(part: Part): Series[] {
    return this.order.flatMap(({ part: p, unit }) => (p === part ? (this.results.get(unit.id)?.series ?? []) : []));
  }

  plots(): NamedPlot[] {
    return this.parts.flatMap((part) => part.view(this.seriesOf(part), this.scale).plots);
  }

  async report(common: {
    readonly command: string;
    readonly quick: boolean;
    readonly set: { readonly name: string; readonly id: string; readonly sha256: string };
    readonly pictures: string | null;
  }): Promise<SemanticsReport> {
    const host = hostFacts();
    const scores = common.pictures && existsSync(join(common.pictures, 'judge.jsonl')) ? judged(common.pictures) : null;
    const checks: Check[] = [];
    const parts = this.parts.map((part) => {
      const series = this.seriesOf(part);
      const view = part.view(series, this.scale);
      checks.push(...view.checks);
      const rows = series.map(
        (s): JudgedRow => ({ ...rowOf(part.name, s), judge: scores?.get(String(s.facts.judge)) ?? null }),
      );
      const units = this.order.filter((o) => o.part === part).map((o) => o.unit);
      return {
        name: part.name,
        title: part.title,
        about: part.about,
        conditions: part.conditions,
        measures: part.measures,
        rows,
        checks: view.checks,
        plots: view.plots,
        pending: units.filter((u) => !this.results.has(u.id)).length,
        cpuSeconds: Math.round(units.reduce((sum, u) => sum + (this.results.get(u.id)?.cpuSeconds ?? 0), 0)),
      };
    });
    const count = (state: Check['state']) => checks.filter((c) => c.state === state).length;
    return {
      schema: SEMANTICS_SCHEMA,
      command: common.command,
      quick: common.quick,
      sourceSha256: this.sourceSha256,
      git: await gitFacts(await packageRoot()),
      machine: { cpu: host.cpu, cores: host.cores, node: process.version },
      set: { name: common.set.name, id: common.set.id, sha256: common.set.sha256 },
      met: count('met'),
      missed: count('missed'),
      open: count('open'),
      failures: this.failures,
      pending: parts.reduce((sum, p) => sum + p.pending, 0),
      parts,
    };
  }
}

/** Time left, from the units' guesses and from how right they were so far. */
class EtaClock {
  private readonly work: Work;
  private guessed = 0;
  private used = 0;

  constructor(work: Work) {
    this.work = work;
  }

  after(cpuSeconds: number, guess: number): string {
    this.used += cpuSeconds;
    this.guessed += guess;
    const left = (this.work.guessedSeconds * this.used) / Math.max(1e-9, this.guessed);
    return `${Math.ceil(left / 60)} CPU minutes left`;
  }
}

async function measure(
  unit: Unit,
  context: Omit<PartContext, 'step'>,
  options: SemanticsBenchOptions,
): Promise<Finished> {
  const { signal, progress = () => {} } = options;
  let last = performance.now();
  const step = async (done: number, of: number) => {
    const now = performance.now();
    if (now - last < 250) return;
    last = now;
    progress(`${unit.id}: ${done} of ${of}`);
    await breathe();
    if (signal?.aborted) throw new DOMException('interrupted', 'AbortError');
  };
  const start = process.cpuUsage();
  const series = await unit.run({ ...context, step });
  const used = process.cpuUsage(start);
  return { cpuSeconds: Math.round((used.user + used.system) / 1e5) / 10, series };
}
