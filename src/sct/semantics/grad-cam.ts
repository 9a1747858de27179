import type { FeatureMap, GridPlane } from './feature-map.ts';
import { quarterClasses } from './label-map.ts';
import { STREET_LABELS } from './model-tables.ts';
import type { LabelOutput, SemanticModels } from './models.ts';

/** What a class-activation map explains. */
export interface Activation {
  readonly plane: GridPlane; // >= 0, finite
  /**
   * `maps`: the task classes' logits where the head sees them. `presence`: it sees none anywhere, so the logits that say
   * whether they are in the picture at all.
   */
  readonly target: 'maps' | 'presence';
  /** Quarter-resolution pixels of each street class that the target sums over. */
  readonly pixels: Uint32Array; // [11]
}

/**
 * How the gradient weighs the features: `channel` = its mean over the grid, one weight a channel (Grad-CAM [Selvaraju17]);
 * `cell` = itself, cell by cell (HiResCAM [Draelos20]).
 */
export type GradientWeighting = 'channel' | 'cell';

/**
 * Class activation on the feature map itself, A = y: the target is the sum of the task classes' logits over the
 * quarter-resolution pixels predicted as them; the map is ReLU(sum_k g_k A_k), where g_k is the gradient d target / d A_k
 * (`cell`), or its mean over the grid (`channel`). The gradient comes from the exported vector-Jacobian product of the label
 * head. The default is `cell`: channels of y are signed transform coefficients, whose mean gradient says little
 * (docs/adr/0007).
 *
 * Without a predicted pixel of any task class the target is the sum of their presence logits. A map that is zero
 * everywhere (nothing speaks for the target) is returned as it is; importance then takes it as uniform.
 *
 * @param classes task classes, 0..10
 */
export async function gradCam(
  models: Pick<SemanticModels, 'labelsVjp'>,
  y: FeatureMap,
  output: LabelOutput,
  classes: readonly number[],
  weighting: GradientWeighting = 'cell',
): Promise<Activation> {
  const { target, pixels, dMaps, dPresence } = activationTarget(output, y, classes);
  const gradient = await models.labelsVjp(y, dMaps, dPresence);
  return { plane: weightedFeatures(y, gradient, weighting), target, pixels };
}

/** Cotangents of the target at the label head's outputs: 1 where a logit is summed, else 0. */
export function activationTarget(
  output: LabelOutput,
  { rows, columns }: { rows: number; columns: number },
  classes: readonly number[],
): Pick<Activation, 'target' | 'pixels'> & { dMaps: Float32Array; dPresence: Float32Array } {
  const predicted = quarterClasses(output.maps, { rows, columns });
  const dMaps = new Float32Array(output.maps.length);
  const dPresence = new Float32Array(STREET_LABELS);
  const pixels = new Uint32Array(STREET_LABELS);
  const wanted = new Uint8Array(256);
  for (const c of classes) wanted[c] = 1;
  predicted.forEach((label, p) => {
    if (!wanted[label]) return;
    dMaps[label * predicted.length + p] = 1;
    pixels[label]++;
  });
  if (pixels.some((n) => n > 0)) return { target: 'maps', pixels, dMaps, dPresence };
  for (const c of classes) dPresence[c] = 1;
  return { target: 'presence', pixels, dMaps, dPresence };
}

/** ReLU(sum_k g_k A_k) with g the gradient, or for `channel` its mean over the grid. */
export function weightedFeatures(y: FeatureMap, gradient: FeatureMap, weighting: GradientWeighting): GridPlane {
  const { channels, rows, columns } = y;
  const cells = rows * columns;
  const sum = new Float64Array(cells);
  for (let k = 0; k < channels; k++) {
    const features = y.data.subarray(k * cells, (k + 1) * cells);
    const g = gradient.data.subarray(k * cells, (k + 1) * cells);
    if (weighting === 'cell') for (let i = 0; i < cells; i++) sum[i] += g[i] * features[i];
    else {
      const alpha = g.reduce((a, b) => a + b, 0) / cells;
      for (let i = 0; i < cells; i++) sum[i] += alpha * features[i];
    }
  }
  return { rows, columns, data: Float32Array.from(sum, (v) => (v > 0 && Number.isFinite(v) ? v : 0)) };
}
