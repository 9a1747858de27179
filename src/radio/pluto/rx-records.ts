import { FormatError } from '../../common/errors.ts';
import type { LossBounds } from './capture-clock.ts';

/** Side records in the ring of a receiving stream. */
export const TAG_LOSS = 1;
export const TAG_WARNING = 2;

/** A loss as 16 bytes: least and most, f64 each; where it lies is the record's fromIndex and toIndex, in delivered bytes. */
export function lossToBytes({ min, max }: LossBounds): Uint8Array {
  return new Uint8Array(new Float64Array([min, max]).buffer);
}

export function lossFromBytes(bytes: Uint8Array): LossBounds {
  if (bytes.length !== 16) throw new FormatError('loss record', `${bytes.length} bytes in place of 16`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return { min: view.getFloat64(0, true), max: view.getFloat64(8, true) };
}
