import { UsageError } from '../../common/errors.ts';
import type { Demand } from './allocate.ts';
import { MAX_MIN_RE } from './allocate.ts';
import { checkPerSfv, checkRanking, weightsOf } from './weights.ts';

/** Most bursts of a picture: the extension's field has 8 bits. */
export const MAX_PICTURE_BURSTS = 256;
/** A part smaller than this fraction of its burst is not cut off: the burst's other SFVs share that room. */
const LEAST_PART = 8;

/** What one burst carries; goes into `allocate` as it is. */
export interface BurstDemand extends Demand {
  /** Most important first; empty only for a burst of less than about 1/17000 of the picture's capacity. */
  readonly ranking: readonly number[];
  /** What of each SFV's weight is in this burst; [SFV id], 0 for those in other bursts. */
  readonly weights: readonly number[];
  /** Least RE of each SFV's part, in proportion to the part and rounded up; [SFV id]. */
  readonly minRe: readonly number[];
  /** The last SFV of the ranking goes on in the next burst, where it comes first. */
  readonly continues: boolean;
}

/**
 * Splits a picture's SFVs over its bursts: each carries whole SFVs, most important first, by integers only.
 *
 * Burst b is to carry floor(C_b / (C_b + C_(b+1) + ..) x W) of the weight W that is left. It takes SFVs in the order of
 * the ranking while they fit. The first that does not, of weight w with r of the burst left:
 *
 * - stays whole if half of it fits (2 r >= w) and the next burst could hold it (w at most its part of W): all SFVs of
 *   this burst then get somewhat less than their share of the picture;
 * - else is divided if it comes first in this burst, or if the next could not hold it and r is at least 1/8 of this
 *   burst: the part r travels here, the rest goes on in the next burst;
 * - else comes first in the next burst; the SFVs of this one get somewhat more.
 *
 * W and C are counted anew at each burst, so that what one has too much or too little is shared by all that follow.
 * A burst carries between half and 3/2 of what it is to carry, where bursts are equally large. The parts of a divided
 * SFV meet its minimum together: where one of them is dropped, look at what the rest adds up to. O(SFVs x bursts).
 *
 * @param demand of the whole picture; `weights` in place of the scores' are not allowed here
 * @param capacities of each burst (`burstCapacity`); whole numbers from 1, sum below 2^53
 * @throws UsageError naming the input that is out of range
 */
export function splitOverBursts(demand: Omit<Demand, 'weights'>, capacities: readonly number[]): BurstDemand[] {
  const { scores } = demand;
  const ranking = checkRanking(scores, demand.ranking);
  if (demand.minRe) checkPerSfv('minimum RE', demand.minRe, scores.length, MAX_MIN_RE);
  checkCapacities(capacities);
  const whole = weightsOf(scores, ranking);
  const left = [...whole];
  let head = 0; // in ranking
  let weightLeft = ranking.reduce((sum, id) => sum + left[id], 0); // at most 255 x 2^30
  let capacityLeft = capacities.reduce((a, b) => a + b, 0);

  return capacities.map((capacity, b): BurstDemand => {
    const last = b === capacities.length - 1;
    const quota = partOf(weightLeft, capacity, capacityLeft);
    const next = last ? 0 : partOf(weightLeft, capacities[b + 1], capacityLeft);
    const ids: number[] = [];
    const weights = whole.map(() => 0);
    let room = quota;
    let continues = false;
    const take = (weight: number) => {
      const id = ranking[head];
      ids.push(id);
      weights[id] = weight;
      left[id] -= weight;
      room -= weight;
      weightLeft -= weight;
      continues = left[id] > 0;
      if (!continues) head++;
    };
    while (head < ranking.length && !continues) {
      const w = left[ranking[head]];
      if (w <= room) take(w);
      else if (room > 0 && 2 * room >= w && w <= next) take(w);
      else if (room > 0 && (ids.length === 0 || (w > next && LEAST_PART * room >= quota))) take(room);
      else break;
    }
    capacityLeft -= capacity;
    const minRe = whole.map((w, id) => (w === 0 ? 0 : partUp(demand.minRe?.[id] ?? 1, weights[id], w)));
    return { scores, ranking: ids, weights, minRe, continues };
  });
}

function checkCapacities(capacities: readonly number[]): void {
  if (capacities.length < 1 || capacities.length > MAX_PICTURE_BURSTS) {
    throw new UsageError(`${capacities.length} bursts is out of range: allowed 1 to ${MAX_PICTURE_BURSTS}`);
  }
  let total = 0;
  for (const c of capacities) {
    total += c;
    if (!Number.isSafeInteger(c) || c < 1 || !Number.isSafeInteger(total)) {
      throw new UsageError(`capacity ${c} of a burst is out of range: allowed whole numbers from 1, sum below 2^53`);
    }
  }
}

/** floor(weight x part / whole), exact. */
function partOf(weight: number, part: number, whole: number): number {
  return Number((BigInt(weight) * BigInt(part)) / BigInt(whole));
}

/** ceil(value x part / whole), exact. */
function partUp(value: number, part: number, whole: number): number {
  return Number((BigInt(value) * BigInt(part) + BigInt(whole) - 1n) / BigInt(whole));
}
