/**
 * A block of complex samples preceded by the last `keep` samples of the stream, so that a filter sees no seam between
 * blocks. Before the first block the past is zero.
 */
export class SampleHistory {
  /** [keep + capacity][re, im]; sample i of the newest block stands at element 2 (keep + i). */
  data: Float32Array;
  readonly keep: number;
  private length = 0;

  constructor(keep: number) {
    this.keep = keep;
    this.data = new Float32Array(2 * (keep + 1024));
  }

  reset(): void {
    this.data.fill(0);
    this.length = 0;
  }

  /** Makes `block` [n][re, im] the newest block; returns n. */
  append(block: Float32Array): number {
    const head = 2 * this.keep;
    const needed = head + block.length;
    const tail = 2 * this.length;
    if (needed > this.data.length) {
      const grown = new Float32Array(Math.max(needed, 2 * this.data.length));
      grown.set(this.data.subarray(tail, tail + head));
      this.data = grown;
    } else {
      this.data.copyWithin(0, tail, tail + head);
    }
    this.data.set(block, head);
    this.length = block.length >> 1;
    return this.length;
  }
}

/** An output buffer that grows and is reused: a view of it is valid until the owner's next call. */
export class OutputBuffer {
  private data = new Float32Array(2048);

  /** A view of n complex samples; earlier contents are undefined. */
  take(n: number): Float32Array {
    if (2 * n > this.data.length) this.data = new Float32Array(Math.max(2 * n, 2 * this.data.length));
    return this.data.subarray(0, 2 * n);
  }
}
