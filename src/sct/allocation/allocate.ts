import { UsageError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';
import { CAPACITY_BY_CSI } from './capacity-table.ts';
import { encodeCsi } from './csi-code.ts';
import { type BurstShape, checkShape, type RbMap } from './rb-map.ts';

/** Where the SFVs' symbols go; `uniform` is also the robust map used without fresh CSI. */
export const MAPPINGS = ['matched', 'uniform', 'random', 'worst'] as const;
export type Mapping = (typeof MAPPINGS)[number];

/** What both ends hold as integers. */
export interface AllocationInput {
  readonly shape: BurstShape;
  /** CSI report; [subband] codes of `encodeCsi`. */
  readonly csi: Uint8Array;
  /** Importance of each SFV as sent, 0..255; [SFV id], at most 255 of them. */
  readonly scores: Uint8Array;
  readonly mapping: Mapping;
  /** Seed of `random`, 0..2^32-1. */
  readonly seed?: number;
}

/** Outcome of the allocation. */
export interface Allocation {
  readonly map: RbMap;
  /** SFVs that got nothing (score 0, or no RE left), ascending. */
  readonly dropped: readonly number[];
  /** Sum of N_RE x round(1024 log2(1 + snr)) over all RBs. */
  readonly totalCapacity: number;
  /** That part of it each SFV's budget was made of, under the matched placement; [position in map.sfvOrder]. */
  readonly capacities: readonly number[];
}

/**
 * Maps SFVs to resource blocks: what matters most gets the best RBs (design of the air interface, "Allocation").
 *
 * C = sum over RBs of N_RE x capacity(CSI). In order of score (ties: lower id first) SFV i takes free RE, subband by
 * subband from the best (ties: lower index first) and slot by slot inside a subband, until their capacity reaches
 * score_i / sum(scores) x C; RBs are split at RE granularity, so it exceeds its share by less than one RE. The last SFV
 * takes what is left, at most its share. These counts are the symbol budgets of every mapping; `uniform`, `random` and
 * `worst` only place the same symbols elsewhere: interleaved over the band, in a random subband order, from the worst.
 *
 * Integer arithmetic only (BigInt where products pass 2^53), so every machine gets the same map.
 *
 * @throws UsageError naming the input that is out of range
 */
export function allocate(input: AllocationInput): Allocation {
  const { shape, csi, scores, mapping } = input;
  checkShape(shape);
  if (csi.length !== shape.nSubbands) {
    throw new UsageError(`CSI report has ${csi.length} subbands, the burst ${shape.nSubbands}`);
  }
  if (scores.length < 1 || scores.length > 255) {
    throw new UsageError(`${scores.length} SFVs is out of range: allowed 1 to 255`);
  }
  if (!MAPPINGS.includes(mapping)) throw new UsageError(`mapping ${mapping} is not one of ${MAPPINGS.join(', ')}`);

  const best = sortedIndices(csi); // best subband first
  const sfvs = sortedIndices(scores);
  const { counts, capacities, totalCapacity } = budgets(shape, csi, best, scores, sfvs);
  const placed = sfvs.map((_, i) => i).filter((i) => counts[i] > 0);
  const map: RbMap = {
    layout: mapping === 'uniform' ? 'interleaved' : 'ordered',
    subbandOrder: orderOf(mapping, best, input.seed ?? 1),
    sfvOrder: Uint8Array.from(placed, (i) => sfvs[i]),
    reCounts: Uint32Array.from(placed, (i) => counts[i]),
  };
  const dropped = sfvs.filter((_, i) => counts[i] === 0).sort((a, b) => a - b);
  return { map, dropped, totalCapacity, capacities: placed.map((i) => capacities[i]) };
}

/**
 * The map used without fresh CSI: every SFV interleaved over the whole band, shares of the RE in proportion to score
 * (all subbands taken as equal, at 0 dB).
 */
export function allocateRobust(shape: BurstShape, scores: Uint8Array): Allocation {
  const csi = new Uint8Array(shape.nSubbands).fill(encodeCsi(0));
  return allocate({ shape, csi, scores, mapping: 'uniform' });
}

interface Budgets {
  readonly counts: number[]; // RE; [position in sfvs]
  readonly capacities: number[];
  readonly totalCapacity: number;
}

function budgets(
  shape: BurstShape,
  csi: Uint8Array,
  best: readonly number[],
  scores: Uint8Array,
  sfvs: readonly number[],
): Budgets {
  const rePerSubband = new Array<number>(shape.nSubbands).fill(0);
  for (let rb = 0; rb < shape.rePerRb.length; rb++) rePerSubband[rb % shape.nSubbands] += shape.rePerRb[rb];
  const totalCapacity = best.reduce((sum, s) => sum + rePerSubband[s] * CAPACITY_BY_CSI[csi[s]], 0); // < 2^53
  const totalScore = BigInt(scores.reduce((sum, s) => sum + s, 0));
  const counts: number[] = [];
  const capacities: number[] = [];
  let position = 0; // in best
  let free = rePerSubband[best[0]];
  for (const sfv of sfvs) {
    // ceil(score x C / sum): an integer capacity reaches the share exactly when it reaches this
    const share =
      scores[sfv] === 0 ? 0 : Number((BigInt(scores[sfv]) * BigInt(totalCapacity) + totalScore - 1n) / totalScore);
    let count = 0;
    let capacity = 0;
    while (capacity < share && position < best.length) {
      const perRe = CAPACITY_BY_CSI[csi[best[position]]];
      const take = Math.min(free, Math.ceil((share - capacity) / perRe));
      count += take;
      capacity += take * perRe;
      free -= take;
      if (free === 0) free = rePerSubband[best[++position]] ?? 0;
    }
    counts.push(count);
    capacities.push(capacity);
  }
  return { counts, capacities, totalCapacity };
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

/** Indices by value, descending; ties by index, ascending. */
function sortedIndices(values: Uint8Array): number[] {
  return Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
}
