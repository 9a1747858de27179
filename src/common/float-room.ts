/** Floats that are used again and again; there are as many as were ever asked for. What is in them means nothing to the next user. */
export class FloatRoom {
  private floats = new Float32Array(0);

  /** @returns exactly `length` of them */
  first(length: number): Float32Array {
    if (this.floats.length < length) this.floats = new Float32Array(length);
    return this.floats.subarray(0, length);
  }
}
