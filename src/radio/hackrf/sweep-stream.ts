import { DeviceError } from '../../common/errors.ts';
import type { StreamSettings } from '../radio.ts';
import type { InStream } from '../stream/stream-board.ts';
import type { HackrfBoard } from './hackrf-board.ts';
import { RX_ENDPOINT } from './rx-stream.ts';
import { initSweep, parseSweepBlock, SWEEP_BLOCK_BYTES, type SweepFrame, type SweepPlan } from './sweep.ts';
import type { Tuning } from './tuning.ts';

/** Blocks in one transfer: 256 KiB, as libhackrf asks for. */
const BLOCKS = 16;
/** Frames that may wait for a busy reader. */
const RING_BLOCKS = 1024;

/** A running sweep: iterate once. Between two frames the board tunes, so that they are no continuous samples. Made by `HackrfRadio.openSweep`. */
export class HackrfSweep implements AsyncIterable<SweepFrame> {
  /** Frames dropped because the reader was too slow. */
  lostFrames = 0;
  /** What went wrong at its end. */
  warning: string | null = null;
  /** As of a receiver; the frequency is that of no frame. */
  readonly settings: StreamSettings;
  private readonly board: HackrfBoard;
  private readonly stream: InStream;
  private readonly onClose: () => void;
  private closing: Promise<void> | null = null;

  private constructor(board: HackrfBoard, stream: InStream, settings: StreamSettings, onClose: () => void) {
    this.board = board;
    this.stream = stream;
    this.settings = settings;
    this.onClose = onClose;
  }

  static async start(board: HackrfBoard, tuning: Tuning, plan: SweepPlan, onClose: () => void): Promise<HackrfSweep> {
    // The plan tunes; what the frequency was set to before does not count any more.
    await board.inTime(async () => {
      await board.apply(tuning.groups.filter(({ name }) => name !== 'frequency'));
      await board.send(initSweep(plan));
    });
    board.forget('frequency');
    const transferBytes = BLOCKS * SWEEP_BLOCK_BYTES;
    const stream = await board.device.startIn({
      endpoint: RX_ENDPOINT,
      transferBytes,
      transfers: 4,
      ringBytes: RING_BLOCKS * SWEEP_BLOCK_BYTES,
      // With a hardware trigger silence is no error.
      silenceMs: tuning.hardwareTrigger ? 0 : board.patienceMs,
      ...(await board.modeOfStream('sweep')),
    });
    return new HackrfSweep(board, stream, tuning.settings, onClose);
  }

  /** FormatError where a block is none; UsbError where the board fails. */
  async *[Symbol.asyncIterator](): AsyncGenerator<SweepFrame> {
    try {
      while (!this.closing) {
        const entry = await this.stream.read();
        if (this.closing || entry.kind === 'side') continue;
        if (entry.kind === 'end') {
          if (!entry.error) return;
          if (entry.error.kind === 'timeout') this.board.fellSilent();
          throw entry.error;
        }
        this.lostFrames += entry.lostBytes / SWEEP_BLOCK_BYTES;
        for (let at = 0; at < entry.data.length && !this.closing; at += SWEEP_BLOCK_BYTES) {
          yield parseSweepBlock(entry.data.subarray(at, at + SWEEP_BLOCK_BYTES));
        }
      }
    } finally {
      await this.close();
    }
  }

  close(): Promise<void> {
    this.closing ??= (async () => {
      try {
        await this.stream.stop();
        if (!this.board.gone) await this.board.off();
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        this.warning = `the board did not stop: ${error.message}`;
      } finally {
        this.onClose();
      }
    })();
    return this.closing;
  }
}
