import type { Partition } from '../partition/partition.ts';
import type { PictureShape } from '../semantics/feature-map.ts';
import { CELL_PX } from '../semantics/feature-map.ts';
import type { UserCodecInfo } from '../semantics/user-codec.ts';
import { paddedSize } from '../semantics/user-codec.ts';
import type { StreamSamples } from './analog-stream.ts';
import { strideOf } from './symbol-order.ts';

/** A pair's symbol below this SNR is mostly noise: it counts as lost. */
const LOST_BELOW_DB = -8;

type PairGrid = NonNullable<UserCodecInfo['grid']>;

/** Complex symbols that a pair with a grid makes of a picture. */
export function gridSymbols({ cellPx, symbols }: PairGrid, shape: PictureShape, multipleOf: number): number {
  const { widthPx, heightPx } = paddedSize(shape, multipleOf);
  return (widthPx / cellPx) * (heightPx / cellPx) * symbols;
}

/**
 * Symbols of each stream as indices of the pair's own, ascending: by the SFV that holds the upper left pixel of the symbol's cell
 * (padding belongs to the last row and column); without a grid all symbols are one stream. O(N).
 */
export function symbolsOfStreams(
  info: UserCodecInfo,
  shape: PictureShape,
  count: number,
  partition: Partition | undefined,
): Uint32Array[] {
  const { grid, multipleOf } = info;
  if (!grid || !partition) return [Uint32Array.from({ length: count }, (_, i) => i)];
  const columns = paddedSize(shape, multipleOf).widthPx / grid.cellPx;
  const cells = count / grid.symbols;
  const sfvOf = (i: number) => {
    const cell = grid.order === 'planes' ? i % cells : Math.floor(i / grid.symbols);
    const row = Math.floor((Math.floor(cell / columns) * grid.cellPx) / CELL_PX);
    const column = Math.floor(((cell % columns) * grid.cellPx) / CELL_PX);
    return partition.sfvOf[
      Math.min(partition.rows - 1, row) * partition.columns + Math.min(partition.columns - 1, column)
    ];
  };
  const sizes = new Uint32Array(partition.sfvs.length);
  for (let i = 0; i < count; i++) sizes[sfvOf(i)]++;
  const out = Array.from(sizes, (n) => new Uint32Array(n));
  const next = new Uint32Array(sizes.length);
  for (let i = 0; i < count; i++) {
    const id = sfvOf(i);
    out[id][next[id]++] = i;
  }
  return out;
}

/** Rank of the symbol that a place of a stream carries: spread evenly, from the first again where there are more places than symbols. */
export function rankAt(place: number, places: number, symbols: number): number {
  return ((place * strideOf(places)) % places) % symbols;
}

/** What came of the pair's symbols. */
export interface UserReceived {
  /** Equalised, not MMSE-weighted, as the pair made them; 0 where lost. */
  readonly symbolsReIm: Float32Array; // [symbol][re, im]
  /** Linear SNR of each in units of the pair's own power; 0 = lost. */
  readonly snr: Float32Array; // [symbol]
}

/**
 * Puts a stream's places into the pair's symbols: places of the same symbol are combined by maximum ratio, of r_m = s_m / (1 + s_m) (x +
 * n_m) the mean of the x + n_m weighted with s_m; what is below -8 dB then counts as lost. Times the stream's scale.
 *
 * @param indices the stream's symbols, as symbolsOfStreams gives them
 * @returns places that arrived
 */
export function placeStream(stream: StreamSamples, indices: Uint32Array, scale: number, out: UserReceived): number {
  const places = stream.snrDb.length;
  const n = indices.length;
  const sum = new Float64Array(3 * n); // [symbol][re, im, snr]
  const step = strideOf(places);
  let arrived = 0;
  for (let p = 0; p < places; p++) {
    const s = Math.min(1e6, 10 ** (stream.snrDb[p] / 10));
    const re = stream.symbolsReIm[2 * p];
    const im = stream.symbolsReIm[2 * p + 1];
    if (!(s > 0 && Math.abs(re) < 1e3 && Math.abs(im) < 1e3)) continue; // NaN too
    const at = 3 * (((p * step) % places) % n);
    sum[at] += (1 + s) * re;
    sum[at + 1] += (1 + s) * im;
    sum[at + 2] += s;
    arrived++;
  }
  const least = 10 ** (LOST_BELOW_DB / 10);
  for (let k = 0; k < n; k++) {
    const s = sum[3 * k + 2];
    if (s < least) continue;
    out.symbolsReIm[2 * indices[k]] = (scale * sum[3 * k]) / s;
    out.symbolsReIm[2 * indices[k] + 1] = (scale * sum[3 * k + 1]) / s;
    out.snr[indices[k]] = s / (scale * scale);
  }
  return arrived;
}
