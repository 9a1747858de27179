import { IioError } from '../iio-error.ts';
import type { PlutoBoard } from '../pluto-board.ts';
import type { PipeReader } from './byte-pipe.ts';
import { placeChannels } from './masks.ts';

/** A host that opened the transmit buffer. */
export interface TxClient {
  readonly mask: number;
  readonly samples: number;
  readonly cyclic: boolean;
  readonly gone: AbortSignal;
}

/** How long an OPEN waits for the CLOSE of another connection that is on its way (iiod/ops.c), ms of the wall clock. */
const OPEN_RETRIES = 50;
const OPEN_RETRY_MS = 1;

/** The transmit buffer, for one host at a time (the real server lets several write into one; here the second is told EBUSY). */
export class TxService {
  private readonly board: PlutoBoard;
  private readonly blocks: () => number;
  private readonly timeoutS: () => number;
  private client: TxClient | null = null;
  private stop = new AbortController();

  constructor(board: PlutoBoard, blocks: () => number, timeoutS: () => number) {
    this.board = board;
    this.blocks = blocks;
    this.timeoutS = timeoutS;
  }

  get isOpen(): boolean {
    return this.client !== null;
  }

  async open(client: TxClient): Promise<void> {
    for (let i = 0; this.client && i < OPEN_RETRIES; i++)
      await new Promise((resolve) => setTimeout(resolve, OPEN_RETRY_MS));
    if (this.client) throw new IioError('EBUSY');
    if (client.gone.aborted) throw new IioError('EPIPE');
    this.board.openTx(client.samples, this.blocks(), client.cyclic, [(client.mask & 1) !== 0, (client.mask & 2) !== 0]);
    this.client = client;
    this.stop = new AbortController();
    this.board.keepUp();
  }

  /** What was not played yet is cut off. */
  close(client: TxClient): void {
    if (this.client !== client) return;
    this.client = null;
    this.stop.abort();
    this.board.closeTx();
  }

  /**
   * Takes `bytes` bytes of samples, a block at a time, each queued as soon as it is whole; resolves to the number that was not taken, null when the
   * host went away. After an error the buffer is gone until it is closed and opened again.
   */
  async write(client: TxClient, bytes: number, reader: PipeReader, ready: () => Promise<void>): Promise<number | null> {
    if (this.client !== client) throw new IioError('EBADF');
    const sampleBytes = (client.mask & 3) === 3 ? 4 : 2;
    if (bytes < sampleBytes) return bytes;
    await ready();
    let left = bytes;
    while (left >= sampleBytes) {
      const data = new Uint8Array(Math.min(left, client.samples * sampleBytes));
      if (!(await reader.fill(data))) return null;
      left -= data.length;
      await this.board.link.pass(data.length, client.gone);
      if (this.client !== client) throw new IioError('EBADF');
      try {
        this.board.tx.push(placeChannels(data, client.mask), Math.floor(data.length / sampleBytes));
        await this.board.tx.room(this.timeoutS(), this.stop.signal);
      } catch (error) {
        this.close(client);
        throw error;
      }
    }
    return left;
  }
}
