import { UsageError } from '../../common/errors.ts';
import type { Task } from '../importance/importance-map.ts';
import { sfvOrder, sfvSums } from '../importance/scores.ts';
import type { Partition } from '../partition/partition.ts';
import type { SemanticAnalysis } from '../semantics/analysis.ts';
import type { GridPlane } from '../semantics/feature-map.ts';
import { cellsOfRectangle, type KeepRule, type KeptSfvs, keptSfvs, type PixelRectangle } from './keep-rule.ts';

export const MODES = ['overall', 'selective', 'auto'] as const;
/**
 * `overall`: every SFV is sent as well as the channel allows. `selective`: some SFVs are sent, the rest is made up from labels.
 * `auto`: selective where importance is concentrated.
 */
export type Mode = (typeof MODES)[number];

/** Selective where the coefficient of variation of importance over the cells is above this (ADR 0015, fitted on validation). */
export const AUTO_TAU: Readonly<Record<Task, number>> = { human: 1.09, machine: 1.7 };
/** Without a rule, selective mode keeps the SFVs of the densest importance that together hold this share of it (ADR 0015). */
export const AUTO_SHARE = 0.9;

/** What is sent of a picture. */
export interface ModeOptions {
  /** Default overall; selective where `keep` or `roi` is given. */
  readonly mode?: Mode | undefined;
  readonly keep?: KeepRule | undefined;
  readonly roi?: PixelRectangle | undefined;
}

/** SFVs to keep of a partition with scores as sent, [SFV id]. */
export type Chooser = (partition: Partition, scores: Uint8Array) => KeptSfvs;

/** What was decided for a picture, for settings and reports. */
export interface ModeDecision {
  readonly mode: 'overall' | 'selective';
  readonly asked: Mode;
  /** Standard deviation of the importance of a cell over its mean. */
  readonly importanceCv: number;
  /** What it is held against in auto mode. */
  readonly tau: number;
  /** Which SFVs are kept; undefined in overall mode. */
  readonly choose: Chooser | undefined;
}

/** Coefficient of variation over cells: standard deviation / mean; 0 where the mean is 0. */
export function variation({ data }: GridPlane): number {
  let sum = 0;
  for (const v of data) sum += v;
  const mean = sum / data.length;
  let squares = 0;
  for (const v of data) squares += (v - mean) ** 2;
  return mean > 0 ? Math.sqrt(squares / data.length) / mean : 0;
}

/**
 * The most important SFVs that together hold a share of the importance: the shortest beginning of the ranking that does. All of them
 * where nothing is important.
 *
 * @param sums importance of each SFV; [SFV id]
 */
export function mostImportant(sums: ArrayLike<number>, ranking: readonly number[], share: number): Uint8Array {
  const kept = new Uint8Array(sums.length);
  let total = 0;
  for (let i = 0; i < sums.length; i++) total += sums[i];
  let held = 0;
  for (const id of ranking) {
    if (total > 0 && held >= share * total * (1 - 1e-9)) break;
    kept[id] = 1;
    held += sums[id];
  }
  return kept;
}

/**
 * The mode of a picture and what it keeps.
 *
 * @param names of the street classes, [class]
 * @throws UsageError for a rule beside a mode that keeps everything, or a rectangle outside the picture
 */
export function decideMode(analysis: SemanticAnalysis, options: ModeOptions, names: readonly string[]): ModeDecision {
  const { keep, roi } = options;
  const asked = options.mode ?? (keep || roi ? 'selective' : 'overall');
  if (asked !== 'selective' && (keep || roi)) {
    throw new UsageError(`what to keep is chosen in selective mode: not allowed in ${asked}`);
  }
  const importanceCv = variation(analysis.importance);
  const tau = AUTO_TAU[analysis.task];
  if (asked === 'overall' || (asked === 'auto' && !(importanceCv > tau))) {
    return { mode: 'overall', asked, importanceCv, tau, choose: undefined };
  }
  const rectangle = roi && cellsOfRectangle(roi, analysis.y);
  const choose: Chooser =
    keep || rectangle
      ? (partition, scores) => keptSfvs(partition, scores, keep, rectangle, names)
      : (partition, scores) => {
          const ranking = sfvOrder(scores, partition, 'density');
          return {
            kept: mostImportant(sfvSums(analysis.importance, partition), ranking, AUTO_SHARE),
            rectangle: undefined,
          };
        };
  return { mode: 'selective', asked, importanceCv, tau, choose };
}
