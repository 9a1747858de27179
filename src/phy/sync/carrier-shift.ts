import type { Numerology } from '../numerology.ts';
import { preamble } from './preamble.ts';

/** Largest frequency offset looked for: 45 ppm of 5.9 GHz. */
export const MAX_CFO_HZ = 265_500;

/** Finds by how many whole subcarriers a spectrum is shifted, on the training symbols. */
export class CarrierShift {
  private readonly n: Numerology;
  /** Of neighbouring bins of a spectrum y: y_b conj(y_(b - 1)), [fftSize][re, im]. */
  private readonly steps: Float32Array;
  /** Of the training t: conj(t_c) t_(c - 1), [nCarriers][re, im]. */
  private readonly knownSteps: Float32Array;

  constructor(n: Numerology) {
    this.n = n;
    this.steps = new Float32Array(2 * n.fftSize);
    this.knownSteps = new Float32Array(2 * n.nCarriers);
    const { training: t } = preamble(n);
    for (let c = 2; c < t.length; c += 2) {
      this.knownSteps[c] = t[c] * t[c - 2] + t[c + 1] * t[c - 1];
      this.knownSteps[c + 1] = t[c] * t[c - 1] - t[c + 1] * t[c - 2];
    }
  }

  /**
   * Carriers by which a training symbol's spectrum, [fftSize][re, im], is shifted beyond `cfo` (cycles a sample), a multiple of
   * 4: the candidate whose product with the known symbol is smoothest, max |sum_c Z_c conj(Z_(c - 1))|, Z = Y conj(T). Null when
   * there is no candidate within MAX_CFO_HZ. O(nCarriers) for each of some ten candidates.
   */
  find(spectrum: Float32Array, cfo: number): number | null {
    const { fftSize, sampleRateHz } = this.n;
    const limit = MAX_CFO_HZ / sampleRateHz;
    const reach = Math.ceil((limit + Math.abs(cfo)) * (fftSize / 4));
    this.stepsOf(spectrum);
    let best = -1;
    let bestShift: number | null = null;
    for (let shift = -4 * reach; shift <= 4 * reach; shift += 4) {
      if (Math.abs(cfo + shift / fftSize) > limit * 1.02) continue;
      const metric = this.smoothness(spectrum, shift);
      if (metric > best) {
        best = metric;
        bestShift = shift;
      }
    }
    return bestShift;
  }

  /** Z_c conj(Z_(c - 1)) = (y_b conj(y_(b - 1))) (conj(t_c) t_(c - 1)): the first does not depend on the candidate. */
  private stepsOf(spectrum: Float32Array): void {
    const { steps } = this;
    let lastRe = spectrum[spectrum.length - 2];
    let lastIm = spectrum[spectrum.length - 1];
    for (let i = 0; i < spectrum.length; i += 2) {
      const re = spectrum[i];
      const im = spectrum[i + 1];
      steps[i] = re * lastRe + im * lastIm;
      steps[i + 1] = im * lastRe - re * lastIm;
      lastRe = re;
      lastIm = im;
    }
  }

  /** |sum_c Z_c conj(Z_(c - 1))|^2 */
  private smoothness(spectrum: Float32Array, shift: number): number {
    const { steps, knownSteps } = this;
    const { fftSize, nCarriers, bins } = this.n;
    const mask = fftSize - 1;
    // Between these two lies DC.
    const middle = nCarriers >> 1;
    const a = 2 * ((bins[middle - 1] + shift) & mask);
    const b = 2 * ((bins[middle] + shift) & mask);
    const kr = knownSteps[2 * middle];
    const ki = knownSteps[2 * middle + 1];
    const sr = spectrum[b] * spectrum[a] + spectrum[b + 1] * spectrum[a + 1];
    const si = spectrum[b + 1] * spectrum[a] - spectrum[b] * spectrum[a + 1];
    let re = sr * kr - si * ki;
    let im = sr * ki + si * kr;
    for (let c = 1; c < nCarriers; c++) {
      if (c === middle) continue;
      const i = 2 * ((bins[c] + shift) & mask);
      const stepRe = steps[i];
      const stepIm = steps[i + 1];
      const knownRe = knownSteps[2 * c];
      const knownIm = knownSteps[2 * c + 1];
      re += stepRe * knownRe - stepIm * knownIm;
      im += stepRe * knownIm + stepIm * knownRe;
    }
    return re * re + im * im;
  }
}
