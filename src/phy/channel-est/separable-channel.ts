import { SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import type { PilotObservations } from './estimator.ts';

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
    const first = weights[symbol * order];
    for (let i = 0, j = base; i < length; i++, j++) out[at + i] = first * nodes[j];
    for (let d = 1; d < order; d++) {
      const w = weights[symbol * order + d];
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
  atPilots({ numerology: n, slots }: PilotObservations, out: Float32Array): void {
    const { order, nodes, weights } = this;
    const grid = resourceGrid(n);
    const length = 2 * n.nCarriers;
    let p = 0;
    for (let slot = 0; slot < slots; slot++) {
      const base = this.nodesAt(slot);
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        const w = (slot * SLOT_SYMBOLS + t) * order;
        const from = base + 2 * grid.pilotOffset(t);
        const w0 = weights[w];
        const w1 = order > 1 ? weights[w + 1] : 0;
        const second = order > 1 ? length : 0;
        for (let c = from; c < base + length; c += 2 * SUBBAND_CARRIERS, p += 2) {
          let re = w0 * nodes[c] + w1 * nodes[c + second];
          let im = w0 * nodes[c + 1] + w1 * nodes[c + second + 1];
          for (let d = 2, at = c + 2 * length; d < order; d++, at += length) {
            re += weights[w + d] * nodes[at];
            im += weights[w + d] * nodes[at + 1];
          }
          out[p] = re;
          out[p + 1] = im;
        }
      }
    }
  }
}
