/** Longer memory is given back to the system after use: 4 million numbers. */
const MOST_KEPT = 1 << 22;

/**
 * Memory for arrays that are needed together and done with together: they lie one after another in one buffer, which grows to the most that
 * was ever asked for between two calls of `clear`.
 */
export class FloatStack {
  private buffer = new Float32Array(0);
  private used = 0;

  /** `length` elements with undefined contents, valid until `clear`. */
  take(length: number): Float32Array {
    const from = this.used;
    this.used += length;
    // What does not fit this time stands alone; next time there is room for all.
    if (this.used > this.buffer.length) return new Float32Array(length);
    return this.buffer.subarray(from, this.used);
  }

  /** All that was taken is done with. */
  clear(): void {
    const { used } = this;
    this.used = 0;
    if (used > MOST_KEPT) this.buffer = new Float32Array(0);
    else if (used > this.buffer.length) this.buffer = new Float32Array(used);
  }
}
