/** Resource elements of equal capacity that are filled one after the other: one subband over all its slots. */
export interface Run {
  readonly re: number;
  /** Capacity of each RE, bit/1024: 1..16383. */
  readonly perRe: number;
}

/** What an SFV asks for. */
export interface Claim {
  readonly id: number;
  /** Its part of the sum of all weights is its part of the capacity; whole number, 0..2^30. */
  readonly weight: number;
  /** With fewer resource elements it is worthless. */
  readonly minRe: number;
}

/** What an SFV gets. */
export interface Grant {
  readonly id: number;
  readonly re: number; // at least 1 and at least the claim's minRe
  /** Sum of perRe over these RE, bit/1024. */
  readonly capacity: number;
}

export interface Sharing {
  readonly grants: readonly Grant[]; // in the order of the claims
  /** SFVs without a grant, ascending. */
  readonly dropped: readonly number[];
}

/**
 * Shares the capacity of a burst among claims, given in the order in which they take their RE.
 *
 * C = sum of re x perRe over the runs. Each claim takes free RE, run by run, until the capacity taken by it and those
 * before it reaches the sum of their shares, weight / sum(weights) x C each; runs are split at any RE. So each gets its
 * share to within one RE, and all RE are taken. (Were each filled up to its own share, the excesses would add up at the
 * cost of the last ones; docs/adr/0012-allocation.md.)
 *
 * A claim that would get less than its minimum, or nothing, is dropped and its share goes to the others by the same
 * rule: one at a time, the last in order first, because the room of one may be enough for those before it. Then those
 * that were dropped are tried once more in order: one comes back where all keep their minimums with it (those that were
 * too large for it may be gone). At most two passes a claim, O(claims x (claims + runs)). Claims of weight 0 get
 * nothing.
 *
 * Integers only: C stays below 2^40 (2^18 RBs of 168 RE), weight x C goes through BigInt. The one division by perRe is
 * of a number below 2^40 by one below 2^14: where it is not whole, it is further from a whole number than a double
 * rounds.
 */
export function shareCapacity(runs: readonly Run[], claims: readonly Claim[]): Sharing {
  let active = claims.filter((c) => c.weight > 0);
  let grants = fill(runs, active);
  for (let i = lastBelow(grants, active); i >= 0; i = lastBelow(grants, active)) {
    active.splice(i, 1);
    grants = fill(runs, active);
  }
  for (const claim of claims) {
    if (claim.weight === 0 || active.includes(claim)) continue;
    const more = claims.filter((c) => c === claim || active.includes(c));
    const trial = fill(runs, more);
    if (lastBelow(trial, more) < 0) [active, grants] = [more, trial];
  }
  const dropped = claims.filter((c) => !active.includes(c)).map((c) => c.id);
  return { grants, dropped: dropped.sort((a, b) => a - b) };
}

/** Position of the last grant below its claim's minimum, or -1. */
function lastBelow(grants: readonly Grant[], claims: readonly Claim[]): number {
  return grants.findLastIndex((g, i) => g.re < Math.max(1, claims[i].minRe));
}

/** Sum of re x perRe, bit/1024. */
export function capacityOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { re, perRe }) => sum + re * perRe, 0);
}

function fill(runs: readonly Run[], claims: readonly Claim[]): Grant[] {
  const total = BigInt(capacityOf(runs));
  const weights = claims.reduce((sum, c) => sum + BigInt(c.weight), 0n);
  let position = 0; // in runs
  let free = runs[0]?.re ?? 0;
  let weightSoFar = 0n;
  let taken = 0; // capacity, by all so far
  return claims.map(({ id, weight }) => {
    weightSoFar += BigInt(weight);
    // ceil(sum of weights x C / sum of all): an integer capacity reaches the shares exactly when it reaches this
    const target = Number((weightSoFar * total + weights - 1n) / weights);
    const before = taken;
    let re = 0;
    while (taken < target && position < runs.length) {
      const { perRe } = runs[position];
      const take = Math.min(free, Math.ceil((target - taken) / perRe));
      re += take;
      taken += take * perRe;
      free -= take;
      if (free === 0) free = runs[++position]?.re ?? 0;
    }
    return { id, re, capacity: taken - before };
  });
}
