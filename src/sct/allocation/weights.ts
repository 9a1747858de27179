import { UsageError } from '../../common/errors.ts';
import { scoreWeight } from '../importance/scores.ts';

/** Largest weight: that of a picture's whole importance. */
export const MAX_WEIGHT = 2 ** 30;
/** Most SFVs of a picture. */
export const MAX_STREAMS = 255;
/** Weight of each SFV where none has a score above 0. */
const EQUAL_WEIGHT = 2 ** 15;

/**
 * Weights of SFVs from their scores as sent: `scoreWeight(code)`; [SFV id]. Where every SFV of the ranking has score 0
 * (a picture without any importance, such as a blank one) they are equal: what was chosen to be sent is sent.
 */
export function weightsOf(scores: Uint8Array, ranking: ArrayLike<number>): number[] {
  const weights = Array.from(scores, scoreWeight);
  if (Array.from(ranking).every((id) => weights[id] === 0)) weights.fill(EQUAL_WEIGHT);
  return weights;
}

/** SFV ids by score, descending; ties: the lower id first. */
export function rankingByScore(scores: Uint8Array): number[] {
  return Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
}

/** Checks scores and a ranking of their ids (all of them, by score, when absent) and returns the ranking. */
export function checkRanking(scores: Uint8Array, ranking: ArrayLike<number> | undefined): readonly number[] {
  if (scores.length < 1 || scores.length > MAX_STREAMS) {
    throw new UsageError(`${scores.length} SFVs is out of range: allowed 1 to ${MAX_STREAMS}`);
  }
  if (ranking === undefined) return rankingByScore(scores);
  if (ranking.length < 1 || ranking.length > scores.length) {
    throw new UsageError(`a ranking of ${ranking.length} SFVs is out of range: allowed 1 to ${scores.length}`);
  }
  const seen = new Uint8Array(scores.length);
  const ids = Array.from(ranking);
  for (const id of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= scores.length) {
      throw new UsageError(`SFV ${id} of the ranking is out of range: allowed 0 to ${scores.length - 1}`);
    }
    if (seen[id]++) throw new UsageError(`SFV ${id} stands twice in the ranking: allowed once`);
  }
  return ids;
}

/** Checks a list of one whole number an SFV. UsageError with the allowed range. */
export function checkPerSfv(name: string, values: ArrayLike<number>, count: number, max: number): void {
  if (values.length !== count) {
    throw new UsageError(`${values.length} values of ${name} for ${count} SFVs: allowed one for each`);
  }
  for (let i = 0; i < count; i++) {
    if (!Number.isInteger(values[i]) || values[i] < 0 || values[i] > max) {
      throw new UsageError(`${name} ${values[i]} of SFV ${i} is out of range: allowed whole numbers 0 to ${max}`);
    }
  }
}
