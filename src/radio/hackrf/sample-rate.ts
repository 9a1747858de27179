import { UsageError } from '../../common/errors.ts';

/** A sample rate as the board takes it: numeratorHz / divider. */
export interface RateFraction {
  readonly numeratorHz: number;
  readonly divider: number;
}

const MAX_DIVIDER = 31;

/**
 * The fraction that libhackrf sends for a rate (hackrf_set_sample_rate): the smallest divider i in 1..31 for which the fractional part
 * of i times the rate is, within the precision kept below, 0 or 1 - eps; otherwise the rate is rounded to whole Hz. The
 * precision is that of the double's mantissa: with rate = 1.f x 2^e the lowest e + 4 bits of the 52 of the fractional part are
 * noise. What results is read with `rateOf`; up to 0.5 Hz off the wish.
 */
export function rateFraction(rateHz: number): RateFraction {
  if (!(rateHz >= 1 && rateHz * MAX_DIVIDER < 0xffff_ffff)) {
    throw new UsageError(`hackrf sample rate ${rateHz} Hz has no fraction: allowed 1 to 138547332 Hz`);
  }
  const exponent = 31 - Math.clz32(Math.trunc(rateHz));
  // Fractional part in units of 2^-52: exact, for 1 + rate - trunc(rate) loses only what the double does not hold.
  const fraction = BigInt((1 + rateHz - Math.trunc(rateHz) - 1) * 2 ** 52);
  const keep = ((1n << 52n) - 1n) & ~((1n << BigInt(exponent + 4)) - 1n);
  let divider = 1;
  let sum = 0n;
  for (; divider <= MAX_DIVIDER; divider++) {
    sum += fraction;
    if ((sum & keep) === 0n || (~sum & keep) === 0n) break;
  }
  if (divider > MAX_DIVIDER) divider = 1;
  return { numeratorHz: Math.floor(rateHz * divider + 0.5), divider };
}

export function rateOf(fraction: RateFraction): number {
  return fraction.numeratorHz / fraction.divider;
}

/**
 * Filter that libhackrf sets with a rate: the widest of the board's that is not wider than 0.75 of the rate, but at least the
 * narrowest (hackrf_set_sample_rate_manual, hackrf_compute_baseband_filter_bw).
 *
 * @param filtersHz bandwidths of the board, ascending
 */
export function filterForRate(fraction: RateFraction, filtersHz: readonly number[]): number {
  const limitHz = Math.trunc((0.75 * fraction.numeratorHz) / fraction.divider);
  return filtersHz.findLast((filterHz) => filterHz <= limitHz) ?? filtersHz[0];
}

/**
 * Filter for a bandwidth asked for: exactly one that the board has, else a UsageError with the list. (A wider one would let in what the
 * caller wanted out, a narrower one would cut off what the caller wanted in.)
 */
export function explicitFilter(bandwidthHz: number, filtersHz: readonly number[]): number {
  if (!filtersHz.includes(bandwidthHz)) {
    const list = filtersHz.map((filterHz) => filterHz / 1e6).join(', ');
    throw new UsageError(`hackrf bandwidth ${bandwidthHz} Hz is not possible: allowed ${list} MHz`);
  }
  return bandwidthHz;
}
