import { FormatError, UsageError } from './errors.ts';
import { blockUntil, raise, SharedWait } from './shared-wait.ts';

/**
 * A bounded queue of records of any length between two threads, one that writes and one that reads, in a SharedArrayBuffer. A record is filled
 * and read in place: `reserve`, fill, `commit`; `peek`, read, `release`. Nothing is allocated but the views.
 *
 * Layout: control words, then `capacity` bytes of records, each a header of 16 bytes (u32 type, u32 bytes) and its data, padded to 16. A record is
 * never split: where it does not fit before the end, a skip record fills the rest, so that a record of up to half the capacity always fits an empty
 * ring. Head and tail run modulo twice the capacity, so that full and empty differ. Data is written before the head moves and read before the tail
 * moves (Atomics: sequentially consistent), hence neither side sees half a record.
 */

/** Control words, Int32. */
const HEAD = 0;
const TAIL = 1;
const ENDED = 2;
const CLOSED = 3;
/** Raised where something was written or ended, and where something was read or closed. */
const WRITTEN = 4;
const READ = 5;
/** Sums of what was committed and released, modulo 2^32: records, and what the user of the ring calls their weight. */
const RECORDS_IN = 6;
const RECORDS_OUT = 7;
const WEIGHT_IN = 8;
const WEIGHT_OUT = 9;
const CONTROL_BYTES = 64;

/** u32 type, u32 bytes, u32 weight. */
const HEADER_BYTES = 16;
const SKIP = 0;
/** Head and tail are Int32 and run to twice the capacity. */
const MAX_RING_BYTES = 2 ** 29;

/** A record where it lies in the ring; `bytes` are valid until it is released. */
export interface RingRecord {
  /** 1 or more; what it means is the user's. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Shared memory of a ring. UsageError outside 1 KiB to 512 MiB. */
export function createRecordRing(bytes: number): SharedArrayBuffer {
  if (!(Number.isInteger(bytes) && bytes >= 1024 && bytes <= MAX_RING_BYTES)) {
    throw new UsageError(`a ring of ${bytes} bytes: allowed 1024 to ${MAX_RING_BYTES}`);
  }
  return new SharedArrayBuffer(CONTROL_BYTES + padded(bytes));
}

function padded(bytes: number): number {
  return (bytes + 15) & ~15;
}

/** What both ends see. */
class RecordRing {
  readonly capacity: number;
  protected readonly words: Int32Array;
  protected readonly data: Uint8Array;
  protected readonly headers: Uint32Array;

  constructor(readonly shared: SharedArrayBuffer) {
    this.words = new Int32Array(shared, 0, CONTROL_BYTES / 4);
    this.data = new Uint8Array(shared, CONTROL_BYTES);
    this.headers = new Uint32Array(shared, CONTROL_BYTES);
    this.capacity = this.data.length;
  }

  /** Longest record that it takes. */
  get maxRecordBytes(): number {
    return (this.capacity >> 1) - HEADER_BYTES - (((this.capacity >> 1) - HEADER_BYTES) & 15);
  }

  /** Bytes in use. */
  get used(): number {
    const span = 2 * this.capacity;
    return (Atomics.load(this.words, HEAD) - Atomics.load(this.words, TAIL) + span) % span;
  }

  /** Records in it, and the sum of their weights. */
  get records(): number {
    return (Atomics.load(this.words, RECORDS_IN) - Atomics.load(this.words, RECORDS_OUT)) | 0;
  }

  get weight(): number {
    return (Atomics.load(this.words, WEIGHT_IN) - Atomics.load(this.words, WEIGHT_OUT)) | 0;
  }

  /** The writer will write no more. */
  get ended(): boolean {
    return Atomics.load(this.words, ENDED) === 1;
  }

  /** Either end has given up: whoever waits stops waiting. */
  get closed(): boolean {
    return Atomics.load(this.words, CLOSED) === 1;
  }

  close(): void {
    Atomics.store(this.words, CLOSED, 1);
    raise(this.words, WRITTEN);
    raise(this.words, READ);
  }
}

/** The end that fills it. */
export class RecordRingWriter extends RecordRing {
  private readonly room = new SharedWait(this.words, READ);
  private readonly reserved = { at: 0, skip: 0, length: -1 };

  /**
   * Room for a record of so many bytes, zeros or not, or null where there is none now. Not written until `commit`; a second call takes the place of
   * the first. UsageError for more than `maxRecordBytes`.
   *
   * @param keep bytes that must stay free behind it, for records that matter more
   */
  reserve(bytes: number, keep = 0): Uint8Array | null {
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= this.maxRecordBytes)) {
      throw new UsageError(`a record of ${bytes} bytes: this ring takes up to ${this.maxRecordBytes}`);
    }
    const length = HEADER_BYTES + padded(bytes);
    const head = Atomics.load(this.words, HEAD) % this.capacity;
    const skip = head + length > this.capacity ? this.capacity - head : 0;
    if (this.capacity - this.used < skip + length + keep) return null;
    Object.assign(this.reserved, { at: (head + skip) % this.capacity, skip, length: bytes });
    const from = this.reserved.at + HEADER_BYTES;
    return this.data.subarray(from, from + bytes);
  }

  /** Hands over the record that was reserved. */
  commit(type: number, weight = 0): void {
    const { at, skip, length } = this.reserved;
    if (length < 0) throw new UsageError('nothing is reserved in this ring');
    const head = Atomics.load(this.words, HEAD);
    if (skip > 0) this.headers[(head % this.capacity) >> 2] = SKIP;
    this.headers[at >> 2] = type;
    this.headers[(at >> 2) + 1] = length;
    this.headers[(at >> 2) + 2] = weight;
    this.reserved.length = -1;
    Atomics.add(this.words, RECORDS_IN, 1);
    Atomics.add(this.words, WEIGHT_IN, weight);
    Atomics.store(this.words, HEAD, (head + skip + HEADER_BYTES + padded(length)) % (2 * this.capacity));
    raise(this.words, WRITTEN);
  }

  /** No more will come. Safe to call twice. */
  end(): void {
    Atomics.store(this.words, ENDED, 1);
    raise(this.words, WRITTEN);
  }

  /** As `reserve`, waiting for room; null where the ring was closed. */
  async reserveSoon(bytes: number, keep = 0): Promise<Uint8Array | null> {
    for (;;) {
      const seen = Atomics.load(this.words, READ);
      if (this.closed) return null;
      const room = this.reserve(bytes, keep);
      if (room) return room;
      await this.room.until(seen);
    }
  }

  /** The same for a thread that may block. */
  reserveBlocking(bytes: number, keep = 0): Uint8Array | null {
    for (;;) {
      const seen = Atomics.load(this.words, READ);
      if (this.closed) return null;
      const room = this.reserve(bytes, keep);
      if (room) return room;
      blockUntil(this.words, READ, seen);
    }
  }
}

/** The end that empties it. */
export class RecordRingReader extends RecordRing {
  private readonly more = new SharedWait(this.words, WRITTEN);

  /** The oldest record, left in the ring until `release`; null where there is none now. FormatError for a header that cannot be. */
  peek(): RingRecord | null {
    for (;;) {
      const used = this.used;
      if (used === 0) return null;
      const tail = Atomics.load(this.words, TAIL);
      const at = tail % this.capacity;
      const type = this.headers[at >> 2];
      if (type === SKIP) {
        if (this.capacity - at > used) throw new FormatError('ring record', 'skips more than was written');
        Atomics.store(this.words, TAIL, (tail + this.capacity - at) % (2 * this.capacity));
        continue;
      }
      const length = this.lengthAt(at, used);
      return { type, bytes: this.data.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length) };
    }
  }

  /** Gives the oldest record's room back. */
  release(): void {
    const tail = Atomics.load(this.words, TAIL);
    const at = tail % this.capacity;
    const used = this.used;
    if (used === 0) throw new UsageError('this ring is empty');
    const length = this.lengthAt(at, used);
    Atomics.add(this.words, RECORDS_OUT, 1);
    Atomics.add(this.words, WEIGHT_OUT, this.headers[(at >> 2) + 2]);
    Atomics.store(this.words, TAIL, (tail + HEADER_BYTES + padded(length)) % (2 * this.capacity));
    raise(this.words, READ);
  }

  /** As `peek`, waiting for a record; null at the end, and where the ring was closed. */
  async peekSoon(): Promise<RingRecord | null> {
    for (;;) {
      const seen = Atomics.load(this.words, WRITTEN);
      const record = this.next();
      if (record !== undefined) return record;
      await this.more.until(seen);
    }
  }

  /** The same for a thread that may block. */
  peekBlocking(): RingRecord | null {
    for (;;) {
      const seen = Atomics.load(this.words, WRITTEN);
      const record = this.next();
      if (record !== undefined) return record;
      blockUntil(this.words, WRITTEN, seen);
    }
  }

  /** Undefined: neither a record nor the end. */
  private next(): RingRecord | null | undefined {
    if (this.closed) return null;
    // Looked at first: what was written before the end is in the ring when the end is seen.
    const { ended } = this;
    return this.peek() ?? (ended ? null : undefined);
  }

  private lengthAt(at: number, used: number): number {
    const length = this.headers[(at >> 2) + 1];
    const room = Math.min(used, this.capacity - at) - HEADER_BYTES;
    if (length > room) throw new FormatError('ring record', `claims ${length} bytes where ${room} are`);
    return length;
  }
}
