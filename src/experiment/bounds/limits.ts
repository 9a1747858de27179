import { UsageError } from '../../common/errors.ts';

/** Largest distortion, variance or ratio that is taken: beyond it double precision says nothing useful any more. */
export const LARGEST = 1e12;
/** Smallest: ratios of what lies between stay finite. */
export const SMALLEST = 1e-100;

/** `value` if it is from 1e-100 to 1e12 or infinite, the word for "no such constraint"; UsageError naming it otherwise. */
export function requireDistortion(name: string, value: number): number {
  if (value === Number.POSITIVE_INFINITY || (value >= SMALLEST && value <= LARGEST)) return value;
  throw new UsageError(`${name} ${value} is out of range: allowed ${SMALLEST} to ${LARGEST}, or inf for no constraint`);
}

/** `value` if it is from 1e-100 to `max`; UsageError naming it otherwise. */
export function requirePositive(name: string, value: number, max = LARGEST): number {
  if (value >= SMALLEST && value <= max) return value;
  throw new UsageError(`${name} ${value} is out of range: allowed ${SMALLEST} to ${max}`);
}

/** `value` if it is a whole number from min to max; UsageError naming it otherwise. */
export function requireWhole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`${name} ${value} is out of range: allowed whole numbers from ${min} to ${max}`);
}

/** `list` if it has min to max elements; UsageError naming it otherwise. */
export function requireLength<T extends ArrayLike<unknown>>(name: string, list: T, min: number, max: number): T {
  if (list.length >= min && list.length <= max) return list;
  throw new UsageError(`${name} has ${list.length} elements: allowed ${min} to ${max}`);
}
