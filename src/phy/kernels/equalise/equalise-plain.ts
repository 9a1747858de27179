import {
  type ControlSymbols,
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
  /** Channel of one symbol, and what its carriers are turned by, [nCarriers][re, im]. */
  private readonly channel: Float32Array;
  private readonly turned: Float64Array;

  constructor(pattern: SlotPattern) {
    this.nSubbands = pattern.nSubbands;
    this.pattern = pattern;
    this.channel = new Float32Array(24 * pattern.nSubbands);
    this.turned = new Float64Array(24 * pattern.nSubbands);
  }

  equalise(
    input: SlotsToEqualise,
    payload: Float32Array,
    payloadSnr: Float32Array,
    efficiency: Float64Array,
    middles: Float32Array,
  ): number {
    const { nSubbands, channel } = this;
    const { rows, noise } = input;
    const { pilots, turns } = this.pattern;
    let power = 0;
    for (let symbol = 0; symbol < 14 * input.slots; symbol++) {
      const slot = Math.floor(symbol / 14);
      const t = symbol - 14 * slot;
      this.setChannel(input, slot, symbol);
      if (t === 7) middles.set(channel, channel.length * slot);
      const turned = this.turnsOf(input.turns, symbol);
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
          const quarter = turns[i++];
          // Less a quarter turn: [re, im] to [im, -re].
          const [tr, ti] = [turned[c], turned[c + 1]];
          const ur = quarter === 0 ? tr : quarter === 1 ? ti : quarter === 2 ? -tr : -ti;
          const ui = quarter === 0 ? ti : quarter === 1 ? -tr : quarter === 2 ? -ti : tr;
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

  /** Of a symbol's carriers, [nCarriers][re, im]. */
  private turnsOf(turns: Float64Array, symbol: number): Float64Array {
    const { turned } = this;
    let [re, im] = turns.subarray(4 * symbol);
    const [stepRe, stepIm] = turns.subarray(4 * symbol + 2);
    for (let c = 0; c < turned.length; c += 2) {
      turned[c] = re;
      turned[c + 1] = im;
      // The carrier at DC is none.
      for (let steps = c + 2 === turned.length / 2 ? 2 : 1; steps > 0; steps--) {
        [re, im] = [re * stepRe - im * stepIm, re * stepIm + im * stepRe];
      }
    }
    return turned;
  }

  controlLlrs({ count, symbol, rows, weights, phases, pilots }: ControlSymbols, llr: Float32Array): void {
    const { nSubbands } = this;
    const { turns } = this.pattern;
    const row = 24 * nSubbands;
    const own = weights.length > row;
    for (let t = 0, at = 0; t < count; t++) {
      let i = 11 * nSubbands * ((symbol + t) % 64);
      for (let c = 0; c < row; c += 2) {
        if (c % 24 === 2 * pilots[t]) continue;
        const y = row * t + c;
        const w = own ? y : c;
        const re = weights[w] * rows[y] - weights[w + 1] * rows[y + 1];
        const im = weights[w] * rows[y + 1] + weights[w + 1] * rows[y];
        const angle = -phases[t] - (Math.PI / 2) * turns[i++];
        llr[at++] = re * Math.cos(angle) - im * Math.sin(angle);
        llr[at++] = re * Math.sin(angle) + im * Math.cos(angle);
      }
    }
  }
}
