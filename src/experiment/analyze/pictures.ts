import type { SemanticAnalysis } from '../../sct/semantics/analysis.ts';
import type { GridPlane, GridShape } from '../../sct/semantics/feature-map.ts';
import { quarterClasses } from '../../sct/semantics/label-map.ts';
import { encodeIndexedPng, type IndexedImage } from '../report/svg/indexed-png.ts';
import { viridisTable } from '../report/svg/palette.ts';

/** A map as a small picture with a palette, one sample for each cell, or 4 x 4 where it is finer. */
export interface MapPicture extends IndexedImage {
  /** Samples along a cell's side, 1 or 4. */
  readonly samplesPerCell: number;
}

/** Numbers on the viridis scale from `low` to `high` (clipped). */
export function heatPicture(
  values: ArrayLike<number>,
  { rows, columns }: GridShape,
  low: number,
  high: number,
  samplesPerCell = 1,
): MapPicture {
  const span = high > low ? high - low : 1;
  const indices = Uint8Array.from(values, (v) => Math.round(255 * Math.max(0, Math.min(1, (v - low) / span))));
  const [width, height] = [columns * samplesPerCell, rows * samplesPerCell];
  return { width, height, indices, palette: viridisTable(256), samplesPerCell };
}

/** Whole numbers as colours of a palette [entry][r, g, b]. */
export function palettePicture(
  values: Uint8Array,
  { rows, columns }: GridShape,
  colours: Uint8Array,
  samplesPerCell = 1,
): MapPicture {
  const palette = new Uint8Array((colours.length / 3) * 4).fill(255);
  for (let i = 0; i < colours.length / 3; i++) palette.set(colours.subarray(3 * i, 3 * i + 3), 4 * i);
  const [width, height] = [columns * samplesPerCell, rows * samplesPerCell];
  return { width, height, indices: values, palette, samplesPerCell };
}

/** Every map of an analysis that a report shows; `labels` at its finest. */
export function mapPictures(analysis: SemanticAnalysis, palette: Uint8Array): Record<MapName, MapPicture | null> {
  const { y, rawLabels, labelOutput, partition, classMap, entropy, saliencyLogits, activation, importance } = analysis;
  const street = rawLabels.space === 'street';
  const labels = street
    ? palettePicture(quarterClasses(labelOutput.maps, y), y, palette, 4)
    : palettePicture(rawLabels.map.data, y, palette);
  return {
    labels,
    partition: palettePicture(partition.labels, y, palette),
    classes: heatPicture(classMap.data, y, 0, 15),
    entropy: heatPicture(entropy.data, y, ...range(entropy)),
    saliency:
      saliencyLogits &&
      heatPicture(
        saliencyLogits.map((v) => 1 / (1 + Math.exp(-v))),
        y,
        0,
        1,
        4,
      ),
    activation: activation && heatPicture(activation.plane.data, y, 0, range(activation.plane)[1]),
    importance: heatPicture(importance.data, y, 0, range(importance)[1]),
    features: featureMosaic(analysis),
  };
}

export const MAP_NAMES = [
  'labels',
  'partition',
  'classes',
  'entropy',
  'saliency',
  'activation',
  'importance',
  'features',
] as const;
export type MapName = (typeof MAP_NAMES)[number];

/** Smallest and largest value of a plane. */
export function range(plane: GridPlane): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of plane.data) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return [low, high];
}

const MOSAIC = { across: 4, down: 3 } as const;

/**
 * The twelve channels of largest variance, in that order, as a mosaic with one sample of gap; each from -2.5 to 2.5 standard
 * deviations around its mean, blue over white to red.
 */
function featureMosaic({ y }: SemanticAnalysis): MapPicture {
  const { channels, rows, columns, data } = y;
  const cells = rows * columns;
  const mean = new Float64Array(channels);
  const deviation = new Float64Array(channels);
  for (let k = 0; k < channels; k++) {
    let [sum, squares] = [0, 0];
    for (let i = k * cells; i < (k + 1) * cells; i++) {
      sum += data[i];
      squares += data[i] * data[i];
    }
    mean[k] = sum / cells;
    deviation[k] = Math.sqrt(Math.max(0, squares / cells - mean[k] ** 2));
  }
  const best = Array.from(deviation.keys()).sort((a, b) => deviation[b] - deviation[a] || a - b);
  const width = MOSAIC.across * (columns + 1) - 1;
  const height = MOSAIC.down * (rows + 1) - 1;
  const indices = new Uint8Array(width * height).fill(255);
  for (let tile = 0; tile < MOSAIC.across * MOSAIC.down && tile < channels; tile++) {
    const k = best[tile];
    const [top, left] = [Math.floor(tile / MOSAIC.across) * (rows + 1), (tile % MOSAIC.across) * (columns + 1)];
    for (let i = 0; i < cells; i++) {
      const z = deviation[k] > 0 ? (data[k * cells + i] - mean[k]) / deviation[k] : 0;
      const level = Math.round(127 + 50.8 * Math.max(-2.5, Math.min(2.5, z)));
      indices[(top + Math.floor(i / columns)) * width + left + (i % columns)] = Math.max(0, Math.min(254, level));
    }
  }
  return { width, height, indices, palette: divergingTable(), samplesPerCell: 1 };
}

/** 255 levels from blue over white to red-orange, and a transparent one for gaps; [level][r, g, b, a]. */
function divergingTable(): Uint8Array {
  const [low, middle, high] = [
    [0, 90, 150],
    [247, 247, 245],
    [200, 70, 0],
  ];
  const table = new Uint8Array(4 * 256);
  for (let i = 0; i < 255; i++) {
    const t = Math.abs(i - 127) / 127;
    const end = i < 127 ? low : high;
    for (let c = 0; c < 3; c++) table[4 * i + c] = Math.round(middle[c] + t * (end[c] - middle[c]));
    table[4 * i + 3] = 255;
  }
  return table;
}

/** PNG of a map as it is: one sample a pixel. A page enlarges it without smoothing. */
export function smallPng(map: MapPicture): Buffer {
  return encodeIndexedPng(map);
}

/**
 * PNG of a map at about the photo's size: each cell 16 pixels wide (fewer on grids of more than 128 cells a side, so that no
 * side is over 2048), cut to the photo where it shows the photo's grid.
 */
export function largePng(map: MapPicture, grid: GridShape, photo: { width: number; height: number } | null): Buffer {
  const cellPx = Math.max(map.samplesPerCell, Math.min(16, Math.floor(2048 / Math.max(grid.rows, grid.columns))));
  const factor = Math.max(1, Math.floor(cellPx / map.samplesPerCell));
  const sidePx = factor * map.samplesPerCell;
  const width = photo ? Math.max(1, Math.round((photo.width * sidePx) / 16)) : map.width * factor;
  const height = photo ? Math.max(1, Math.round((photo.height * sidePx) / 16)) : map.height * factor;
  const indices = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(map.height - 1, Math.floor(y / factor)) * map.width;
    for (let x = 0; x < width; x++) {
      indices[y * width + x] = map.indices[row + Math.min(map.width - 1, Math.floor(x / factor))];
    }
  }
  return encodeIndexedPng({ width, height, indices, palette: map.palette });
}
