/** Buffers that wait for their next use, and the longest of them: those of a third of a million symbols. */
const MOST_SPARE = 6;
const MOST_KEPT = 1 << 20;
/** Lengths are rounded up to this, so that parts of nearly the same length take turns in a buffer. */
const GRAIN = 1 << 14;

/** Memory of the analog symbols of parts: what is given back serves the parts that come. */
export class CombinerStore {
  private readonly spare: Float32Array[] = [];

  /** At least so many zeros. */
  take(length: number): Float32Array {
    const at = this.spare.findIndex((buffer) => buffer.length >= length);
    if (at >= 0) return this.spare.splice(at, 1)[0].fill(0);
    return new Float32Array(length > MOST_KEPT ? length : Math.ceil(length / GRAIN) * GRAIN);
  }

  /** A buffer that nobody reads or writes any more. */
  giveBack(buffer: Float32Array): void {
    if (buffer.length > MOST_KEPT) return;
    // Longer ones than before take the place of shorter ones.
    this.spare.push(buffer);
    if (this.spare.length > MOST_SPARE) this.spare.shift();
  }
}
