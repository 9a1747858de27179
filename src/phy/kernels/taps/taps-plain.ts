import { type FilterChange, MAX_TAPS, type TapsKernel } from './taps-kernel.ts';

/** Plain TypeScript in double precision. */
export class PlainTapsKernel implements TapsKernel {
  private readonly fir = new Float64Array(2 * MAX_TAPS);

  run(
    change: FilterChange,
    within: number,
    x: Float32Array,
    at: number,
    out: Float32Array,
    outAt: number,
    count: number,
  ): void {
    const { first, second, spacing, hold, kind } = change;
    const fir = this.fir.subarray(0, first.length);
    for (let done = 0; done < count; ) {
      const since = (within + done) % hold;
      const held = Math.min(count - done, hold - since);
      const weight = (within + done - since + (hold - 1) / 2) / spacing;
      const rest = kind === 'line' ? 1 - weight : 1;
      for (let l = 0; l < fir.length; l++) fir[l] = rest * first[l] + weight * second[l];
      convolve(x, at + done, fir, out, outAt + done, held);
      done += held;
    }
  }
}

/** out[at + i] = sum_l fir[l] x[from + i + l], complex. */
function convolve(
  x: Float32Array,
  from: number,
  fir: Float64Array,
  out: Float32Array,
  at: number,
  count: number,
): void {
  const taps = fir.length;
  // Two sums, so that one addition need not wait for the one before.
  const even = taps - (taps % 4);
  for (let i = 0; i < count; i++) {
    let re0 = 0;
    let im0 = 0;
    let re1 = 0;
    let im1 = 0;
    let j = 2 * (from + i);
    for (let l = 0; l < even; l += 4, j += 4) {
      const a = fir[l];
      const b = fir[l + 1];
      const c = x[j];
      const d = x[j + 1];
      const e = fir[l + 2];
      const f = fir[l + 3];
      const g = x[j + 2];
      const h = x[j + 3];
      re0 += a * c - b * d;
      im0 += a * d + b * c;
      re1 += e * g - f * h;
      im1 += e * h + f * g;
    }
    if (even < taps) {
      re0 += fir[even] * x[j] - fir[even + 1] * x[j + 1];
      im0 += fir[even] * x[j + 1] + fir[even + 1] * x[j];
    }
    out[2 * (at + i)] = re0 + re1;
    out[2 * (at + i) + 1] = im0 + im1;
  }
}
