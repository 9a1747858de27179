import { DeviceError } from '../../common/errors.ts';
import type { OutQueue } from '../stream/stream-board.ts';
import { UsbError } from '../usb/usb.ts';
import { type HackrfBoard, START_MS } from './hackrf-board.ts';

export const TX_ENDPOINT = 0x02;

/** Firmware starts the converter only when its first buffer is full. */
const MIN_RUN_BYTES = 32_768;
const PACKET_BYTES = 512;
const PIECE_BYTES = 1 << 20;
/** Shared, so that no copy goes to the worker. */
const ZEROS = new Uint8Array(new SharedArrayBuffer(PIECE_BYTES));

export interface RunEnd {
  readonly underruns: number;
}

/**
 * One run of the transmitter: mode TX, bytes without a gap, zeros until the last of them is in the air, mode off.
 *
 * Zeros stand at both ends: the run is padded to at least 32 KiB (else nothing would be sent) and to whole packets (a short packet would end a
 * transfer of the board early); then as many zeros follow as the board buffers. When these are taken, everything before them is out (libhackrf's flush).
 */
export class TxRun {
  private readonly board: HackrfBoard;
  private readonly queue: OutQueue;
  private bytes = 0;
  /** Less than a packet that waits for what follows it. */
  private rest = new Uint8Array(0);
  /** What is queued last; done when it is done. */
  private last: Promise<unknown> = Promise.resolve();
  private failure: Error | null = null;
  private aborting: Promise<void> | null = null;
  private readonly marginBytes: number;
  /** Time of a byte in the air; null: it may wait for a trigger, for as long as that takes. */
  private readonly byteMs: number | null;
  /** When the board, were it never held up, would have taken all that was written, ms of performance.now(). */
  private dueMs = 0;

  private constructor(board: HackrfBoard, queue: OutQueue, marginBytes: number, byteMs: number | null) {
    this.board = board;
    this.queue = queue;
    this.marginBytes = marginBytes;
    this.byteMs = byteMs;
  }

  /**
   * Turns the transmitter on; off again where that fails half-way.
   *
   * @param waitsForTrigger the board takes no bytes until its trigger pin says so: that is no stall
   */
  static async begin(
    board: HackrfBoard,
    rateHz: number,
    transferBytes: number,
    waitsForTrigger: boolean,
  ): Promise<TxRun> {
    const stallMs = waitsForTrigger ? 0 : board.patienceMs;
    try {
      await board.inTime(() => board.setMode('tx'), START_MS);
      const queue = await board.device.startOut({ endpoint: TX_ENDPOINT, transferBytes, transfers: 8, stallMs });
      return new TxRun(board, queue, transferBytes, waitsForTrigger ? null : (1000 * board.slowness) / (2 * rateHz));
    } catch (error) {
      if (!board.gone) await board.off().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Queues a burst. Resolves when all of it but the last transfer is taken: until then another burst can follow without a gap.
   */
  writeBurst(bytes: Uint8Array): Promise<unknown> {
    const ahead = Math.max(0, bytes.length - this.marginBytes);
    const room = ahead > 0 ? this.write(bytes.subarray(0, ahead)) : Promise.resolve();
    this.write(bytes.subarray(ahead)).catch(() => undefined);
    return room;
  }

  /** Samples that the board has taken, the flush left out. */
  get sentSamples(): number {
    return Math.min(this.bytes, this.queue.sentBytes) / 2;
  }

  /** Bytes written but not taken by the board yet. */
  get pendingBytes(): number {
    return this.bytes - this.queue.sentBytes;
  }

  /**
   * Queues bytes behind what is there, in whole packets: a short one in the middle would end a transfer of the board early. Resolves when
   * the board has taken them, up to the last packet.
   */
  write(data: Uint8Array): Promise<unknown> {
    this.bytes += data.length;
    this.dueMs = Math.max(this.dueMs, performance.now()) + data.length * (this.byteMs ?? 0);
    let whole = data;
    if (this.rest.length > 0) {
      whole = new Uint8Array(this.rest.length + data.length);
      whole.set(this.rest);
      whole.set(data, this.rest.length);
    }
    const packets = whole.length - (whole.length % PACKET_BYTES);
    this.rest = whole.slice(packets);
    if (packets === 0) return this.last;
    const done = this.queue.write(whole.subarray(0, packets));
    done.catch((error: Error) => {
      this.failure ??= error;
    });
    this.last = done;
    return done;
  }

  /** Zeros in pieces; no more than two are queued at once. */
  async writeZeros(bytes: number): Promise<void> {
    let before: Promise<unknown> = Promise.resolve();
    for (let left = bytes; left > 0; left -= PIECE_BYTES) {
      const piece = this.write(left >= PIECE_BYTES ? ZEROS : ZEROS.subarray(0, left));
      piece.catch(() => undefined);
      await before;
      before = piece;
    }
  }

  /** Resolves when all that was written is taken; rejects with why it is not. */
  async settled(): Promise<void> {
    await this.last;
    if (this.failure) throw this.failure;
  }

  /** Pads, flushes, turns the transmitter off. Whatever fails, the transmitter is off afterwards, or the board is gone. */
  async end(): Promise<RunEnd> {
    const bytes = Math.ceil(Math.max(this.bytes, MIN_RUN_BYTES) / PACKET_BYTES) * PACKET_BYTES;
    try {
      await this.writeZeros(bytes - this.bytes);
      const flush = this.queue.write(ZEROS.subarray(0, this.board.facts.bufferBytes));
      this.dueMs += this.board.facts.bufferBytes * (this.byteMs ?? 0);
      await this.inTime(this.settled().then(() => flush));
      await this.off();
    } catch (error) {
      if (error instanceof UsbError && error.kind === 'timeout') this.board.fellSilent();
      await this.abort();
      throw await this.explained(error);
    }
    return { underruns: await this.underruns(bytes) };
  }

  /** One patience for all that was written, however often the board is held up on the way. */
  async inTime(done: Promise<unknown>): Promise<void> {
    if (this.byteMs === null) return void (await done);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new UsbError('timeout', `${this.board.facts.board}: what was sent was not taken in time`);
      timer = setTimeout(() => reject(error), this.dueMs + this.board.patienceMs - performance.now());
    });
    try {
      await Promise.race([done, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Off at once: what is not sent is not sent. Never throws; safe to call twice. */
  abort(): Promise<void> {
    this.aborting ??= (async () => {
      await this.queue.cancel().catch(() => undefined);
      if (!this.board.gone) await this.board.off().catch(() => undefined);
    })();
    return this.aborting;
  }

  private async off(): Promise<void> {
    await this.queue.cancel();
    await this.board.off();
  }

  /**
   * Times that the board ran out of samples before the end. When the mode goes off, the M0 takes back a shortfall that is under way: the one behind
   * the flush. If that lasted until the underrun limit, it was not taken back.
   */
  private async underruns(bytes: number): Promise<number> {
    if (!this.board.has('GET_M0_STATE')) return 0;
    const { shortfalls, error, m0Count } = await this.board.m0State();
    const all = bytes % 2 ** 32;
    const behindEnd = error === 'tx-timeout' && (m0Count - all + 2 ** 32) % 2 ** 32 < 2 ** 31;
    return behindEnd ? Math.max(0, shortfalls - 1) : shortfalls;
  }

  /** A transmitter that took no more bytes may have been stopped by its underrun limit: then that is the error. */
  private async explained(error: unknown): Promise<unknown> {
    if (!(error instanceof UsbError) || error.kind !== 'timeout' || this.board.gone || this.board.isMute) return error;
    if (!this.board.has('GET_M0_STATE')) return error;
    const state = await this.board.m0State().catch(() => null);
    if (state?.error !== 'tx-timeout') return error;
    return new DeviceError(
      `${this.board.facts.board}: the host was too slow: the board stopped transmitting at its underrun limit`,
    );
  }
}
