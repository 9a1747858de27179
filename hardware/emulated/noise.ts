import type { RandomStream } from '../../src/common/random.ts';

/** Thermal noise of 290 K, dBm in a hertz. */
export const THERMAL_DBM_HZ = -173.98;

let table: Float32Array | null = null;

/**
 * Gaussian noise fast enough for boards: the inverse of the normal distribution at the middles of 65 536 equal parts,
 * drawn by 16 bits each of a xorshift128 [Marsaglia 2003]; scaled to variance 1. No value lies beyond 4.33 standard
 * deviations.
 */
export class GaussianNoise {
  private a: number;
  private b: number;
  private c: number;
  private d: number;
  private readonly values = (table ??= normalTable());

  constructor(random: RandomStream) {
    this.a = random.uint32() | 1;
    this.b = random.uint32();
    this.c = random.uint32();
    this.d = random.uint32();
  }

  /** Adds noise of this standard deviation to each component of [sample][re, im]. */
  addTo(reIm: Float32Array, sigma: number): void {
    const { values } = this;
    let { a, b, c, d } = this;
    const n = reIm.length - 1;
    for (let i = 0; i < n; i += 2) {
      let t = d;
      d = c;
      c = b;
      b = a;
      t ^= t << 11;
      t ^= t >>> 8;
      a = t ^ a ^ (a >>> 19);
      reIm[i] += sigma * values[a & 0xffff];
      reIm[i + 1] += sigma * values[a >>> 16];
    }
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }
}

function normalTable(): Float32Array {
  const values = new Float64Array(65_536);
  let power = 0;
  for (let i = 0; i < 32_768; i++) {
    const x = inverseNormal((i + 0.5) / 65_536);
    values[i] = x;
    values[65_535 - i] = -x;
    power += (2 * x * x) / 65_536;
  }
  return Float32Array.from(values, (v) => v / Math.sqrt(power));
}

/** Inverse of the normal distribution for p in (0, 0.5], by Newton's method from a start by [Abramowitz64] 26.2.23. */
function inverseNormal(p: number): number {
  // The start is off by less than 4.5e-4.
  const t = Math.sqrt(-2 * Math.log(p));
  let x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (let i = 0; i < 3; i++) {
    const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
    x -= (tail(-x) - p) / density;
  }
  return x;
}

/** P(X > x) of the normal distribution for x >= 0: continued fraction [Abramowitz64] 26.2.14 far out, series 26.2.11 near 0. */
function tail(x: number): number {
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x > 2.5) {
    let fraction = x;
    for (let k = 60; k >= 1; k--) fraction = x + k / fraction;
    return density / fraction;
  }
  let term = x;
  let sum = x;
  for (let k = 1; k < 80; k++) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return 0.5 - density * sum;
}
