import { type ClassMap, type FeatureMap, flatPlane, type GridPlane } from '../semantics/feature-map.ts';
import type { ModelTables } from '../semantics/model-tables.ts';
import { type LastFrame, MOST_AGE } from './frame-memory.ts';

/**
 * First channel of each band: coefficients are sorted by variance, so the bands go from the mean colour to the finest detail, which a
 * moved picture loses first.
 */
const BAND_STARTS = [0, 3, 8, 24, 64] as const;
const BANDS = BAND_STARTS.length;
/** Share of a class's variance that remains after the corrector has restored a lost cell from its surroundings, by band. */
const SPATIAL_ERROR = [0.4, 0.7, 0.9, 1, 1] as const;
/** Cells so far away still say something of a lost one. */
const REACH = 8;
/** A last frame that gets more than this share of the power of what came wrong is of another scene. */
const MISLEADS = 0.65;

/** How far the last frame can be trusted, judged at the receiver by the cells that came. */
export interface Trust {
  /** 1 in the cells for which the corrector is shown the last frame. */
  readonly shown: GridPlane;
  /** Expected squared error of the last frame in damaged cells that are shown, [band][row][column]; infinite where nothing around came. */
  readonly error: Float32Array;
  /** Share of the damaged cells that are shown. */
  readonly share: number;
}

/**
 * Agreement of the last frame with what came. In each undamaged cell and band the squared difference d = |y - y'|^2 is known; a
 * damaged cell takes the mean over the undamaged cells around, weighted 1 / (1 + r^2)^2. Where d > 0.65 |y|^2 over the picture, or nothing
 * came, the last frame is not used at all, and where a cell has not been received for too long not there.
 *
 * @param damage [row][column], 0 = intact
 */
export function trustLastFrame(yHat: FeatureMap, damage: Float32Array, last: LastFrame): Trust | undefined {
  const area = yHat.rows * yHat.columns;
  const difference = new Float32Array(BANDS * area); // [band][row][column]
  let [wrong, power] = [0, 0];
  for (let c = 0; c < yHat.channels; c++) {
    const band = bandOf(c) * area;
    for (let at = 0, i = c * area; at < area; at++, i++) {
      if (damage[at] > 0) continue;
      const v = yHat.data[i];
      const d = v - last.yHat.data[i];
      difference[band + at] += d * d;
      wrong += d * d;
      power += v * v;
    }
  }
  if (!(wrong <= MISLEADS * power) || power === 0) return undefined;
  const shown = flatPlane(yHat, 1);
  const error = new Float32Array(BANDS * area);
  let [used, damaged] = [0, 0];
  for (let at = 0; at < area; at++) {
    if (damage[at] === 0) continue;
    damaged++;
    if (last.age[at] > MOST_AGE) shown.data[at] = 0;
    else {
      errorAround(at, yHat, damage, difference, error);
      used++;
    }
  }
  return { shown, error, share: damaged === 0 ? 0 : used / damaged };
}

/** Writes the mean difference around a cell to `error`, all bands. */
function errorAround(
  at: number,
  { rows, columns }: FeatureMap,
  damage: Float32Array,
  difference: Float32Array,
  error: Float32Array,
): void {
  const area = rows * columns;
  const row = Math.floor(at / columns);
  const column = at % columns;
  const bottom = Math.min(rows - 1, row + REACH);
  const right = Math.min(columns - 1, column + REACH);
  let weights = 0;
  for (let r = Math.max(0, row - REACH); r <= bottom; r++) {
    for (let c = Math.max(0, column - REACH); c <= right; c++) {
      const other = r * columns + c;
      if (damage[other] > 0) continue;
      const w = 1 / (1 + (r - row) ** 2 + (c - column) ** 2) ** 2;
      weights += w;
      for (let i = 0; i < BANDS * area; i += area) error[i + at] += w * difference[i + other];
    }
  }
  for (let i = at; i < BANDS * area; i += area)
    error[i] = weights === 0 ? Number.POSITIVE_INFINITY : error[i] / weights;
}

/**
 * Lost cells between what the corrector made and the last frame: y + w (y' - y), in each band w = 1 - e / s, 0 where e > s: e is the
 * expected error of the last frame, s that of the corrector, a share of the variance of the cell's class. (The weights of independent
 * estimates, s / (s + e), are too bold: both miss the same detail, and a picture moved by 4 pixels lost 0.4 dB.) Other cells stay as they are.
 *
 * @param lost indices of the cells, [row][column]
 * @returns a copy; the input where there is nothing to do
 */
export function blendLastFrame(
  restored: { yHat: FeatureMap; quality: GridPlane },
  lost: readonly number[],
  classMap: ClassMap,
  tables: ModelTables,
  last: LastFrame,
  { shown, error }: Trust,
): { yHat: FeatureMap; quality: GridPlane } {
  const { channels, rows, columns } = restored.yHat;
  const area = rows * columns;
  const y = restored.yHat.data.slice();
  const quality = restored.quality.data.slice();
  const old = last.yHat.data;
  for (const at of lost) {
    if (shown.data[at] === 0) continue;
    const ofClass = classMap.data[at] * channels;
    let left = 0;
    for (let band = 0; band < BANDS; band++) {
      const from = BAND_STARTS[band];
      const to = Math.min(channels, BAND_STARTS[band + 1] ?? channels);
      let own = 0;
      for (let c = from; c < to; c++) own += SPATIAL_ERROR[band] * tables.variance[ofClass + c];
      const e = error[band * area + at];
      const w = e < own ? 1 - e / own : 0;
      left += (w > 0 ? w * w * e : 0) + (1 - w) ** 2 * own;
      if (w === 0) continue;
      for (let c = from, i = from * area + at; c < to; c++, i += area) y[i] += w * (old[i] - y[i]);
    }
    quality[at] = Math.min(quality[at], Math.log10(left + 1e-4));
  }
  return { yHat: { ...restored.yHat, data: y }, quality: { ...restored.quality, data: quality } };
}

function bandOf(channel: number): number {
  let band = BANDS - 1;
  while (channel < BAND_STARTS[band]) band--;
  return band;
}
