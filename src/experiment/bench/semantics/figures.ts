import { clopperPearson, meanInterval, pairedDifference, percentile } from '../../metrics/stats.ts';
import { type Conditions, MEASURE_NAMES, type Measure, type Series } from './series.ts';

/** One measure over the trials of a series. */
export interface Figure {
  readonly n: number;
  readonly mean: number;
  /** 95 % interval of the mean (Student's t; exact for rates of yes and no); null for fewer than two trials. */
  readonly low: number | null;
  readonly high: number | null;
  readonly p10: number;
}

/** One line of a table. */
export interface Row {
  readonly part: string;
  readonly scheme: string;
  readonly conditions: Conditions;
  readonly facts: Conditions;
  readonly trials: number;
  readonly seeds: string;
  readonly figures: Readonly<Partial<Record<Measure, Figure>>>;
}

/** met, or missed with the whole 95 % interval beyond what is asked, or neither: open. `shown`: nothing is asked. */
export type CheckState = 'met' | 'missed' | 'open' | 'shown';

/** A difference or a figure that something is asked of. */
export interface Check {
  readonly part: string;
  readonly what: string;
  /** In words: ">= 1"; empty where it is only shown. */
  readonly asked: string;
  readonly unit: string;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Pairs, or trials. */
  readonly n: number;
  readonly state: CheckState;
}

/** Yes and no: their interval is that of a proportion. */
const RATES: readonly Measure[] = ['outage', 'reached'];

export function rowOf(part: string, { scheme, conditions, facts, trials }: Series): Row {
  const figures: Partial<Record<Measure, Figure>> = {};
  for (const measure of MEASURE_NAMES) {
    const values = trials.map((t) => t.values[measure]).filter((v): v is number => v !== undefined);
    if (values.length > 0) figures[measure] = figureOf(measure, values);
  }
  return {
    part,
    scheme,
    conditions,
    facts,
    trials: trials.length,
    seeds: seedsText(trials.map((t) => t.seed)),
    figures,
  };
}

export function figureOf(measure: Measure, values: readonly number[]): Figure {
  const rate = RATES.includes(measure) && values.every((v) => v === 0 || v === 1);
  const ones = values.filter((v) => v === 1).length;
  const m = rate ? clopperPearson(ones, values.length) : meanInterval(values);
  const p10 = percentile(values, 10);
  return { n: values.length, mean: digits(m.value), low: finite(m.low), high: finite(m.high), p10: digits(p10) };
}

/** What is asked of a value. */
export interface Asked {
  readonly least?: number;
  readonly most?: number;
}

/** Judges a value with its interval. */
export function check(
  part: string,
  what: string,
  unit: string,
  estimate: { readonly value: number; readonly low: number; readonly high: number; readonly n: number } | null,
  asked: Asked = {},
): Check {
  const { least, most } = asked;
  const words = [least === undefined ? '' : `>= ${least}`, most === undefined ? '' : `<= ${most}`].filter(Boolean);
  const head = { part, what, unit, asked: words.join(' and ') };
  if (!estimate || !Number.isFinite(estimate.value)) {
    return { ...head, value: null, low: null, high: null, n: estimate?.n ?? 0, state: words.length ? 'open' : 'shown' };
  }
  const { value, low, high, n } = estimate;
  const met = (least === undefined || value >= least) && (most === undefined || value <= most);
  const missed = (least !== undefined && high < least) || (most !== undefined && low > most);
  const state = words.length === 0 ? 'shown' : met ? 'met' : missed ? 'missed' : 'open';
  return { ...head, value: digits(value), low: finite(low), high: finite(high), n, state };
}

/** a - b over the trials that both have, paired by picture and seed; null without a pair. */
export function paired(a: Series | undefined, b: Series | undefined, measure: Measure) {
  if (!a || !b) return null;
  const others = new Map(b.trials.map((t) => [`${t.picture}/${t.seed}`, t.values[measure]]));
  const left: number[] = [];
  const right: number[] = [];
  for (const t of a.trials) {
    const other = others.get(`${t.picture}/${t.seed}`);
    const own = t.values[measure];
    if (own === undefined || other === undefined) continue;
    left.push(own);
    right.push(other);
  }
  return left.length === 0 ? null : pairedDifference(left, right);
}

/** Mean of a measure over a series with its interval; null where no trial has it. */
export function meanOf(series: Series | undefined, measure: Measure) {
  const values = series?.trials.map((t) => t.values[measure]).filter((v): v is number => v !== undefined) ?? [];
  return values.length === 0 ? null : meanInterval(values);
}

/** "1 to 50" of consecutive seeds, else a list. */
export function seedsText(seeds: readonly number[]): string {
  const unique = [...new Set(seeds)].sort((a, b) => a - b);
  const runs = unique.length > 1 && unique.at(-1)! - unique[0] === unique.length - 1;
  return runs ? `${unique[0]} to ${unique.at(-1)}` : unique.join(', ');
}

function finite(v: number): number | null {
  return Number.isFinite(v) ? digits(v) : null;
}

/** Six significant digits: enough for every table. */
function digits(v: number): number {
  return Number(v.toPrecision(6));
}
