import { UsageError } from '../../common/errors.ts';
import { LARGEST_BLOCK_BITS } from '../../phy/fec/segmentation.ts';
import { DoesNotFit } from '../../sct/codec/does-not-fit.ts';
import type { Loading } from './adaptation.ts';

/** Longest data burst: within 100 ms. */
export const MAX_DATA_SLOTS = 96;
/** Largest budget R that is taken, complex symbols per pixel. */
export const MAX_SYMBOLS_PER_PIXEL = 64;
/** Parts that the extension can count: its field has 8 bits. */
export const MAX_PARTS = 256;

/** What a picture's budget is split by. */
export interface BudgetShape {
  readonly budgetRe: number;
  /** Of a picture; null where the budget is given in symbols. */
  readonly pixels: number | null;
  /** Payload RE of a slot. */
  readonly perSlotRe: number;
  /** RE of a data burst's header and extension. */
  readonly controlRe: number;
  /** RE kept for repetitions (reserveRe). */
  readonly reserve: number;
  /** What the code blocks of a burst are bounded by; null without coded streams. */
  readonly coded: { readonly loading: Loading; readonly maxBlocks: number } | null;
  /** What else another budget has to have room for, for the hint; default: controlRe + reserve. */
  readonly overheadRe?: (budgetRe: number) => number;
  /** RE that the first burst needs besides for anything to be sent; default 1. */
  readonly leastRe?: number;
  /** Side information, which the first burst carries. */
  readonly side?: { readonly bytes: number; readonly re: number };
}

/**
 * RE kept for repetitions: the wanted share, and at least one burst of one slot. 0 where that burst would take much more
 * than the share (and than a tenth of the budget), for a wider margin then costs less than a repetition that is seldom sent; and where
 * what is left takes no burst to begin with.
 */
export function reserveRe(budgetRe: number, share: number, leastBurstRe: number): number {
  if (share === 0 || leastBurstRe > Math.max(0.1, 1.2 * share) * budgetRe) return 0;
  const reserve = Math.max(leastBurstRe, share * budgetRe);
  return reserve + leastBurstRe > budgetRe ? 0 : reserve;
}

/**
 * Slots of each data burst of a picture: as few bursts as hold at most MAX_DATA_SLOTS slots and `maxBlocks` code blocks
 * each, as equal as can be. BudgetTooSmall saying what would fit when the budget has no room for control, side information and
 * something besides; DoesNotFit when not even the longest burst has it; UsageError when the budget needs more than MAX_PARTS bursts.
 */
export function splitBudget(shape: BudgetShape): number[] {
  const { budgetRe, pixels, perSlotRe, controlRe, reserve, side } = shape;
  const leastSlots = Math.ceil(((side?.re ?? 0) + (shape.leastRe ?? 1)) / perSlotRe);
  let slots = Math.floor((budgetRe - reserve - controlRe) / perSlotRe);
  if (slots < leastSlots) {
    const most = MAX_DATA_SLOTS;
    if (leastSlots > most) {
      const beside = side ? ` with side information of ${side.bytes} bytes` : '';
      throw new DoesNotFit(
        `the least that can be sent${beside} takes ${leastSlots} slots; a burst has at most ${most}`,
        `give a numerology with more subbands, or ${pixels === null ? 'a shorter source' : 'a smaller picture'}`,
      );
    }
    const what = side
      ? `control takes ${controlRe}, side information of ${side.bytes} bytes ${side.re}, in whole slots of ${perSlotRe}`
      : `control and one slot take ${controlRe + perSlotRe}`;
    const overheadRe = shape.overheadRe ?? (() => controlRe + reserve);
    throw tooSmall(budgetRe, pixels, what, leastSlots * perSlotRe, overheadRe);
  }
  const most = shape.coded ? slotsOfOneBurst(shape.coded.loading, perSlotRe, shape.coded.maxBlocks) : MAX_DATA_SLOTS;
  let parts = Math.ceil(slots / most);
  slots = Math.floor((budgetRe - reserve - parts * controlRe) / perSlotRe);
  parts = Math.ceil(slots / most);
  if (parts > MAX_PARTS) {
    const fits = MAX_PARTS * (controlRe + most * perSlotRe);
    throw new UsageError(
      `a budget of ${Math.floor(budgetRe)} symbols needs ${parts} bursts; a picture has at most ${MAX_PARTS}`,
      `give at most ${pixels === null ? `--symbols ${fits}` : perPixel(fits / pixels, floor3)}, or a numerology with more subbands`,
    );
  }
  return Array.from(
    { length: parts },
    (_, p) => Math.floor(((p + 1) * slots) / parts) - Math.floor((p * slots) / parts),
  );
}

/** A picture does not fit into its budget. */
export class BudgetTooSmall extends DoesNotFit {
  /** A budget that would do as far as this one tells, RE; null where none that is allowed does. */
  readonly wouldDoRe: number | null;
  constructor(message: string, hint: string, wouldDoRe: number | null) {
    super(message, hint);
    this.wouldDoRe = wouldDoRe;
  }
}

/**
 * The error for a budget in which a picture does not fit: what takes how much, and the least that would do.
 *
 * @param pixels null where the budget is given in symbols
 * @param payloadRe RE that the slots need
 * @param overheadRe what else a budget has to have room for: more in a larger one
 */
export function tooSmall(
  budgetRe: number,
  pixels: number | null,
  what: string,
  payloadRe: number,
  overheadRe: (budgetRe: number) => number,
): BudgetTooSmall {
  const message = `a budget of ${Math.floor(budgetRe)} symbols is too small: ${what}`;
  const fewer = 'a numerology with fewer subbands';
  if (pixels === null) {
    let least = 0;
    for (let i = 0; i < 10; i++) least = Math.max(least, Math.ceil(payloadRe + overheadRe(Math.max(budgetRe, least))));
    return new BudgetTooSmall(message, `give at least --symbols ${least}, or ${fewer}`, least);
  }
  let needed = 0;
  for (let i = 0; i < 10; i++) {
    const next = (payloadRe + overheadRe(Math.max(budgetRe, needed * pixels))) / pixels;
    if (next <= needed) break;
    needed = Number(ceil3(next));
  }
  const allowed = needed <= MAX_SYMBOLS_PER_PIXEL;
  return new BudgetTooSmall(
    message,
    allowed
      ? `give at least ${perPixel(needed, ceil3)}, or ${fewer}`
      : `${pixels} pixels need more than the ${MAX_SYMBOLS_PER_PIXEL} symbols per pixel that are allowed: send a larger picture, or take ${fewer}`,
    allowed ? needed * pixels : null,
  );
}

function perPixel(symbolsPerPixel: number, digits: (value: number) => string): string {
  return `--symbols-per-pixel ${digits(symbolsPerPixel)} (--cbr ${digits(symbolsPerPixel / 3)})`;
}

/** Tries after which a hint is given as it is. */
const MOST_TRIES = 8;

/**
 * The error with a hint that was tried, for a larger budget may have room for more SFVs, which need more control and side information than
 * the smaller one tells.
 */
export async function withTriedHint(
  error: BudgetTooSmall,
  plan: (budgetRe: number) => Promise<unknown>,
): Promise<BudgetTooSmall> {
  let hint = error;
  for (let i = 0; i < MOST_TRIES && hint.wouldDoRe !== null; i++) {
    const failed: unknown = await plan(hint.wouldDoRe).then(
      () => null,
      (next: unknown) => next,
    );
    if (!(failed instanceof BudgetTooSmall)) break;
    hint = failed;
  }
  return new BudgetTooSmall(error.message, hint.hint!, hint.wouldDoRe);
}

/**
 * Most slots of a data burst whose code blocks can be numbered at this loading. A file smaller than its budget has
 * a lower rate, and from 1/4 down the smaller blocks of base graph 2 (TS 38.212 §6.2.2).
 */
function slotsOfOneBurst({ efficiency, codeRate }: Loading, perSlot: number, maxBlocks: number): number {
  // A block's CRC, and less than one byte a block of rounding.
  const bits = (graph: 1 | 2) => maxBlocks * (LARGEST_BLOCK_BITS[graph] - 32);
  const ofBaseGraph2 = Math.min(efficiency, (0.25 * efficiency) / codeRate);
  const most = Math.floor(Math.min(bits(1) / efficiency, bits(2) / ofBaseGraph2) / perSlot);
  return Math.max(1, Math.min(MAX_DATA_SLOTS, most));
}

/** Three digits, never less than the value. */
function ceil3(value: number): string {
  const step = 10 ** (Math.floor(Math.log10(value)) - 2);
  return (Math.ceil(value / step) * step).toPrecision(3);
}

/** Three digits, never more than the value. */
function floor3(value: number): string {
  const step = 10 ** (Math.floor(Math.log10(value)) - 2);
  return (Math.floor(value / step) * step).toPrecision(3);
}
