import type { ByteTransport } from './byte-transport.ts';
import { IiodError } from './iiod-error.ts';

/** Longest line of a reply; the longest known one is the mask of a device with many channels. */
const MAX_LINE_BYTES = 256;
const STAGING_BYTES = 4096;
/** Empty lines before an integer: the server ends some replies with one more. */
const MAX_BLANK_LINES = 4;
/** A server that trickles is given up. The slowest stream, 260 ksps, is 1040 bytes a millisecond. */
export const SLOWEST_BYTES_PER_MS = 500;

/** Reads replies from a transport that may split and join them anywhere. */
export class IiodReader {
  private readonly transport: ByteTransport;
  private readonly staging = new Uint8Array(STAGING_BYTES);
  private from = 0;
  private to = 0;

  constructor(transport: ByteTransport) {
    this.transport = transport;
  }

  /** Bytes that arrived and were not asked for yet. */
  get pendingBytes(): number {
    return this.to - this.from;
  }

  /** Up to and without the next newline; a carriage return before it is dropped. Protocol error for a longer line or other than ASCII. */
  async line(deadlineMs: number): Promise<string> {
    let text = '';
    for (;;) {
      if (this.from === this.to) await this.fill(deadlineMs);
      while (this.from < this.to) {
        const byte = this.staging[this.from++];
        if (byte === 0x0a) return text.endsWith('\r') ? text.slice(0, -1) : text;
        if (text.length >= MAX_LINE_BYTES || byte > 0x7e || (byte < 0x20 && byte !== 0x0d && byte !== 0x09)) {
          throw this.garbage(text.length >= MAX_LINE_BYTES ? 'a line without end' : `the byte ${byte} in a line`);
        }
        text += String.fromCharCode(byte);
      }
    }
  }

  /** A line with a decimal integer of at most 10 digits. */
  async integer(deadlineMs: number): Promise<number> {
    for (let blanks = 0; blanks <= MAX_BLANK_LINES; blanks++) {
      const text = (await this.line(deadlineMs)).trim();
      if (text === '') continue;
      if (!/^[+-]?\d{1,10}$/.test(text)) throw this.garbage(`"${text.slice(0, 40)}" in place of a number`);
      return Number(text);
    }
    throw this.garbage('empty lines in place of a number');
  }

  /** Fills all of `into`. */
  async bytes(into: Uint8Array, deadlineMs: number): Promise<void> {
    let at = Math.min(into.length, this.pendingBytes);
    into.set(this.staging.subarray(this.from, this.from + at));
    this.from += at;
    while (at < into.length) {
      const left = deadlineMs - performance.now();
      if (left <= 0) throw this.late();
      at += await this.transport.receive(into.subarray(at), Math.ceil(left));
    }
  }

  private async fill(deadlineMs: number): Promise<void> {
    const left = deadlineMs - performance.now();
    if (left <= 0) throw this.late();
    this.from = 0;
    this.to = 0;
    this.to = await this.transport.receive(this.staging, Math.ceil(left));
  }

  private late(): IiodError {
    return new IiodError('timeout', `${this.transport.describe()}: no complete answer in time`);
  }

  private garbage(what: string): IiodError {
    return new IiodError('protocol', `${this.transport.describe()}: the answer has ${what}; is this an IIOD server?`);
  }
}
