/** Memory that payloads of bursts are made in one after another; it grows to the longest. What is in it means nothing to the next. */
export class PayloadRoom {
  private floats = new Float32Array(0);
  private places = new Uint32Array(0);

  /** @returns exactly `length` numbers */
  symbols(length: number): Float32Array {
    if (this.floats.length < length) this.floats = new Float32Array(length);
    return this.floats.subarray(0, length);
  }

  /** @returns exactly `length` numbers */
  positions(length: number): Uint32Array {
    if (this.places.length < length) this.places = new Uint32Array(length);
    return this.places.subarray(0, length);
  }
}
