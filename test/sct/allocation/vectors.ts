import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { AllocationInput, Mapping } from '../../../src/sct/allocation/allocate.ts';
import { type BurstShape, reserveLeading } from '../../../src/sct/allocation/burst-shape.ts';

/** One allocation of test/vectors/allocation. */
export interface AllocationVector {
  readonly csi: number[];
  readonly slots: number;
  readonly rePerRb: number[];
  readonly reserved: number;
  readonly scores: number[];
  readonly ranking: number[] | null;
  readonly minRe: number[] | null;
  readonly weights: number[] | null;
  readonly subbandOrder: number[];
  readonly sfvs: [id: number, re: number, capacity: number][];
  readonly dropped: number[];
  readonly totalCapacity: number;
  readonly maps: Record<Exclude<Mapping, 'random'>, { sha256: string; crc16: number; snrDb: number[] }>;
}

/** One picture of several bursts. */
export interface SplitVector {
  readonly scores: number[];
  readonly ranking: number[];
  readonly minRe: number[];
  readonly capacities: number[];
  readonly bursts: { parts: [id: number, weight: number, minRe: number][]; continues: boolean }[];
}

export const { allocations, splits } = JSON.parse(
  readFileSync(new URL('../../vectors/allocation/allocation.json', import.meta.url), 'utf8'),
) as { allocations: AllocationVector[]; splits: SplitVector[] };

type RawInput = Pick<AllocationVector, 'csi' | 'slots' | 'rePerRb' | 'scores'> &
  Partial<Pick<AllocationVector, 'reserved' | 'ranking' | 'minRe' | 'weights'>>;

export function inputOf(c: RawInput): Omit<AllocationInput, 'mapping'> {
  const shape: BurstShape = { nSubbands: c.csi.length, nSlots: c.slots, rePerRb: Uint16Array.from(c.rePerRb) };
  return {
    shape: c.reserved ? reserveLeading(shape, c.reserved) : shape,
    csi: Uint8Array.from(c.csi),
    scores: Uint8Array.from(c.scores),
    ranking: c.ranking ?? undefined,
    minRe: c.minRe ?? undefined,
    weights: c.weights ?? undefined,
  };
}

/** Bursts of any shape, with some of the SFVs ranked in any order, and minimums. */
export const anyInput = fc
  .record({
    nSubbands: fc.integer({ min: 1, max: 50 }),
    slots: fc.integer({ min: 1, max: 6 }),
    sfvs: fc.integer({ min: 1, max: 60 }),
  })
  .chain(({ nSubbands, slots, sfvs }) => {
    const list = (length: number, max: number) =>
      fc.array(fc.integer({ min: 0, max }), { minLength: length, maxLength: length });
    return fc.record({
      csi: list(nSubbands, 255),
      slots: fc.constant(slots),
      rePerRb: list(nSubbands * slots, 168),
      scores: list(sfvs, 255),
      ranking: fc.option(fc.shuffledSubarray([...Array(sfvs).keys()], { minLength: 1 })),
      minRe: fc.option(list(sfvs, 300)),
    });
  });

/** Every RB with as many RE. */
export function evenShape(nSubbands: number, nSlots: number, re = 154): BurstShape {
  return { nSubbands, nSlots, rePerRb: new Uint16Array(nSubbands * nSlots).fill(re) };
}
