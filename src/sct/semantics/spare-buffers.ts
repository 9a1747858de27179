/** Most buffers that wait for their next use. */
const MOST_SPARE = 4;

/** Large buffers lent out again and again: a frame's worth of garbage less for each. Their content means nothing to the next user. */
export class SpareBuffers {
  private readonly most: number;
  private spare: Float32Array[] = [];

  /** @param most longer ones are not kept */
  constructor(most: number) {
    this.most = most;
  }

  /** Gives `work` a buffer of this length that is its own until it ends. */
  async lend<T>(length: number, work: (buffer: Float32Array) => Promise<T>): Promise<T> {
    const at = this.spare.findIndex((b) => b.length === length);
    const buffer = at < 0 ? new Float32Array(length) : this.spare.splice(at, 1)[0];
    try {
      return await work(buffer);
    } finally {
      if (length <= this.most) this.spare = [buffer, ...this.spare].slice(0, MOST_SPARE);
    }
  }
}
