import { DeviceError, inRange, UsageError } from '../../common/errors.ts';
import { fromFloat } from '../format/convert.ts';
import { newTxCounters, type StreamSettings, type TxCounters, type TxStream } from '../radio.ts';
import { describeSettings } from '../settings.ts';
import { FULL_SCALE } from './block-assembler.ts';
import type { HackrfBoard } from './hackrf-board.ts';
import { setTxUnderrunLimit } from './radio-calls.ts';
import { transferBytes } from './rx-stream.ts';
import type { Retune, Tuning } from './tuning.ts';
import { TxRun } from './tx-run.ts';

/** Zeros before the first burst of a run: amplifiers settle, and firmware throws nothing of the burst away. */
const LEAD_S = 1e-3;
/** Bytes waiting for the board at which write() waits. */
const MAX_PENDING_BYTES = 32 * 2 ** 20;
const MAX_BURST_SAMPLES = 2 ** 27;
/** Longest silence between two bursts that is made of zeros. */
const MAX_GAP_S = 60;
/** The dead-man: so long without samples from the host, and the board stops by itself. */
const UNDERRUN_LIMIT_S = 0.25;

interface Queued {
  readonly gapSamples: number;
  readonly bytes: Uint8Array;
  readonly taken: () => void;
}

/**
 * A transmitter. Made by `HackrfRadio.openTx`; silent unless bursts are queued.
 *
 * Bursts go out in runs. A run begins with 1 ms of zeros, goes on without a gap as long as bursts are queued before the ones before are sent, and ends
 * with the zeros that push out the last one (`TxRun`). A HackRF has no time stamps: indices count samples of bursts and of the gaps asked for. Inside a run
 * they are exact; from one run to the next the pause is at least the gap asked for, and longer by a time that nobody counts.
 */
export class HackrfTx implements TxStream {
  settings: StreamSettings;
  readonly counters: TxCounters = newTxCounters();
  private readonly board: HackrfBoard;
  private readonly retune: Retune;
  private readonly onClose: () => void;
  private readonly waitsForTrigger: boolean;
  /** Index after the last queued burst. */
  private next = 0;
  private queue: Queued[] = [];
  private queuedBytes = 0;
  private pump: Promise<void> | null = null;
  private run: TxRun | null = null;
  private runEndedS = Number.NEGATIVE_INFINITY;
  private failure: Error | null = null;
  private closing: Promise<void> | null = null;
  private aborted = false;

  private constructor(board: HackrfBoard, tuning: Tuning, retune: Retune, onClose: () => void) {
    this.board = board;
    this.retune = retune;
    this.settings = tuning.settings;
    this.waitsForTrigger = tuning.hardwareTrigger;
    this.onClose = onClose;
  }

  /** Tunes the board; nothing is sent yet, and the transmitter is off. */
  static async start(board: HackrfBoard, tuning: Tuning, retune: Retune, onClose: () => void): Promise<HackrfTx> {
    await board.inTime(async () => {
      await board.apply(tuning.groups);
      await board.send(setTxUnderrunLimit(Math.round(2 * tuning.settings.rateHz * UNDERRUN_LIMIT_S)));
    });
    return new HackrfTx(board, tuning, retune, onClose);
  }

  async write(reIm: Float32Array, atIndex = this.next): Promise<{ index: number; samples: number }> {
    this.check();
    if (!Number.isSafeInteger(atIndex)) throw new UsageError(`${atIndex} is not a sample index`);
    const samples = inRange('hackrf burst', reIm.length / 2, 1, MAX_BURST_SAMPLES, 'samples');
    const gapSamples = atIndex - this.next;
    if (gapSamples < 0) {
      throw new DeviceError(`hackrf: index ${atIndex} is in the past: bursts are queued up to ${this.next}`);
    }
    inRange('hackrf gap before a burst', gapSamples / this.settings.rateHz, 0, MAX_GAP_S, 's');
    const { data, clippedSamples, nonFinite } = fromFloat(reIm, 'ci8', FULL_SCALE);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.next = atIndex + samples;
    this.counters.bursts++;
    this.counters.clippedSamples += clippedSamples;
    this.counters.nonFinite += nonFinite;
    this.queuedBytes += bytes.length;
    const taken = new Promise<void>((resolve) => {
      this.queue.push({ gapSamples, bytes, taken: resolve });
    });
    this.pump ??= this.send();
    while (this.sending && this.queuedBytes > MAX_PENDING_BYTES) await Promise.race([taken, this.sending]);
    if (this.failure) throw this.failure;
    return { index: atIndex, samples };
  }

  async drain(): Promise<void> {
    while (this.pump) await this.pump;
    if (this.failure) throw this.failure;
  }

  /** Waits for what is queued: it is sent with the gain before. */
  async setGains(gainsDb: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>> {
    this.check();
    await this.drain();
    this.settings = await this.retune(this.settings, gainsDb);
    return this.settings.gainsDb;
  }

  close(): Promise<void> {
    this.closing ??= this.drain().finally(() => this.onClose());
    return this.closing;
  }

  /** Silent at once: what is not sent is not sent. Later calls are DeviceErrors. Never throws. */
  async abort(): Promise<void> {
    this.aborted = true;
    this.failure ??= new DeviceError('hackrf: the transmitter was stopped');
    await this.run?.abort();
    await this.pump?.catch(() => undefined);
    this.closing ??= Promise.resolve();
    this.onClose();
  }

  describe(): string {
    return `${this.board.describe()}, tx, ${describeSettings(this.settings)}`;
  }

  private get sending(): Promise<void> | null {
    return this.pump;
  }

  private check(): void {
    if (this.failure) throw this.failure;
    if (this.closing) throw new DeviceError('hackrf: tx is closed');
  }

  /** Sends what is queued, in as many runs as it takes. Never throws: what fails is what later calls throw. */
  private async send(): Promise<void> {
    try {
      while (this.queue.length > 0 && !this.aborted) await this.oneRun();
    } catch (error) {
      this.failure ??= error as Error;
    } finally {
      for (const { taken } of this.queue) taken();
      if (this.failure) this.queue = [];
      this.queuedBytes = this.queue.reduce((sum, { bytes }) => sum + bytes.length, 0);
      this.pump = null;
    }
  }

  private async oneRun(): Promise<void> {
    const { rateHz } = this.settings;
    const run = await TxRun.begin(this.board, rateHz, transferBytes(rateHz), this.waitsForTrigger);
    this.run = run;
    try {
      // What was silent since the last run is part of the gap.
      const silent = Math.floor((performance.now() / 1000 - this.runEndedS) * rateHz);
      let leadSamples: number | null = Math.max(Math.ceil(LEAD_S * rateHz), this.queue[0].gapSamples - silent);
      let roomAhead: Promise<unknown> = Promise.resolve();
      while (this.queue.length > 0 && !this.aborted) {
        const burst = this.queue[0];
        await run.writeZeros(2 * (leadSamples ?? burst.gapSamples));
        leadSamples = null;
        roomAhead = run.writeBurst(burst.bytes);
        roomAhead.catch(() => undefined);
        this.queue.shift();
        this.queuedBytes -= burst.bytes.length;
        burst.taken();
        // Another burst may still follow without a gap while this one goes out; the last of them closes the run in time.
        if (this.queue.length === 0 || run.pendingBytes > MAX_PENDING_BYTES) await run.inTime(roomAhead);
      }
      if (this.aborted) await run.abort();
      else this.counters.underruns += (await run.end()).underruns;
    } catch (error) {
      await run.abort();
      throw error;
    } finally {
      this.counters.samples += run.sentSamples;
      this.runEndedS = performance.now() / 1000;
      this.run = null;
    }
  }
}
