import type { Socket } from 'node:net';
import type { ControlReply } from '../usb-device.ts';
import type { Ended } from '../usb-port.ts';
import { ByteQueue } from './byte-queue.ts';

/** Longest transfer. Linux splits usbfs transfers far below this. */
export const MAX_TRANSFER_BYTES = 16 << 20;
/** What one host may keep under way, replies that it has not read included. */
const MAX_BYTES_UNDER_WAY = 64 << 20;
const MAX_TRANSFERS_UNDER_WAY = 4096;
/** What a transfer costs beside its data. */
const HEAD_BYTES = 64;
/** Replies waiting in the socket from which on nothing more is read. */
const MAX_UNSENT_BYTES = MAX_BYTES_UNDER_WAY + (8 << 20);
/** Within this a host has to say what it wants, ms. */
const FIRST_WORD_WITHIN_MS = 30_000;

/** How a transfer ended; 'failed': the model threw. */
export type TransferEnd = ControlReply | Ended | 'failed';

/**
 * A connection of a host that asks for transfers, in whichever protocol: messages out of the bytes that come, transfers under way by
 * their number, and bounds on all of it. A host may break the protocol as it likes: it loses its connection, nothing else happens.
 */
export abstract class HostConnection {
  protected readonly socket: Socket;
  protected readonly input = new ByteQueue();
  protected isClosing = false;
  private readonly protocol: string;
  private readonly onProblem: (text: string) => void;
  private readonly transfers = new Map<bigint | number, AbortController>();
  private readonly firstWordTimer: NodeJS.Timeout;
  private bytesUnderWay = 0;

  constructor(socket: Socket, protocol: string, onProblem: (text: string) => void) {
    this.socket = socket;
    this.protocol = protocol;
    this.onProblem = onProblem;
    this.firstWordTimer = setTimeout(() => this.refuse('it said nothing of use'), FIRST_WORD_WITHIN_MS);
    this.firstWordTimer.unref();
    socket.on('data', (chunk: Buffer) => {
      if (this.isClosing) return;
      this.input.push(chunk);
      this.serve();
    });
    socket.on('drain', () => {
      if (!this.isClosing && socket.isPaused()) socket.resume();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      clearTimeout(this.firstWordTimer);
      this.isClosing = true;
      this.input.clear();
      this.transfers.clear();
      this.gone();
    });
  }

  /** Takes one whole message out of the input; false: none is there, or there will be none. */
  protected abstract takeMessage(): boolean;

  /** The connection has ended: the board is let go. */
  protected abstract gone(): void;

  /** The host has said what it wants; from here on it may be silent. */
  protected settled(): void {
    clearTimeout(this.firstWordTimer);
  }

  protected isUnderWay(id: bigint | number): boolean {
    return this.transfers.has(id);
  }

  /**
   * Keeps a transfer by its number until it ends, and hands its end to `answer`, whose `paid` is to be called when the socket has taken
   * the reply. A transfer that was forgotten or whose host is gone is not answered.
   *
   * @returns false: too much is under way
   */
  protected start(
    id: bigint | number,
    bytes: number,
    transfer: (signal: AbortSignal) => Promise<TransferEnd>,
    answer: (end: TransferEnd, paid: () => void) => void,
  ): boolean {
    const cost = bytes + HEAD_BYTES;
    if (this.transfers.size >= MAX_TRANSFERS_UNDER_WAY || this.bytesUnderWay + cost > MAX_BYTES_UNDER_WAY) return false;
    const cancel = new AbortController();
    this.transfers.set(id, cancel);
    this.bytesUnderWay += cost;
    const paid = () => {
      this.bytesUnderWay -= cost;
    };
    void transfer(cancel.signal)
      .catch((error: unknown): TransferEnd => {
        this.onProblem(`${this.protocol}: ${error instanceof Error ? error.message : String(error)}`);
        return 'failed';
      })
      .then((end) => {
        if (this.transfers.get(id) !== cancel || this.socket.destroyed) return paid();
        this.transfers.delete(id);
        answer(end, paid);
      });
    return true;
  }

  /** Calls a transfer off; it ends as 'cancelled'. */
  protected cancel(id: bigint | number): void {
    this.transfers.get(id)?.abort();
  }

  /** Calls a transfer off that is not to be answered any more; false: there is none. */
  protected forget(id: bigint | number): boolean {
    const transfer = this.transfers.get(id);
    this.transfers.delete(id);
    transfer?.abort();
    return transfer !== undefined;
  }

  /** Ends the connection at once, and says why. */
  protected refuse(why: string): false {
    if (!this.isClosing) this.onProblem(`${this.protocol}: a client was cut off: ${why}`);
    this.isClosing = true;
    this.socket.destroy();
    return false;
  }

  private serve(): void {
    while (!this.isClosing && this.takeMessage()) {
      // the next one
    }
    if (this.socket.writableLength > MAX_UNSENT_BYTES) this.socket.pause();
  }
}
