/**
 * Sweeps over NATS: what a point costs beside measuring it, how workers share, and whether anything is lost or doubled when everything breaks.
 *
 *   npm run build && node --import tsx bench/sweep-nats.ts [--only PARTS] [--rounds N] [--quick] [--seed N] [-o FILE]
 *
 * Needs nats-server; starts its own. PARTS (all): overhead, a sweep of 10 000 points that take no time, on one worker and on four; sharing, real
 * points on one and two workers of one thread, beside one and two threads, and beside one and two processes that have nothing to do with each
 * other, in alternating pairs, in --rounds rounds (5); sleeping, one against eight workers whose points sleep; faults, one sweep while workers, sweep and server are killed 24 times and the network is cut 10 times; idle, workers that wait; store, a
 * file of 200 MB through the object store. JSON on stdout and in bench/results/sweep-nats.json (written after each part; with
 * --only its other parts stay, and each says its commit; --quick: stdout alone).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import { NO_NATS } from './nats-peer.ts';
import { faultsOf, measureFaults } from './sweep-nats/faults.ts';
import { measureOverhead } from './sweep-nats/overhead.ts';
import { type PartMade, SWEEP_NATS_SCHEMA, type SweepNatsReport } from './sweep-nats/report.ts';
import { measureSharing, measureSleeping } from './sweep-nats/sharing.ts';
import { measureIdle, measureStore } from './sweep-nats/store.ts';
import { benchWords, numberIn, partsIn, refuse } from './words.ts';

const FILE = import.meta.filename;
const RESULT = fileURLToPath(new URL('results/sweep-nats.json', import.meta.url));
const PARTS = ['overhead', 'sharing', 'sleeping', 'faults', 'idle', 'store'] as const;

const { values } = benchWords(FILE, {
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    output: { type: 'string', short: 'o' },
  },
});
if (NO_NATS) refuse(FILE, NO_NATS, 3);
const parts = partsIn(FILE, values.only, PARTS);
const seed = numberIn(FILE, '--seed', values.seed, 0);
const { quick } = values;
const rounds = numberIn(FILE, '--rounds', values.rounds ?? (quick ? '1' : '5'), 1);
const output = values.output ?? (quick ? null : RESULT);
const before =
  output && existsSync(output) && parts.length < PARTS.length
    ? (JSON.parse(readFileSync(output, 'utf8')) as SweepNatsReport)
    : null;
const program = await programFacts();
const measures = { overhead, sharing, sleeping, faults, idle, store: () => measureStore(quick ? 20 : 200) };
let report: SweepNatsReport = {
  schema: SWEEP_NATS_SCHEMA,
  command: 'node --import tsx bench/sweep-nats.ts',
  quick,
  machine: { ...hostFacts(), node: process.version },
  program,
  server: execFileSync('nats-server', ['--version'], { encoding: 'utf8' }).trim(),
  overhead: before?.overhead ?? [],
  sharing: before?.sharing ?? null,
  sleeping: before?.sleeping ?? [],
  faults: before?.faults ?? null,
  idle: before?.idle ?? [],
  store: before?.store ?? null,
  made: before?.made ?? ofOne(before),
  load: before?.load ?? {},
};
for (const name of PARTS) {
  if (!parts.includes(name)) continue;
  const load = Math.round(100 * loadavg()[0]) / 100;
  process.stderr.write(`${name} …\n`);
  const started = performance.now();
  const figures = await measures[name]();
  const tookS = Math.round((performance.now() - started) / 1e3);
  process.stderr.write(`${name}: ${tookS} s\n`);
  const { commit = null, dirty = false } = program.git ?? {};
  report = {
    ...{ ...report, [name]: figures },
    made: { ...report.made, [name]: { commit, dirty, tookS } },
    load: { ...report.load, [name]: load },
  };
  if (output) writeFileSync(output, textOf(report));
}
process.stdout.write(textOf(report));
process.exit(0);

function textOf(value: SweepNatsReport): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A report of before parts said their commits: all of the one that it names. */
function ofOne(report: SweepNatsReport | null): Record<string, PartMade> {
  if (!report) return {};
  const { commit = null, dirty = false } = report.program.git ?? {};
  return Object.fromEntries(Object.keys(report.load).map((name) => [name, { commit, dirty, tookS: null }]));
}

async function sharing() {
  return measureSharing(quick ? 6 : 24, rounds);
}

async function overhead() {
  const points = quick ? 500 : 10_000;
  return [await measureOverhead(points, 1, 1), await measureOverhead(points, 4, 4)];
}

async function sleeping() {
  return [await measureSleeping(8, 200, quick ? 10 : 100), await measureSleeping(8, 20, quick ? 50 : 500)];
}

async function faults() {
  const counts = quick
    ? { worker: 2, sweep: 1, server: 1, broken: 1, stalled: 1 }
    : { worker: 12, sweep: 8, server: 4, broken: 5, stalled: 5 };
  return measureFaults(seed, quick ? 300 : 1200, faultsOf(counts));
}

async function idle() {
  const seconds = quick ? 5 : 20;
  return [await measureIdle(10, seconds), await measureIdle(quick ? 50 : 500, seconds)];
}
