import { inRange } from '../../common/errors.ts';

/** Units of the extension's `time` in a millisecond. */
export const TIME_UNITS_PER_MS = 10;
const WRAP = 2 ** 24;
/** Later than the year 33 000; up to here a double holds every tenth of a millisecond. */
const MOST_MS = 1e15;

/**
 * When a picture was captured, as the extension says it: units of 0.1 ms since 1970 (UTC), modulo 2^24 (1677.7 s).
 *
 * @param utcMs milliseconds since 1970 of the sender's clock; fractions are kept to 0.1 ms
 */
export function captureTimeCode(utcMs: number): number {
  inRange('capture time', utcMs, 0, MOST_MS, 'ms');
  return Math.round(utcMs * TIME_UNITS_PER_MS) % WRAP;
}

/**
 * Milliseconds from the capture of a picture to `nowUtcMs` of the receiver's clock: of all that the code may mean the one nearest to 0,
 * -838.9 s to 838.9 s. Negative where the sender's clock is ahead by more than the latency.
 */
export function sinceCaptureMs(code: number, nowUtcMs: number): number {
  const behind = (nowUtcMs * TIME_UNITS_PER_MS - code) % WRAP;
  const units = behind >= WRAP / 2 ? behind - WRAP : behind < -WRAP / 2 ? behind + WRAP : behind;
  return units / TIME_UNITS_PER_MS;
}
