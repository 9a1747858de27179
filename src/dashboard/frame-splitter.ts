import { FRAME_HEADER_BYTES, frameLength } from './frames.ts';

/** Takes a stream of bytes apart into frames, each copied once. What waits for its end is bounded by the longest frame. */
export class FrameSplitter {
  private readonly header = new Uint8Array(FRAME_HEADER_BYTES);
  /** The frame whose header is known, and how much there is of it, or of the header. */
  private frame: Uint8Array | null = null;
  private filled = 0;

  /**
   * Whole frames that end in this chunk, each in memory of its own.
   *
   * @throws FrameError where the stream is none of frames; nothing can be made of it from there on
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let at = 0; at < chunk.length; ) {
      const into = this.frame ?? this.header;
      const part = chunk.subarray(at, at + into.length - this.filled);
      into.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled === FRAME_HEADER_BYTES && !this.frame) {
        this.frame = new Uint8Array(frameLength(this.header)!);
        this.frame.set(this.header);
      }
      if (this.frame?.length === this.filled) {
        frames.push(this.frame);
        this.frame = null;
        this.filled = 0;
      }
    }
    return frames;
  }
}
