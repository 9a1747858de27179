import { UsageError } from '../../common/errors.ts';
import type { NumberRange } from '../radio.ts';

/** How a sample rate is made: the chip's rate, and whether the core behind it divides by eight. */
export interface RatePlan {
  readonly chipHz: number;
  readonly divided: boolean;
}

/** The decimator (receiver) and interpolator (transmitter) in the Pluto's programmable logic. */
export const CORE_DIVIDER = 8;

/**
 * The way to a rate: directly where the chip has it, else by eight times the rate and the core's divider, so that no filter needs
 * to be loaded into the chip. Rates below an eighth of the chip's least would need one (its FIR brings a factor of 4 more) and are refused.
 *
 * @param range the chip's own rates without its FIR: 2083333 to 61440000 Hz (25 MHz / 12 is the least, AD936x driver)
 */
export function planRate(rateHz: number, range: NumberRange, canDivide: boolean): RatePlan {
  if (!Number.isInteger(rateHz))
    throw new UsageError(`pluto sample rate ${rateHz} Hz is not possible: whole hertz only`);
  if (rateHz >= range.min && rateHz <= range.max) return { chipHz: rateHz, divided: false };
  const chipHz = CORE_DIVIDER * rateHz;
  if (canDivide && chipHz >= range.min && chipHz <= range.max) return { chipHz, divided: true };
  const least = canDivide ? Math.ceil(range.min / CORE_DIVIDER) : range.min;
  const why = rateHz < least ? 'a lower rate needs a filter in the transceiver, which this driver does not load' : '';
  throw new UsageError(
    `pluto sample rate ${rateHz} Hz is out of range: allowed ${least} to ${range.max} Hz`,
    why || undefined,
  );
}
