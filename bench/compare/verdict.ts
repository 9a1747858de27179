import { type Spread, spreadText } from '../../src/experiment/bench/spread.ts';
import { median } from '../../src/experiment/metrics/stats.ts';

/** What became of a speed. `unknown`: one side has no such figure. */
export type Verdict = 'better' | 'same' | 'worse' | 'unknown';

/** One line of a comparison. */
export interface ComparedRow {
  readonly what: string;
  /** New over old as speed: above 1 the new one is faster. null where it is unknown. */
  readonly change: Spread | null;
  readonly verdict: Verdict;
  /** Why it is unknown, or what a figure is relative to. */
  readonly note?: string;
}

/** Changes below this are not told apart from noise however often they were measured, as code merely moves in memory. */
const LEAST_PAIRED_CHANGE = 0.02;
/** Where runs of different days are compared, machines and compilers differ, too. */
const LEAST_APART_CHANGE = 0.05;
/** Of an interval of the median. */
const SIGNIFICANCE = 0.1;

/**
 * Old and new in turns: each round's ratio new over old, as speed. The interval of the median is that of the sign test, from
 * the k-th smallest to the k-th largest with 2 P(Binomial(n, 1/2) < k) <= 10 %: with five rounds their range.
 */
export function pairedVerdict(what: string, ratios: readonly number[]): ComparedRow {
  const sorted = [...ratios].sort((a, b) => a - b);
  const k = orderOf(sorted.length);
  if (k === 0) return { what, change: null, verdict: 'unknown', note: `${sorted.length} rounds are too few` };
  const change = { median: median(sorted), low: sorted[k - 1], high: sorted[sorted.length - k] };
  const faster = change.low > 1 && change.median >= 1 + LEAST_PAIRED_CHANGE;
  const slower = change.high < 1 && change.median <= 1 / (1 + LEAST_PAIRED_CHANGE);
  return { what, change, verdict: faster ? 'better' : slower ? 'worse' : 'same' };
}

/** The largest k with 2 P(Binomial(n, 1/2) < k) <= 10 %; 0 where there is none. */
function orderOf(n: number): number {
  let k = 0;
  let tail = 0;
  let ways = 1;
  while (2 * (tail + ways / 2 ** n) <= SIGNIFICANCE) {
    tail += ways / 2 ** n;
    ways = (ways * (n - k)) / (k + 1);
    k++;
  }
  return k;
}

/** Two runs apart, each with its range: something has changed where the ranges do not meet. Both are speeds (more is better). */
export function apartVerdict(what: string, old: Spread, fresh: Spread, note?: string): ComparedRow {
  const change = {
    median: fresh.median / old.median,
    low: fresh.low / old.high,
    high: fresh.high / old.low,
  };
  const faster = fresh.low > old.high && change.median >= 1 + LEAST_APART_CHANGE;
  const slower = fresh.high < old.low && change.median <= 1 / (1 + LEAST_APART_CHANGE);
  const verdict = faster ? 'better' : slower ? 'worse' : 'same';
  return { what, change, verdict, ...(note === undefined ? {} : { note }) };
}

/** A time as a speed. */
export function inverse({ median, low, high }: Spread): Spread {
  return { median: 1 / median, low: 1 / high, high: 1 / low };
}

/** The comparison as a table, worst first among what changed. */
export function comparedTable(rows: readonly ComparedRow[]): string {
  const order: readonly Verdict[] = ['worse', 'better', 'same', 'unknown'];
  const sorted = order.flatMap((verdict) => rows.filter((r) => r.verdict === verdict));
  const cells = [
    ['what', 'new / old, as speed', 'verdict'],
    ...sorted.map((r) => [
      r.what,
      r.change ? spreadText(r.change, 3) : '–',
      `${r.verdict}${r.note ? `: ${r.note}` : ''}`,
    ]),
  ];
  const widths = [0, 1].map((c) => Math.max(...cells.map((line) => line[c].length)));
  const lines = cells.map(
    ([what, change, verdict]) => `${what.padEnd(widths[0])}  ${change.padEnd(widths[1])}  ${verdict}`,
  );
  const count = (verdict: Verdict) => rows.filter((r) => r.verdict === verdict).length;
  return `${[...lines, '', order.map((verdict) => `${count(verdict)} ${verdict}`).join(', ')].join('\n')}\n`;
}
