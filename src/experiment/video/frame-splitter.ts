/** Cuts a stream of bytes, in pieces of any length, into frames of equal length. What is left over at the end is no frame. */
export class FrameSplitter {
  private readonly frameBytes: number;
  private frame: Uint8Array;
  private filled = 0;

  constructor(frameBytes: number) {
    this.frameBytes = frameBytes;
    this.frame = new Uint8Array(frameBytes);
  }

  /** Takes the next bytes; the frames that they complete, each the taker's. */
  push(bytes: Uint8Array): Uint8Array[] {
    const whole: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const take = Math.min(bytes.length - at, this.frameBytes - this.filled);
      this.frame.set(bytes.subarray(at, at + take), this.filled);
      this.filled += take;
      at += take;
      if (this.filled < this.frameBytes) continue;
      whole.push(this.frame);
      this.frame = new Uint8Array(this.frameBytes);
      this.filled = 0;
    }
    return whole;
  }

  /** Bytes of a frame that is not whole. */
  get left(): number {
    return this.filled;
  }
}
