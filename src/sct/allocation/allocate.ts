import { UsageError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';
import { type Claim, capacityOf, type Run, shareCapacity } from './budgets.ts';
import { type BurstShape, checkShape, rePerSubband } from './burst-shape.ts';
import { CAPACITY_BY_CSI } from './capacity-table.ts';
import { encodeCsi } from './csi-code.ts';
import type { RbMap } from './rb-map.ts';
import { checkPerSfv, checkRanking, MAX_WEIGHT, weightsOf } from './weights.ts';

/** Where the SFVs' symbols go; `uniform` is also the robust map used without fresh CSI. */
export const MAPPINGS = ['matched', 'uniform', 'random', 'worst'] as const;
export type Mapping = (typeof MAPPINGS)[number];

/** Largest minimum of one SFV, RE: more than any burst has. */
export const MAX_MIN_RE = 2 ** 26;

/** Which SFVs ask for a burst's RE, in which order and how much; all that of it is sent are integers. */
export interface Demand {
  /** Importance of each SFV as sent, codes of `encodeScore`; [SFV id], 1 to 255 of them. */
  readonly scores: Uint8Array;
  /**
   * Ids of the SFVs to be sent, most important first (`sfvOrder`): the order of placement; amounts go by weight. Those
   * that are not named ask for nothing. Absent: all, by score.
   */
  readonly ranking?: ArrayLike<number> | undefined;
  /** RE below which an SFV is worthless, 0..2^26; [SFV id]. Absent: 1 each. */
  readonly minRe?: ArrayLike<number> | undefined;
  /** Weights in place of the scores', 0..2^30; [SFV id]: for a burst with a part of an SFV (`splitOverBursts`). */
  readonly weights?: ArrayLike<number> | undefined;
}

/** What both ends hold as integers. */
export interface AllocationInput extends Demand {
  readonly shape: BurstShape;
  /** CSI report; [subband] codes of `encodeCsi`. */
  readonly csi: Uint8Array;
  readonly mapping: Mapping;
  /** Seed of `random`, 0..2^32-1; default 1. */
  readonly seed?: number | undefined;
}

/** Outcome of the allocation. */
export interface Allocation {
  /** Empty when every SFV was dropped. */
  readonly map: RbMap;
  /** The map of the matched rule, from which all budgets come: `map` has the same SFVs and counts. */
  readonly matched: RbMap;
  /** SFVs of the ranking that got nothing (weight 0, below their minimum, or no RE left), ascending. */
  readonly dropped: readonly number[];
  /** Sum of N_RE x round(1024 log2(1 + snr)) over all RBs. */
  readonly totalCapacity: number;
  /** That part of it each SFV's budget was made of, under the matched placement; [position in map.sfvOrder]. */
  readonly capacities: readonly number[];
}

/**
 * Maps SFVs to resource blocks: what matters most gets the best RBs (design of the air interface, "Allocation").
 *
 * C = sum over RBs of N_RE x capacity(CSI). In the order of the ranking each SFV takes free RE, subband by subband from
 * the best (ties: lower index first) and slot by slot inside a subband, until it has weight / sum(weights) of C to
 * within one RE; weight = `scoreWeight(score)`, what the logarithmic code stands for. `shareCapacity` has the rule and
 * says what becomes of minimums. These counts are the symbol budgets of every mapping; `uniform`, `random` and `worst`
 * only place the same symbols elsewhere: interleaved over the band, in a random subband order, from the worst.
 *
 * Integer arithmetic only (BigInt where products pass 2^53), so every machine gets the same map.
 *
 * @throws UsageError naming the input that is out of range
 */
export function allocate(input: AllocationInput): Allocation {
  const { shape, csi, scores, mapping, minRe, seed = 1 } = input;
  const ranking = checkRanking(scores, input.ranking);
  if (minRe) checkPerSfv('minimum RE', minRe, scores.length, MAX_MIN_RE);
  if (input.weights) checkPerSfv('weight', input.weights, scores.length, MAX_WEIGHT);
  if (!MAPPINGS.includes(mapping)) throw new UsageError(`mapping ${mapping} is not one of ${MAPPINGS.join(', ')}`);
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 32 - 1) {
    throw new UsageError(`seed ${seed} is out of range: allowed 0 to ${2 ** 32 - 1}`);
  }
  const runs = runsOf(shape, csi);

  const weights = input.weights ?? weightsOf(scores, ranking);
  const claims = ranking.map((id): Claim => ({ id, weight: weights[id], minRe: minRe?.[id] ?? 1 }));
  const { grants, dropped } = shareCapacity(runs, claims);
  const best = bestSubbands(csi);
  const sfvOrder = Uint8Array.from(grants, (g) => g.id);
  const reCounts = Uint32Array.from(grants, (g) => g.re);
  const matched: RbMap = { layout: 'ordered', subbandOrder: Uint8Array.from(best), sfvOrder, reCounts };
  const map: RbMap = {
    layout: mapping === 'uniform' ? 'interleaved' : 'ordered',
    subbandOrder: orderOf(mapping, best, seed),
    sfvOrder,
    reCounts,
  };
  return { map, matched, dropped, totalCapacity: capacityOf(runs), capacities: grants.map((g) => g.capacity) };
}

/**
 * The map used without fresh CSI: every SFV interleaved over the whole band, shares of the RE in proportion to weight
 * (all subbands taken as equal, at 0 dB).
 */
export function allocateRobust(shape: BurstShape, scores: Uint8Array, demand: Omit<Demand, 'scores'> = {}): Allocation {
  checkShape(shape);
  const csi = new Uint8Array(shape.nSubbands).fill(encodeCsi(0));
  return allocate({ ...demand, shape, csi, scores, mapping: 'uniform' });
}

/**
 * C of a burst: sum over RBs of N_RE x capacity(CSI), bit/1024. @throws UsageError as `allocate`
 */
export function burstCapacity(shape: BurstShape, csi: Uint8Array): number {
  return capacityOf(runsOf(shape, csi));
}

/** The subbands of a burst with their RE, best first. */
function runsOf(shape: BurstShape, csi: Uint8Array): Run[] {
  checkShape(shape);
  if (csi.length !== shape.nSubbands) {
    throw new UsageError(`CSI report has ${csi.length} subbands, the burst ${shape.nSubbands}`);
  }
  const re = rePerSubband(shape);
  return bestSubbands(csi).map((s) => ({ re: re[s], perRe: CAPACITY_BY_CSI[csi[s]] }));
}

/** Subbands by SNR, descending; ties: the lower index first. */
function bestSubbands(csi: Uint8Array): number[] {
  return Array.from(csi.keys()).sort((a, b) => csi[b] - csi[a] || a - b);
}

function orderOf(mapping: Mapping, best: readonly number[], seed: number): Uint8Array {
  switch (mapping) {
    case 'matched':
      return Uint8Array.from(best);
    case 'worst':
      return Uint8Array.from(best).reverse();
    case 'random':
      return new RandomStream(seed).fork('rb-map').shuffle(Uint8Array.from(best.keys()));
    case 'uniform':
      return Uint8Array.from(best.keys());
  }
}
