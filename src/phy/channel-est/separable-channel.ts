import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';

/**
 * A channel over a burst's slots as few functions of frequency with weights in time,
 *
 *   H(symbol, carrier) = sum_d weights[symbol][d] nodes[set of the slot][d][carrier],
 *
 * so that whoever needs it a slot, a symbol or a pilot at a time need not have it laid out on the whole grid.
 */
export class SeparableChannel {
  readonly nCarriers: number;
  /** Functions a set. */
  readonly order: number;
  /** [set][order][nCarriers][re, im]. */
  readonly nodes: Float32Array;
  /** Set of each slot, [slots], ascending without gaps. */
  readonly sets: Uint16Array;
  /** [slot x 14][order]. */
  readonly weights: Float32Array;

  constructor(nCarriers: number, order: number, nodes: Float32Array, sets: Uint16Array, weights: Float32Array) {
    this.nCarriers = nCarriers;
    this.order = order;
    this.nodes = nodes;
    this.sets = sets;
    this.weights = weights;
  }

  /** First element of a slot's set in `nodes`. */
  nodesAt(slot: number): number {
    return 2 * this.nCarriers * this.order * this.sets[slot];
  }

  /** One symbol of the burst to out[at..], [nCarriers][re, im]. */
  symbol(symbol: number, out: Float32Array, at: number): void {
    const { order, nodes, weights } = this;
    const length = 2 * this.nCarriers;
    const base = this.nodesAt(Math.floor(symbol / SLOT_SYMBOLS));
    const from = symbol * order;
    const w0 = weights[from];
    if (order === 1) {
      for (let i = 0, j = base; i < length; i++, j++) out[at + i] = w0 * nodes[j];
      return;
    }
    const w1 = weights[from + 1];
    for (let i = 0, j = base, k = base + length; i < length; i++, j++, k++) out[at + i] = w0 * nodes[j] + w1 * nodes[k];
    for (let d = 2; d < order; d++) {
      const w = weights[from + d];
      // Unit weights pick one function of many.
      if (w === 0) continue;
      for (let i = 0, j = base + d * length; i < length; i++, j++) out[at + i] += w * nodes[j];
    }
  }

  /** All of it, [slot x 14][nCarriers][re, im]. */
  grid(): Float32Array {
    const symbols = SLOT_SYMBOLS * this.sets.length;
    const out = new Float32Array(2 * this.nCarriers * symbols);
    for (let i = 0; i < symbols; i++) this.symbol(i, out, 2 * this.nCarriers * i);
    return out;
  }

  /** At the pilots, laid out as the observed ones: out[slot x 14][nSubbands][re, im]. */
  atPilots(n: Numerology, out: Float32Array): void {
    const { order, nodes, weights } = this;
    const grid = resourceGrid(n);
    const length = 2 * n.nCarriers;
    const width = 2 * n.nSubbands;
    for (let symbol = 0; symbol < this.sets.length * SLOT_SYMBOLS; symbol++) {
      const slot = Math.floor(symbol / SLOT_SYMBOLS);
      const from = this.nodesAt(slot) + 2 * grid.pilotOffset(symbol - slot * SLOT_SYMBOLS);
      const w0 = weights[symbol * order];
      const begin = symbol * width;
      // The first two at once; where there is one, it stands in for the other with weight 0.
      const w1 = order > 1 ? weights[symbol * order + 1] : 0;
      const away = order > 1 ? length : 0;
      for (let p = begin, c = from; p < begin + width; p += 2, c += 2 * SUBBAND_CARRIERS) {
        out[p] = w0 * nodes[c] + w1 * nodes[c + away];
        out[p + 1] = w0 * nodes[c + 1] + w1 * nodes[c + away + 1];
      }
      for (let d = 2; d < order; d++) {
        const w = weights[symbol * order + d];
        if (w === 0) continue;
        for (let p = begin, c = from + d * length; p < begin + width; p += 2, c += 2 * SUBBAND_CARRIERS) {
          out[p] += w * nodes[c];
          out[p + 1] += w * nodes[c + 1];
        }
      }
    }
  }
}
