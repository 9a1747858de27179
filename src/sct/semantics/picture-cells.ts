import type { RgbImage } from '../image/rgb-image.ts';
import { CELL_PX, gridOf, type PictureShape } from './feature-map.ts';
import { requireNetworkSize } from './picture-tensor.ts';

/** The 8-bit networks convolve blocks of 4x4 pixels. */
const BLOCK_PX = 4;
/** Bytes of a row of a block, of a block, of a row of blocks in a cell, of a cell. */
const RUN = 3 * BLOCK_PX;
const BLOCK = RUN * BLOCK_PX;
const BLOCK_ROW = BLOCK * (CELL_PX / BLOCK_PX);
const CELL = 3 * CELL_PX ** 2;

/** Bytes of a picture padded to whole cells. */
export function cellBytes(shape: PictureShape): number {
  const { rows, columns } = gridOf(shape);
  return rows * columns * CELL;
}

/**
 * A picture's bytes cell by cell, [row][column][block row][block column][row in block][column in block][r, g, b]; the last row and column are
 * repeated below and right as far as whole cells. `into` as long as `cellBytes` says.
 */
export function imageCells({ width, height, data }: RgbImage, into?: Uint8Array): Uint8Array {
  const shape = { widthPx: width, heightPx: height };
  requireNetworkSize(shape);
  const { rows, columns } = gridOf(shape);
  const out = into ?? new Uint8Array(rows * columns * CELL);
  const [from32, to32] = [wordsOf(data), wordsOf(out)];
  if (isWhole(shape) && from32 && to32) {
    for (let y = 0, from = 0; y < height; y++) {
      for (let x = 0, at = runAt(y, columns) / 4; x < width; x += BLOCK_PX, at += stepTo(x) / 4, from += 3) {
        to32[at] = from32[from];
        to32[at + 1] = from32[from + 1];
        to32[at + 2] = from32[from + 2];
      }
    }
    return out;
  }
  const last = 3 * (width - 1);
  for (let y = 0; y < rows * CELL_PX; y++) {
    const row = 3 * width * Math.min(y, height - 1);
    for (let x = 0, at = runAt(y, columns); x < columns * CELL_PX; x += BLOCK_PX, at += stepTo(x)) {
      let from = 3 * x;
      if (from + RUN <= 3 * width) {
        for (let i = 0; i < RUN; i++) out[at + i] = data[row + from + i];
        continue;
      }
      for (let i = 0; i < RUN; i += 3, from += 3) {
        const pixel = row + Math.min(from, last);
        out[at + i] = data[pixel];
        out[at + i + 1] = data[pixel + 1];
        out[at + i + 2] = data[pixel + 2];
      }
    }
  }
  return out;
}

/** The upper left widthPx x heightPx of what stands in the order of `imageCells`. */
export function imageFromCells(cells: Uint8Array, shape: PictureShape): RgbImage {
  const { widthPx, heightPx } = shape;
  const { columns } = gridOf(shape);
  const data = new Uint8Array(3 * widthPx * heightPx);
  const [from32, to32] = [wordsOf(cells), wordsOf(data)];
  if (isWhole(shape) && from32 && to32) {
    for (let y = 0, to = 0; y < heightPx; y++) {
      for (let x = 0, at = runAt(y, columns) / 4; x < widthPx; x += BLOCK_PX, at += stepTo(x) / 4, to += 3) {
        to32[to] = from32[at];
        to32[to + 1] = from32[at + 1];
        to32[to + 2] = from32[at + 2];
      }
    }
    return { width: widthPx, height: heightPx, data };
  }
  for (let y = 0, to = 0; y < heightPx; y++) {
    for (let x = 0, at = runAt(y, columns); x < widthPx; x += BLOCK_PX, at += stepTo(x)) {
      const count = Math.min(RUN, 3 * (widthPx - x));
      for (let i = 0; i < count; i++) data[to++] = cells[at + i];
    }
  }
  return { width: widthPx, height: heightPx, data };
}

/** Whole cells: every run of 12 bytes is three words of the picture. */
function isWhole({ widthPx, heightPx }: PictureShape): boolean {
  return widthPx % CELL_PX === 0 && heightPx % CELL_PX === 0;
}

/** The same memory as words, null where it does not begin at one. */
function wordsOf(bytes: Uint8Array): Uint32Array | null {
  return bytes.byteOffset % 4 === 0 ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : null;
}

/** Where the first run of pixel row y stands. */
function runAt(y: number, columns: number): number {
  const inCell = y % CELL_PX;
  const block = Math.floor(inCell / BLOCK_PX);
  return ((y - inCell) / CELL_PX) * columns * CELL + block * BLOCK_ROW + (inCell % BLOCK_PX) * RUN;
}

/** From the run before to the one that begins at column x. */
function stepTo(x: number): number {
  return x % CELL_PX === 0 ? CELL - BLOCK_ROW + BLOCK : BLOCK;
}
