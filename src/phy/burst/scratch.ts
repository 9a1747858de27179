/** Working memory that a receiver uses again from burst to burst, by name. */
export class Scratch {
  private readonly buffers = new Map<string, Float32Array>();

  /** `length` elements with undefined contents, valid until the same name is taken again. */
  take(name: string, length: number): Float32Array {
    let buffer = this.buffers.get(name);
    if (!buffer || buffer.length < length) {
      buffer = new Float32Array(length);
      this.buffers.set(name, buffer);
    }
    return buffer.subarray(0, length);
  }

  /** The same with a copy of `source`. */
  copy(name: string, source: Float32Array): Float32Array {
    const out = this.take(name, source.length);
    out.set(source);
    return out;
  }
}
