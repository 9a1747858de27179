import { Float32Memo } from '../../common/float32-memo.ts';
import type { ReceivedPlanes, StreamFigures, StreamSamples } from './analog-stream.ts';
import { LOST_BELOW_DB, SNR_CEILING_DB, SNR_FLOOR_DB } from './analog-stream.ts';
import { strideOf, symbolRanks } from './symbol-order.ts';

/** No measurement is better than this; keeps the sums finite. */
const MOST_SNR = 1e6;
/** Factors 1 + snr are multiplied up to this before a logarithm is taken: one more leaves the product finite. */
const MOST_PRODUCT = 1e100;
/** A part beyond this is not of a unit-power symbol: it counts as not arrived. */
const MOST_AMPLITUDE = 1e3;

const LOST_BELOW = 10 ** (LOST_BELOW_DB / 10);

/** One SFV's cells as both ends know them; [position in the SFV's list of cells]. */
export interface SfvCells {
  /** Indices of the grid. */
  readonly cells: Uint32Array;
  readonly classes: ArrayLike<number>;
  /** Symbols of each. */
  readonly k: Uint8Array;
}

/** Puts SFVs' streams into the planes of a picture, one after another. Its memory serves picture after picture. */
export class StreamUnpacker {
  /** Sums over the places that carry the same symbol, [index][position in cells][snr, re, im]. */
  private sums = new Float64Array(0);
  private ranks = new Uint32Array(0);
  /** 0, 1, 2 and so on: positions in a list of cells. */
  private inOrder = new Uint32Array(0);
  /** Of each cell: logarithms taken so far, what is left to be taken, symbols lost; [position in cells]. */
  private bits = new Float64Array(0);
  private product = new Float64Array(0);
  private lost = new Uint8Array(0);
  /** Of the SNR in dB: linear, and the capacity. Symbols of a resource block have one. */
  private readonly snrOf = new Float32Memo(linearSnr);
  private readonly bitsOf = new Float32Memo((db) => Math.log2(1 + linearSnr(db)));

  /**
   * Puts an SFV's stream into the planes of the picture, whose `received` is zero in its cells.
   *
   * Places that carry the same symbol are combined by maximum ratio: of r_m = s_m / (1 + s_m) (x + n_m) the weighted sum of the
   * x + n_m, MMSE-weighted again, is r = sum (1 + s_m) r_m / (1 + s), s = sum s_m. The stream had unit power of its own; f_d knows one
   * scale for the picture. In units of it the SFV's noise is q = ratio^2 times as strong, so its SNR is s' = s / q and the symbol
   * r' = r (1 + s) / (ratio (1 + s')), exactly what the same noise would give on symbols that had not been normalised by SFV.
   * A cell's SNR is 2^mean(log2(1 + s')) - 1 over its k symbols, lost ones with s' = 0.
   *
   * @param ratio power scale of the SFV over that of the picture
   * @throws UsageError as symbolOrder
   */
  unpack(stream: StreamSamples, sfv: SfvCells, ratio: number, planes: ReceivedPlanes): StreamFigures {
    const figures = this.combine(stream, sfv);
    this.place(sfv, ratio, planes);
    return figures;
  }

  /** Sums up what came of each symbol. */
  private combine({ symbolsReIm, snrDb }: StreamSamples, { cells, classes, k }: SfvCells): StreamFigures {
    const n = cells.length;
    const places = snrDb.length;
    this.grow(n, k);
    const { sums, ranks } = this;
    const symbols = symbolRanks(k, classes, places, { stride: n, cellOf: this.inOrder }, ranks);
    let arrived = 0;
    let capacity = 0;
    let [lastDb, s, bits] = [Number.NEGATIVE_INFINITY, 0, 0];
    const step = strideOf(places);
    for (let p = 0, walk = 0; p < places; p++) {
      const at = 3 * ranks[walk < symbols ? walk : walk % symbols]; // walk = p step mod places
      walk += step;
      if (walk >= places) walk -= places;
      const db = snrDb[p];
      if (db !== lastDb) {
        lastDb = db;
        s = this.snrOf.at(db);
        bits = this.bitsOf.at(db);
      }
      const re = symbolsReIm[2 * p];
      const im = symbolsReIm[2 * p + 1];
      if (s === 0 || !(Math.abs(re) < MOST_AMPLITUDE && Math.abs(im) < MOST_AMPLITUDE)) continue; // NaN too
      arrived++;
      capacity += bits;
      sums[at] += s;
      sums[at + 1] += (1 + s) * re;
      sums[at + 2] += (1 + s) * im;
    }
    return { arrived, snrDb: arrived === 0 ? null : 10 * Math.log10(2 ** (capacity / arrived) - 1) };
  }

  /** From the sums to the planes. */
  private place({ cells, k }: SfvCells, ratio: number, planes: ReceivedPlanes): void {
    const { sums, bits, product, lost } = this;
    const { received } = planes;
    const area = planes.symbols.length;
    const n = cells.length;
    const most = mostOf(k);
    for (let index = 0; index < most; index++) {
      const plane = 2 * index * area;
      for (let i = 0, from = 3 * n * index; i < n; i++, from += 3) {
        if (k[i] <= index) continue;
        const sum = sums[from];
        if (sum < LOST_BELOW) lost[i]++;
        if (sum === 0) continue;
        const own = sum / (ratio * ratio);
        product[i] *= 1 + own;
        if (product[i] > MOST_PRODUCT) {
          bits[i] += Math.log2(product[i]);
          product[i] = 1;
        }
        const gain = 1 / (ratio * (1 + own)); // the sums still hold the factor 1 + s
        received[plane + cells[i]] = gain * sums[from + 1];
        received[plane + area + cells[i]] = gain * sums[from + 2];
      }
    }
    for (let i = 0; i < n; i++) {
      const cell = cells[i];
      planes.symbols[cell] = k[i];
      if (k[i] === 0) continue;
      const cellBits = bits[i] + Math.log2(product[i]);
      const snrDb = cellBits === 0 ? SNR_FLOOR_DB : 10 * Math.log10(2 ** (cellBits / k[i]) - 1);
      planes.snrDb[cell] = Math.min(SNR_CEILING_DB, Math.max(SNR_FLOOR_DB, snrDb));
      planes.damage[cell] = lost[i] / k[i];
    }
  }

  /** Memory for so many cells, as it is before anything came. */
  private grow(cells: number, k: Uint8Array): void {
    const length = mostOf(k) * cells;
    if (this.ranks.length < length) {
      const more = Math.max(length, 2 * this.ranks.length);
      this.sums = new Float64Array(3 * more);
      this.ranks = new Uint32Array(more);
    } else this.sums.fill(0, 0, 3 * length);
    if (this.lost.length < cells) {
      const more = Math.max(cells, 2 * this.lost.length);
      this.inOrder = Uint32Array.from({ length: more }, (_, i) => i);
      this.bits = new Float64Array(more);
      this.product = new Float64Array(more);
      this.lost = new Uint8Array(more);
    }
    this.bits.fill(0, 0, cells);
    this.product.fill(1, 0, cells);
    this.lost.fill(0, 0, cells);
  }
}

function mostOf(k: Uint8Array): number {
  let most = 0;
  for (let i = 0; i < k.length; i++) if (k[i] > most) most = k[i];
  return most;
}

/** 0 for what did not come: -Infinity and NaN. */
function linearSnr(snrDb: number): number {
  return Number.isNaN(snrDb) ? 0 : Math.min(MOST_SNR, 10 ** (snrDb / 10));
}
