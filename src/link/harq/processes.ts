import type { RedundancyVersion } from '../../phy/fec/rate-matching.ts';

/** HARQ processes of a session: their ids have 4 bits. */
export const MAX_PROCESSES = 16;

/** Redundancy versions in the order in which they are sent (TS 38.212 §5.4.2.1): each brings new parity. */
const VERSIONS: readonly RedundancyVersion[] = [0, 2, 3, 1];

/** Redundancy version of a block's `attempt`-th transmission, 0 for the first. */
export function redundancyVersion(attempt: number): RedundancyVersion {
  return VERSIONS[attempt % VERSIONS.length];
}
