import { UsageError } from '../../common/errors.ts';

/** beta^2 of the F-measure of salient objects [Achanta09]. */
export const SALIENCY_BETA2 = 0.3;

const LEVELS = 256;

/** Figures of a set of saliency maps. */
export interface SaliencyReport {
  /** Largest F over the thresholds, from precision and recall averaged over the pictures; null for an empty set. */
  readonly maxF: number | null;
  /** Threshold 0..1 on the normalised map where F is largest. */
  readonly threshold: number | null;
  /** Mean over the pictures of mean |normalised map - mask|. */
  readonly mae: number | null;
  readonly pictures: number;
}

/**
 * Salient objects against ground-truth masks [Achanta09, Borji15]. Each map is scaled to 0..1 by its own smallest and
 * largest value (a flat map becomes all 0) and quantised to 256 levels; at threshold t a pixel is salient where its
 * level >= t. Precision and recall of each threshold are averaged over the pictures, then
 * F = (1 + b) P R / (b P + R) with b = beta^2 = 0.3, and the largest is taken. A picture whose mask is empty counts
 * with recall 0.
 */
export class SaliencyScore {
  private readonly precision = new Float64Array(LEVELS);
  private readonly recall = new Float64Array(LEVELS);
  private absolute = 0;
  private pictures = 0;

  /**
   * Adds one picture.
   *
   * @param map any finite scale, [y][x]
   * @param mask not 0 = salient object, [y][x]
   * @throws UsageError when lengths differ, are 0, or a value is not finite
   */
  add(map: Float32Array, mask: Uint8Array): void {
    if (map.length !== mask.length || map.length === 0) {
      throw new UsageError(`saliency map of ${map.length} and mask of ${mask.length} elements: allowed equal sizes`);
    }
    const { low, scale } = rangeOf(map);
    const positive = new Float64Array(LEVELS);
    const every = new Float64Array(LEVELS);
    let error = 0;
    let positives = 0;
    for (let p = 0; p < map.length; p++) {
      const v = (map[p] - low) * scale;
      const level = Math.min(LEVELS - 1, Math.floor(v * LEVELS));
      every[level]++;
      if (mask[p] !== 0) {
        positive[level]++;
        positives++;
        error += 1 - v;
      } else error += v;
    }
    let hits = 0;
    let chosen = 0;
    for (let t = LEVELS - 1; t >= 0; t--) {
      hits += positive[t];
      chosen += every[t];
      if (chosen > 0) this.precision[t] += hits / chosen;
      if (positives > 0) this.recall[t] += hits / positives;
    }
    this.absolute += error / map.length;
    this.pictures++;
  }

  report(): SaliencyReport {
    if (this.pictures === 0) return { maxF: null, threshold: null, mae: null, pictures: 0 };
    let best = 0;
    let at = 0;
    for (let t = 0; t < LEVELS; t++) {
      const p = this.precision[t] / this.pictures;
      const r = this.recall[t] / this.pictures;
      const f = p + r === 0 ? 0 : ((1 + SALIENCY_BETA2) * p * r) / (SALIENCY_BETA2 * p + r);
      if (f > best) {
        best = f;
        at = t;
      }
    }
    return { maxF: best, threshold: at / LEVELS, mae: this.absolute / this.pictures, pictures: this.pictures };
  }
}

/**
 * The centre prior every saliency model must beat: exp(-2 (u^2 + v^2)), u and v = -1..1 across the picture; [y][x].
 */
export function centrePrior(width: number, height: number): Float32Array {
  const out = new Float32Array(width * height);
  const at = (i: number, n: number) => (n === 1 ? 0 : (2 * i) / (n - 1) - 1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) out[y * width + x] = Math.exp(-2 * (at(x, width) ** 2 + at(y, height) ** 2));
  }
  return out;
}

function rangeOf(map: Float32Array): { low: number; scale: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let p = 0; p < map.length; p++) {
    if (!Number.isFinite(map[p])) throw new UsageError(`saliency ${map[p]} of element ${p} is not a finite number`);
    low = Math.min(low, map[p]);
    high = Math.max(high, map[p]);
  }
  return { low, scale: high > low ? 1 / (high - low) : 0 };
}
