import { DC_FIRST, DC_GROUP, DC_MAX_POWER, DC_MEMORY, DC_SILENT, DC_STRETCH, type DcKernel } from './dc-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainDcKernel implements DcKernel {
  process(state: Float64Array, input: Float32Array, out: Float32Array): void {
    for (let at = 0; at < out.length; at += 2 * DC_GROUP) processGroup(state, input, out, at);
  }

  sums(samples: Float32Array, from: number, to: number, out: Float64Array, changes: Float32Array): void {
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
