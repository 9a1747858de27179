import { UsageError } from '../../common/errors.ts';

/** Where the resource elements of a burst are that streams may use. */
export interface BurstShape {
  readonly nSubbands: number; // 1..255
  readonly nSlots: number;
  /** Usable resource elements of each RB, after pilots, control and what is reserved. */
  readonly rePerRb: Uint16Array; // [slot x nSubbands + subband]
  /** Data RE of each RB before its first usable one, taken by side information; absent: none anywhere. */
  readonly firstRe?: Uint16Array; // [slot x nSubbands + subband]
}

/** Largest number of RBs in a burst. */
export const MAX_BURST_RBS = 2 ** 18;
/** Resource elements of one RB: 12 subcarriers, 14 OFDM symbols. */
const RB_RE = 168;

/** Checks a burst's shape and returns its number of usable resource elements. UsageError names what is out of range. */
export function checkShape(shape: BurstShape): number {
  const { nSubbands, nSlots, rePerRb, firstRe } = shape;
  if (!Number.isInteger(nSubbands) || nSubbands < 1 || nSubbands > 255) {
    throw new UsageError(`${nSubbands} subbands is out of range: allowed 1 to 255`);
  }
  if (!Number.isInteger(nSlots) || nSlots < 1 || nSlots * nSubbands > MAX_BURST_RBS) {
    throw new UsageError(`${nSlots} slots is out of range: allowed 1 to ${Math.floor(MAX_BURST_RBS / nSubbands)}`);
  }
  if (rePerRb.length !== nSubbands * nSlots) {
    throw new UsageError(`${rePerRb.length} RBs given, ${nSubbands} subbands x ${nSlots} slots need another number`);
  }
  if (firstRe && firstRe.length !== rePerRb.length) {
    throw new UsageError(`first RE of ${firstRe.length} RBs given, the burst has ${rePerRb.length}`);
  }
  let total = 0;
  for (let rb = 0; rb < rePerRb.length; rb++) {
    const room = RB_RE - (firstRe?.[rb] ?? 0);
    if (room < 0) throw new UsageError(`first RE ${firstRe![rb]} of an RB is out of range: allowed 0 to ${RB_RE}`);
    if (rePerRb[rb] > room) {
      throw new UsageError(`${rePerRb[rb]} resource elements in one RB is out of range: allowed 0 to ${room}`);
    }
    total += rePerRb[rb];
  }
  return total;
}

/** Usable resource elements of each subband over all slots; [subband]. */
export function rePerSubband(shape: BurstShape): number[] {
  const sums = new Array<number>(shape.nSubbands).fill(0);
  for (let rb = 0; rb < shape.rePerRb.length; rb++) sums[rb % shape.nSubbands] += shape.rePerRb[rb];
  return sums;
}

/**
 * The shape that is left when the first `count` usable RE of every subband, in the order of time, go to side
 * information: whole leading OFDM symbols have 11 in each subband.
 *
 * @throws UsageError when a subband has fewer
 */
export function reserveLeading(shape: BurstShape, count: number): BurstShape {
  checkShape(shape);
  const most = rePerSubband(shape).reduce((a, b) => Math.min(a, b));
  if (!Number.isInteger(count) || count < 0 || count > most) {
    throw new UsageError(`${count} reserved resource elements a subband is out of range: allowed 0 to ${most}`);
  }
  const rePerRb = Uint16Array.from(shape.rePerRb);
  const firstRe = shape.firstRe ? Uint16Array.from(shape.firstRe) : new Uint16Array(rePerRb.length);
  for (let subband = 0; subband < shape.nSubbands; subband++) {
    let left = count;
    for (let rb = subband; left > 0; rb += shape.nSubbands) {
      const take = Math.min(left, rePerRb[rb]);
      rePerRb[rb] -= take;
      firstRe[rb] += take;
      left -= take;
    }
  }
  return { ...shape, rePerRb, firstRe };
}
