/**
 * Makes a published sweep of a finished one: what a reader can report on (`sct report bench/sweeps/NAME`) without measuring it anew.
 *
 *   ln -s DIR data                                              photos where the sweep's file looks for them (data/kodak/01.png)
 *   sct sweep bench/sweeps/NAME/sweep.yaml -o runs/NAME         from the checkout's root
 *   node --import tsx bench/publish-sweep.ts runs/NAME          writes bench/sweeps/NAME
 *   node --import tsx bench/publish-sweep.ts runs/NAME --check  compares with what is published, writes nothing
 *
 * Published are sweep.yaml as it is, sweep.json, points.jsonl.gz and results.jsonl.gz: paths relative to the checkout, results in the order of
 * the points, without times. --check holds a repeated sweep against the published one as `sct replay --check` holds a replay against its
 * run; exit code 8 where points or metrics differ.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ExitCode, UsageError } from '../src/common/errors.ts';
import { canonical, canonicalText, type Json } from '../src/experiment/run/canonical-json.ts';
import { compareMetrics } from '../src/experiment/run/compare-metrics.ts';
import type { PointResult, SweepPoint } from '../src/experiment/sweep/point.ts';
import { SWEEP_FILES, type SweepPlan } from '../src/experiment/sweep/sweep-directory.ts';
import { visitSweep } from '../src/experiment/sweep/visit-sweep.ts';
import { benchWords, refuse } from './words.ts';

const FILE = import.meta.filename;
const root = resolve(import.meta.dirname, '..');

interface Sweep {
  readonly plan: SweepPlan;
  readonly points: readonly SweepPoint[];
  readonly results: ReadonlyMap<string, PointResult>;
}

async function sweepIn(folder: string): Promise<Sweep> {
  const points: SweepPoint[] = [];
  const results = new Map<string, PointResult>();
  const plan = await visitSweep(folder, {
    point: (p) => void points.push(p),
    result: (r) => void results.set(r.id, r),
  });
  return { plan, points: points.sort((a, b) => a.index - b.index), results };
}

/** Every path below the checkout relative to it; one elsewhere is refused, for it says something of this machine alone. */
function portable(value: Json, where: string): Json {
  if (typeof value === 'string') {
    const text = value.replaceAll(`${root}/`, '');
    if (/(^|[\s:])\/\w/.test(text))
      throw new UsageError(`${where}: ${text} lies outside of the checkout`, 'see --help');
    return text;
  }
  if (Array.isArray(value)) return value.map((v) => portable(v, where));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, portable(v, where)]));
}

const lines = (values: readonly Json[]) => values.map((v) => `${JSON.stringify(v)}\n`).join('');

function publish(sweep: Sweep, from: string, to: string): void {
  const { plan, points, results } = sweep;
  if (plan.state !== 'done') throw new UsageError(`${from}: the sweep is ${plan.state}, not done`);
  const yaml = readFileSync(join(from, SWEEP_FILES.file), 'utf8');
  const own = join(to, SWEEP_FILES.file);
  if (!existsSync(own) || readFileSync(own, 'utf8') !== yaml) {
    throw new UsageError(`${relative(root, own)} is not the file of this sweep`, 'commit the file first, then sweep');
  }
  const kept = points.flatMap(({ id }) => results.get(id) ?? []);
  const ordered = kept.map((r) => canonical({ ...r, timings: {} }, ['schema', 'id']));
  const plain = points.map((p) => portable(canonical(p), `${from}: point ${p.index}`));
  const told = portable(canonical(plan), `${from}: ${SWEEP_FILES.plan}`);
  writeFileSync(join(to, SWEEP_FILES.plan), canonicalText(told, ['schema', 'name', 'state']));
  writeFileSync(join(to, `${SWEEP_FILES.points}.gz`), gzipSync(lines(plain), { level: 9 }));
  writeFileSync(join(to, `${SWEEP_FILES.results}.gz`), gzipSync(lines(ordered), { level: 9 }));
  process.stdout.write(`${relative(root, to)}: ${kept.length} of ${points.length} points\n`);
}

/** Differences between a repeated sweep and the published one, one line each. */
function differences(again: Sweep, published: Sweep): string[] {
  if (again.plan.planSha256 !== published.plan.planSha256) return ['other points: photos, models, settings or seeds'];
  return published.points.flatMap(({ id, index }) => {
    const [a, b] = [published.results.get(id), again.results.get(id)];
    if (!a || !b) return a === b ? [] : [`point ${index}: measured only ${a ? 'in the published sweep' : 'again'}`];
    return compareMetrics(a.metrics, b.metrics).map((d) => `point ${index}: ${d.path} ${d.reason}`);
  });
}

const { values, positionals } = benchWords(FILE, {
  options: { check: { type: 'boolean' } },
  allowPositionals: true,
});
if (positionals.length !== 1) refuse(FILE, 'one folder of a sweep');
const [from] = positionals;
const sweep = await sweepIn(from);
const to = join(root, 'bench/sweeps', sweep.plan.name);
if (!existsSync(to)) refuse(FILE, `bench/sweeps has no ${basename(to)}`);
if (values.check) {
  const found = differences(sweep, await sweepIn(to));
  for (const line of found.slice(0, 20)) process.stdout.write(`${line}\n`);
  process.stdout.write(`${sweep.plan.name}: ${sweep.results.size} points, ${found.length} differences\n`);
  process.exitCode = found.length > 0 ? ExitCode.checkFailed : ExitCode.ok;
} else publish(sweep, from, to);
