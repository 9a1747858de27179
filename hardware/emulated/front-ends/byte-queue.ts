/**
 * Bytes from a socket, put together until a message is whole. The owner bounds what it asks for; the queue never holds more than
 * one read of the socket beyond that.
 */
export class ByteQueue {
  private readonly chunks: Uint8Array[] = [];
  private bytes = 0;

  get length(): number {
    return this.bytes;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** The next `count` bytes without taking them; a copy only where they span chunks. Fewer than that there must not be. */
  peek(count: number): Buffer {
    if (count > this.bytes) throw new RangeError(`${count} bytes asked of ${this.bytes}`);
    if (count === 0) return Buffer.alloc(0);
    const first = this.chunks[0];
    if (first.length < count) this.join(count);
    const head = this.chunks[0];
    return Buffer.from(head.buffer, head.byteOffset, count);
  }

  /** The next `count` bytes, taken out. */
  take(count: number): Buffer {
    const taken = this.peek(count);
    this.bytes -= count;
    if (count > 0) {
      const head = this.chunks[0];
      if (head.length === count) this.chunks.shift();
      else this.chunks[0] = head.subarray(count);
    }
    return taken;
  }

  clear(): void {
    this.chunks.length = 0;
    this.bytes = 0;
  }

  /** Makes the first chunk hold at least `count` bytes. */
  private join(count: number): void {
    let held = 0;
    let n = 0;
    while (held < count) held += this.chunks[n++].length;
    this.chunks.splice(0, n, Buffer.concat(this.chunks.slice(0, n), held));
  }
}
