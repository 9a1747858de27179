import { UsageError } from '../../common/errors.ts';

/** Shares of the ring of samples at which payloads are no longer read, and read again. */
export const HIGH_WATER = 0.5;
export const LOW_WATER = 0.25;

/**
 * What a receiver that cannot keep up with a live source leaves out: whole bursts. Above the high-water mark of what waits it reads headers only,
 * which costs a small part of a burst's time, until the low-water mark is reached. Decides by what waits alone, never by a clock.
 */
export class OverloadPolicy {
  private readonly high: number;
  private readonly low: number;
  private over = false;

  constructor(high = HIGH_WATER, low = LOW_WATER) {
    if (!(low >= 0 && low <= high && high <= 1))
      throw new UsageError(`overload marks ${low} and ${high}: allowed 0 <= low <= high <= 1`);
    this.high = high;
    this.low = low;
  }

  /** Whether headers only are to be read now, at this share (0 to 1) of the room in use. */
  headersOnly(share: number): boolean {
    this.over = this.over ? share > this.low : share >= this.high;
    return this.over;
  }
}
