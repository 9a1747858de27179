import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import type { BytePipe } from '../../../hardware/emulated/pluto/iiod/byte-pipe.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { PlutoBoard, type PlutoOptions } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { Coil } from './coil.ts';

export const SERIAL = '1044734c960500111e002e0041984fc267';
const profile = loadProfile('pluto');

export interface Rig {
  readonly clock: ManualAirClock;
  readonly air: Coil;
  readonly board: PlutoBoard;
  readonly iiod: Iiod;
}

/** A board on a clock that only the test moves. */
export function rig(options: Partial<PlutoOptions> & { lossDb?: number } = {}): Rig {
  const clock = new ManualAirClock();
  const air = new Coil(clock, options.lossDb ?? 0);
  const board = new PlutoBoard({ name: 'pluto', serial: SERIAL, air, profile, ...options });
  return { clock, air, board, iiod: new Iiod(board) };
}

/** Lets everything run that does not wait for the clock. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** The host's end of a connection that is not a socket: what the board wrote is kept. */
export class HostPipe implements BytePipe {
  private readonly ended = new AbortController();
  private readonly queue: Uint8Array[] = [];
  private waiting: ((bytes: Uint8Array | null) => void) | null = null;
  private received: Buffer = Buffer.alloc(0);
  closed = false;
  /** Set: the host does not read, writes of the board wait. */
  blocked = false;
  private readonly held: (() => void)[] = [];

  get gone(): AbortSignal {
    return this.ended.signal;
  }

  read(): Promise<Uint8Array | null> {
    const bytes = this.queue.shift();
    if (bytes) return Promise.resolve(bytes);
    if (this.ended.signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.ended.signal.aborted) return Promise.reject(new Error('gone'));
    this.received = Buffer.concat([this.received, bytes]);
    if (!this.blocked) return Promise.resolve();
    return new Promise((resolve) => this.held.push(resolve));
  }

  close(): void {
    this.closed = true;
    this.hangUp();
  }

  unblock(): void {
    this.blocked = false;
    for (const go of this.held.splice(0)) go();
  }

  say(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    if (this.waiting) {
      const resolve = this.waiting;
      this.waiting = null;
      resolve(bytes);
    } else {
      this.queue.push(bytes);
    }
  }

  hangUp(): void {
    this.ended.abort();
    this.waiting?.(null);
    this.waiting = null;
  }

  /** Takes what has come so far. */
  take(): Buffer {
    const all = this.received;
    this.received = Buffer.alloc(0);
    return all;
  }
}

/** One connection to the board's server. */
export class Host {
  readonly pipe = new HostPipe();
  readonly done: Promise<void>;

  constructor(iiod: Iiod) {
    this.done = iiod.serve(this.pipe);
  }

  /** Sends, lets the server work without moving the clock, and gives what came back. */
  async ask(data: string | Uint8Array): Promise<string> {
    this.pipe.say(data);
    await settle();
    return this.pipe.take().toString('latin1');
  }

  /** Writes an attribute as libiio does: with the NUL counted. */
  set(where: string, value: string): Promise<string> {
    return this.ask(`WRITE ${where} ${value.length + 1}\r\n${value}\0`);
  }

  /** The value of an attribute. */
  async get(where: string): Promise<string> {
    const reply = await this.ask(`READ ${where}\r\n`);
    const match = /^(\d+)\n([^\0]*)\0\n$/.exec(reply);
    if (!match || Number(match[1]) !== match[2].length + 1) throw new Error(`READ ${where}: ${JSON.stringify(reply)}`);
    return match[2];
  }
}
