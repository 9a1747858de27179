/** Taps of the prediction. */
const ORDER = 12;
/** Regulariser, share of the power: limits how deep the filter cuts (40 dB). */
const FLOOR = 1e-4;

/**
 * Flattens a spectrum: the prediction error filter y(n) = x(n) - sum_k a_k x(n - k) of 12 taps, a from the autocorrelation of
 * a stretch by Levinson's recursion [Oppenheim10]. Repeated segments stay repeated, so a preamble in coloured
 * interference becomes one in nearly white noise; the first tap leads, so it stays where it was.
 */
export class Whitener {
  /** [ORDER][re, im]. */
  private readonly taps: Float64Array;
  /** Last ORDER inputs, newest last, then room for a block, [..][re, im]. */
  private joined = new Float32Array(2 * ORDER);

  /** From samples [from, to); the filter starts with those before `to`. */
  constructor(samples: Float32Array, from: number, to: number) {
    this.taps = predictor(autocorrelation(samples, from, to));
    this.joined.set(samples.subarray(2 * (to - ORDER), 2 * to));
  }

  /** out = filtered input, [n][re, im]. */
  process(input: Float32Array, out: Float32Array): void {
    const { taps } = this;
    const needed = 2 * ORDER + input.length;
    if (this.joined.length < needed) {
      const grown = new Float32Array(needed);
      grown.set(this.joined.subarray(0, 2 * ORDER));
      this.joined = grown;
    }
    const x = this.joined;
    x.set(input, 2 * ORDER);
    for (let i = 0; i < input.length; i += 2) {
      const newest = i + 2 * ORDER;
      let re = x[newest];
      let im = x[newest + 1];
      for (let k = 0, j = newest - 2; k < 2 * ORDER; k += 2, j -= 2) {
        re -= taps[k] * x[j] - taps[k + 1] * x[j + 1];
        im -= taps[k] * x[j + 1] + taps[k + 1] * x[j];
      }
      out[i] = re;
      out[i + 1] = im;
    }
    x.copyWithin(0, input.length, needed);
  }
}

/** R(k) = sum x(n) conj(x(n - k)), k = 0 .. ORDER, [k][re, im]. */
function autocorrelation(samples: Float32Array, from: number, to: number): Float64Array {
  const out = new Float64Array(2 * (ORDER + 1));
  for (let k = 0; k <= ORDER; k++) {
    let re = 0;
    let im = 0;
    for (let i = 2 * (from + k), j = 2 * from; i < 2 * to; i += 2, j += 2) {
      re += samples[i] * samples[j] + samples[i + 1] * samples[j + 1];
      im += samples[i + 1] * samples[j] - samples[i] * samples[j + 1];
    }
    out[2 * k] = re;
    out[2 * k + 1] = im;
  }
  return out;
}

/** Levinson's recursion for complex R: a with sum_k a_k R(m - k) = R(m), m = 1 .. ORDER. */
function predictor(r: Float64Array): Float64Array {
  const a = new Float64Array(2 * ORDER);
  const before = new Float64Array(2 * ORDER);
  let error = r[0] * (1 + FLOOR) + 1e-30;
  for (let m = 1; m <= ORDER; m++) {
    let re = r[2 * m];
    let im = r[2 * m + 1];
    for (let k = 1; k < m; k++) {
      const [ar, ai] = [a[2 * k - 2], a[2 * k - 1]];
      const [br, bi] = [r[2 * (m - k)], r[2 * (m - k) + 1]];
      re -= ar * br - ai * bi;
      im -= ar * bi + ai * br;
    }
    re /= error;
    im /= error;
    before.set(a);
    a[2 * m - 2] = re;
    a[2 * m - 1] = im;
    // a_k -= reflection conj(a_(m - k))
    for (let k = 1; k < m; k++) {
      const br = before[2 * (m - k) - 2];
      const bi = -before[2 * (m - k) - 1];
      a[2 * k - 2] -= re * br - im * bi;
      a[2 * k - 1] -= re * bi + im * br;
    }
    error *= Math.max(1e-9, 1 - re * re - im * im);
  }
  return a;
}
