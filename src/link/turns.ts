/** The least number that 4, 6, 15, 25 and 50 divide: the subbands of the numerologies. */
const SUBBAND_CYCLE = 300;

/**
 * L: after so many RE the blocks that take turns leave out a turn. RE i belongs to block (i + floor(i / L)) mod n, L the least common multiple of n and 300
 * (TransportLayout).
 */
export function turnPeriod(n: number): number {
  return (n * SUBBAND_CYCLE) / greatestCommonDivisor(n, SUBBAND_CYCLE);
}

/** RE of one of `n` blocks that take turns over `count` RE, ascending. */
export function turnsOf(index: number, n: number, count: number): Uint32Array {
  const out = new Uint32Array(Math.ceil(count / n));
  const period = turnPeriod(n);
  let used = 0;
  for (let from = 0, turn = index; from < count; from += period, turn = (turn + n - 1) % n) {
    const end = Math.min(count, from + period);
    for (let i = from + turn; i < end; i += n) out[used++] = i;
  }
  return out.subarray(0, used);
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
