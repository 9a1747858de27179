/** Most buffers that wait for their next use. */
const MOST_SPARE = 4;

/** Large buffers lent out again and again: a frame's worth of garbage less for each. Their content means nothing to the next user. */
export class SpareBuffers<T extends Float32Array | Uint8Array> {
  private readonly make: (length: number) => T;
  private readonly most: number;
  private spare: T[] = [];

  /**
   * @param make a new one
   * @param most longer ones are not kept
   */
  constructor(make: (length: number) => T, most: number) {
    this.make = make;
    this.most = most;
  }

  /** Gives `work` a buffer of this length that is its own until it ends. */
  async lend<R>(length: number, work: (buffer: T) => Promise<R>): Promise<R> {
    const at = this.spare.findIndex((b) => b.length === length);
    const buffer = at < 0 ? this.make(length) : this.spare.splice(at, 1)[0];
    try {
      return await work(buffer);
    } finally {
      if (length <= this.most) this.spare = [buffer, ...this.spare].slice(0, MOST_SPARE);
    }
  }
}
