import type { PreambleEstimate } from '../channel-est/delay-window.ts';
import { ramp } from '../channel-est/delay-window.ts';
import { type Numerology, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';

/** Control symbols that together have a pilot on every carrier. */
export const CONTROL_BLOCK = SUBBAND_CARRIERS;
/** The training symbols' middle, in symbols after the first. */
const TRAINING_AT = -1.5;
/** Nodes that differ by less than this much more than noise explains are one channel. */
const STATIC_FACTOR = 2;

/**
 * The channel along a long control part, which may take several milliseconds of a fading channel: nodes from the
 * training symbols and from every 12 control symbols, each smoothed over the preamble's delay window; straight lines
 * between them, or their mean when they differ by no more than noise.
 */
export class ControlChannel {
  private readonly n: Numerology;
  private preamble!: PreambleEstimate;
  private noiseVariance = 0;
  /** Nodes so far; the arrays behind them are used again from burst to burst. */
  private count = 0;
  private readonly times: number[] = [];
  private readonly nodes: Float32Array[] = [];
  private readonly weights: number[] = [];
  private fixed: Float32Array | null = null;
  private readonly average: Float32Array;
  private readonly between: Float32Array;

  constructor(n: Numerology) {
    this.n = n;
    this.average = new Float32Array(2 * n.nCarriers);
    this.between = new Float32Array(2 * n.nCarriers);
  }

  /** A new burst; `noiseVariance`: of one RE. */
  begin(preamble: PreambleEstimate, noiseVariance: number): void {
    this.preamble = preamble;
    this.noiseVariance = noiseVariance;
    this.count = 0;
    // Two training symbols against one pilot a carrier.
    this.node(TRAINING_AT, 2).set(preamble.channel);
    this.fixed = preamble.channel;
  }

  /** Room for another node's channel. */
  private node(time: number, weight: number): Float32Array {
    const i = this.count++;
    this.times[i] = time;
    this.weights[i] = weight;
    this.nodes[i] ??= new Float32Array(2 * this.n.nCarriers);
    return this.nodes[i];
  }

  /**
   * Takes 12 symbols from `first` on: their pilots without common phases, [12][nSubbands][re, im]. Returns the channel
   * in their middle, [nCarriers][re, im].
   */
  addBlock(first: number, pilots: Float32Array): Float32Array {
    const { n, preamble } = this;
    const grid = resourceGrid(n);
    const { basis, centre } = preamble.window;
    const channel = this.node(first + (CONTROL_BLOCK - 1) / 2, 1);
    for (let t = 0; t < CONTROL_BLOCK; t++) {
      const offset = grid.pilotOffset(first + t);
      for (let s = 0; s < n.nSubbands; s++) {
        const c = 2 * (s * SUBBAND_CARRIERS + offset);
        channel[c] = pilots[2 * (t * n.nSubbands + s)];
        channel[c + 1] = pilots[2 * (t * n.nSubbands + s) + 1];
      }
    }
    ramp(n, channel, 0, centre, channel, 0);
    basis.smooth(channel, (this.noiseVariance * basis.size) / preamble.power, channel);
    ramp(n, channel, 0, -centre, channel, 0);
    this.fixed = this.mean();
    return channel;
  }

  /** Channel at a symbol, [nCarriers][re, im]; valid until the next call. */
  at(symbol: number): Float32Array {
    if (this.fixed) return this.fixed;
    const { times, nodes, between, count } = this;
    let i = 0;
    while (i < count - 2 && times[i + 1] < symbol) i++;
    const share = Math.max(0, Math.min(1, (symbol - times[i]) / (times[i + 1] - times[i])));
    for (let c = 0; c < between.length; c++) between[c] = nodes[i][c] + share * (nodes[i + 1][c] - nodes[i][c]);
    return between;
  }

  /** Weighted mean of the nodes, or null when they differ by more than noise. */
  private mean(): Float32Array | null {
    const { nodes, weights, preamble, count, average } = this;
    let total = 0;
    for (let i = 0; i < count; i++) total += weights[i];
    average.fill(0);
    for (let i = 0; i < count; i++) addScaled(nodes[i], weights[i] / total, average);
    let spread = 0;
    for (let i = 0; i < count; i++) spread += weights[i] * distance(nodes[i], average);
    // Of each node the fit keeps dof noise terms of variance sigma^2 / weight.
    const expected = (count - 1) * preamble.dof * this.noiseVariance;
    return spread < STATIC_FACTOR * expected ? average : null;
  }
}

function addScaled(input: Float32Array, scale: number, out: Float32Array): void {
  for (let c = 0; c < out.length; c++) out[c] += scale * input[c];
}

/** sum |a - b|^2 */
function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) {
    const difference = a[c] - b[c];
    sum += difference * difference;
  }
  return sum;
}
