import { DeviceError, FormatError } from '../../common/errors.ts';
import {
  countBlock,
  newRxCounters,
  type RxCounters,
  type RxStream,
  type SampleBlock,
  type StreamEnd,
  type StreamSettings,
} from '../radio.ts';
import { describeSettings } from '../settings.ts';
import type { RingSide } from '../stream/chunk-ring.ts';
import type { InStream, StreamEntry } from '../stream/stream-board.ts';
import { UsbError } from '../usb/usb.ts';
import { BlockAssembler } from './block-assembler.ts';
import type { HackrfBoard } from './hackrf-board.ts';
import { LossTracker } from './loss-tracker.ts';
import { decodeM0State, getM0State } from './m0-state.ts';
import { setRxOverrunLimit } from './radio-calls.ts';
import type { Retune, Tuning } from './tuning.ts';

export const RX_ENDPOINT = 0x81;

/** Time of samples that may wait for a busy main thread. */
const RING_S = 2;
const MAX_RING_BYTES = 256 * 2 ** 20;
/** Period of the M0 readings: the length of the span in which a loss is located. */
export const POLL_MS = 50;
/** Readings missing in a row before it is said that losses cannot be told any more. */
const MAX_MISSING_POLLS = 20;
/** How long the last reading of a stream may take, and how often it is looked for. */
const LAST_READING_MS = 250;
const LOOK_MS = 1;

/** Bytes of one transfer: some 8 ms of samples, 16 to 256 KiB (libhackrf: always 256 KiB). */
export function transferBytes(rateHz: number): number {
  const wanted = 2 * rateHz * 8e-3;
  return Math.min(262_144, 2 ** Math.max(14, Math.round(Math.log2(wanted))));
}

/** A running receiver. Made by `HackrfRadio.openRx`. */
export class HackrfRx implements RxStream {
  settings: StreamSettings;
  readonly counters: RxCounters = newRxCounters();
  ended: StreamEnd | null = null;
  private readonly board: HackrfBoard;
  private readonly stream: InStream;
  private readonly assembler: BlockAssembler;
  private readonly losses: LossTracker;
  private readonly transferBytes: number;
  private readonly retune: Retune;
  private readonly onClose: () => void;
  private receiving = false;
  private missingPolls = 0;
  private garbagePolls = 0;
  private closing: Promise<void> | null = null;
  /** Bytes of the stream that were delivered, and that the host had when the last reading was asked for. */
  private deliveredBytes = 0;
  private checkedBytes = 0;
  private isOver = false;
  private readonly afterEnd: string[] = [];

  private constructor(board: HackrfBoard, stream: InStream, tuning: Tuning, retune: Retune, onClose: () => void) {
    const { settings } = tuning;
    this.retune = retune;
    this.settings = settings;
    this.board = board;
    this.stream = stream;
    this.assembler = new BlockAssembler(settings.rateHz);
    this.losses = new LossTracker(2 * settings.rateHz);
    this.transferBytes = transferBytes(settings.rateHz);
    this.onClose = onClose;
  }

  static async start(board: HackrfBoard, tuning: Tuning, retune: Retune, onClose: () => void): Promise<HackrfRx> {
    const polled = board.has('GET_M0_STATE');
    await board.inTime(async () => {
      await board.apply(tuning.groups);
      if (polled) await board.send(setRxOverrunLimit(0));
    });
    const { rateHz } = tuning.settings;
    const bytes = transferBytes(rateHz);
    const ringBytes = Math.min(MAX_RING_BYTES, Math.max(Math.ceil(2 * rateHz * RING_S), 4 * bytes));
    const poll = getM0State();
    const stream = await board.device.startIn({
      endpoint: RX_ENDPOINT,
      transferBytes: bytes,
      transfers: 8,
      ringBytes,
      // With a hardware trigger silence is no error.
      silenceMs: tuning.hardwareTrigger ? 0 : board.patienceMs,
      ...(await board.modeOfStream('rx')),
      ...(polled
        ? { poll: { request: poll.setup, length: poll.replyBytes, periodMs: POLL_MS, timeoutMs: board.patienceMs / 2 } }
        : {}),
    });
    return new HackrfRx(board, stream, tuning, retune, onClose);
  }

  /** What the source found wrong with itself. */
  get warning(): string | null {
    const parts: string[] = [];
    if (!this.board.has('GET_M0_STATE')) {
      parts.push('firmware before 2022.09 (USB API 1.06) does not tell of samples that the board discarded');
    }
    if (this.garbagePolls > 0) parts.push(`${this.garbagePolls} readings of the loss counters made no sense`);
    return [...parts, ...this.afterEnd].join('; ') || null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SampleBlock> {
    try {
      while (!this.ended) {
        const entry = await this.stream.read();
        if (this.ended) return this.passedOver(entry);
        if (entry.kind === 'side') this.reading(entry);
        else if (entry.kind === 'end') {
          this.isOver = true;
          if (entry.error) throw this.endOf(entry.error);
          return;
        } else {
          this.checkWhole(entry.data.length);
          this.deliveredBytes = entry.index + entry.data.length;
          for (const block of this.assembler.bytes(entry)) {
            countBlock(this.counters, block);
            this.counters.clippedSamples = this.assembler.clippedSamples;
            yield block;
            if (this.ended) return;
          }
        }
      }
    } catch (error) {
      this.ended ??= 'source-silent';
      throw error;
    } finally {
      await this.close();
    }
  }

  async setGains(gainsDb: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>> {
    if (this.ended) throw new DeviceError('hackrf: rx is closed');
    this.settings = await this.retune(this.settings, gainsDb);
    return this.settings.gainsDb;
  }

  close(): Promise<void> {
    this.ended ??= 'closed';
    this.closing ??= this.stop();
    return this.closing;
  }

  describe(): string {
    return `${this.board.describe()}, rx, ${describeSettings(this.settings)}`;
  }

  /** Silent, whatever else goes wrong; a board that is gone needs nothing. */
  private async stop(): Promise<void> {
    try {
      await this.lastReading();
      await this.stream.stop();
      if (!this.board.gone) await this.board.off();
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      this.afterEnd.push(`the board did not stop: ${error.message}`);
    } finally {
      this.lateLosses();
      this.onClose();
    }
  }

  /**
   * The last blocks went out before the board was asked what it discarded among them: one more reading, taken after they came. What else is in the
   * ring is passed over.
   */
  private async lastReading(): Promise<void> {
    if (!this.board.has('GET_M0_STATE') || this.deliveredBytes === 0) return;
    const untilMs = performance.now() + LAST_READING_MS * this.board.slowness;
    this.stream.pollNow();
    while (this.checkedBytes < this.deliveredBytes && !this.isOver && !this.board.gone && !this.board.isMute) {
      const entry = this.stream.tryRead();
      if (entry) this.passedOver(entry);
      else if (performance.now() > untilMs) break;
      else await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (this.checkedBytes >= this.deliveredBytes) return;
    const unchecked = (this.deliveredBytes - this.checkedBytes) / 2;
    this.afterEnd.push(`what the board discarded among the last ${unchecked} samples is not known`);
  }

  /** An entry behind the end of the iteration: only what it says of losses counts. */
  private passedOver(entry: StreamEntry): void {
    if (entry.kind === 'end') this.isOver = true;
    if (entry.kind !== 'side') return;
    try {
      this.reading(entry);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      this.isOver = true;
    }
  }

  /** Losses that no block carries any more, because none follows: those that may lie before the end of the last one count. */
  private lateLosses(): void {
    const late = this.assembler.pending.filter(({ fromByte }) => fromByte < this.deliveredBytes);
    if (late.length === 0) return;
    const certain = late.filter(({ toByte }) => toByte <= this.deliveredBytes);
    const min = certain.reduce((sum, { minBytes }) => sum + minBytes, 0) / 2;
    const max = late.reduce((sum, { maxBytes }) => sum + maxBytes, 0) / 2;
    this.counters.lostMin += min;
    this.counters.lostMax += max;
    this.counters.gaps++;
    this.afterEnd.push(`the board discarded ${min} to ${max} samples at the very end`);
  }

  /** One reading of the M0 state, or the lack of one. */
  private reading(side: RingSide): void {
    if (!side.data) {
      this.missing('did not come');
      return;
    }
    try {
      const state = decodeM0State(side.data);
      if (state.activeMode !== 'rx') {
        if (this.receiving || state.error !== 'none') throw this.stopped(state.error);
        return;
      }
      this.receiving = true;
      const loss = this.losses.poll({
        state,
        sentS: Number(side.askedNs) * 1e-9,
        receivedS: Number(side.timeNs) * 1e-9,
        hostBytes: side.fromIndex,
        hostBytesAfter: side.toIndex,
      });
      this.missingPolls = 0;
      this.checkedBytes = side.fromIndex;
      if (loss) this.assembler.lost(loss);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.garbagePolls++;
      this.missing('made no sense');
    }
  }

  /** The board sends whole packets for ever: a transfer that ends early ended for another reason, and what is missing is not known. */
  private checkWhole(bytes: number): void {
    if (bytes !== this.transferBytes) {
      throw new UsbError(
        'io',
        `${this.board.facts.board}: a transfer broke off after ${bytes} of ${this.transferBytes} bytes`,
      );
    }
  }

  private missing(what: string): void {
    if (++this.missingPolls < MAX_MISSING_POLLS) return;
    throw new UsbError(
      'io',
      `${this.board.facts.board}: the board's loss counters ${what} ${MAX_MISSING_POLLS} times running`,
    );
  }

  private stopped(error: string): DeviceError {
    const why = error === 'none' ? 'was told to, or was reset' : `stopped by itself (${error})`;
    return new DeviceError(`${this.board.facts.board}: the board left the receive mode: it ${why}`);
  }

  private endOf(error: UsbError): Error {
    if (error.kind !== 'timeout') return error;
    this.board.fellSilent();
    return new UsbError('timeout', `${this.board.facts.board}: ${error.message}`);
  }
}
