import { PACKET_BYTES } from './descriptors.ts';

interface InTransfer {
  readonly bytes: Uint8Array;
  filled: number;
  readonly finish: (bytes: Uint8Array) => void;
}

/** IN transfers of the host that wait for the board's samples, in order. */
export class InPipe {
  private readonly waiting: InTransfer[] = [];
  /** Bytes that were in transfers when the host cancelled them. */
  cancelledBytes = 0;

  /** One transfer of the host; open until it is full. Asked for less than a packet, it gets what fits of the next one. */
  queue(length: number, signal: AbortSignal): Promise<Uint8Array> {
    if (length === 0) return Promise.resolve(new Uint8Array(0));
    return new Promise((resolve) => {
      const transfer: InTransfer = { bytes: new Uint8Array(length), filled: 0, finish: resolve };
      const cancelled = () => {
        const at = this.waiting.indexOf(transfer);
        if (at < 0) return;
        this.waiting.splice(at, 1);
        this.cancelledBytes += transfer.filled;
        resolve(transfer.bytes.subarray(0, 0));
      };
      if (signal.aborted) return resolve(transfer.bytes.subarray(0, 0));
      signal.addEventListener('abort', cancelled, { once: true });
      this.waiting.push(transfer);
    });
  }

  /** Bytes that the host would take now, in whole packets. */
  get room(): number {
    let bytes = 0;
    for (const t of this.waiting) bytes += Math.ceil((t.bytes.length - t.filled) / PACKET_BYTES) * PACKET_BYTES;
    return bytes;
  }

  /** Bytes until the first transfer is full; null while none waits. */
  get firstRoom(): number | null {
    const first = this.waiting[0];
    return first ? first.bytes.length - first.filled : null;
  }

  /**
   * Hands over bytes of a ring; what a transfer that ends inside a packet cannot take of it is lost, as on the bus.
   *
   * @returns bytes that left the ring; less than `length` when transfers were cancelled meanwhile
   */
  deliver(ring: Uint8Array, from: number, length: number): number {
    let sent = 0;
    while (sent < length && this.waiting.length) {
      const transfer = this.waiting[0];
      const left = transfer.bytes.length - transfer.filled;
      const packets = Math.min(length - sent, Math.ceil(left / PACKET_BYTES) * PACKET_BYTES);
      copyFromRing(ring, from + sent, transfer.bytes, transfer.filled, Math.min(packets, left));
      transfer.filled += Math.min(packets, left);
      sent += packets;
      if (transfer.filled === transfer.bytes.length) {
        this.waiting.shift();
        transfer.finish(transfer.bytes);
      }
    }
    return sent;
  }

  /** Ends what waits with nothing, when the cable is pulled. */
  drop(): void {
    for (const t of this.waiting.splice(0)) t.finish(t.bytes.subarray(0, 0));
  }
}

interface OutTransfer {
  readonly data: Uint8Array;
  taken: number;
  readonly finish: () => void;
}

/** OUT transfers of the host that wait for room in the board, in order. */
export class OutPipe {
  private readonly waiting: OutTransfer[] = [];

  /** One transfer of the host; open until the board has all of it. */
  queue(data: Uint8Array, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const transfer: OutTransfer = { data: data.slice(), taken: 0, finish: resolve };
      const cancelled = () => {
        const at = this.waiting.indexOf(transfer);
        if (at >= 0) this.waiting.splice(at, 1);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', cancelled, { once: true });
      this.waiting.push(transfer);
    });
  }

  get empty(): boolean {
    return this.waiting.length === 0;
  }

  /** Bytes that could be taken now, up to `most` and up to a short packet. */
  ready(most: number): number {
    let bytes = 0;
    for (const { data, taken } of this.waiting) {
      bytes += data.length - taken;
      if (data.length % PACKET_BYTES !== 0 || data.length === 0 || bytes >= most) break;
    }
    return Math.min(bytes, most);
  }

  /**
   * Takes bytes into a ring. A packet of less than 512 bytes ends what the board has armed.
   *
   * @returns bytes taken, and whether a short packet was the last
   */
  take(most: number, ring: Uint8Array, at: number): { bytes: number; short: boolean } {
    let bytes = 0;
    while (this.waiting.length && bytes < most) {
      const transfer = this.waiting[0];
      const n = Math.min(most - bytes, transfer.data.length - transfer.taken);
      copyToRing(transfer.data, transfer.taken, ring, at + bytes, n);
      transfer.taken += n;
      bytes += n;
      if (transfer.taken < transfer.data.length) break;
      this.waiting.shift();
      transfer.finish();
      if (transfer.data.length % PACKET_BYTES !== 0 || transfer.data.length === 0) return { bytes, short: true };
    }
    return { bytes, short: false };
  }

  drop(): void {
    for (const t of this.waiting.splice(0)) t.finish();
  }
}

function copyFromRing(ring: Uint8Array, from: number, to: Uint8Array, at: number, length: number): void {
  const start = from % ring.length;
  const first = Math.min(length, ring.length - start);
  to.set(ring.subarray(start, start + first), at);
  if (first < length) to.set(ring.subarray(0, length - first), at + first);
}

function copyToRing(data: Uint8Array, from: number, ring: Uint8Array, at: number, length: number): void {
  const start = at % ring.length;
  const first = Math.min(length, ring.length - start);
  ring.set(data.subarray(from, from + first), start);
  if (first < length) ring.set(data.subarray(from + first, from + length), 0);
}
