/**
 * Channel estimators and estimators of RB SNR on the same bursts (docs/adr/0009-estimators.md).
 *
 *   node --import tsx bench/estimators.ts [--bursts 100] [--out FILE]
 *
 * Plain table: 6, 25 and 50 subbands, five channels, bursts of 1 and 4 slots, 0 to 30 dB, ideal synchronisation. Interferers:
 * Gaussian noise on one or two subbands at 15 dB. Then the whole receiver, the ceiling that a frequency offset
 * sets the preamble's SNR, and CPU time of the estimators. JSON on stdout or, kept up to date, to FILE.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { type Numerology, numerology } from '../src/phy/numerology.ts';
import { cfoCeiling, type WholeRow, wholeReceiver } from './estimators/checks.ts';
import { type Observed, observedEstimators } from './estimators/evaluate.ts';
import type { Interferer } from './estimators/ideal-burst.ts';
import { measure, type Row } from './estimators/measure.ts';

const SUBBANDS = [25, 6, 50];
const CHANNELS = ['awgn', 'epa', 'eva', 'tdl-c', 'etu'];
const SNRS_DB = [0, 5, 10, 15, 20, 30];
const INTERFERED_SNR_DB = 15;
/** The same program with its imports resolved beforehand: 1.6 times as fast. */
const BUNDLE =
  'npx esbuild bench/estimators.ts --bundle --platform=node --format=esm --packages=external --outfile=FILE.mjs';

function flag(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** Count of neighbouring subbands, dB over the signal, first slot that is hit (0: it was there before the burst). */
const INTERFERERS = [
  [1, 10, 0],
  [2, 20, 0],
  [1, 20, 2],
  [2, 10, 2],
] as const;

function interferers(n: Numerology): { name: string; interferer: Interferer }[] {
  const first = Math.floor(0.4 * n.nSubbands);
  return INTERFERERS.map(([count, overSignalDb, fromSlot]) => ({
    name: `${count} of ${n.nSubbands} subbands, +${overSignalDb} dB${fromSlot ? `, from slot ${fromSlot} on` : ''}`,
    interferer: { subbands: [first, first + 1].slice(0, count), overSignalDb, fromSlot },
  }));
}

/** CPU time of one call, caches warm, as `estimators` have counted it. */
function costs(estimators: readonly Observed[], subbands: number, slots: number) {
  return estimators.map(({ name, cpuUs, re }) => ({
    estimator: name,
    subbands,
    slots,
    nsPerRe: Math.round((1e3 * cpuUs) / re),
  }));
}

const bursts = Number(flag('bursts') ?? 100);
if (!Number.isInteger(bursts) || bursts < 2) {
  process.stderr.write('usage: bench/estimators.ts [--bursts N, at least 2] [--out FILE]\n');
  process.exit(2);
}
const started = process.cpuUsage();
const out = flag('out');
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
const git = await gitFacts(await packageRoot());
const bundled = !import.meta.url.endsWith('.ts');
const rows: Row[] = [];
const cpu: ReturnType<typeof costs> = [];
const ceiling = [0, 0.005, 0.01, 0.02, 0.05].map((cfo) => cfoCeiling(numerology(25), cfo, 30, bursts));
const whole: WholeRow[] = [];

/** What there is so far. */
function document(complete: boolean): string {
  const { user, system } = process.cpuUsage(started);
  const head = {
    schema: 'sct.bench.estimators/1',
    command: `${bundled ? `${BUNDLE} && node FILE.mjs` : 'node --import tsx bench/estimators.ts'} --bursts ${bursts}`,
    machine,
    git,
    cpuSeconds: Math.round((user + system) / 1e6),
    complete,
    seeds: `SUBBANDS/CHANNEL/SLOTS/0 to ${bursts - 1}; whole receiver estimators/whole/SUBBANDS/CHANNEL/0 to ${bursts - 1}`,
    figures: '[value, low, high, bursts], 95 % Student-t interval over bursts',
  };
  const lines = (list: readonly object[]) => `[\n${list.map((r) => `    ${JSON.stringify(r)}`).join(',\n')}\n  ]`;
  return `${JSON.stringify(head, null, 2).slice(0, -2)},
  "rows": ${lines(rows)},
  "wholeReceiver": ${lines(whole)},
  "cfoCeiling": ${lines(ceiling)},
  "cpu": ${lines(cpu)}
}
`;
}

function progress(what: string): void {
  process.stderr.write(`${what}: ${Math.round(process.cpuUsage(started).user / 1e6)} s of CPU\n`);
  if (out) writeFileSync(out, document(false));
}

for (const subbands of SUBBANDS) {
  const n = numerology(subbands);
  for (const channel of subbands === 50 ? ['eva'] : ['awgn', 'eva']) {
    const estimators = observedEstimators().filter((e) => e.name === 'lmmse' || (e.name === 'dft' && subbands < 50));
    const snrsDb = [INTERFERED_SNR_DB];
    rows.push(...measure({ n, slots: 4, channel, bursts, snrsDb, estimators, cases: interferers(n) }));
  }
  progress(`${subbands} subbands, interferers`);
  for (const slots of [4, 1]) {
    const estimators = observedEstimators();
    for (const channel of CHANNELS) {
      rows.push(...measure({ n, slots, channel, bursts, snrsDb: SNRS_DB, estimators, cases: [{}] }));
      progress(`${subbands} subbands, ${slots} slots, ${channel}`);
    }
    cpu.push(...costs(estimators, subbands, slots));
  }
  if (subbands === 50) continue;
  for (const channel of CHANNELS) {
    for (const snrDb of [5, 15]) whole.push(...wholeReceiver(n, channel, 4, snrDb, bursts));
  }
  progress(`${subbands} subbands, whole receiver`);
}
const json = document(true);
if (out) writeFileSync(out, json);
else process.stdout.write(json);
