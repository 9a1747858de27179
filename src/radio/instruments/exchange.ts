import type { Duplex } from 'node:stream';
import { InstrumentError, shownBytes } from './instrument-error.ts';

/** Longest reply that is waited for, bytes; of a longer one nothing can be understood. */
export const MAX_REPLY_BYTES = 16_384;
/** After a reply that came too late, the line must be quiet this long before the next request, ms. */
const SETTLE_MS = 60;
const MAX_SETTLE_MS = 600;

/**
 * Looks at everything that came since the request, as one character a byte. The reply, or undefined: wait for more. `quiet`: nothing more came for a while.
 * Throws an InstrumentError where it can only be wrong.
 */
export type ReplyReader<T> = (received: string, quiet: boolean) => T | undefined;

export interface AskOptions {
  readonly timeoutMs: number;
  /** Without a byte for this long after the first one, the reader is asked with quiet = true, ms. For replies without an end. 0: there is no reply. */
  readonly quietMs?: number;
}

interface Pending {
  received(text: string): void;
  failed(error: InstrumentError): void;
}

/**
 * Requests and replies over a serial line: one at a time in the order asked, each with a time-out of its own and a bounded reply. What comes unasked between requests is
 * dropped. A late reply never becomes the next one's: after a time-out the line must fall silent first. Once the line is closed or has failed every
 * request is an InstrumentError of kind gone.
 */
export class Exchange {
  private readonly stream: Duplex;
  private readonly name: string;
  private pending: Pending | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private gone: InstrumentError | null = null;
  private lastByteMs = 0;
  private unsettled = false;
  private closing: Promise<void> | null = null;

  /** @param stream the open line; owned from here on */
  constructor(stream: Duplex, name: string) {
    this.stream = stream;
    this.name = name;
    stream.on('data', (chunk: Uint8Array | string) => {
      this.lastByteMs = performance.now();
      this.pending?.received(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1'));
    });
    stream.on('error', (error) => this.lost(error.message));
    stream.on('close', () => this.lost('the line was closed'));
    stream.on('end', () => this.lost('the line ended'));
  }

  /** Sends `request` and returns what `read` makes of the reply. */
  ask<T>(request: string | Uint8Array, read: ReplyReader<T>, options: AskOptions): Promise<T> {
    return this.inTurn(async () => {
      await this.settle();
      return this.exchange(request, read, options);
    });
  }

  /** Sends a command that has no reply; resolves when the line has taken it. */
  async tell(request: string | Uint8Array, timeoutMs: number): Promise<void> {
    await this.ask<true>(request, () => undefined, { timeoutMs, quietMs: 0 });
  }

  /** Closes the line; never rejects, bounded in time. Safe to call twice. */
  close(): Promise<void> {
    this.closing ??= new Promise((resolve) => {
      if (this.stream.destroyed || this.stream.closed) {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, 2000);
      this.stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.lost('closed');
      this.stream.destroy();
    });
    return this.closing;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => {});
    return result;
  }

  private exchange<T>(request: string | Uint8Array, read: ReplyReader<T>, options: AskOptions): Promise<T> {
    if (this.gone) return Promise.reject(this.gone);
    return new Promise<T>((resolve, reject) => {
      let heard = '';
      let quiet: NodeJS.Timeout | undefined;
      let done = false;
      const finish = (act: () => void) => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        clearTimeout(quiet);
        this.pending = null;
        act();
      };
      const fail = (error: unknown) => finish(() => reject(error));
      const timer = setTimeout(() => {
        this.unsettled = true;
        const what = heard === '' ? 'no answer' : `no whole answer ("${shownBytes(heard)}")`;
        fail(new InstrumentError('timeout', `${this.name}: ${what} within ${options.timeoutMs} ms`));
      }, options.timeoutMs);
      const look = (isQuiet: boolean) => {
        try {
          const reply = read(heard, isQuiet);
          if (reply !== undefined) finish(() => resolve(reply));
          else if (heard.length > MAX_REPLY_BYTES) {
            this.unsettled = true;
            fail(
              new InstrumentError(
                'garbled',
                `${this.name}: more than ${MAX_REPLY_BYTES} bytes without an answer among them`,
              ),
            );
          }
        } catch (error) {
          this.unsettled = true;
          fail(error);
        }
      };
      this.pending = {
        received: (text) => {
          heard += text;
          clearTimeout(quiet);
          look(false);
          if (!done && options.quietMs) quiet = setTimeout(() => look(true), options.quietMs);
        },
        failed: fail,
      };
      const bytes = typeof request === 'string' ? Buffer.from(request, 'latin1') : Buffer.from(request);
      this.stream.write(bytes, (error) => {
        // A command without reply is done when it is out.
        if (!error && options.quietMs === 0) finish(() => resolve(true as T));
      });
    });
  }

  private async settle(): Promise<void> {
    if (!this.unsettled) return;
    const deadlineMs = performance.now() + MAX_SETTLE_MS;
    this.lastByteMs = Math.max(this.lastByteMs, performance.now());
    for (
      let nowMs = performance.now();
      nowMs < deadlineMs && nowMs - this.lastByteMs < SETTLE_MS;
      nowMs = performance.now()
    ) {
      if (this.gone) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.unsettled = false;
  }

  private lost(why: string): void {
    this.gone ??= new InstrumentError('gone', `${this.name}: ${why}`);
    this.pending?.failed(this.gone);
  }
}
