import type { BytePipe } from '../iiod/byte-pipe.ts';
import { PACKET_BYTES } from './descriptors.ts';

/** What the host may send before the program on the board reads it. */
const OUT_ROOM_BYTES = 1 << 16;

interface Write {
  bytes: Uint8Array;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

interface Transfer {
  readonly into: Uint8Array;
  filled: number;
  readonly finish: (reply: Uint8Array | 'stall') => void;
}

/**
 * A couple of bulk endpoints as a program on the board has them (FunctionFS): each of its writes goes out as packets of which the last ends a
 * transfer of the host when it is short. While no program has it open the host gets NAKs.
 */
export class PipeCouple {
  private readonly transfers: Transfer[] = [];
  private writes: Write[] = [];
  private outs: { readonly data: Uint8Array; readonly taken: () => void }[] = [];
  private opened: OpenPipe | null = null;

  /** For a program; one that has it open loses it. */
  open(): BytePipe {
    this.close();
    this.opened = new OpenPipe(
      (bytes) => this.send(bytes),
      (pipe) => {
        if (this.opened === pipe) this.close();
      },
    );
    this.deliver();
    return this.opened;
  }

  /** The program's end goes; what the host waits for goes on waiting. */
  close(): void {
    const { opened, writes } = this;
    this.opened = null;
    this.writes = [];
    opened?.end();
    for (const { failed } of writes) failed(new Error('the pipe was closed'));
  }

  /** One IN transfer of the host. STALL: it has no room for a whole packet that came (babble). */
  bulkIn(length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'> {
    return new Promise((resolve) => {
      if (signal.aborted || length === 0) return resolve(new Uint8Array(0));
      const finish = (reply: Uint8Array | 'stall') => {
        signal.removeEventListener('abort', cancel);
        resolve(reply);
      };
      const transfer: Transfer = { into: new Uint8Array(length), filled: 0, finish };
      const cancel = () => this.cancelIn(transfer);
      signal.addEventListener('abort', cancel);
      this.transfers.push(transfer);
      this.pump();
    });
  }

  /** One OUT transfer of the host; open until the program has room. */
  bulkOut(data: Uint8Array, signal: AbortSignal): Promise<'ok'> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve('ok');
      const taken = () => {
        signal.removeEventListener('abort', cancel);
        resolve('ok');
      };
      const out = { data: data.slice(), taken };
      const cancel = () => {
        const at = this.outs.indexOf(out);
        if (at >= 0) this.outs.splice(at, 1);
        taken();
      };
      signal.addEventListener('abort', cancel);
      this.outs.push(out);
      this.deliver();
    });
  }

  /** Everything in flight ends, the program's end too. */
  drop(): void {
    this.close();
    for (const { finish } of this.transfers.splice(0)) finish(new Uint8Array(0));
    for (const { taken } of this.outs.splice(0)) taken();
  }

  /** Whole packets alone can be in an unfinished transfer: they go back to the front. */
  private cancelIn(transfer: Transfer): void {
    const at = this.transfers.indexOf(transfer);
    if (at < 0) return;
    this.transfers.splice(at, 1);
    if (transfer.filled) {
      const bytes = transfer.into.subarray(0, transfer.filled);
      this.writes.unshift({ bytes, done: () => {}, failed: () => {} });
    }
    transfer.finish(new Uint8Array(0));
    this.pump();
  }

  private send(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((done, failed) => {
      this.writes.push({ bytes, done, failed });
      this.pump();
    });
  }

  private pump(): void {
    while (this.transfers.length && this.writes.length) {
      const transfer = this.transfers[0];
      const write = this.writes[0];
      const room = transfer.into.length - transfer.filled;
      const fits = write.bytes.length <= room ? write.bytes.length : room - (room % PACKET_BYTES);
      transfer.into.set(write.bytes.subarray(0, fits), transfer.filled);
      transfer.filled += fits;
      const short = fits === write.bytes.length && fits % PACKET_BYTES !== 0;
      const babble = fits < write.bytes.length && transfer.filled < transfer.into.length;
      // A packet that finds no room is lost on the bus.
      write.bytes = write.bytes.subarray(babble ? Math.min(fits + PACKET_BYTES, write.bytes.length) : fits);
      if (write.bytes.length === 0) {
        this.writes.shift();
        write.done();
      }
      if (short || babble || transfer.filled === transfer.into.length) {
        this.transfers.shift();
        transfer.finish(babble ? 'stall' : transfer.into.subarray(0, transfer.filled));
      }
    }
  }

  private deliver(): void {
    while (this.opened && this.outs.length && this.opened.room > 0) {
      const { data, taken } = this.outs.shift()!;
      this.opened.take(data, () => this.deliver());
      taken();
    }
  }
}

/** The program's end. */
class OpenPipe implements BytePipe {
  private readonly ended = new AbortController();
  private readonly queue: Uint8Array[] = [];
  private queuedBytes = 0;
  private waiting: ((bytes: Uint8Array | null) => void) | null = null;
  private roomAgain: () => void = () => {};
  private readonly send: (bytes: Uint8Array) => Promise<void>;
  private readonly closed: (pipe: OpenPipe) => void;

  constructor(send: (bytes: Uint8Array) => Promise<void>, closed: (pipe: OpenPipe) => void) {
    this.send = send;
    this.closed = closed;
  }

  get gone(): AbortSignal {
    return this.ended.signal;
  }

  get room(): number {
    return OUT_ROOM_BYTES - this.queuedBytes;
  }

  take(data: Uint8Array, roomAgain: () => void): void {
    this.roomAgain = roomAgain;
    if (data.length === 0) return;
    if (this.waiting) {
      const resolve = this.waiting;
      this.waiting = null;
      resolve(data);
      return;
    }
    this.queue.push(data);
    this.queuedBytes += data.length;
  }

  read(): Promise<Uint8Array | null> {
    const bytes = this.queue.shift();
    if (bytes) {
      this.queuedBytes -= bytes.length;
      this.roomAgain();
      return Promise.resolve(bytes);
    }
    if (this.ended.signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.ended.signal.aborted ? Promise.reject(new Error('the pipe was closed')) : this.send(bytes);
  }

  close(): void {
    this.closed(this);
  }

  end(): void {
    this.queue.length = 0;
    this.ended.abort();
    this.waiting?.(null);
    this.waiting = null;
  }
}
