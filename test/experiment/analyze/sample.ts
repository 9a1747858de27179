import { RandomStream } from '../../../src/common/random.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { type AnalysisOptions, analyseSemantics } from '../../../src/sct/semantics/analysis.ts';
import { type FeatureMap, gridOf } from '../../../src/sct/semantics/feature-map.ts';
import type { ModelTables } from '../../../src/sct/semantics/model-tables.ts';
import type { SemanticModels } from '../../../src/sct/semantics/models.ts';

export const NAMES = [
  'sky',
  'building',
  'pole',
  'road',
  'pavement',
  'tree',
  'sign',
  'fence',
  'car',
  'pedestrian',
  'bicyclist',
];

/** Only what an analysis reads. */
export const tables = {
  theta0: 0.1,
  activityEdges: Float64Array.from({ length: 15 }, (_, i) => 2 * 1.3 ** i),
  bitsOf: Int32Array.from({ length: 14 * 16 }, (_, i) => 160 * (1 + (i % 16))),
  labels: {
    names: NAMES,
    clusterColours: Uint8Array.from({ length: 96 }, (_, i) => (37 * i) % 256),
    palette: Uint8Array.from({ length: 129 }, (_, i) => (91 * i) % 256),
  },
} as unknown as ModelTables;

/** A stand-in for the networks: sky above road, a salient car in the middle; everything follows from the size. */
export function stubModels(
  street = 2,
): Pick<SemanticModels, 'tables' | 'analyse' | 'labels' | 'labelsVjp' | 'saliency'> {
  const channels = 6;
  const inCar = (r: number, c: number, rows: number, columns: number) =>
    Math.abs(r / rows - 0.6) < 0.2 && Math.abs(c / columns - 0.5) < 0.2;
  const plane = (y: FeatureMap, f: (r: number, c: number) => number, fine = 1) =>
    Float32Array.from({ length: y.rows * y.columns * fine * fine }, (_, i) =>
      f(Math.floor(i / (y.columns * fine)) / fine, (i % (y.columns * fine)) / fine),
    );
  return {
    tables,
    analyse: async (image: RgbImage) => {
      const shape = { widthPx: image.width, heightPx: image.height };
      const grid = gridOf(shape);
      const random = new RandomStream(2);
      const data = Float32Array.from({ length: channels * grid.rows * grid.columns }, () => random.normal());
      return { ...grid, ...shape, channels, data };
    },
    labels: async (y) => {
      const car = plane(y, (r, c) => (inCar(r, c, y.rows, y.columns) ? 9 : 0), 4);
      const sky = plane(y, (r) => (r < y.rows / 2 ? 5 : 0), 4);
      const maps = new Float32Array(11 * car.length).fill(-9);
      maps.set(sky, 0);
      maps.set(
        sky.map((v) => 4 - v),
        3 * car.length,
      );
      maps.set(car, 8 * car.length);
      const cells = y.rows * y.columns;
      const clusters = Float32Array.from({ length: 32 * cells }, (_, i) => (Math.floor(i / cells) === i % 4 ? 0 : -1));
      return { maps, presence: Float32Array.from({ length: 11 }, (_, i) => i - 5), clusters, street };
    },
    labelsVjp: async (y) => ({ ...y, data: y.data.map((v) => v / 2 + 0.1) }),
    saliency: async (y) => plane(y, (r, c) => (inCar(r, c, y.rows, y.columns) ? 3 : -3), 4),
  };
}

export function samplePhoto(width: number, height: number): RgbImage {
  const random = new RandomStream(1);
  return rgbImage(width, height, random.bytes(3 * width * height));
}

export function sampleAnalysis(width = 240, height = 150, options: AnalysisOptions = {}, street = 2) {
  return analyseSemantics(stubModels(street), samplePhoto(width, height), { everyMap: true, ...options });
}
