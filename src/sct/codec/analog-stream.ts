import type { GridShape } from '../semantics/feature-map.ts';
import { K_MAX } from '../semantics/model-tables.ts';

/** SNR of cells of which nothing came, and the bounds of what f_d was trained with, dB. */
export const SNR_FLOOR_DB = -10;
export const SNR_CEILING_DB = 30;
/**
 * A symbol below this SNR counts as lost in the error mask. Above it f_d makes more of the noisy symbol than the corrector of its
 * surroundings (docs/adr/0013-semantic-codecs.md); f_d gets what is below it all the same.
 */
export const LOST_BELOW_DB = -16;
/** What f_d is given of the symbols, and how much of each cell came. */
export interface ReceivedPlanes {
  readonly received: Float32Array; // [2 x 192][row][column], for the picture's power scale
  readonly snrDb: Float32Array; // [row][column], capacity-equivalent, -10..30
  readonly symbols: Float32Array; // [row][column], k
  readonly damage: Float32Array; // [row][column], share of the symbols that were lost
}

/** Numbers of `received`. */
export function receivedLength({ rows, columns }: GridShape): number {
  return 2 * K_MAX * rows * columns;
}

/** @param received memory for them, of receivedLength; default its own */
export function emptyPlanes(
  grid: GridShape,
  received: Float32Array = new Float32Array(receivedLength(grid)),
): ReceivedPlanes {
  const cells = grid.rows * grid.columns;
  return {
    received: received.fill(0),
    snrDb: new Float32Array(cells).fill(SNR_FLOOR_DB),
    symbols: new Float32Array(cells),
    damage: new Float32Array(cells),
  };
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
