/** The stretch of a sample stream that a receiver still needs, addressed by absolute sample index. */
export class SampleWindow {
  private buffer = new Float32Array(1 << 16);
  private first = 0;
  private length = 0;

  /** `start`: absolute index of the first sample that will be appended. */
  constructor(start = 0) {
    this.first = start;
  }

  /** Absolute index of the oldest sample held and of the one after the newest. */
  get start(): number {
    return this.first;
  }
  get end(): number {
    return this.first + this.length;
  }

  /** The samples held, [..][re, im], from `start` on; valid until the next reserve. */
  get samples(): Float32Array {
    return this.buffer.subarray(0, 2 * this.length);
  }

  /** Position of an absolute index in `samples`. */
  at(index: number): number {
    return index - this.first;
  }

  /** Appends room for `count` samples and returns it for the caller to fill. */
  reserve(count: number): Float32Array {
    const needed = 2 * (this.length + count);
    if (needed > this.buffer.length) {
      const grown = new Float32Array(Math.max(needed, 2 * this.buffer.length));
      grown.set(this.samples);
      this.buffer = grown;
    }
    const room = this.buffer.subarray(2 * this.length, needed);
    this.length += count;
    return room;
  }

  /** Samples before an absolute index may be forgotten. Memory moves only when enough of it is stale. */
  discardTo(index: number): void {
    const drop = Math.min(Math.max(0, index - this.first), this.length);
    if (drop < this.length && drop < this.buffer.length / 8) return;
    this.dropTo(index);
  }

  /** Forgets the samples before an absolute index at once. */
  dropTo(index: number): void {
    const drop = Math.min(Math.max(0, index - this.first), this.length);
    this.buffer.copyWithin(0, 2 * drop, 2 * this.length);
    this.length -= drop;
    this.first += drop;
  }
}
