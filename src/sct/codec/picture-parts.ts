import type { RgbImage } from '../image/rgb-image.ts';
import { decideMode, type ModeDecision, type ModeOptions } from '../modes/mode-choice.ts';
import { choiceForBudget } from '../rate/class-choice.ts';
import {
  type AnalysisModels,
  type AnalysisOptions,
  analyseSemantics,
  type SemanticAnalysis,
} from '../semantics/analysis.ts';
import type { AnalyseHints, DecodeOptions } from './codec.ts';
import { DEFAULT_SYMBOLS_PER_CELL } from './grants.ts';
import { referenceToName } from './named-reference.ts';
import { fitSideParts, type SideParts } from './side-budget.ts';

/** What both semantic codecs are told of how a picture is seen. */
export interface SemanticCodecOptions {
  /** How a picture is analysed: task, order, labels. */
  readonly analysis?: Omit<AnalysisOptions, 'classChoice' | 'everyMap'> | undefined;
  /** Whether everything is sent, or what is kept; default everything. */
  readonly mode?: ModeOptions | undefined;
  /** Reference picture named where none of the hints is near: first 32 bits of its hash. */
  readonly referenceId?: number | undefined;
  /** Reference pictures that this end holds: what decoding uses unless it is told otherwise. */
  readonly references?: DecodeOptions['reference'];
  /** Most bytes of side information aimed at; default by the picture's size, 350 at 512x768. */
  readonly sideBytes?: number | undefined;
}

/** A picture looked at, before budgets are known. */
export interface PictureParts {
  readonly analysis: SemanticAnalysis;
  readonly parts: SideParts;
  readonly decision: ModeDecision;
  readonly referenceId: number | undefined;
  readonly timingsMs: Readonly<Record<string, number>>;
}

/**
 * Analyses a picture, decides what is kept, and makes its side information fit.
 *
 * @throws UsageError for a picture that the networks do not take, or an option out of range; ModelError when a network fails
 */
export async function pictureParts(
  kind: 'integrated' | 'modular',
  models: AnalysisModels,
  options: SemanticCodecOptions,
  image: RgbImage,
  hints: AnalyseHints,
): Promise<PictureParts> {
  const cells = Math.ceil(image.width / 16) * Math.ceil(image.height / 16);
  const perCell = hints.symbols === undefined ? DEFAULT_SYMBOLS_PER_CELL : hints.symbols / cells;
  const choice = choiceForBudget(perCell);
  const partition = withAtMost(options.analysis?.partition, hints.maxSfvs);
  const analysis = await analyseSemantics(models, image, { ...options.analysis, partition, classChoice: choice });
  const start = performance.now();
  const { mode, sideBytes } = options;
  const named = await referenceToName(analysis.y, hints.referenceIds ?? [], options.references);
  const referenceId = named ?? options.referenceId;
  const decision = decideMode(analysis, mode ?? {}, models.tables.labels.names);
  const choices = { choose: decision.choose, reference: referenceId !== undefined };
  const parts = fitSideParts(kind, analysis, { choice, partition }, models.tables, sideBytes, choices);
  return {
    analysis,
    parts,
    decision,
    referenceId,
    timingsMs: { ...analysis.timingsMs, side: performance.now() - start },
  };
}

/** Options of the partition with at most so many SFVs; the codec's own bound holds besides. */
function withAtMost(
  partition: AnalysisOptions['partition'],
  maxSfvs: number | undefined,
): AnalysisOptions['partition'] {
  if (maxSfvs === undefined) return partition;
  return { ...partition, maxSfvs: Math.min(maxSfvs, partition?.maxSfvs ?? maxSfvs) };
}
