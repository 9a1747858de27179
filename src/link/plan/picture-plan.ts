import { UsageError } from '../../common/errors.ts';
import { payloadBytesAtRate } from '../../phy/fec/transport-plan.ts';
import { ANALOG_CODE, MAX_SIDE_INFO_BYTES } from '../../phy/frame/extension.ts';
import { sideRePerSubband } from '../../phy/frame/side-block.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import {
  type Allocation,
  allocate,
  allocateRobust,
  burstCapacity,
  type Demand,
  type Mapping,
} from '../../sct/allocation/allocate.ts';
import type { BurstShape } from '../../sct/allocation/burst-shape.ts';
import { encodeCsiReport } from '../../sct/allocation/csi-code.ts';
import { effectiveSnrDb, mapChannels } from '../../sct/allocation/effective-snr.ts';
import { placeSymbols, type RbMap } from '../../sct/allocation/rb-map.ts';
import { type BurstDemand, splitOverBursts } from '../../sct/allocation/split-bursts.ts';
import { rankingByScore } from '../../sct/allocation/weights.ts';
import type { SourcePlan, StreamGrant, StreamPlan } from '../../sct/codec/codec.ts';
import { bitsAt, burstShape, codedBitsOf, positionsOf } from '../resource-map.ts';
import { MAX_BLOCKS } from '../transport.ts';
import { codeRateFor, LEAST_RATE } from './adaptation.ts';
import { type BitsPolicy, type BitsWishes, bitsPolicy, protectionOf } from './bits-policy.ts';
import { type BudgetTooSmall, splitBudget, tooSmall } from './budget-split.ts';
import { type ChannelKnowledge, TARGET_BLER } from './channel-knowledge.ts';
import { PaidScores } from './paid-scores.ts';
import { sideRateFor } from './side-rate.ts';

/** What one stream gets in one burst. */
export interface StreamPart {
  readonly id: number;
  readonly kind: StreamPlan['kind'];
  readonly score: number;
  readonly re: number;
  /** Analog symbols, or most bytes. */
  readonly size: number;
  /** Effective SNR of its RE under the matched rule, dB, by report or assumption. */
  readonly snrDb: number;
}

/** A data burst before anything is coded. */
export interface BurstPlan {
  readonly slots: number;
  readonly side: number; // RE of each subband
  readonly map: RbMap;
  readonly parts: readonly StreamPart[]; // [position in map.sfvOrder]
}

/** A picture's bursts, and what the codec is asked to fill. */
export interface PicturePlan {
  readonly bursts: readonly BurstPlan[];
  readonly grants: readonly StreamGrant[];
  /** Streams that get nothing, ascending. */
  readonly dropped: readonly number[];
  /** As the extension says it, [nSubbands]. */
  readonly modulation: readonly number[];
  /** Code rate of the side information, index in SIDE_RATES. */
  readonly sideRate: number;
  readonly policy: BitsPolicy;
}

export interface PlanInput extends BitsWishes {
  readonly numerology: Numerology;
  readonly source: SourcePlan;
  readonly csi: ChannelKnowledge;
  readonly seed: number;
  readonly budgetRe: number;
  /** null where the budget is given in symbols. */
  readonly pixels: number | null;
  /** RE of a data burst's header and extension, at most. */
  readonly controlRe: number;
  /** RE kept for repetitions. */
  readonly reserve: number;
  /** controlRe at another budget, for hints. */
  readonly overheadRe: (budgetRe: number) => number;
}

/**
 * From budget to grants: slots of each burst, RE after side information, the allocation (ADR 0012) with whole streams in each burst
 * where there are several, and how much each stream may take. Streams of bits get the code rate that the mutual information of
 * their own RE supports; a picture of one stream of bits has its blocks all over the band and one rate.
 *
 * @throws UsageError saying what would fit
 */
export function planPicture(input: PlanInput): PicturePlan {
  const { numerology: n, source, csi, budgetRe, pixels, controlRe, reserve } = input;
  const { streams } = source;
  if (streams.length < 1) throw new UsageError('the codec has no stream to send');
  if (source.sideInfoBytes > MAX_SIDE_INFO_BYTES) {
    throw new UsageError(`side information of ${source.sideInfoBytes} bytes: allowed up to ${MAX_SIDE_INFO_BYTES}`);
  }
  const sideRate = sideRateFor(n, csi);
  const side = sideRePerSubband(n, source.sideInfoBytes, sideRate);
  const sideRe = side * n.nSubbands;
  const coded = streams.some((s) => s.kind === 'bits');
  const alone = streams.length === 1;
  const maxBlocks = alone ? MAX_BLOCKS : Math.max(1, MAX_BLOCKS - 1 - streams.length);
  const slotsOf = splitBudget({
    budgetRe,
    pixels,
    perSlotRe: n.nSubbands * RB_DATA_RE,
    controlRe,
    reserve,
    overheadRe: input.overheadRe,
    leastRe: leastOf(source, csi),
    coded: coded ? { loading: csi.loading, maxBlocks } : null,
    ...(side > 0 ? { side: { bytes: source.sideInfoBytes, re: sideRe } } : {}),
  });
  const shapes = slotsOf.map((slots, b) => burstShape(n, slots, b === 0 ? side : 0));
  const policy = bitsPolicy(source, csi, input);
  const { qm, snrDb } = policy;
  const modulation = coded ? [...qm].map((q) => q / 2) : new Array<number>(n.nSubbands).fill(ANALOG_CODE);
  const saferDb = protectionOf(source, policy.protectionDb);
  const rateOf = (id: number) => (positions: Uint32Array) =>
    policy.codeRate ?? ownRate(n, positions, qm, saferDb[id] > 0 ? snrDb.map((v) => v - saferDb[id]) : snrDb);

  let excluded = new Set<number>();
  const paid = new PaidScores(source);
  for (;;) {
    const { demands, allocations } = allocateBursts(input, shapes, excluded, policy, paid.scores);
    const bursts = allocations.map((allocation, b): BurstPlan => {
      const { map } = allocation;
      const snrs = expectedSnrs(shapes[b], allocation, csi, policy);
      // Where no bits are sent, places do not matter.
      const placed = coded ? placeSymbols(map, shapes[b]) : null;
      const positions = placed && positionsOf(placed);
      const parts = Array.from(map.sfvOrder, (id, i): StreamPart => {
        const { kind, score } = streams[id];
        const own = positions?.subarray(placed!.start[i], placed!.start[i + 1]);
        const re = map.reCounts[i];
        const size = kind === 'analog' ? re : bytesOf(n, own!, modulation, rateOf(id));
        return { id, kind, score, re, size, snrDb: snrs[i] };
      });
      return { slots: slotsOf[b], side: b === 0 ? side : 0, map, parts };
    });
    // What carries nothing is not sent.
    const useful = bursts.filter((b) => b.parts.length > 0 || b.side > 0);
    const grants = grantsOf(useful);
    // A stream divided over bursts may have lost a part that was below its minimum: what is left of it must be enough.
    const poor = grants.filter((g) => g.size < Math.max(1, streams[g.id].minSize));
    const enough = new Set(grants.filter((g) => !poor.includes(g)).map((g) => g.id));
    if (paid.raise(enough)) {
      excluded = new Set();
      continue;
    }
    if (poor.length > 0 && !alone) {
      excluded = new Set([...excluded, poor.at(-1)!.id]);
      continue;
    }
    if (grants.length === 0) throw nothingFits(input, demands, sideRe);
    const sent = new Set(grants.map((g) => g.id));
    const dropped = streams.map((s) => s.id).filter((id) => !sent.has(id));
    return { bursts: useful, grants, dropped, modulation, sideRate, policy };
  }
}

/** What the stream's own RE support, and at least 1/10: a picture is sent into a deep fade, too, for the channel may be better than expected. */
function ownRate(n: Numerology, positions: Uint32Array, qm: Uint8Array, snrDb: readonly number[]): number {
  const count = new Float64Array(n.nSubbands);
  for (const p of positions) count[Math.floor(p / RB_DATA_RE) % n.nSubbands]++;
  return Math.max(LEAST_RATE, codeRateFor(count, qm, snrDb, TARGET_BLER));
}

/** Bytes that a stream's RE hold at their rate. */
function bytesOf(
  n: Numerology,
  positions: Uint32Array,
  modulation: readonly number[],
  rateOf: (positions: Uint32Array) => number,
): number {
  return payloadBytesAtRate(codedBitsOf(bitsAt(n, modulation, positions)), rateOf(positions));
}

/** The allocation of each burst, with whole streams where there are several bursts. */
function allocateBursts(
  input: PlanInput,
  shapes: readonly BurstShape[],
  excluded: ReadonlySet<number>,
  { interleaved }: BitsPolicy,
  scores: Uint8Array,
) {
  const { source, csi, seed } = input;
  const { streams } = source;
  const order = source.ranking ?? rankingByScore(Uint8Array.from(streams, (s) => s.score));
  const ranking = order.filter((id) => !excluded.has(id));
  const alone = streams.length === 1;
  const minRe = streams.map((s) => (alone ? 1 : leastRe(s, csi)));
  const demand = { scores, ranking, minRe };
  const codes = (interleaved === null ? csi.codes : null) ?? new Uint8Array(shapes[0].nSubbands).fill(FLAT_CODE);
  const demands: BurstDemand[] | null =
    shapes.length === 1 || ranking.length === 0
      ? null
      : splitOverBursts(
          demand,
          shapes.map((shape) => burstCapacity(shape, codes)),
        );
  const allocations = shapes.map((shape, b): Allocation => {
    const own: Demand = demands ? demands[b] : alone ? { scores } : demand;
    // A burst too small for any of them carries nothing.
    if (own.ranking?.length === 0) return emptyAllocation(shape);
    if (csi.codes === null || csi.map === 'robust' || interleaved !== null) return allocateRobust(shape, scores, own);
    // With one stream every RE is its own; an order would say nothing.
    const mapping: Mapping = alone ? 'uniform' : csi.map;
    return allocate({ ...own, shape, csi: csi.codes, scores, mapping, seed });
  });
  return { demands, allocations };
}

/** RE of a stream's minimum: of bits roughly, with CRCs and bytes to fill up; what comes out too small is dropped later. */
function leastRe({ kind, minSize }: StreamPlan, { loading }: ChannelKnowledge): number {
  return kind === 'analog' ? minSize : Math.ceil((8 * (minSize + 6)) / Math.max(0.05, loading.efficiency));
}

/** RE with which at least one stream can be sent; small code blocks need up to twice what the usual efficiency says. */
function leastOf({ streams }: SourcePlan, csi: ChannelKnowledge): number {
  if (streams.length === 1 && streams[0].kind === 'bits') return 1;
  return Math.max(1, Math.min(...streams.map((s) => (s.kind === 'bits' ? 2 : 1) * leastRe(s, csi))));
}

function emptyAllocation({ nSubbands }: BurstShape): Allocation {
  const subbandOrder = Uint8Array.from({ length: nSubbands }, (_, s) => s);
  const map: RbMap = { layout: 'ordered', subbandOrder, sfvOrder: new Uint8Array(0), reCounts: new Uint32Array(0) };
  return { map, matched: map, dropped: [], totalCapacity: 0, capacities: [] };
}

/** 0 dB: of a band without report all subbands count alike. */
const FLAT_CODE = 80;

/** What to expect of each placed stream's RE, dB: under the matched placement, so that all mappings send the same symbols. */
function expectedSnrs(
  shape: BurstShape,
  allocation: Allocation,
  csi: ChannelKnowledge,
  { interleaved }: BitsPolicy,
): number[] {
  const map = csi.codes === null || interleaved !== null ? allocation.map : allocation.matched;
  return mapChannels(map, shape, encodeCsiReport(csi.expectedSnrDb)).map((c) => c.snrDb);
}

/** A grant for each stream that got anything, in the order in which they first appear; parts of one stream together. */
function grantsOf(bursts: readonly BurstPlan[]): StreamGrant[] {
  const sums = new Map<number, { size: number; re: number; capacity: number }>();
  for (const { parts } of bursts) {
    for (const { id, size, re, snrDb } of parts) {
      const sum = sums.get(id) ?? { size: 0, re: 0, capacity: 0 };
      sum.size += size;
      sum.re += re;
      sum.capacity += 1024 * re * Math.log2(1 + 10 ** (snrDb / 10));
      sums.set(id, sum);
    }
  }
  return [...sums].map(([id, s]) => ({ id, size: s.size, snrDb: effectiveSnrDb(s.capacity, s.re) }));
}

function nothingFits(input: PlanInput, demands: readonly BurstDemand[] | null, sideRe: number): BudgetTooSmall {
  const { source, numerology: n, budgetRe, pixels, controlRe, overheadRe, csi } = input;
  const least = leastOf(source, csi);
  const perSlot = n.nSubbands * RB_DATA_RE;
  const needed = Math.ceil((sideRe + least) / perSlot) * perSlot;
  const where = demands ? 'no burst has room for any stream' : 'no stream has room';
  return tooSmall(
    budgetRe,
    pixels,
    `${where}: control takes ${controlRe}, side information ${sideRe}`,
    needed,
    overheadRe,
  );
}
