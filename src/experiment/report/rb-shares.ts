import { type BurstShape, reserveLeading } from '../../sct/allocation/burst-shape.ts';
import { type Placement, placeSymbols } from '../../sct/allocation/rb-map.ts';
import type { PlacedBurst } from './semantic-data.ts';

/** Who rides on each resource block of a burst, and with how many RE: a list for each RB, in the order of placement. */
export interface RbShares {
  /** First entry of each RB; one more element than RBs, [slot x subbands + subband]. */
  readonly first: Uint32Array;
  readonly sfv: Uint8Array; // [entry] id
  readonly re: Uint16Array; // [entry]
}

/** Payload RE of every RB of a burst that SFVs may use: `rePerRb` in each, less what side information takes. */
export function shapeOf({ subbands, slots, reservedRe }: PlacedBurst, rePerRb: number): BurstShape {
  const all = { nSubbands: subbands, nSlots: slots, rePerRb: new Uint16Array(subbands * slots).fill(rePerRb) };
  return reservedRe > 0 ? reserveLeading(all, reservedRe) : all;
}

/** Place of every symbol of a burst. @throws UsageError when the map does not fit the burst */
export function placementOf(burst: PlacedBurst, rePerRb: number): Placement {
  return placeSymbols(burst.map, shapeOf(burst, rePerRb));
}

/** Counts a placement by resource block. O(RE). */
export function rbShares({ rb, start }: Placement, sfvOrder: ArrayLike<number>, rbs: number): RbShares {
  const entryRb: number[] = [];
  const entrySfv: number[] = [];
  const entryRe: number[] = [];
  const entries = new Uint32Array(rbs + 1);
  const last = new Int32Array(rbs).fill(-1); // entry of the SFV being counted, while it is this SFV's
  for (let i = 0; i + 1 < start.length; i++) {
    const from = entryRb.length;
    for (let t = start[i]; t < start[i + 1]; t++) {
      const block = rb[t];
      if (last[block] < from) {
        last[block] = entryRb.length;
        entryRb.push(block);
        entrySfv.push(sfvOrder[i]);
        entryRe.push(0);
        entries[block + 1]++;
      }
      entryRe[last[block]]++;
    }
  }
  for (let block = 0; block < rbs; block++) entries[block + 1] += entries[block];
  const at = entries.slice();
  const sfv = new Uint8Array(entryRb.length);
  const re = new Uint16Array(entryRb.length);
  entryRb.forEach((block, entry) => {
    sfv[at[block]] = entrySfv[entry];
    re[at[block]++] = entryRe[entry];
  });
  return { first: entries, sfv, re };
}
