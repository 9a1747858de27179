import { NUMEROLOGIES } from '../../phy/numerology.ts';
import { type BenchRow, detectionRow, falseHeaderRow, gaplessRow, offsetRows } from './modem-acquisition.ts';
import { dcRow, faultRow, lossRow, rbSnrRows } from './modem-quality.ts';

export interface ModemReport {
  readonly schema: 'sct.bench.modem/1';
  readonly quick: boolean;
  /** Rows that meet what is asked, and rows whose 95 % interval lies wholly beyond it. */
  readonly passed: number;
  readonly failed: number;
  readonly cpuSeconds: number;
  readonly rows: readonly BenchRow[];
}

export interface ModemBenchOptions {
  /** Few trials: under a minute on one core. */
  readonly quick?: boolean;
  /** The trial numbers of docs/results.md (hours); without either, a few minutes. */
  readonly requirements?: boolean;
  /** Told before each row. */
  readonly progress?: (what: string) => void;
}

/**
 * `sct bench modem`: the requirements of the air interface, measured with real synchronisation on seeded trials. Every
 * row has its number of trials and a 95 % interval (exact for rates, Student's t for means); a row fails when the whole
 * interval lies beyond what is asked, and is `open` when the interval holds the limit.
 */
export function benchModem(options: ModemBenchOptions = {}): ModemReport {
  const { quick = false, requirements = false, progress = () => {} } = options;
  const trials = (small: number, middle: number, full: number) => (quick ? small : requirements ? full : middle);
  const start = process.cpuUsage();
  const rows: BenchRow[] = [];
  const add = (what: string, make: () => BenchRow | BenchRow[]) => {
    progress(what);
    rows.push(...[make()].flat());
  };
  const all = NUMEROLOGIES.slice(1);
  for (const n of all) {
    const what = `${n.nSubbands} subbands`;
    add(`detection, ${what}`, () => detectionRow(n, 'awgn', trials(40, 400, 10_000)));
    add(`detection in fading, ${what}`, () => detectionRow(n, 'eva', trials(20, 300, 3000)));
    add(`false headers, ${what}`, () => falseHeaderRow(n, trials(0.2, 2, 10)));
    add(`no gap, ${what}`, () => gaplessRow(n, trials(30, 200, 4000)));
  }
  for (const n of [all[0], all[2]]) {
    const what = `${n.nSubbands} subbands`;
    add(`offsets, ${what}`, () => offsetRows(n, trials(6, 30, 300)));
    add(`DC, ${what}`, () => dcRow(n, trials(2, 10, 50)));
    add(`front end, ${what}`, () => faultRow(n, 'awgn', trials(8, 40, 300)));
    for (const [channel, snrDb, qm] of LOSSES) {
      add(`loss on ${channel} at ${snrDb} dB, ${what}`, () => lossRow(n, channel, snrDb, qm, trials(8, 60, 1000)));
    }
    add(`RB SNR, ${what}`, () => rbSnrRows(n, trials(3, 20, 200)));
  }
  const used = process.cpuUsage(start);
  return {
    schema: 'sct.bench.modem/1',
    quick,
    passed: rows.filter((r) => r.state === 'met').length,
    failed: rows.filter((r) => r.state === 'missed').length,
    cpuSeconds: (used.user + used.system) / 1e6,
    rows,
  };
}

/** Channel, mean SNR and modulation of the loss rows. */
const LOSSES = [
  ['awgn', 1, 2],
  ['awgn', 8, 4],
  ['awgn', 17, 6],
  ['epa', 12, 4],
  ['eva', 12, 4],
  ['eva', 20, 6],
  ['tdl-c', 12, 4],
] as const;
