import { UsageError } from '../../common/errors.ts';
import { RecordRingReader, RecordRingWriter } from '../../common/record-ring.ts';
import { BurstReceiver } from '../../phy/burst/burst-receiver.ts';
import type { BurstRecord } from '../../phy/burst/record.ts';
import type { EstimatorName } from '../../phy/channel-est/estimator.ts';
import { frontendFor } from '../../phy/frontend/frontend.ts';
import { numerology } from '../../phy/numerology.ts';
import type { SampleFormat } from '../../radio/radio.ts';
import type { FrontRecord } from '../front-record.ts';
import { RxFront } from '../rx-front.ts';
import { OverloadPolicy } from './overload.ts';
import { encodeRecord } from './record-wire.ts';
import { readLoss, readSamples, SAMPLES } from './sample-wire.ts';

/** What the front half is told of the stream, and the memory that it shares; can be cloned to another thread. */
export interface DemodulatorSetup {
  /** Numerology by its subbands. */
  readonly subbands: number;
  readonly estimator: EstimatorName;
  readonly occupiedHz: number;
  readonly rateHz: number;
  readonly loOffsetHz: number;
  readonly format: SampleFormat;
  readonly fullScale: number;
  /** The source does not wait: bursts are dropped rather than samples kept waiting. */
  readonly live: boolean;
  readonly keptSymbols: readonly number[];
  readonly samples: SharedArrayBuffer;
  readonly records: SharedArrayBuffer;
  /** Int32: bursts dropped. */
  readonly dropped: SharedArrayBuffer;
}

/** Types in the ring of records. */
export const BURST = 1;
export const NOTE = 2;
/** Room that bursts leave to notes (losses, dropped bursts, progress), which are never dropped: some hundreds of them. */
const NOTE_RESERVE = 1 << 16;
/** Progress is told once in so much of the stream. */
const PROGRESS_S = 0.02;
/** Records of samples between two turns of the event loop. */
const PIECES_A_TURN = 16;

/** Front half of a receiver between two rings; the worker's work, and for tests without one. */
export class Demodulator {
  readonly front: RxFront;
  private readonly setup: DemodulatorSetup;
  private readonly samples: RecordRingReader;
  private readonly records: RecordRingWriter;
  private readonly dropped: Int32Array;
  private readonly policy = new OverloadPolicy();
  private sinceProgress = 0;

  constructor(setup: DemodulatorSetup) {
    const n = numerology(setup.subbands);
    this.setup = setup;
    this.samples = new RecordRingReader(setup.samples);
    this.records = new RecordRingWriter(setup.records);
    this.dropped = new Int32Array(setup.dropped);
    const phy = new BurstReceiver(n, { estimator: setup.estimator });
    phy.keptSymbols = setup.keptSymbols;
    const frontend = frontendFor(n.sampleRateHz, setup.occupiedHz, setup.rateHz, setup.loOffsetHz);
    this.front = new RxFront(frontend, phy, (record) => this.tell(record));
  }

  /** Works until the samples end or a ring is closed; blocks its thread but for a turn of the event loop now and then. */
  async run(): Promise<void> {
    let pieces = 0;
    for (let entry = this.samples.peekBlocking(); entry; entry = this.samples.peekBlocking()) {
      this.take(entry.type, entry.bytes);
      this.samples.release();
      // The engine does some of its work, such as making kernels fast, in tasks between turns.
      if (++pieces % PIECES_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.finish();
  }

  /** One step without waiting; false where there is nothing to do now. */
  step(): boolean {
    const entry = this.samples.peek();
    if (!entry) return false;
    this.take(entry.type, entry.bytes);
    this.samples.release();
    return true;
  }

  /** Nothing comes any more. */
  finish(): void {
    if (!this.samples.closed) {
      this.front.flush();
      this.front.progress();
    }
    this.records.end();
  }

  private take(type: number, bytes: Uint8Array): void {
    const { setup, samples, front } = this;
    if (setup.live) front.phy.headersOnly = this.policy.headersOnly(samples.used / samples.capacity);
    if (type !== SAMPLES) {
      const { loss } = readLoss(bytes);
      if (loss) front.lost(loss);
      return;
    }
    const block = readSamples(bytes, setup.format, setup.fullScale);
    front.push(block);
    this.sinceProgress += block.data.length >> 1;
    if (this.sinceProgress >= PROGRESS_S * setup.rateHz) {
      this.sinceProgress = 0;
      front.progress();
    }
  }

  private tell(record: FrontRecord): void {
    if (record.type === 'burst') this.tellBurst(record);
    else {
      if (record.type === 'skip') Atomics.add(this.dropped, 0, 1);
      this.write(NOTE, record);
    }
  }

  /** A burst that finds no room is dropped whole where the source does not wait. */
  private tellBurst(record: BurstRecord): void {
    const encoded = encodeRecord(record);
    if (encoded.bytes > this.records.maxRecordBytes)
      throw new UsageError(`a burst of ${encoded.bytes} bytes: ${this.records.maxRecordBytes} are passed on at most`);
    const { records, setup } = this;
    const room = setup.live
      ? records.reserve(encoded.bytes, NOTE_RESERVE)
      : records.reserveBlocking(encoded.bytes, NOTE_RESERVE);
    if (room) {
      encoded.writeTo(room);
      records.commit(BURST, 1);
      // Its arrays have been copied.
      this.front.phy.release(record);
    } else if (!records.closed) {
      const { startSample, lengthSamples, header } = record;
      this.tell({ type: 'skip', startSample, lengthSamples, header, reason: 'overload' });
    }
  }

  private write(type: number, record: FrontRecord): void {
    const encoded = encodeRecord(record);
    const room = this.records.reserveBlocking(encoded.bytes);
    if (!room) return;
    encoded.writeTo(room);
    this.records.commit(type);
  }
}
