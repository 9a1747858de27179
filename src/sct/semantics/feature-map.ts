import { UsageError } from '../../common/errors.ts';
import { ALLOWED_SIZES, isAllowedSize } from '../image/rgb-image.ts';

/** Side of one grid cell in pixels: an embedding describes 16 x 16 pixels. */
export const CELL_PX = 16;

/** Rows and columns of the grid; one cell is CELL_PX x CELL_PX pixels. */
export interface GridShape {
  readonly rows: number;
  readonly columns: number;
}

/** What g_a makes of a picture: one embedding of `channels` numbers for each cell, and the size it stands for. */
export interface FeatureMap extends GridShape {
  readonly channels: number;
  readonly data: Float32Array; // [channel][row][column]
  readonly widthPx: number;
  readonly heightPx: number;
}

/** One number for each cell: symbols, SNR in dB, quality (log10 of expected squared error), damage. */
export interface GridPlane extends GridShape {
  readonly data: Float32Array; // [row][column]
}

/** One small whole number for each cell: entropy class 0..15, or label 0..42. */
export interface ClassMap extends GridShape {
  readonly data: Uint8Array; // [row][column]
}

/** Size in pixels of the picture behind a feature map. */
export interface PictureShape {
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * Grid of a picture: rows = ceil(height / 16), columns = ceil(width / 16).
 *
 * @throws UsageError when the size is not one of the allowed ones
 */
export function gridOf({ widthPx, heightPx }: PictureShape): GridShape {
  if (!isAllowedSize(widthPx, heightPx)) {
    throw new UsageError(`picture size ${widthPx}x${heightPx} is out of range: allowed ${ALLOWED_SIZES}`);
  }
  return { rows: Math.ceil(heightPx / CELL_PX), columns: Math.ceil(widthPx / CELL_PX) };
}

/** A plane with the same value in every cell. */
export function flatPlane({ rows, columns }: GridShape, value: number): GridPlane {
  return { rows, columns, data: new Float32Array(rows * columns).fill(value) };
}

/** An embedding map of the same shape with other values; `data` is kept, not copied. Throws a plain Error on a wrong length. */
export function withData(map: FeatureMap, data: Float32Array): FeatureMap {
  if (data.length !== map.channels * map.rows * map.columns) {
    throw new Error(`a ${map.channels}x${map.rows}x${map.columns} feature map cannot hold ${data.length} values`);
  }
  return { ...map, data };
}
