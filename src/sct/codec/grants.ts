import { inRange, UsageError } from '../../common/errors.ts';
import type { StreamGrant, StreamPlan } from './codec.ts';

/** CSI that is taken where there is no report, dB; f_e was trained to be up to 5 dB wrong. */
export const DEFAULT_CSI_DB = 5;
/** Symbols a cell that analysis assumes where the budget is not known: CBR 1/16. */
export const DEFAULT_SYMBOLS_PER_CELL = 48;

/** Capacity-equivalent SNR over the sizes of all grants that name one, dB. */
export function meanSnrDb(grants: readonly StreamGrant[]): number {
  let bits = 0;
  let sizes = 0;
  for (const { size, snrDb } of grants) {
    if (snrDb === undefined || Number.isNaN(snrDb)) continue;
    bits += size * Math.log2(1 + 10 ** (Math.min(60, snrDb) / 10));
    sizes += size;
  }
  return sizes === 0 ? DEFAULT_CSI_DB : 10 * Math.log10(Math.max(1e-6, 2 ** (bits / sizes) - 1));
}

/**
 * Grants name streams of the plan, each once, with a size from 1 on.
 *
 * @param unit of sizes, for the message
 * @throws UsageError naming the stream
 */
export function checkGrants(
  grants: readonly StreamGrant[],
  plans: readonly StreamPlan[],
  most: number,
  unit: string,
): void {
  const seen = new Set<number>();
  for (const { id, size } of grants) {
    if (!Number.isInteger(id) || id < 0 || id >= plans.length) {
      throw new UsageError(`grant for stream ${id} is out of range: allowed 0 to ${plans.length - 1}`);
    }
    if (seen.has(id)) throw new UsageError(`stream ${id} has two grants: allowed one`);
    seen.add(id);
    if (!Number.isInteger(size))
      throw new UsageError(`grant of ${size} ${unit} for stream ${id}: allowed whole numbers`);
    inRange(`grant for stream ${id}`, size, 1, most, unit);
  }
}
