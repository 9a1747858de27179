/** Es/N0 at BLER 1e-2 of published settings, for `ldpc-bler.ts reference`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { BlerSimulation, wilsonInterval } from '../../src/experiment/bench/ldpc/ldpc-simulation.ts';
import { hostFacts, programFacts } from '../../src/experiment/run/host-facts.ts';
import type { BaseGraphId } from '../../src/phy/fec/ldpc-code.ts';
import type { ModulationOrder } from '../../src/phy/modulation/qam.ts';

const TARGET = 0.01;
const ERRORS = 100;
const MOST_BLOCKS = 200_000;
/** How much worse than the reference is still as asked, dB. */
export const ALLOWED_DB = 0.15;

interface Row {
  readonly infoBits: number;
  readonly baseGraph: BaseGraphId;
  readonly codeRate: number;
  readonly qm: ModulationOrder;
  readonly maxIterations: number;
  /** Es/N0 at BLER 1e-2 of the source, null where nobody published one. */
  readonly referenceDb: number | null;
  readonly source: 'layered' | 'sionna' | null;
}

/** K', base graph, rate, modulation, iterations, Es/N0 of the layered min-sum program in C. */
const LAYERED: [number, BaseGraphId, number, ModulationOrder, number, number][] = [
  [8448, 1, 1 / 3, 2, 20, -1.14],
  [8448, 1, 1 / 2, 2, 20, 1.14],
  [8448, 1, 1 / 2, 2, 10, 1.57],
  [8448, 1, 2 / 3, 2, 20, 3.18],
  [8448, 1, 3 / 4, 2, 20, 4.19],
  [8448, 1, 8 / 9, 2, 20, 6.29],
  [8448, 1, 1 / 2, 4, 20, 6.56],
  [8448, 1, 3 / 4, 4, 20, 10.21],
  [8448, 1, 2 / 3, 6, 20, 13.87],
  [8448, 1, 3 / 4, 6, 20, 15.42],
  [8448, 1, 8 / 9, 6, 20, 18.4],
  [3840, 2, 1 / 3, 2, 20, -0.96],
  [3840, 2, 1 / 2, 2, 20, 1.3],
];

/** n, Es/N0 of Sionna's belief propagation (sum-product, flooding, 20 iterations) at R = 1/2, QPSK. */
const SIONNA: [number, number][] = [
  [128, 3.3],
  [256, 2.66],
  [512, 2.18],
  [1000, 1.83],
  [2000, 1.59],
  [4000, 1.44],
  [8000, 1.28],
  [16000, 1.2],
];

/** Without a published figure: K', rate; base graph 2, QPSK. */
const OTHERS: [number, number][] = [
  [3840, 1 / 5],
  [1000, 1 / 5],
  [100, 1 / 3],
  [100, 1 / 5],
  [64, 1 / 3],
  [64, 1 / 5],
  [40, 1 / 3],
  [40, 1 / 5],
];

const ROWS: readonly Row[] = [
  ...LAYERED.map(
    ([infoBits, baseGraph, codeRate, qm, maxIterations, referenceDb]): Row => ({
      infoBits,
      baseGraph,
      codeRate,
      qm,
      maxIterations,
      referenceDb,
      source: 'layered',
    }),
  ),
  ...SIONNA.map(([n, referenceDb]): Row => {
    const setting = { infoBits: n / 2, baseGraph: n / 2 <= 3824 ? 2 : 1, codeRate: 1 / 2, qm: 2 } as const;
    return { ...setting, maxIterations: 20, referenceDb, source: 'sionna' };
  }),
  ...OTHERS.map(([infoBits, codeRate]): Row => {
    return { infoBits, baseGraph: 2, codeRate, qm: 2, maxIterations: 20, referenceDb: null, source: null };
  }),
];

interface Point {
  readonly esN0Db: number;
  readonly errors: number;
  readonly blocks: number;
  readonly interval95: readonly number[];
  readonly meanIterations: number;
}

interface Result extends Row {
  readonly esN0DbAtTarget: number;
  /** Half width of the 95 % interval of esN0DbAtTarget. */
  readonly halfInterval95Db: number;
  readonly differenceDb: number | null;
  readonly met: boolean | null;
  readonly seed: number;
  readonly points: readonly Point[];
}

/**
 * Es/N0 where log BLER, linear between two points, meets the target; its error from that of both points: log BLER of k
 * errors in n blocks has the variance (1 - k / n) / k.
 */
function crossing(above: Point, below: Point): { esN0Db: number; half95: number } {
  const [y1, y2] = [above, below].map((p) => Math.log(p.errors / p.blocks));
  const [v1, v2] = [above, below].map((p) => (1 - p.errors / p.blocks) / p.errors);
  const step = below.esN0Db - above.esN0Db;
  const fraction = (Math.log(TARGET) - y1) / (y2 - y1);
  const slope = step / (y2 - y1);
  const sd = Math.abs(slope) * Math.sqrt((1 - fraction) ** 2 * v1 + fraction ** 2 * v2);
  return { esN0Db: above.esN0Db + fraction * step, half95: 1.96 * sd };
}

/** Steps of Es/N0 in which BLER falls by a factor of two to six: short codes have flat waterfalls. */
function stepDb(infoBits: number): number {
  return infoBits > 2500 ? 0.06 : infoBits > 700 ? 0.12 : infoBits > 200 ? 0.2 : 0.4;
}

function measure(row: Row, seed: number): Result {
  const simulation = new BlerSimulation(row, seed);
  const step = stepDb(row.infoBits);
  // From where about a third of the blocks is lost, found in few blocks; the reference is only a place to begin.
  let db = row.referenceDb ?? 10 * Math.log10(2 * row.codeRate) + 1.5;
  while (simulation.run(db, 8, 24).bler < 0.3) db -= 2 * step;
  while (simulation.run(db, 20, 30).bler > 0.6) db += step;
  const points: Point[] = [];
  for (;;) {
    const { esN0Db, errors, blocks, meanIterations } = simulation.run(db, ERRORS, MOST_BLOCKS);
    points.push({ esN0Db, errors, blocks, interval95: wilsonInterval(errors, blocks), meanIterations });
    if (errors < ERRORS) throw new Error(`only ${errors} errors in ${blocks} blocks at ${esN0Db} dB`);
    if (errors / blocks < TARGET) break;
    db += step;
  }
  const at = crossing(points.at(-2)!, points.at(-1)!);
  const differenceDb = row.referenceDb === null ? null : at.esN0Db - row.referenceDb;
  return {
    ...row,
    esN0DbAtTarget: at.esN0Db,
    halfInterval95Db: at.half95,
    differenceDb,
    met: differenceDb === null ? null : differenceDb <= ALLOWED_DB,
    seed,
    points,
  };
}

function same(a: Row, b: Row): boolean {
  const keys = ['infoBits', 'baseGraph', 'codeRate', 'qm', 'maxIterations', 'source'] as const;
  return keys.every((key) => a[key] === b[key]);
}

function line(r: Result): string {
  const sign = (x: number) => `${x < 0 ? '' : '+'}${x.toFixed(3)}`;
  const against =
    r.differenceDb === null
      ? 'no reference'
      : `${r.source} ${r.referenceDb} dB, ${sign(r.differenceDb)} dB, ${r.met ? 'met' : 'MISSED'}`;
  const code = `K'=${r.infoBits} BG${r.baseGraph} R=${r.codeRate.toFixed(3)} Qm=${r.qm} ${r.maxIterations} it.`;
  return `${code}: ${r.esN0DbAtTarget.toFixed(3)} +- ${r.halfInterval95Db.toFixed(3)} dB; ${against}`;
}

/** Measures what the file does not hold yet, row by row, and writes it after each. numbers: rows to do, none = all. */
export async function reference(path: string, numbers: readonly number[], seed = 1): Promise<void> {
  const known: Result[] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).rows : [];
  const program = await programFacts();
  for (const [index, row] of ROWS.entries()) {
    if (numbers.length > 0 && !numbers.includes(index)) continue;
    let result = known.find((r) => same(r, row) && r.seed === seed);
    if (!result) {
      result = measure(row, seed);
      known.push(result);
      const rows = ROWS.flatMap((r) => known.filter((k) => same(k, r)));
      const head = {
        schema: 'sct-ldpc-bler/1',
        command: 'node --import tsx bench/ldpc-bler.ts reference',
        machine: hostFacts(),
        program,
        channel: 'AWGN, known noise, max-log demapper, int8 layered min-sum, random information bits, rv 0',
        targetBler: TARGET,
        allowedDb: ALLOWED_DB,
      };
      writeFileSync(path, `${JSON.stringify({ ...head, rows }, null, 1)}\n`);
    }
    console.log(`${index}: ${line(result)}`);
  }
}
