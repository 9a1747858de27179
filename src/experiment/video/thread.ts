import type { Transferable, Worker } from 'node:worker_threads';
import { ExitCode, SctError } from '../../common/errors.ts';
import { besideModule, startWorker } from '../../radio/stream/start-worker.ts';

/** What every thread of a video says of itself. */
export type ThreadNote =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: ExitCode };

/** A thread of a video, started and stopped; what it cannot do ends the session with its error. */
export class VideoThread<In extends object, Out extends { readonly kind: string }> {
  private readonly worker: Worker;
  private readonly name: string;
  private ending = false;
  private readonly failedWith: Promise<never>;

  private constructor(worker: Worker, name: string, take: (message: Out) => void, failed: (error: Error) => void) {
    this.worker = worker;
    this.name = name;
    let reject = (_: Error): void => undefined;
    this.failedWith = new Promise<never>((_, fail) => {
      reject = fail;
    });
    this.failedWith.catch(() => undefined);
    const fail = (error: Error): void => {
      reject(error);
      if (!this.ending) failed(error);
    };
    worker.on('message', (message: Out | ThreadNote) => {
      if (message.kind === 'failed') {
        const { message: text, exitCode } = message as Extract<ThreadNote, { kind: 'failed' }>;
        fail(new SctError(text, exitCode));
      } else if (message.kind !== 'ready') take(message as Out);
    });
    worker.on('error', fail);
    worker.on('exit', (code) => {
      if (!this.ending) fail(new Error(`the thread ${this.name} ended with ${code}`));
    });
  }

  /**
   * Starts a thread on a module of this folder and waits until it is ready.
   *
   * @param transfer ports in `data`
   */
  static async start<In extends object, Out extends { readonly kind: string }>(
    name: string,
    data: object,
    take: (message: Out) => void,
    failed: (error: Error) => void,
  ): Promise<VideoThread<In, Out>> {
    const worker = startWorker(besideModule(name, import.meta.url), data);
    const thread = new VideoThread<In, Out>(worker, name, take, failed);
    const ready = new Promise<void>((resolve) => {
      worker.on('message', (message: Out | ThreadNote) => {
        if (message.kind === 'ready') resolve();
      });
    });
    try {
      await Promise.race([ready, thread.failedWith]);
    } catch (error) {
      await thread.stop();
      throw error;
    }
    return thread;
  }

  post(message: In, transfer: readonly Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  async stop(): Promise<void> {
    this.ending = true;
    await this.worker.terminate();
  }
}

/** How a thread tells what it failed by. */
export function failureNote(error: unknown): ThreadNote {
  if (error instanceof SctError) return { kind: 'failed', message: error.message, exitCode: error.exitCode };
  return { kind: 'failed', message: (error as Error)?.stack ?? String(error), exitCode: ExitCode.internal };
}

/** UTC in ms with fractions, the same clock in every thread of this process. */
export function utcNowMs(): number {
  return performance.timeOrigin + performance.now();
}
