import type { GridShape } from '../semantics/feature-map.ts';
import { K_MAX } from '../semantics/model-tables.ts';
import type { SymbolOrder } from './symbol-order.ts';

/** SNR of cells of which nothing came, and the bounds of what f_d was trained with, dB. */
export const SNR_FLOOR_DB = -10;
export const SNR_CEILING_DB = 30;
/**
 * A symbol below this SNR counts as lost in the error mask. Above it f_d makes more of the noisy symbol than the corrector of its
 * surroundings (docs/adr/0013-semantic-codecs.md); f_d gets what is below it all the same.
 */
export const LOST_BELOW_DB = -16;
/** No measurement is better than this; keeps the sums finite. */
const MOST_SNR = 1e6;
/** Factors 1 + snr are multiplied up to this before a logarithm is taken: one more leaves the product finite. */
const MOST_PRODUCT = 1e100;
/** A part beyond this is not of a unit-power symbol: it counts as not arrived. */
const MOST_AMPLITUDE = 1e3;

/** What f_d is given of the symbols, and how much of each cell came. */
export interface ReceivedPlanes {
  readonly received: Float32Array; // [2 x 192][row][column], for the picture's power scale
  readonly snrDb: Float32Array; // [row][column], capacity-equivalent, -10..30
  readonly symbols: Float32Array; // [row][column], k
  readonly damage: Float32Array; // [row][column], share of the symbols that were lost
}

export function emptyPlanes({ rows, columns }: GridShape): ReceivedPlanes {
  const cells = rows * columns;
  return {
    received: new Float32Array(2 * K_MAX * cells),
    snrDb: new Float32Array(cells).fill(SNR_FLOOR_DB),
    symbols: new Float32Array(cells),
    damage: new Float32Array(cells),
  };
}

/**
 * An SFV's symbols as they go on the air, before normalisation.
 *
 * @param z f_e's output, [2 x 192][row][column]
 * @param cells the SFV's cells, indices of the grid
 * @param area cells of the grid
 * @returns [place][re, im]
 */
export function packStream(z: Float32Array, order: SymbolOrder, cells: Uint32Array, area: number): Float32Array {
  const { cell, index } = order;
  const out = new Float32Array(2 * cell.length);
  for (let p = 0; p < cell.length; p++) {
    const at = 2 * index[p] * area + cells[cell[p]];
    out[2 * p] = z[at];
    out[2 * p + 1] = z[at + area];
  }
  return out;
}

/** Mean of |x|^2 over complex symbols [symbol][re, im]; 0 for none. */
export function meanPower(symbolsReIm: Float32Array): number {
  let energy = 0;
  for (let i = 0; i < symbolsReIm.length; i++) energy += symbolsReIm[i] * symbolsReIm[i];
  return symbolsReIm.length === 0 ? 0 : energy / (symbolsReIm.length / 2);
}

/** One SFV's stream as it came: MMSE-weighted symbols and the SNR of each. */
export interface StreamSamples {
  readonly symbolsReIm: Float32Array; // [place][re, im]
  readonly snrDb: Float32Array; // [place]
}

/** What came of one SFV. */
export interface StreamFigures {
  /** Places that arrived. */
  readonly arrived: number;
  /** Capacity-equivalent over the places that arrived, dB; null when there is none. */
  readonly snrDb: number | null;
}

/**
 * Puts an SFV's stream into the planes of the picture.
 *
 * Places that carry the same symbol are combined by maximum ratio: of r_m = s_m / (1 + s_m) (x + n_m) the weighted sum of the
 * x + n_m, MMSE-weighted again, is r = sum (1 + s_m) r_m / (1 + s), s = sum s_m. The stream had unit power of its own; f_d knows one
 * scale for the picture. In units of it the SFV's noise is q = ratio^2 times as strong, so its SNR is s' = s / q and the symbol
 * r' = r (1 + s) / (ratio (1 + s')), exactly what the same noise would give on symbols that had not been normalised by SFV.
 * A cell's SNR is 2^mean(log2(1 + s')) - 1 over its k symbols, lost ones with s' = 0.
 *
 * @param ratio power scale of the SFV over that of the picture
 * @param k symbols of each of its cells; [position in cells]
 */
export function unpackStream(
  stream: StreamSamples,
  order: SymbolOrder,
  cells: Uint32Array,
  k: Uint8Array,
  ratio: number,
  planes: ReceivedPlanes,
): StreamFigures {
  const area = planes.symbols.length;
  const n = cells.length;
  const most = k.reduce((a, b) => Math.max(a, b), 0);
  const sumSnr = new Float64Array(most * n); // [index][position in cells]
  const sumRe = new Float64Array(most * n);
  const sumIm = new Float64Array(most * n);
  const { symbolsReIm, snrDb: symbolSnrDb } = stream;
  let arrived = 0;
  let capacity = 0;
  // Symbols of a resource block follow one another and have one SNR.
  let [lastDb, s, bits] = [Number.NEGATIVE_INFINITY, 0, 0];
  for (let p = 0; p < order.cell.length; p++) {
    const db = symbolSnrDb[p];
    if (db !== lastDb) {
      lastDb = db;
      s = linearSnr(db);
      bits = Math.log2(1 + s);
    }
    const re = symbolsReIm[2 * p];
    const im = symbolsReIm[2 * p + 1];
    if (s === 0 || !(Math.abs(re) < MOST_AMPLITUDE && Math.abs(im) < MOST_AMPLITUDE)) continue; // NaN too
    arrived++;
    capacity += bits;
    const at = order.index[p] * n + order.cell[p];
    sumSnr[at] += s;
    sumRe[at] += (1 + s) * re;
    sumIm[at] += (1 + s) * im;
  }
  const lostBelow = 10 ** (LOST_BELOW_DB / 10);
  for (let i = 0; i < n; i++) {
    let cellBits = 0;
    let product = 1;
    let lost = 0;
    for (let index = 0; index < k[i]; index++) {
      const sum = sumSnr[index * n + i];
      if (sum < lostBelow) lost++;
      if (sum === 0) continue;
      const own = sum / (ratio * ratio);
      product *= 1 + own;
      if (product > MOST_PRODUCT) {
        cellBits += Math.log2(product);
        product = 1;
      }
      const gain = 1 / (ratio * (1 + own)); // the sums still hold the factor 1 + s
      const at = 2 * index * area + cells[i];
      planes.received[at] = gain * sumRe[index * n + i];
      planes.received[at + area] = gain * sumIm[index * n + i];
    }
    planes.symbols[cells[i]] = k[i];
    if (k[i] === 0) continue;
    cellBits += Math.log2(product);
    const snrDb = cellBits === 0 ? SNR_FLOOR_DB : 10 * Math.log10(2 ** (cellBits / k[i]) - 1);
    planes.snrDb[cells[i]] = Math.min(SNR_CEILING_DB, Math.max(SNR_FLOOR_DB, snrDb));
    planes.damage[cells[i]] = lost / k[i];
  }
  return { arrived, snrDb: arrived === 0 ? null : 10 * Math.log10(2 ** (capacity / arrived) - 1) };
}

/** 0 for what did not come: -Infinity and NaN. */
function linearSnr(snrDb: number): number {
  return Number.isNaN(snrDb) ? 0 : Math.min(MOST_SNR, 10 ** (snrDb / 10));
}
