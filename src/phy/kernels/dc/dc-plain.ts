import { DC_FIRST, DC_GROUP, DC_MAX_POWER, DC_MEMORY, DC_SILENT, DC_STRETCH, type DcKernel } from './dc-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainDcKernel implements DcKernel {
  samples = new Float32Array(0);

  reserve(count: number): void {
    if (2 * count <= this.samples.length) return;
    const grown = new Float32Array(2 * count);
    grown.set(this.samples);
    this.samples = grown;
  }

  process(state: Float64Array, input: Float32Array, at: number): void {
    const out = this.samples.subarray(2 * at, 2 * at + input.length);
    for (let i = 0; i < out.length; i += 2 * DC_GROUP) processGroup(state, input, out, i);
  }

  processGroup(state: Float64Array, group: Float32Array, out: Float32Array): void {
    processGroup(state, group, out, 0);
  }

  sums(from: number, to: number, out: Float64Array, changes: Float32Array): void {
    const { samples } = this;
    out.fill(0);
    for (let at = from; at < to; at += DC_STRETCH) {
      const end = Math.min(to, at + DC_STRETCH);
      let change = 0;
      for (let i = 2 * at; i < 2 * end; i += 2) {
        out[0] += samples[i];
        out[1] += samples[i + 1];
        out[2] += samples[i] ** 2 + samples[i + 1] ** 2;
        change += (samples[i] - samples[2 * at]) ** 2 + (samples[i + 1] - samples[2 * at + 1]) ** 2;
      }
      if (end === at + DC_STRETCH) changes[(at - from) / DC_STRETCH] = change;
    }
  }

  colour(from: number, to: number): number {
    const { samples } = this;
    let re = 0;
    let im = 0;
    let energy = 1e-30;
    for (let i = 2 * from; i < 2 * to; i += 8) {
      const a = samples[i];
      const b = samples[i + 1];
      const c = samples[i + 2];
      const d = samples[i + 3];
      re += a * c + b * d;
      im += a * d - b * c;
      energy += a * a + b * b + c * c + d * d;
    }
    return (2 * Math.hypot(re, im)) / energy;
  }
}

function processGroup(state: Float64Array, input: Float32Array, out: Float32Array, at: number): void {
  const [meanRe, meanIm, count] = state;
  let sumRe = 0;
  let sumIm = 0;
  for (let i = at; i < at + 2 * DC_GROUP; i += 2) {
    let re = input[i];
    let im = input[i + 1];
    // Not a number compares false with everything.
    if (!(re * re + im * im < DC_MAX_POWER)) {
      re = 0;
      im = 0;
      state[4]++;
      state[3] = 0;
    } else if (re === 0 && im === 0) state[3]++;
    else state[3] = 0;
    sumRe += re;
    sumIm += im;
    // Where the input is silent the output is: else the mean, dying away, is all there is, and looks like a carrier.
    const silent = state[3] > DC_SILENT;
    out[i] = silent ? 0 : re - meanRe;
    out[i + 1] = silent ? 0 : im - meanIm;
  }
  state[2] = Math.min(count + DC_GROUP, DC_MEMORY);
  const gain = 1 / (DC_FIRST - 1 + state[2]);
  state[0] = meanRe + gain * (sumRe - DC_GROUP * meanRe);
  state[1] = meanIm + gain * (sumIm - DC_GROUP * meanIm);
}
