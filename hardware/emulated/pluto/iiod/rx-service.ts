import { IioError } from '../iio-error.ts';
import type { PlutoBoard } from '../pluto-board.ts';
import { checkBlocks } from '../rx-dma.ts';
import type { BytePipe } from './byte-pipe.ts';
import { formatMask, pickChannels } from './masks.ts';

/** A host that opened the receive buffer. */
export interface RxClient {
  readonly mask: number;
  readonly samples: number;
  readonly pipe: BytePipe;
}

interface Reading {
  bytesLeft: number;
  first: boolean;
  /** Bytes that were not delivered, or why not. */
  end(result: number | IioError): void;
}

/**
 * The receive buffer as the server shares it (iiod/ops.c): one DMA of the largest block for all who opened it, each getting the channels of
 * its own mask (-D, as a Pluto runs it). Whoever joins or leaves makes the server open the buffer anew, which the others feel as a gap.
 */
export class RxService {
  private readonly board: PlutoBoard;
  private readonly blocks: () => number;
  private readonly timeoutS: () => number;
  private readonly clients = new Map<RxClient, Reading | null>();
  private stop = new AbortController();
  private running = false;

  constructor(board: PlutoBoard, blocks: () => number, timeoutS: () => number) {
    this.board = board;
    this.blocks = blocks;
    this.timeoutS = timeoutS;
  }

  get isOpen(): boolean {
    return this.clients.size > 0;
  }

  open(client: RxClient): void {
    checkBlocks(Math.max(client.samples, this.largest()), this.blocks());
    this.clients.set(client, null);
    this.reopen();
  }

  close(client: RxClient): void {
    const reading = this.clients.get(client);
    if (reading === undefined) return;
    this.clients.delete(client);
    reading?.end(new IioError('EBADF'));
    this.reopen();
  }

  /** Delivers up to `bytes` bytes, a block at a time; resolves to the number that was not delivered. IioError EBADF: not open. */
  read(client: RxClient, bytes: number): Promise<number> {
    const reading = this.clients.get(client);
    if (reading === undefined) return Promise.reject(new IioError('EBADF'));
    if (reading) return Promise.reject(new IioError('EBUSY'));
    return new Promise((resolve, reject) => {
      const end = (result: number | IioError) => {
        if (this.clients.has(client)) this.clients.set(client, null);
        if (typeof result === 'number') resolve(result);
        else reject(result);
      };
      this.clients.set(client, { bytesLeft: bytes, first: true, end });
      void this.run();
    });
  }

  private largest(): number {
    return Math.max(0, ...[...this.clients.keys()].map(({ samples }) => samples));
  }

  private reopen(): void {
    for (const reading of this.clients.values()) reading?.end(reading.bytesLeft);
    this.stop.abort();
    this.stop = new AbortController();
    this.board.rx.close();
    if (this.clients.size === 0) return;
    this.board.rx.open(this.largest(), this.blocks());
    this.board.keepUp();
  }

  /** Refills while anybody reads. */
  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while ([...this.clients.values()].some((reading) => reading)) {
      const { signal } = this.stop;
      try {
        const { iq } = await this.board.rx.next(this.timeoutS(), signal);
        for (const [client, reading] of this.clients) if (reading) await this.send(client, reading, iq);
      } catch (error) {
        if (!signal.aborted) this.fail(error instanceof IioError ? error : new IioError('EPIPE'));
      }
    }
    this.running = false;
  }

  /** "<bytes>\n", before the first block of a READBUF the mask, then the samples. */
  private async send(client: RxClient, reading: Reading, iq: Int16Array): Promise<void> {
    const picked = pickChannels(iq, iq.length / 2, client.mask);
    const data = picked.subarray(0, Math.min(picked.length, reading.bytesLeft));
    try {
      await client.pipe.write(Buffer.from(`${data.length}\n`));
      if (reading.first) await client.pipe.write(Buffer.from(`${formatMask(client.mask)}\n`));
      await client.pipe.write(data);
      await this.board.link.pass(data.length, this.stop.signal);
    } catch {
      reading.end(new IioError('EPIPE'));
      return;
    }
    reading.first = false;
    reading.bytesLeft -= data.length;
    const sampleBytes = (client.mask & 3) === 3 ? 4 : 2;
    if (reading.bytesLeft < sampleBytes) reading.end(reading.bytesLeft);
  }

  /** A refill failed: the buffer is gone for all, until they close and open it again. */
  private fail(error: IioError): void {
    const readings = [...this.clients.values()];
    this.clients.clear();
    this.board.rx.close();
    for (const reading of readings) reading?.end(error);
  }
}
