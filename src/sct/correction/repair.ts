import { RandomStream } from '../../common/random.ts';
import { type ClassMap, type FeatureMap, flatPlane, type GridPlane, withData } from '../semantics/feature-map.ts';
import type { ModelTables } from '../semantics/model-tables.ts';
import { GENERATED_QUALITY, type SemanticModels } from '../semantics/models.ts';
import type { LastFrame } from './frame-memory.ts';
import { blendLastFrame, type Trust } from './last-frame.ts';

/** From this damage on nothing of an embedding is used; what the corrector was trained with. */
export const LOST_DAMAGE = 0.999;
/** Strength in a cell that is all but lost, of the least and of the most important SFV. */
const STRENGTH = [0.5, 0.25] as const;
const NOISE_PLANES = 16;

/**
 * Strength of correction of each cell: what share of it was lost times 0.5 for the least important SFV to 0.25 for the most, linear in
 * the score codes (logarithmic in importance). Of what matters the viewer sees what was received, of the rest what looks right; and of
 * a cell of which most came f_d knows more than the corrector. A missing score counts as least. Lost cells are restored whole whatever it says.
 *
 * @param scores as sent; [SFV id]
 * @param sfvOf SFV of each cell; [row][column]
 * @param damage [row][column], 0 intact .. 1 lost
 * @returns [row][column]
 */
export function correctionStrength(
  scores: readonly (number | undefined)[],
  sfvOf: ArrayLike<number>,
  damage: Float32Array,
): Float32Array {
  const known = scores.filter((s) => s !== undefined);
  const most = Math.max(...known);
  const least = Math.min(...known);
  const [high, low] = STRENGTH;
  const ofSfv = scores.map((s) =>
    s === undefined || most <= least ? high : high - (high - low) * ((s - least) / (most - least)),
  );
  return damage.map((d, at) => d * ofSfv[sfvOf[at]]);
}

/** Quality of a lost cell of each class: log10 of the class's whole variance, plus 1e-4 inside as f_d adds; [class]. */
export function lostQuality(tables: ModelTables): Float32Array {
  return Float32Array.from({ length: tables.classes }, (_, k) => {
    let sum = 0;
    for (let c = 0; c < tables.channels; c++) sum += tables.variance[k * tables.channels + c];
    return Math.log10(sum + 1e-4);
  });
}

/** Lost cells become the mean embedding (zeros) of unknown quality: what a receiver has of them before any correction. */
export function blankLost(
  received: { yHat: FeatureMap; quality: GridPlane },
  damage: Float32Array,
  classMap: ClassMap,
  tables: ModelTables,
): { yHat: FeatureMap; quality: GridPlane } {
  const { yHat, quality } = received;
  const area = damage.length;
  const lost = Array.from(damage.keys()).filter((at) => damage[at] >= LOST_DAMAGE);
  if (lost.length === 0) return received;
  const ofClass = lostQuality(tables);
  const data = yHat.data.slice();
  for (let at = 0; at < data.length; at += area) for (const cell of lost) data[at + cell] = 0;
  const plane = quality.data.slice();
  for (const cell of lost) plane[cell] = ofClass[classMap.data[cell]];
  return { yHat: withData(yHat, data), quality: { ...quality, data: plane } };
}

export interface RepairInput {
  readonly yHat: FeatureMap;
  readonly quality: GridPlane;
  readonly classMap: ClassMap;
  readonly labelMap: ClassMap;
  readonly damage: Float32Array; // [row][column], 0 intact .. 1 lost
  readonly strength: Float32Array; // [row][column], 0..1
  /** 1 in the cells of whole SFVs that the generator may make up. */
  readonly missing: Uint8Array; // [row][column]
  /** Features of an earlier or stored picture of the scene, of the same grid. */
  readonly reference?: FeatureMap | undefined;
  /** The frame before, where it can be trusted: takes the place of the reference. */
  readonly last?: { readonly frame: LastFrame; readonly trust: Trust } | undefined;
}

/**
 * Restores damaged cells and makes up whole missing SFVs: the corrector what was lost, in part or whole, the generator, where the model
 * set has one, the missing SFVs; without one, or with a reference or a last frame (which the corrector knows and
 * the generator does not), the corrector does both. Lost cells then also take from the last frame what it is known to get right. The generator's noise is
 * fixed, so the same damage gives the same picture. Cells with damage 0 leave bit by bit as they came.
 */
export async function repair(
  models: Pick<SemanticModels, 'set' | 'tables' | 'correct' | 'generate'>,
  input: RepairInput,
): Promise<{ yHat: FeatureMap; quality: GridPlane }> {
  const { damage, missing, classMap, labelMap, last } = input;
  const { rows, columns } = input.quality;
  let { yHat, quality } = input;
  const reference = last?.frame.yHat ?? input.reference;
  const hasReference = last?.trust.shown ?? (reference && flatPlane({ rows, columns }, 1));
  const generates = !reference && missing.includes(1) && models.set.files.some((file) => file.role === 'generator');
  if (damage.some((d, i) => d > 0 && !(generates && missing[i]))) {
    ({ yHat, quality } = await models.correct({
      yHat,
      quality,
      damage: { rows, columns, data: damage },
      strength: { rows, columns, data: input.strength },
      classMap,
      labelMap,
      reference,
      hasReference,
    }));
  }
  if (last) {
    const lost = Array.from(damage.keys()).filter((at) => damage[at] >= LOST_DAMAGE);
    ({ yHat, quality } = blendLastFrame({ yHat, quality }, lost, classMap, models.tables, last.frame, last.trust));
  }
  if (!generates) return { yHat, quality };
  const random = new RandomStream('synthesis');
  yHat = await models.generate({
    yHat,
    missing: { rows, columns, data: Float32Array.from(missing) },
    labelMap,
    noise: Float32Array.from({ length: NOISE_PLANES * rows * columns }, () => random.normal()),
  });
  return { yHat, quality: { rows, columns, data: quality.data.map((q, i) => (missing[i] ? GENERATED_QUALITY : q)) } };
}
