import { UsageError } from '../../common/errors.ts';

/**
 * A ring of byte chunks between two threads: one writer that never waits, one reader that may. It lives in a SharedArrayBuffer, so a
 * reader whose thread is blocked loses nothing as long as the ring has room; what did not fit is counted and located to the byte.
 *
 * Layout: control words, then `capacity` bytes of records, each a header of 48 bytes and its data, both multiples of 16. A record is
 * never split: where it does not fit before the end, a skip record fills the rest. Head and tail run modulo twice the capacity,
 * so that full and empty differ. Data is written before the head moves and read before the tail moves (Atomics: sequentially
 * consistent), hence neither side sees half a record.
 */

/** Bytes of the stream. */
export interface RingBytes {
  readonly kind: 'bytes';
  /** A copy that belongs to the reader. */
  readonly data: Uint8Array;
  /** Index in the stream of the first byte; counts lost bytes, too. */
  readonly index: number;
  /** Bytes [index - lostBytes, index) were received and dropped because the ring was full. */
  readonly lostBytes: number;
  /** When the chunk was complete on the host, ns since 1970. */
  readonly timeNs: bigint;
}

/** Something small that the writer learned while the stream had the indices fromIndex to toIndex. */
export interface RingSide {
  readonly kind: 'side';
  /** Says what it is; 0 = reply of a poll (stream-board.ts). */
  readonly tag: number;
  /** Null: asked for, and refused or late. */
  readonly data: Uint8Array | null;
  readonly fromIndex: number;
  readonly toIndex: number;
  /** When it was asked for, and when the answer came, ns since 1970. */
  readonly askedNs: bigint;
  readonly timeNs: bigint;
}

/** The writer is done, and everything before was read. */
export interface RingEnd {
  readonly kind: 'end';
  /** Bytes of the whole stream, lost ones included. */
  readonly index: number;
  /** Dropped at the very end, [index - lostBytes, index). */
  readonly lostBytes: number;
}

export type RingEntry = RingBytes | RingSide | RingEnd;

/** Control words, Int32. */
const HEAD = 0;
const TAIL = 1;
const ENDED = 2;
const SIDE_LOST = 3;
const WAKE = 4;
/** The same words as Int64: index after the last byte; bytes lost at the very end; bytes lost so far. */
const INDEX_64 = 4;
const PENDING_LOST_64 = 5;
const LOST_64 = 6;
const CONTROL_BYTES = 64;

/** Header: u32 type, u32 data bytes, u32 tag, u32 has data, f64 index or fromIndex, f64 lost or toIndex, i64 time, i64 asked. */
const HEADER_BYTES = 48;
const BYTES = 1;
const SIDE = 2;
const SKIP = 3;

/** Data of a side record at most. */
export const MAX_SIDE_BYTES = 1024;
/** Room that only side records may use. */
const SIDE_RESERVE = 16 * (MAX_SIDE_BYTES + HEADER_BYTES);
/** Head and tail are Int32 and run to twice the capacity, which is somewhat more than this. */
const MAX_RING_BYTES = 2 ** 29;

/** Shared memory of a ring for `bytes` of the stream in chunks of at most `chunkBytes`. */
export function createChunkRing(bytes: number, chunkBytes: number): SharedArrayBuffer {
  if (!(Number.isInteger(chunkBytes) && chunkBytes >= 1)) throw new UsageError(`a chunk of ${chunkBytes} bytes`);
  if (!(Number.isInteger(bytes) && bytes >= 2 * chunkBytes && bytes <= MAX_RING_BYTES)) {
    throw new UsageError(`a ring of ${bytes} bytes: allowed two chunks (${2 * chunkBytes}) to ${MAX_RING_BYTES} bytes`);
  }
  const chunks = Math.ceil(bytes / chunkBytes);
  // One record more, because up to one may be skipped at the end; and room for side records between chunks.
  const capacity = bytes + padded(chunks * (HEADER_BYTES + 16) + recordBytes(chunkBytes)) + 2 * SIDE_RESERVE;
  return new SharedArrayBuffer(CONTROL_BYTES + padded(capacity));
}

function padded(bytes: number): number {
  return (bytes + 15) & ~15;
}

function recordBytes(dataBytes: number): number {
  return HEADER_BYTES + padded(dataBytes);
}

/** What both ends see. */
class ChunkRing {
  protected readonly words: Int32Array;
  protected readonly longs: BigInt64Array;
  protected readonly bytes: Uint8Array;
  protected readonly view: DataView;
  protected readonly capacity: number;

  constructor(readonly shared: SharedArrayBuffer) {
    this.words = new Int32Array(shared, 0, 8);
    this.longs = new BigInt64Array(shared, 0, CONTROL_BYTES / 8);
    this.bytes = new Uint8Array(shared, CONTROL_BYTES);
    this.view = new DataView(shared, CONTROL_BYTES);
    this.capacity = this.bytes.length;
  }

  /** Bytes dropped so far because the ring was full. */
  get lostBytes(): number {
    return Number(Atomics.load(this.longs, LOST_64));
  }

  /** Side records dropped so far. */
  get lostSides(): number {
    return Atomics.load(this.words, SIDE_LOST);
  }

  /** Index after the last byte that came, dropped ones included. */
  get endIndex(): number {
    return Number(Atomics.load(this.longs, INDEX_64));
  }

  protected used(): number {
    const span = 2 * this.capacity;
    return (Atomics.load(this.words, HEAD) - Atomics.load(this.words, TAIL) + span) % span;
  }

  protected wake(): void {
    Atomics.add(this.words, WAKE, 1);
    Atomics.notify(this.words, WAKE);
  }
}

/** The end that never waits. */
export class ChunkRingWriter extends ChunkRing {
  private pendingLost = 0;

  /** Appends the next bytes of the stream; false when the ring is full and they are lost. */
  push(data: Uint8Array, timeNs: bigint): boolean {
    const index = this.endIndex;
    const header = { index, extra: this.pendingLost, tag: 0, hasData: 1, timeNs, askedNs: timeNs };
    const written = this.record(BYTES, data, header, SIDE_RESERVE);
    if (written) this.pendingLost = 0;
    else {
      this.pendingLost += data.length;
      Atomics.add(this.longs, LOST_64, BigInt(data.length));
    }
    Atomics.store(this.longs, PENDING_LOST_64, BigInt(this.pendingLost));
    Atomics.store(this.longs, INDEX_64, BigInt(index + data.length));
    if (written) this.wake();
    return written;
  }

  /** Appends a side record; false (and counted) when not even the room kept for it is left. */
  pushSide(side: Omit<RingSide, 'kind'>): boolean {
    const { tag, data, fromIndex, toIndex, askedNs, timeNs } = side;
    if (data && data.length > MAX_SIDE_BYTES) {
      throw new UsageError(`a side record of ${data.length} bytes: allowed up to ${MAX_SIDE_BYTES}`);
    }
    const header = { index: fromIndex, extra: toIndex, tag, hasData: data ? 1 : 0, timeNs, askedNs };
    const written = this.record(SIDE, data ?? new Uint8Array(0), header, 0);
    if (written) this.wake();
    else Atomics.add(this.words, SIDE_LOST, 1);
    return written;
  }

  /** No more will come. Safe to call twice. */
  end(): void {
    Atomics.store(this.words, ENDED, 1);
    this.wake();
  }

  private record(
    type: number,
    data: Uint8Array,
    header: { index: number; extra: number; tag: number; hasData: number; timeNs: bigint; askedNs: bigint },
    reserve: number,
  ): boolean {
    const length = recordBytes(data.length);
    const head = Atomics.load(this.words, HEAD);
    let at = head % this.capacity;
    const skip = at + length > this.capacity ? this.capacity - at : 0;
    if (this.capacity - this.used() < skip + length + reserve) return false;
    if (skip) {
      this.view.setUint32(at, SKIP, true);
      at = 0;
    }
    const view = this.view;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, data.length, true);
    view.setUint32(at + 8, header.tag, true);
    view.setUint32(at + 12, header.hasData, true);
    view.setFloat64(at + 16, header.index, true);
    view.setFloat64(at + 24, header.extra, true);
    view.setBigInt64(at + 32, header.timeNs, true);
    view.setBigInt64(at + 40, header.askedNs, true);
    this.bytes.set(data, at + HEADER_BYTES);
    Atomics.store(this.words, HEAD, (head + skip + length) % (2 * this.capacity));
    return true;
  }
}

/** How long one wait lasts before the ring is looked at again all the same. */
const LOOK_AGAIN_MS = 100;

/** Not yet in the library that this project compiles against (ES2024). */
type WaitAsync = (words: Int32Array, at: number, value: number) => { async: boolean; value: Promise<string> | string };
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

/** The end that may wait. One read at a time. */
export class ChunkRingReader extends ChunkRing {
  private waiting: Promise<unknown> | null = null;

  /** The next entry, or null when there is none yet. The end again and again once it is reached. */
  tryRead(): RingEntry | null {
    // Looked at first: what was written before the end is in the ring when the end is seen.
    const ended = Atomics.load(this.words, ENDED) === 1;
    if (this.used() === 0) {
      if (!ended) return null;
      const lostBytes = Number(Atomics.load(this.longs, PENDING_LOST_64));
      return { kind: 'end', index: this.endIndex, lostBytes };
    }
    let tail = Atomics.load(this.words, TAIL);
    let at = tail % this.capacity;
    const view = this.view;
    if (view.getUint32(at, true) === SKIP) {
      tail += this.capacity - at;
      at = 0;
    }
    const length = view.getUint32(at + 4, true);
    const data = this.bytes.slice(at + HEADER_BYTES, at + HEADER_BYTES + length);
    const first = view.getFloat64(at + 16, true);
    const second = view.getFloat64(at + 24, true);
    const timeNs = view.getBigInt64(at + 32, true);
    const askedNs = view.getBigInt64(at + 40, true);
    const type = view.getUint32(at, true);
    const tag = view.getUint32(at + 8, true);
    const hasData = view.getUint32(at + 12, true) === 1;
    Atomics.store(this.words, TAIL, (tail + recordBytes(length)) % (2 * this.capacity));
    if (type === BYTES) return { kind: 'bytes', data: data, index: first, lostBytes: second, timeNs };
    return {
      kind: 'side',
      tag,
      data: hasData ? data : null,
      fromIndex: first,
      toIndex: second,
      askedNs,
      timeNs,
    };
  }

  /** The next entry, waiting for it. */
  async read(): Promise<RingEntry> {
    for (;;) {
      const seen = Atomics.load(this.words, WAKE);
      const entry = this.tryRead();
      if (entry) return entry;
      await this.wait(seen);
    }
  }

  /** Until the writer woke us after `seen`, at most LOOK_AGAIN_MS. */
  private async wait(seen: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const later = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOOK_AGAIN_MS);
    });
    if (!this.waiting) {
      const waiter = waitAsync(this.words, WAKE, seen);
      if (!waiter.async) {
        clearTimeout(timer);
        return;
      }
      const settled = Promise.resolve(waiter.value).then(() => {
        this.waiting = null;
      });
      this.waiting = settled;
    }
    await Promise.race([this.waiting, later]);
    clearTimeout(timer);
  }
}
