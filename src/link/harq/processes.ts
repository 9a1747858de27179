import type { RedundancyVersion } from '../../phy/fec/rate-matching.ts';

/** HARQ processes of a session: their ids have 4 bits. */
export const MAX_PROCESSES = 16;

/** Redundancy versions in the order in which they are sent (TS 38.212 §5.4.2.1): each brings new parity. */
const VERSIONS: readonly RedundancyVersion[] = [0, 2, 3, 1];

/** Redundancy version of a transmission when the receiver has understood so many before it. */
export function redundancyVersion(understood: number): RedundancyVersion {
  return VERSIONS[understood % VERSIONS.length];
}
