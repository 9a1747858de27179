import { RandomStream } from '../../../src/common/random.ts';
import type { ByteTransport } from '../../../src/radio/pluto/byte-transport.ts';
import { IiodError } from '../../../src/radio/pluto/iiod-error.ts';

/** What a server says after having heard everything up to now; null: it closes the connection, [] : it waits for more. */
export type ServerScript = (heard: Uint8Array) => readonly (string | Uint8Array)[] | null;

/**
 * A transport whose other end is a function. Replies arrive cut into random pieces. It never answers: `receive` fails with a time-out
 * at once, without waiting, so that tests of silence take no time.
 */
export class ScriptedTransport implements ByteTransport {
  /** Everything that was sent. */
  readonly sent: number[] = [];
  closed = false;
  private readonly script: ServerScript;
  private readonly random: RandomStream | null;
  private heard: number[] = [];
  private ready: number[] = [];
  private over = false;

  /** @param seed of the pieces; null: as much at once as fits */
  constructor(script: ServerScript, seed: number | null = 1) {
    this.script = script;
    this.random = seed === null ? null : new RandomStream(seed);
  }

  async send(data: Uint8Array): Promise<void> {
    if (this.closed || this.over) throw new IiodError('gone', 'scripted: closed');
    for (const byte of data) {
      this.sent.push(byte);
      this.heard.push(byte);
    }
    const replies = this.script(Uint8Array.from(this.heard));
    if (replies === null) this.over = true;
    else if (replies.length) this.heard = [];
    for (const reply of replies ?? []) {
      for (const byte of typeof reply === 'string' ? Buffer.from(reply, 'latin1') : reply) this.ready.push(byte);
    }
  }

  async receive(into: Uint8Array): Promise<number> {
    if (this.closed) throw new IiodError('gone', 'scripted: closed');
    if (!this.ready.length) {
      throw this.over
        ? new IiodError('gone', 'scripted: server closed')
        : new IiodError('timeout', 'scripted: silence');
    }
    const most = Math.min(into.length, this.ready.length);
    const count = this.random ? 1 + Math.floor(this.random.uniform() * Math.min(most, 40)) : most;
    const taken = Math.min(count, most);
    into.set(this.ready.slice(0, taken));
    this.ready = this.ready.slice(taken);
    return taken;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  sendNow(data: Uint8Array): boolean {
    for (const byte of data) this.sent.push(byte);
    return !this.closed;
  }

  describe(): string {
    return 'scripted';
  }

  get sentText(): string {
    return Buffer.from(this.sent).toString('latin1');
  }
}

/** Answers the n-th command with the n-th reply, however the commands are cut; more commands get silence. */
export function replies(...texts: (string | Uint8Array)[]): ServerScript {
  let next = 0;
  return () => (next < texts.length ? [texts[next++]] : []);
}
