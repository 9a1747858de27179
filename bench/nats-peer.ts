import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why tests with a real NATS server (Debian: nats-server) are skipped here; false where they are not. */
export const NO_NATS: string | false = (() => {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'nats-server is not installed (Debian: apt-get install nats-server)';
  }
  return false;
})();

/** What a test gives the server's end to. */
interface Ends {
  after(end: () => Promise<void> | void): void;
}

/** A NATS server with a store of its own, which can be killed and started again. */
export class TestNats {
  readonly port: number;
  private readonly store: string;
  private readonly more: readonly string[];
  private readonly jetStream: boolean;
  private child: ChildProcess | null = null;

  private constructor(port: number, store: string, more: readonly string[], jetStream: boolean) {
    this.jetStream = jetStream;
    this.port = port;
    this.store = store;
    this.more = more;
  }

  static async start(t: Ends, more: readonly string[] = [], jetStream = true): Promise<TestNats> {
    const store = await mkdtemp(join(tmpdir(), 'sct-nats-'));
    const out = new TestNats(await freePort(), store, more, jetStream);
    t.after(async () => {
      await out.kill();
      await rm(store, { recursive: true, force: true });
    });
    await out.restart();
    return out;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Of the process that runs now. */
  get pid(): number {
    if (!this.child?.pid) throw new Error('nats-server does not run');
    return this.child.pid;
  }

  async restart(): Promise<void> {
    const store = this.jetStream ? ['-js', '-sd', this.store] : [];
    const args = ['-a', '127.0.0.1', '-p', String(this.port), ...store, ...this.more];
    this.child = spawn('nats-server', args, { stdio: 'ignore' });
    for (let i = 0; ; i++) {
      if (await answers(this.port)) return;
      if (i > 500 || this.child.exitCode !== null) throw new Error('nats-server does not start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** As a disk that is lost does it. */
  async emptyStore(): Promise<void> {
    await rm(join(this.store, 'jetstream'), { recursive: true, force: true });
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString('latin1').startsWith('INFO'));
    });
    socket.once('error', () => resolve(false));
  });
}

/** A port that nobody listens at now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * A cable to a server that can be cut and mended: what is connected breaks, and nothing connects meanwhile. Or it stalls: connections stay, new ones
 * are taken, and nothing comes through, as with packets that are dropped on the way.
 */
export class TestCable {
  readonly port: number;
  private readonly open = new Set<Socket>();
  private readonly ways = new Map<Socket, Socket>();
  private cut = false;
  private stalled = false;

  private constructor(port: number) {
    this.port = port;
  }

  static async lay(t: Ends, to: number): Promise<TestCable> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const out = new TestCable((server.address() as { port: number }).port);
    server.on('connection', (near) => {
      if (out.cut) {
        near.destroy();
        return;
      }
      const far = connect(to, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ]) {
        out.open.add(one);
        one.on('error', () => undefined);
        one.once('close', () => {
          out.open.delete(one);
          out.ways.delete(one);
          other.destroy();
        });
        one.pipe(other);
        if (out.stalled) one.unpipe(other);
        out.ways.set(one, other);
      }
    });
    t.after(() => {
      out.break();
      server.close();
    });
    return out;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  break(): void {
    this.cut = true;
    for (const socket of this.open) socket.destroy();
  }

  stall(): void {
    this.stalled = true;
    for (const [from, to] of this.ways) from.unpipe(to).pause();
  }

  /** After a cut or a stall; what was said into a stalled connection comes now, if somebody still wants it. */
  mend(): void {
    this.cut = false;
    if (!this.stalled) return;
    this.stalled = false;
    for (const [from, to] of this.ways) from.pipe(to);
  }
}

/** Waits until something has become so; Error after a time that is never needed. */
export async function until(done: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  for (let i = 0; !(await done()); i++) {
    if (i > 6000) throw new Error(`${what} never came`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** 32 hexadecimal digits that were never there before. */
export function newId(): string {
  return randomBytes(16).toString('hex');
}
