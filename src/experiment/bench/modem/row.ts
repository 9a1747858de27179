import { clopperPearson, type Estimate, meanInterval } from '../../metrics/stats.ts';

/** Parts of the requirements table, in its order; `--only` picks some. */
export const MODEM_PARTS = [
  'detection',
  'false-headers',
  'no-gap',
  'fading',
  'offsets',
  'dc',
  'faults',
  'loss',
  'rb-snr',
  'jammer',
  'channels',
] as const;
export type ModemPart = (typeof MODEM_PARTS)[number];

export interface BenchRow {
  readonly part: ModemPart;
  readonly name: string;
  readonly subbands: number;
  /** What design asks of `value`. */
  readonly asked: string;
  readonly unit: string;
  /** null: the trials were too few to tell (quick runs). */
  readonly value: number | null;
  /** 95 % interval; null where it has no meaning (fewer than two trials) or no end. */
  readonly low: number | null;
  readonly high: number | null;
  readonly trials: number;
  /** Seeds of the trials, as the random streams take them. */
  readonly seeds: string;
  /** Where it was measured, when the name does not say. */
  readonly note?: string;
  /** missed: the whole interval is beyond the limit; open: value beyond it, but not the whole interval, or no value. */
  readonly state: 'met' | 'open' | 'missed';
}

export interface RowHead {
  readonly part: ModemPart;
  readonly name: string;
  readonly subbands: number;
  readonly unit: string;
  readonly limit: number;
  /** The value must reach the limit instead of staying below it. */
  readonly least?: boolean;
  readonly seeds: string;
  readonly note?: string;
}

/** A row whose value must not exceed `limit` (or, with least, not fall below it). NaN is no value. */
export function row(head: RowHead, estimate: Estimate): BenchRow {
  const { limit, least = false, ...rest } = head;
  const { value, low, high, n } = estimate;
  const met = least ? value >= limit : value <= limit;
  const missed = least ? high < limit : low > limit;
  const finite = (v: number) => (Number.isFinite(v) ? v : null);
  return {
    ...rest,
    asked: `${least ? '>=' : '<='} ${limit}`,
    value: finite(value),
    low: finite(low),
    high: finite(high),
    trials: n,
    state: met ? 'met' : missed ? 'missed' : 'open',
  };
}

/** Root of the mean square with the root of its interval; `squares` are one mean square a trial. */
export function rootMean(squares: readonly number[]): Estimate {
  const m = meanInterval(squares);
  const root = (v: number) => Math.sqrt(Math.max(0, v));
  return { value: root(m.value), low: root(m.low), high: root(m.high), n: m.n };
}

/** Absolute value of a mean whose interval may hold 0. */
export function absolute(m: Estimate): Estimate {
  const ends = [Math.abs(m.low), Math.abs(m.high)];
  const low = m.low <= 0 && m.high >= 0 ? 0 : Math.min(...ends);
  return { value: Math.abs(m.value), low, high: Math.max(...ends), n: m.n };
}

/** Rate of rare events: count / exposure with the exact Poisson interval (the binomial one of very many trials). */
export function poissonRate(count: number, exposure: number, n: number): Estimate {
  const many = 1e6;
  const { low, high } = clopperPearson(count, many);
  return { value: count / exposure, low: (low * many) / exposure, high: (high * many) / exposure, n };
}
