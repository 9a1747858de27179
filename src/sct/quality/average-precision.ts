import { UsageError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';

/** Average precision with its bootstrap interval. */
export interface AveragePrecision {
  /** null where there is no positive or no negative example. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly positives: number;
  readonly n: number;
}

/**
 * Average precision sum_i (R_i - R_{i-1}) P_i over the distinct scores in falling order, without interpolation
 * [Everingham10, Pedregosa11]. **Ties** share one step: examples of equal score are taken together, so the order of the
 * input never matters. O(n log n).
 *
 * @param scores higher = more likely; finite
 * @param truth not 0 = positive
 * @returns null when no example is positive or none is negative
 * @throws UsageError when lengths differ or a score is not a finite number
 */
export function averagePrecision(scores: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  checkExamples(scores, truth);
  return apOf(scores, truth, fallingOrder(scores));
}

/**
 * The same with a percentile bootstrap interval: examples are drawn with replacement, seeded; resamples without a
 * positive or a negative example are drawn again.
 *
 * @param resamples 100 to 100 000
 */
export function averagePrecisionInterval(
  scores: ArrayLike<number>,
  truth: ArrayLike<number>,
  options: { readonly confidence?: number; readonly resamples?: number; readonly seed?: number | string } = {},
): AveragePrecision {
  const { confidence = 0.95, resamples = 2000, seed = 1 } = options;
  if (!(confidence > 0 && confidence < 1)) throw new UsageError(`confidence ${confidence} is outside 0 to 1`);
  if (!(Number.isInteger(resamples) && resamples >= 100 && resamples <= 100_000)) {
    throw new UsageError(`${resamples} resamples are out of range: allowed 100 to 100000`);
  }
  const value = averagePrecision(scores, truth);
  const n = scores.length;
  let positives = 0;
  for (let i = 0; i < n; i++) if (truth[i] !== 0) positives++;
  if (value === null) return { value, low: null, high: null, positives, n };
  const random = new RandomStream(seed).fork('average-precision');
  const order = fallingOrder(scores);
  const rank = new Uint32Array(n);
  for (let r = 0; r < n; r++) rank[order[r]] = r;
  const values = new Float64Array(resamples);
  const times = new Uint32Array(n); // by rank: how often this example was drawn
  for (let k = 0; k < resamples; ) {
    times.fill(0);
    for (let i = 0; i < n; i++) times[rank[random.integer(n)]]++;
    const ap = apOf(scores, truth, order, times);
    if (ap !== null) values[k++] = ap;
  }
  values.sort();
  const tail = (1 - confidence) / 2;
  const at = (q: number) => values[Math.min(resamples - 1, Math.max(0, Math.round(q * (resamples - 1))))];
  return { value, low: at(tail), high: at(1 - tail), positives, n };
}

function checkExamples(scores: ArrayLike<number>, truth: ArrayLike<number>): void {
  if (scores.length !== truth.length) {
    throw new UsageError(`${scores.length} scores and ${truth.length} truths: allowed one truth a score`);
  }
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isFinite(scores[i])) throw new UsageError(`score ${scores[i]} of example ${i} is not a finite number`);
  }
}

function fallingOrder(scores: ArrayLike<number>): Uint32Array {
  return Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
}

/** @param times copies of the example of each rank; undefined = one of each */
function apOf(
  scores: ArrayLike<number>,
  truth: ArrayLike<number>,
  order: Uint32Array,
  times?: Uint32Array,
): number | null {
  let seen = 0;
  let hits = 0;
  let sum = 0;
  for (let r = 0; r < order.length; ) {
    const score = scores[order[r]];
    const before = hits;
    for (; r < order.length && scores[order[r]] === score; r++) {
      const copies = times ? times[r] : 1;
      seen += copies;
      if (truth[order[r]] !== 0) hits += copies;
    }
    if (hits > before) sum += (hits - before) * (hits / seen);
  }
  return hits === 0 || hits === seen ? null : sum / hits;
}
