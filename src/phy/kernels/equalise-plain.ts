import { type EqualiserKernel, MOST_SNR, NOISE_NUMBERS, type SlotPattern } from './equalise-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainEqualiserKernel implements EqualiserKernel {
  readonly nSubbands: number;
  private readonly pattern: SlotPattern;
  /** Cosine and sine of minus the common phase less 0 to 3 quarter turns. */
  private readonly turned = new Float64Array(8);

  constructor(pattern: SlotPattern) {
    this.nSubbands = pattern.nSubbands;
    this.pattern = pattern;
  }

  equaliseSlot(
    rows: Float32Array,
    channel: Float32Array,
    from: number,
    symbol: number,
    phases: Float64Array,
    phaseAt: number,
    noise: Float32Array,
    payload: Float32Array,
    payloadSnr: Float32Array,
    re: number,
    products: Float64Array,
  ): number {
    const { nSubbands, turned } = this;
    const { pilots, turns } = this.pattern;
    let power = 0;
    let c = from;
    for (let t = 0; t < 14; t++) {
      this.setTurns(phases[phaseAt + t]);
      let i = 11 * nSubbands * ((symbol + t) % 64);
      for (let s = 0; s < nSubbands; s++) {
        const sigma2 = noise[NOISE_NUMBERS * s];
        const perSigma2 = noise[NOISE_NUMBERS * s + 1];
        const bias = noise[NOISE_NUMBERS * s + 2];
        const perNoise = noise[NOISE_NUMBERS * s + 3];
        let p = re + 154 * s + 11 * t;
        let product = 1;
        const pilotAt = c + 2 * pilots[t];
        for (const end = c + 24; c < end; c += 2) {
          if (c === pilotAt) continue;
          const hr = channel[c];
          const hi = channel[c + 1];
          const yr = rows[c];
          const yi = rows[c + 1];
          const gain = hr * hr + hi * hi;
          const scale = 1 / (gain + sigma2);
          const xr = (hr * yr + hi * yi) * scale;
          const xi = (hr * yi - hi * yr) * scale;
          const u = 2 * turns[i++];
          const ur = turned[u];
          const ui = turned[u + 1];
          payload[2 * p] = xr * ur - xi * ui;
          payload[2 * p + 1] = xr * ui + xi * ur;
          payloadSnr[p++] = gain * perSigma2;
          power += gain;
          const above = gain - bias;
          if (above > 0) product *= 1 + Math.min(above * perNoise, MOST_SNR);
        }
        products[t * nSubbands + s] = product;
      }
    }
    return power;
  }

  /** turned = j^-turns exp(-i phase). */
  private setTurns(phase: number): void {
    const { turned } = this;
    const cos = Math.cos(phase);
    const sin = -Math.sin(phase);
    turned[0] = cos;
    turned[1] = sin;
    turned[2] = sin;
    turned[3] = -cos;
    turned[4] = -cos;
    turned[5] = -sin;
    turned[6] = -sin;
    turned[7] = cos;
  }
}
