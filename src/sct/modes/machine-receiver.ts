import { UsageError } from '../../common/errors.ts';
import { ConfusionMatrix } from '../quality/confusion.ts';
import type { FeatureMap, GridPlane, PictureShape } from '../semantics/feature-map.ts';
import { quarterClasses } from '../semantics/label-map.ts';
import { STREET_LABELS } from '../semantics/model-tables.ts';
import type { SemanticModels } from '../semantics/models.ts';

/** A class is said to be in the picture from this probability on. */
export const PRESENT_FROM = 0.5;

/** What the heads say of a street class. */
export interface ClassPresence {
  readonly name: string;
  readonly probability: number; // 0..1
  readonly present: boolean;
}

/** What a program that looks for things gets in place of a picture. */
export interface TaskResult extends PictureShape {
  /** Street class of every quarter-resolution pixel, 0..10; [4 x rows][4 x columns], the padded picture. */
  readonly labels: Uint8Array;
  readonly labelColumns: number; // 4 x columns
  readonly presence: readonly ClassPresence[]; // [class]
  /** How sure the heads are that this is a street scene at all. */
  readonly streetProbability: number;
  /** Time from features to labels and classes, ms. */
  readonly latencyMs: number;
}

/**
 * Runs the heads on a feature map, received or the transmitter's own: labels and classes without a picture being made.
 *
 * @param quality log10 of expected squared error of each cell of a received map; undefined for the transmitter's own
 * @throws ModelError when the network gives no usable numbers
 */
export async function taskResult(
  models: Pick<SemanticModels, 'labels' | 'tables' | 'forHeads'>,
  y: FeatureMap,
  quality?: GridPlane,
): Promise<TaskResult> {
  const start = performance.now();
  const { maps, presence, street } = await models.labels(quality ? await models.forHeads(y, quality) : y);
  const labels = quarterClasses(maps, y);
  const latencyMs = performance.now() - start;
  return {
    widthPx: y.widthPx,
    heightPx: y.heightPx,
    labels,
    labelColumns: 4 * y.columns,
    presence: models.tables.labels.names.map((name, i) => {
      const probability = sigmoid(presence[i]);
      return { name, probability, present: probability >= PRESENT_FROM };
    }),
    streetProbability: sigmoid(street),
    latencyMs,
  };
}

/** How far a result agrees with what is held to be right. */
export interface TaskAgreement {
  /** Mean intersection over union over the classes that occur in either; null when nothing was counted. */
  readonly mIoU: number | null;
  /** Share of counted pixels with the same class. */
  readonly pixelAccuracy: number | null;
  /** Classes that should be there and are not said to be, and the other way round. */
  readonly missed: readonly string[];
  readonly invented: readonly string[];
}

/**
 * A result against the heads on the transmitter's clean feature map: what the channel cost the task, at a quarter of the picture's
 * resolution. For several pictures give one matrix: mIoU is then of all that was added to it.
 *
 * @throws UsageError when the pictures differ in size
 */
export function agreementWithClean(
  result: TaskResult,
  clean: TaskResult,
  matrix = new ConfusionMatrix(STREET_LABELS),
): TaskAgreement {
  if (result.widthPx !== clean.widthPx || result.heightPx !== clean.heightPx) {
    throw new UsageError(
      `results are of pictures of ${result.widthPx}x${result.heightPx} and ${clean.widthPx}x${clean.heightPx} pixels`,
    );
  }
  matrix.add(result.labels, clean.labels);
  return agreement(result, matrix, new Set(clean.presence.filter((p) => p.present).map((p) => p.name)));
}

/**
 * A result against truth: labels of every pixel, 0..10, anything above is not counted. A class should be there when it has a pixel.
 *
 * @param truth [y][x]
 * @throws UsageError when it has not one label a pixel
 */
export function agreementWithTruth(
  result: TaskResult,
  truth: Uint8Array,
  matrix = new ConfusionMatrix(STREET_LABELS),
): TaskAgreement {
  matrix.add(pixelLabels(result), truth);
  const there = new Set(truth);
  return agreement(result, matrix, new Set(result.presence.filter((_, i) => there.has(i)).map((p) => p.name)));
}

/** The class of every pixel: that of its quarter-resolution pixel; [y][x]. */
export function pixelLabels({ widthPx, heightPx, labels, labelColumns }: TaskResult): Uint8Array {
  const out = new Uint8Array(widthPx * heightPx);
  for (let y = 0, p = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++, p++) out[p] = labels[(y >> 2) * labelColumns + (x >> 2)];
  }
  return out;
}

function agreement(result: TaskResult, matrix: ConfusionMatrix, should: ReadonlySet<string>): TaskAgreement {
  const { mIoU, pixelAccuracy } = matrix.report();
  const is = (present: boolean) => result.presence.filter((p) => p.present === present).map((p) => p.name);
  return {
    mIoU,
    pixelAccuracy,
    missed: is(false).filter((name) => should.has(name)),
    invented: is(true).filter((name) => !should.has(name)),
  };
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
