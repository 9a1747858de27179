import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { DeviceError } from '../../common/errors.ts';

/** What ffmpeg says of a failure, at most; its own text may name anything. */
const MOST_ERROR_BYTES = 4096;
/** Time that it has to end by itself once its pipes are closed, ms. */
const END_MS = 1000;

type Child = ChildProcessByStdio<Writable | null, Readable | null, Readable>;

/** Children that are running: none outlives this process. */
const running = new Set<Child>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface FfmpegOptions {
  readonly args: readonly string[];
  /** What it reads from us, and what we read from it. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Default `ffmpeg` of the path. */
  readonly program?: string;
}

/**
 * ffmpeg as a child process with pipes. It ends with its input, with `close`, and with this process, however that ends: a killed parent
 * closes the pipes that it reads from or writes to.
 */
export class FfmpegChild {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  /** Resolves with its exit code (null: killed); rejects with a DeviceError where there is no ffmpeg. */
  readonly ended: Promise<number | null>;
  private readonly child: Child;
  private readonly said: Buffer[] = [];
  private saidBytes = 0;

  private constructor(child: Child, program: string) {
    this.child = child;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    running.add(child);
    child.stderr.on('data', (bytes: Buffer) => {
      if (this.saidBytes < MOST_ERROR_BYTES) this.said.push(bytes);
      this.saidBytes += bytes.length;
    });
    // A pipe that the other end has closed is told of by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdout?.on('error', () => undefined);
    child.stderr.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        running.delete(child);
        reject(
          error.code === 'ENOENT'
            ? new DeviceError(
                `${program} is not installed: videos and cameras are read through it`,
                'install ffmpeg (apt-get install ffmpeg), or give a folder of pictures',
              )
            : new DeviceError(`${program} cannot be started (${error.code ?? error.message})`),
        );
      });
      child.once('close', (code) => {
        running.delete(child);
        resolve(code);
      });
    });
    this.ended.catch(() => undefined);
  }

  static start({ args, stdin, stdout, program = 'ffmpeg' }: FfmpegOptions): FfmpegChild {
    const child = spawn(program, ['-nostdin', '-hide_banner', '-loglevel', 'error', ...args], {
      stdio: [stdin ? 'pipe' : 'ignore', stdout ? 'pipe' : 'ignore', 'pipe'],
      windowsHide: true,
    }) as Child;
    return new FfmpegChild(child, program);
  }

  /** Of the process; undefined where it never began. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** The last line of what it said on its error output, printable. */
  get complaint(): string {
    const text = Buffer.concat(this.said).toString('utf8').slice(0, MOST_ERROR_BYTES);
    const lines = text.split('\n').map((line) => line.replace(/[^\x20-\x7e]/g, '?').trim());
    return (lines.filter((line) => line.length > 0).at(-1) ?? '').slice(0, 200);
  }

  /** Ends it: it may finish what it writes; after a second it is killed. */
  async close(kill = true): Promise<void> {
    this.stdin?.end();
    this.stdout?.destroy();
    if (kill) this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), kill ? END_MS : 30 * END_MS);
    try {
      await this.ended;
    } catch {
      // It never began.
    } finally {
      clearTimeout(timer);
    }
  }
}
