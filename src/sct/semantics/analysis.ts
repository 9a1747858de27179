import { inRange } from '../../common/errors.ts';
import { entropyMap } from '../entropy/entropy-map.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import { cellSaliency, DEFAULT_WEIGHTS, importanceMap, type Task } from '../importance/importance-map.ts';
import { DEFAULT_ORDER, encodeScore, type Order, sfvOrder, sfvSums } from '../importance/scores.ts';
import { streetAttention, taskClassShare } from '../importance/street-objects.ts';
import { DEFAULT_TASK_CLASSES, taskClassIds } from '../importance/task-classes.ts';
import { adoptPartition, type Partition, type PartitionOptions, type Sfv } from '../partition/partition.ts';
import { type ClassChoice, choiceForBudget, chooseClasses } from '../rate/class-choice.ts';
import type { ClassMap, FeatureMap, GridPlane } from './feature-map.ts';
import { type Activation, gradCam } from './grad-cam.ts';
import { type LabelSpaceChoice, labelCells, type RawLabels } from './label-map.ts';
import type { LabelOutput, SemanticModels } from './models.ts';

export interface AnalysisOptions {
  /** Default human. */
  readonly task?: Task | undefined;
  /** Weight of saliency or activation against entropy, 0..1; default 0.5 (human) or 0.7 (machine). */
  readonly weight?: number | undefined;
  /** Default density. */
  readonly order?: Order | undefined;
  readonly labelSpace?: LabelSpaceChoice | undefined;
  /** Names of street classes that matter in a street; default car, pedestrian, bicyclist, sign. */
  readonly taskClasses?: readonly string[] | undefined;
  /** Names of street classes that take every cell they reach into; default none. */
  readonly favour?: readonly string[] | undefined;
  readonly partition?: Omit<PartitionOptions, 'clusterColours'> | undefined;
  /** Default: for 48 symbols a cell (CBR 1/16). */
  readonly classChoice?: ClassChoice | undefined;
  /** Also the attention map that the task does not ask for. */
  readonly everyMap?: boolean | undefined;
  /** Told before each step, with the share of the steps that are done. */
  readonly onStep?: ((step: string, share: number) => void) | undefined;
}

/** What an analysis needs of a model set. */
export type AnalysisModels = Pick<SemanticModels, 'tables' | 'analyse' | 'labels' | 'labelsVjp' | 'saliency'>;

/** An SFV with what makes it matter. */
export interface AnalysedSfv extends Sfv {
  /** Share of the picture's importance. */
  readonly importance: number;
  /** As sent, 0..255; see encodeScore. */
  readonly score: number;
  /** Importance of its mean cell against the picture's mean cell. */
  readonly density: number;
  readonly meanEntropy: number; // bits a cell
  readonly meanSaliency: number | null; // 0..1
  /** Against the picture's largest cell, 0..1. */
  readonly meanActivation: number | null;
}

/** What an image means and what matters in it: all that a codec needs of its transmitter. */
export interface SemanticAnalysis {
  readonly task: Task;
  readonly weight: number;
  readonly order: Order;
  /** Street classes of the task, ascending. */
  readonly taskClasses: readonly number[];
  readonly y: FeatureMap;
  readonly classMap: ClassMap;
  readonly labelOutput: LabelOutput;
  /** Before simplification. */
  readonly rawLabels: RawLabels;
  readonly partition: Partition;
  /** Share of cells whose label in the partition is the raw one. */
  readonly agreement: number;
  readonly entropy: GridPlane; // bits a cell
  readonly saliency: GridPlane | null; // 0..1
  /** Of the quarter-resolution pixels, [4 x rows][4 x columns]. */
  readonly saliencyLogits: Float32Array | null;
  readonly activation: Activation | null;
  readonly importance: GridPlane; // sums to 1
  readonly sfvs: readonly AnalysedSfv[]; // [id]
  readonly scores: Uint8Array; // [id], as sent
  /** Ids, most important first. */
  readonly ranking: readonly number[];
  /** Milliseconds of each step. */
  readonly timingsMs: Readonly<Record<string, number>>;
}

/**
 * Feature map, entropy classes, labels, partition into SFVs, importance and scores of a picture. Knows nothing of codecs and
 * channels.
 *
 * @throws UsageError for an option out of range; ModelError when a network gives no usable numbers
 */
export async function analyseSemantics(
  models: AnalysisModels,
  image: RgbImage,
  options: AnalysisOptions = {},
): Promise<SemanticAnalysis> {
  const task = options.task ?? 'human';
  const weight = inRange('weight', options.weight ?? DEFAULT_WEIGHTS[task], 0, 1);
  const order = options.order ?? DEFAULT_ORDER;
  const { tables } = models;
  const taskClasses = taskClassIds(options.taskClasses ?? DEFAULT_TASK_CLASSES, tables.labels.names);
  const clock = new StepClock(options.onStep);

  const y = await clock.step('features', () => models.analyse(image));
  const classMap = await clock.step('classes', () =>
    chooseClasses(y, tables, options.classChoice ?? choiceForBudget(48)),
  );
  const entropy = entropyMap(classMap, tables);
  const labelOutput = await clock.step('labels', () => models.labels(y));
  const { rawLabels, partition, agreement } = await clock.step('partition', () => {
    const { favour = [], labelSpace } = options;
    const favoured = favour.length > 0 ? taskClassIds(favour, tables.labels.names) : [];
    const raw = labelCells(labelOutput, y, labelSpace, favoured);
    const { clusterColours } = tables.labels;
    return { rawLabels: raw, ...adoptPartition(raw.map, { ...options.partition, clusterColours }) };
  });
  const every = options.everyMap ?? false;
  const saliencyLogits = task === 'human' || every ? await clock.step('saliency', () => models.saliency(y)) : null;
  const saliency = saliencyLogits && cellSaliency(saliencyLogits, y.rows, y.columns);
  const activation =
    task === 'machine' || every
      ? await clock.step('activation', () => gradCam(models, y, labelOutput, taskClasses))
      : null;
  const street = rawLabels.space === 'street';
  const eyes = (salient: GridPlane) =>
    street ? streetAttention(salient, taskClassShare(labelOutput.maps, y, taskClasses)) : salient;
  const attention = task === 'machine' ? activation!.plane : eyes(saliency!);
  const importance = importanceMap(entropy, attention, weight);
  const sfvs = describeSfvs(partition, importance, entropy, saliency, activation?.plane ?? null);
  const scores = Uint8Array.from(sfvs, (s) => s.score);
  return {
    task,
    weight,
    order,
    taskClasses,
    y,
    classMap,
    labelOutput,
    rawLabels,
    partition,
    agreement,
    entropy,
    saliency,
    saliencyLogits,
    activation,
    importance,
    sfvs,
    scores,
    ranking: sfvOrder(scores, partition, order),
    timingsMs: clock.timingsMs,
  };
}

function describeSfvs(
  partition: Partition,
  importance: GridPlane,
  entropy: GridPlane,
  saliency: GridPlane | null,
  activation: GridPlane | null,
): AnalysedSfv[] {
  const sums = sfvSums(importance, partition);
  const entropies = sfvSums(entropy, partition);
  const saliencies = saliency && sfvSums(saliency, partition);
  const activations = activation && sfvSums(activation, partition);
  const peak = activation ? activation.data.reduce((a, b) => Math.max(a, b), 0) || 1 : 1;
  const cells = partition.labels.length;
  return partition.sfvs.map((s) => ({
    ...s,
    importance: sums[s.id],
    score: encodeScore(sums[s.id]),
    density: (sums[s.id] * cells) / s.cells,
    meanEntropy: entropies[s.id] / s.cells,
    meanSaliency: saliencies && saliencies[s.id] / s.cells,
    meanActivation: activations && activations[s.id] / s.cells / peak,
  }));
}

const STEPS = ['features', 'classes', 'labels', 'partition', 'saliency', 'activation'] as const;

class StepClock {
  readonly timingsMs: Record<string, number> = {};
  private readonly onStep: AnalysisOptions['onStep'];

  constructor(onStep: AnalysisOptions['onStep']) {
    this.onStep = onStep;
  }

  async step<T>(name: (typeof STEPS)[number], work: () => T | Promise<T>): Promise<T> {
    this.onStep?.(name, STEPS.indexOf(name) / STEPS.length);
    const start = performance.now();
    const result = await work();
    this.timingsMs[name] = performance.now() - start;
    return result;
  }
}
