import { FrameError, frameLength } from './frames.ts';

/** Takes a stream of bytes apart into frames. What waits for its end is bounded by the longest frame. */
export class FrameSplitter {
  private parts: Uint8Array[] = [];
  private waiting = 0;
  private wanted: number | null = null;

  /**
   * Whole frames that end in this chunk, each in memory of its own.
   *
   * @throws FrameError where the stream is none of frames; nothing can be made of it from there on
   */
  push(chunk: Uint8Array): Uint8Array[] {
    this.parts.push(chunk);
    this.waiting += chunk.length;
    const frames: Uint8Array[] = [];
    for (;;) {
      this.wanted ??= this.lengthOfNext();
      if (this.wanted === null || this.waiting < this.wanted) return frames;
      const bytes = this.joined();
      frames.push(bytes.slice(0, this.wanted));
      this.parts = [bytes.subarray(this.wanted)];
      this.waiting -= this.wanted;
      this.wanted = null;
    }
  }

  /** Whether the stream stopped between two frames. @throws FrameError where it did not */
  end(): void {
    if (this.waiting > 0) throw new FrameError(`the stream ended ${this.waiting} bytes into a frame`);
  }

  private lengthOfNext(): number | null {
    return frameLength(this.joined());
  }

  private joined(): Uint8Array {
    if (this.parts.length > 1) this.parts = [new Uint8Array(Buffer.concat(this.parts))];
    return this.parts[0] ?? new Uint8Array(0);
  }
}
