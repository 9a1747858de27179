import type { RecordRingReader } from '../../common/record-ring.ts';
import type { FrontRecord } from '../front-record.ts';
import { BURST } from './demodulator.ts';
import { decodeRecord, PayloadPool } from './record-wire.ts';

/** The reading end of a receiver's records, in the thread that wants them. */
export class RecordStream implements AsyncIterable<FrontRecord> {
  private readonly ring: RecordRingReader;
  private readonly passing: boolean;

  /** @param passing a record's payload and payloadSnr are valid only until the next record is asked for, which saves the memory of each burst */
  constructor(ring: RecordRingReader, passing: boolean) {
    this.ring = ring;
    this.passing = passing;
  }

  /** Everything that the front half tells, in order, until it ends or the ring is closed. Once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FrontRecord> {
    const { ring } = this;
    const pool = this.passing ? new PayloadPool() : undefined;
    for (let entry = await ring.peekSoon(); entry; entry = await ring.peekSoon()) {
      const { type } = entry;
      const record = decodeRecord(entry.bytes, pool);
      ring.release();
      yield record;
      // Where bursts always wait, the rest of this thread has its turn all the same.
      if (type === BURST) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
