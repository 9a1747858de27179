/** Coefficients of a frame, and samples from one to the next: 20 ms at 16 kHz. */
export const FRAME = 320;

/** Sine window [2 x FRAME]: its squares half a window apart add up to 1. */
const WINDOW = Float64Array.from({ length: 2 * FRAME }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / (2 * FRAME)));
/** cos(pi j / (4 FRAME)), one turn of it; every angle of the transform is a multiple. */
const TURN = 8 * FRAME;
const COSINE = Float64Array.from({ length: TURN }, (_, j) => Math.cos((2 * Math.PI * j) / TURN));

/** Frames of so many samples: each sample lies in two. */
export function frameCount(samples: number): number {
  return Math.ceil(samples / FRAME) + 1;
}

/**
 * Modified discrete cosine transform with orthonormal scaling [Princen87]: frame t covers the samples (t - 1) FRAME .. (t + 1) FRAME,
 * X(k) = sqrt(2 / N) sum over n of w(n) x(n) cos(pi / N (n + 1/2 + N/2) (k + 1/2)). Energy of all coefficients = that of all samples.
 * O(N) an output; outside the signal are zeros.
 *
 * @returns [frame][coefficient]
 */
export function mdct(samples: Float32Array): Float32Array {
  const frames = frameCount(samples.length);
  const out = new Float32Array(frames * FRAME);
  const windowed = new Float64Array(2 * FRAME);
  const scale = Math.sqrt(2 / FRAME);
  for (let t = 0; t < frames; t++) {
    const from = (t - 1) * FRAME;
    for (let n = 0; n < 2 * FRAME; n++) {
      const at = from + n;
      windowed[n] = at >= 0 && at < samples.length ? WINDOW[n] * samples[at] : 0;
    }
    for (let k = 0; k < FRAME; k++) {
      let sum = 0;
      // (2 n + 1 + N) (2 k + 1) quarters of pi / N.
      const step = (2 * (2 * k + 1)) % TURN;
      let angle = ((1 + FRAME) * (2 * k + 1)) % TURN;
      for (let n = 0; n < 2 * FRAME; n++) {
        sum += windowed[n] * COSINE[angle];
        angle += step;
        if (angle >= TURN) angle -= TURN;
      }
      out[t * FRAME + k] = scale * sum;
    }
  }
  return out;
}

/**
 * The samples of an MDCT: frames are transformed back, windowed and added where they overlap, which cancels their aliases.
 *
 * @param coefficients [frame][coefficient], frameCount(samples) frames
 */
export function inverseMdct(coefficients: Float32Array, samples: number): Float32Array {
  const frames = frameCount(samples);
  const out = new Float64Array(samples);
  const scale = Math.sqrt(2 / FRAME);
  for (let t = 0; t < frames; t++) {
    const from = (t - 1) * FRAME;
    for (let n = 0; n < 2 * FRAME; n++) {
      const at = from + n;
      if (at < 0 || at >= samples) continue;
      let sum = 0;
      const odd = 2 * n + 1 + FRAME;
      const step = (2 * odd) % TURN;
      let angle = odd % TURN;
      for (let k = 0; k < FRAME; k++) {
        sum += coefficients[t * FRAME + k] * COSINE[angle];
        angle += step;
        if (angle >= TURN) angle -= TURN;
      }
      out[at] += scale * WINDOW[n] * sum;
    }
  }
  return Float32Array.from(out);
}
