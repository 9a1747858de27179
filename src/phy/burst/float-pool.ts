import { uninitialisedFloats } from '../uninitialised.ts';

/** Arrays kept: those of four bursts. */
const MOST_KEPT = 16;

/**
 * Arrays that have been given back, to be taken again: fresh ones cost a burst their page faults and the garbage collector's time,
 * which for a payload is as much as half the equaliser's.
 */
export class FloatPool {
  private readonly kept: Float32Array[] = [];

  /** An array of that length, every element of which the caller writes before anyone reads it. */
  take(length: number): Float32Array {
    const { kept } = this;
    for (let i = kept.length - 1; i >= 0; i--) {
      if (kept[i].length !== length) continue;
      const found = kept[i];
      kept[i] = kept[kept.length - 1];
      kept.pop();
      return found;
    }
    return uninitialisedFloats(length);
  }

  /** Takes back an array that nobody reads any more; one that went to another thread with its memory is left alone. */
  give(array: Float32Array): void {
    const { kept } = this;
    if (array.length === 0 || kept.includes(array)) return;
    if (kept.length === MOST_KEPT) kept.shift();
    kept.push(array);
  }
}
