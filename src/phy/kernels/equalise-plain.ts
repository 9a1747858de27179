import {
  type EqualiserKernel,
  MOST_SNR,
  NOISE_NUMBERS,
  type SlotPattern,
  type SlotsToEqualise,
} from './equalise-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainEqualiserKernel implements EqualiserKernel {
  readonly nSubbands: number;
  private readonly pattern: SlotPattern;
  /** Cosine and sine of minus the common phase less 0 to 3 quarter turns. */
  private readonly turned = new Float64Array(8);
  /** Channel of one symbol, [nCarriers][re, im]. */
  private readonly channel: Float32Array;

  constructor(pattern: SlotPattern) {
    this.nSubbands = pattern.nSubbands;
    this.pattern = pattern;
    this.channel = new Float32Array(24 * pattern.nSubbands);
  }

  equalise(
    input: SlotsToEqualise,
    payload: Float32Array,
    payloadSnr: Float32Array,
    efficiency: Float64Array,
    middles: Float32Array,
  ): number {
    const { nSubbands, turned, channel } = this;
    const { rows, noise } = input;
    const { pilots, turns } = this.pattern;
    let power = 0;
    for (let symbol = 0; symbol < 14 * input.slots; symbol++) {
      const slot = Math.floor(symbol / 14);
      const t = symbol - 14 * slot;
      this.setTurns(input.phasors, symbol);
      this.setChannel(input, slot, symbol);
      if (t === 7) middles.set(channel, channel.length * slot);
      let i = 11 * nSubbands * ((input.symbol + symbol) % 64);
      let row = 24 * nSubbands * symbol;
      for (let s = 0; s < nSubbands; s++) {
        const rb = slot * nSubbands + s;
        const [sigma2, perSigma2, bias, perNoise] = noise.subarray(NOISE_NUMBERS * rb);
        let p = 154 * rb + 11 * t;
        let product = 1;
        for (let c = 24 * s; c < 24 * (s + 1); c += 2, row += 2) {
          if (c === 24 * s + 2 * pilots[t]) continue;
          const hr = channel[c];
          const hi = channel[c + 1];
          const yr = rows[row];
          const yi = rows[row + 1];
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
        // One logarithm of the product instead of one a carrier.
        efficiency[rb] = (t === 0 ? 0 : efficiency[rb]) + Math.log2(product);
      }
    }
    return power;
  }

  private setChannel({ order, nodes, sets, weights }: SlotsToEqualise, slot: number, symbol: number): void {
    const { channel } = this;
    const { length } = channel;
    const base = sets[slot] * order * length;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let d = 0; d < order; d++) sum += weights[symbol * order + d] * nodes[base + d * length + i];
      channel[i] = sum;
    }
  }

  /** turned = j^-turns exp(-i phase). */
  private setTurns(phasors: Float32Array, symbol: number): void {
    const { turned } = this;
    const cos = phasors[2 * symbol];
    const sin = -phasors[2 * symbol + 1];
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
