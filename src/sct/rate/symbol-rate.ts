import { UsageError } from '../../common/errors.ts';
import { CLASSES, type ModelTables, THETA_LEVELS } from '../semantics/model-tables.ts';

/** A weight of 16 leaves an embedding's rate as its class gives it; 0..255. */
export const NEUTRAL_WEIGHT = 16;
/** Bits that a rate times a weight is kept to, so that every product below stays under 2^53. */
const RATE_BITS = 18;

export interface SymbolRateInput {
  /** Class of each embedding, in the order in which what rounding leaves over is given away. */
  readonly classes: ArrayLike<number>;
  /** Level of the reverse-water-filling parameter theta, 0..35; sent. */
  readonly thetaLevel: number;
  /** Complex symbols for all these embeddings together. */
  readonly budget: number;
  /** Importance of each embedding, 0..255, 16 = neutral; both ends must hold the same. */
  readonly weights?: ArrayLike<number> | undefined;
}

/**
 * Complex symbols k of each embedding, from kSet, by integers only: both ends compute the same from class map, theta and budget.
 *
 * The rate of an embedding is r = symbolRate[theta][class] x weight; k = the element of kSet nearest to s r 2^-F (halfway goes
 * down), with the largest whole number s for which the k sum to no more than the budget. What is left goes to embeddings in
 * order: each takes the k of s + 1 as long as all those before could; the first that cannot ends it. The sum is never above the budget;
 * for no embedding does k fall as the budget grows. F leaves s x r below 2^53. O(cells x 50).
 *
 * @throws UsageError naming the input that is out of range
 */
export function symbolRate(input: SymbolRateInput, tables: ModelTables): Uint8Array {
  const rates = ratesOf(input, tables);
  const { kSet } = tables;
  const most = rates.reduce((a, b) => Math.max(a, b), 0);
  const out = new Uint8Array(rates.length);
  if (most === 0) return out;
  const unit = 2 ** (44 - bitLength(most)); // 2^F: s r <= 2 K_MAX 2^F most < 2^53
  const edges = kSet.slice(1).map((k, i) => (unit * (k + kSet[i])) / 2);
  const levels = distinct(rates);

  let low = 0;
  let high = edges[edges.length - 1] + 1; // gives every rate the largest k
  const total = (s: number) => {
    let sum = 0;
    for (const level of levels) sum += level.count * nearest(s * level.rate, edges, kSet);
    return sum;
  };
  if (total(high) <= input.budget) low = high;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (total(middle) > input.budget) high = middle;
    else low = middle;
  }
  let left = input.budget - total(low);
  for (let i = 0; i < rates.length; i++) out[i] = nearest(low * rates[i], edges, kSet);
  for (let i = 0; i < rates.length; i++) {
    const k = nearest((low + 1) * rates[i], edges, kSet);
    left -= k - out[i];
    if (left < 0) break;
    out[i] = k;
  }
  return out;
}

/** Sum of what `symbolRate` gives: what of a budget is used. */
export function symbolSum(k: Uint8Array): number {
  return k.reduce((a, b) => a + b, 0);
}

/** Integer rates, at most RATE_BITS long; one above 0 stays above 0. */
function ratesOf({ classes, thetaLevel, budget, weights }: SymbolRateInput, tables: ModelTables): Float64Array {
  if (!Number.isInteger(thetaLevel) || thetaLevel < 0 || thetaLevel >= THETA_LEVELS) {
    throw new UsageError(`theta level ${thetaLevel} is out of range: allowed 0 to ${THETA_LEVELS - 1}`);
  }
  if (!Number.isSafeInteger(budget) || budget < 0) {
    throw new UsageError(`budget ${budget} symbols is out of range: allowed whole numbers from 0`);
  }
  if (weights && weights.length !== classes.length) {
    throw new UsageError(`${weights.length} weights for ${classes.length} embeddings: allowed one for each`);
  }
  const rates = new Float64Array(classes.length);
  for (let i = 0; i < rates.length; i++) {
    const c = classes[i];
    const w = weights ? weights[i] : NEUTRAL_WEIGHT;
    if (!(c >= 0 && c < CLASSES)) throw new UsageError(`class ${c} is out of range: allowed 0 to ${CLASSES - 1}`);
    if (!Number.isInteger(w) || w < 0 || w > 255) throw new UsageError(`weight ${w} is out of range: allowed 0 to 255`);
    rates[i] = tables.symbolRate[thetaLevel * CLASSES + c] * w;
  }
  const excess = bitLength(rates.reduce((a, b) => Math.max(a, b), 0)) - RATE_BITS;
  return excess > 0 ? rates.map((r) => Math.ceil(r / 2 ** excess)) : rates;
}

function distinct(rates: Float64Array): { rate: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const rate of rates) counts.set(rate, (counts.get(rate) ?? 0) + 1);
  return [...counts].map(([rate, count]) => ({ rate, count }));
}

/** kSet[i] for the number of edges below v; v on an edge goes down. */
function nearest(v: number, edges: readonly number[], kSet: readonly number[]): number {
  let i = 0;
  while (i < edges.length && v > edges[i]) i++;
  return kSet[i];
}

function bitLength(v: number): number {
  let bits = 0;
  for (; v >= 1; v /= 2) bits++;
  return bits;
}
