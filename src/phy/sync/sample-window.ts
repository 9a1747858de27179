import { type DcKernel, dcKernel } from '../kernels/dc/dc.ts';

/** Samples that there is room for at first. */
const LEAST_ROOM = 1 << 15;

/** The stretch of a sample stream that a receiver still needs, addressed by absolute sample index; it stands in a kernel's memory. */
export class SampleWindow {
  protected readonly kernel: DcKernel = dcKernel();
  private room = LEAST_ROOM;
  private first = 0;
  private length = 0;

  /** `start`: absolute index of the first sample that will be appended. */
  constructor(start = 0) {
    this.first = start;
    this.kernel.reserve(LEAST_ROOM);
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
    return this.kernel.samples.subarray(0, 2 * this.length);
  }

  /** Position of an absolute index in `samples`. */
  at(index: number): number {
    return index - this.first;
  }

  /** Samples [from, to) of the stream; valid until the next reserve. */
  stretch(from: number, to: number): Float32Array {
    return this.kernel.samples.subarray(2 * this.at(from), 2 * this.at(to));
  }

  /** Sums over samples [from, to) of the stream, and how much they change, as DcKernel.sums. */
  sums(from: number, to: number, out: Float64Array, changes: Float32Array): void {
    this.kernel.sums(this.at(from), this.at(to), out, changes);
  }

  /** Correlation of neighbours over samples [from, to) of the stream, as DcKernel.colour. */
  colour(from: number, to: number): number {
    return this.kernel.colour(this.at(from), this.at(to));
  }

  /** Appends room for `count` samples and returns it for the caller to fill. */
  reserve(count: number): Float32Array {
    const needed = this.length + count;
    if (needed > this.room) {
      this.room = Math.max(needed, 2 * this.room);
      this.kernel.reserve(this.room);
    }
    const room = this.kernel.samples.subarray(2 * this.length, 2 * needed);
    this.length = needed;
    return room;
  }

  /** Samples before an absolute index may be forgotten. Memory moves only when enough of it is stale. */
  discardTo(index: number): void {
    const drop = Math.min(Math.max(0, index - this.first), this.length);
    if (drop < this.length && drop < this.room / 4) return;
    this.dropTo(index);
  }

  /** Forgets the samples before an absolute index at once. */
  dropTo(index: number): void {
    const drop = Math.min(Math.max(0, index - this.first), this.length);
    this.kernel.samples.copyWithin(0, 2 * drop, 2 * this.length);
    this.length -= drop;
    this.first += drop;
  }
}
