/**
 * Sweeps in threads: what a point costs beside measuring it, what two threads bring on two cores, whether anything is lost or doubled when a sweep is
 * killed, and how often the intervals of groups that stopped early hold.
 *
 *   npm run build && node --import tsx bench/sweep.ts [--only PARTS] [--quick] [--seed N] [-o FILE]
 *
 * PARTS (all): overhead, sweeps of 10 000 points that are not measured (everything else is real), with one thread and with two; real, the same beside
 * real points; speed-up, whole sweeps of real points with one and two threads, in alternating pairs; kills, sweeps of the built program with 20 SIGKILL
 * at random moments each; coverage, drawn groups through the stop rule. Some ten minutes. JSON on stdout and in bench/results/sweep.json (with --only its other
 * parts stay; --quick: some two minutes, stdout alone).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import { measureCoverage } from './sweep/coverage.ts';
import { measureKills } from './sweep/kills.ts';
import { measureOverhead, measureReal } from './sweep/overhead.ts';
import { SWEEP_BENCH_SCHEMA, type SweepBenchReport } from './sweep/report.ts';
import { measureSpeedUp } from './sweep/speed-up.ts';
import { benchWords, numberIn, partsIn } from './words.ts';

const FILE = import.meta.filename;
const RESULT = fileURLToPath(new URL('results/sweep.json', import.meta.url));
const PARTS = ['overhead', 'real', 'speed-up', 'kills', 'coverage'] as const;
type Part = (typeof PARTS)[number];

const CLASSICAL = 'photo: demo\ncodec: classical\nformat: jpeg\nsnr: 12\nchannel: epa\n';
const INTEGRATED = 'photo: demo\ncodec: integrated\nsize: live\nsnr: 12\nchannel: epa\n';

const { values } = benchWords(FILE, {
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    output: { type: 'string', short: 'o' },
  },
});
const parts = partsIn(FILE, values.only, PARTS);
const seed = numberIn(FILE, '--seed', values.seed, 0);
const { quick } = values;
const output = values.output ?? (quick ? null : RESULT);
const load: Record<string, number> = {};
const before =
  output && existsSync(output) && parts.length < PARTS.length
    ? (JSON.parse(readFileSync(output, 'utf8')) as SweepBenchReport)
    : null;

const report: SweepBenchReport = {
  schema: SWEEP_BENCH_SCHEMA,
  command: 'node --import tsx bench/sweep.ts',
  quick,
  machine: { ...hostFacts(), node: process.version },
  program: await programFacts(),
  overhead: (await part('overhead', overhead)) ?? before?.overhead ?? [],
  real: (await part('real', real)) ?? before?.real ?? [],
  speedUp: (await part('speed-up', speedUp)) ?? before?.speedUp ?? [],
  kills: (await part('kills', kills)) ?? before?.kills ?? [],
  coverage: (await part('coverage', async () => measureCoverage(quick ? 500 : 10_000))) ?? before?.coverage ?? [],
  load: { ...before?.load, ...load },
};
const text = `${JSON.stringify(report, null, 2)}\n`;
if (output) writeFileSync(output, text);
process.stdout.write(text);

async function part<T>(name: Part, measure: () => Promise<T>): Promise<T | null> {
  if (!parts.includes(name)) return null;
  load[name] = Math.round(100 * loadavg()[0]) / 100;
  process.stderr.write(`${name} …\n`);
  return measure();
}

async function overhead() {
  const points = quick ? 1000 : 10_000;
  return [await measureOverhead(points, 1), await measureOverhead(points, 2)];
}

async function real() {
  const points = quick ? 8 : 100;
  return [await measureReal('classical', CLASSICAL, points), await measureReal('integrated', INTEGRATED, points)];
}

async function speedUp() {
  const [points, pairs] = quick ? [8, 1] : [60, 5];
  return [
    await measureSpeedUp('classical', CLASSICAL, points, pairs),
    await measureSpeedUp('integrated', INTEGRATED, points, pairs),
  ];
}

async function kills() {
  const figures = [];
  for (let s = seed; s < seed + (quick ? 1 : 3); s++)
    figures.push(await measureKills(s, quick ? 5 : 20, quick ? 25 : 60));
  return figures;
}
