import type { Worker } from 'node:worker_threads';
import type { BoardSpec } from '../usb/bus-spec.ts';
import { type UsbBoard, UsbError, type UsbInterface } from '../usb/usb.ts';
import { besideModule, startWorker } from './start-worker.ts';
import {
  type CallMessage,
  CLOSED,
  errorOf,
  FLAG_BYTES,
  SILENT,
  type WorkerCalls,
  type WorkerMessage,
  type WorkerStart,
} from './worker-protocol.ts';

/** How long a process that ends waits for the farewell, and for the board to be let go after it. */
const FAREWELL_MS = 1000;
const LET_GO_MS = 500;
/** How long close() waits for the thread to end after the board was let go; it ends by itself then. */
const EXIT_MS = 300;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Threads with a board, for the end of the process. */
const running = new Set<BoardThread>();

process.on('exit', () => {
  for (const host of running) host.endNow();
});

/** The main thread's side of a worker: calls and their answers, the end. */
export class BoardThread {
  private readonly worker: Worker;
  private readonly words: Int32Array;
  private readonly waiting = new Map<number, Waiting>();
  private readonly goneListeners = new Set<() => void>();
  private readonly streamListeners = new Map<number, (error: UsbError | null) => void>();
  private nextId = 1;
  private over: UsbError | null = null;
  private opened: ((message: WorkerMessage | Error) => void) | null = null;
  private readonly exited: Promise<void>;

  private constructor(spec: BoardSpec | null) {
    const flags = new SharedArrayBuffer(FLAG_BYTES);
    this.words = new Int32Array(flags);
    const workerData: WorkerStart = { spec, flags };
    this.worker = startWorker(besideModule('board-worker', import.meta.url), workerData);
    this.worker.on('message', (message: WorkerMessage) => this.heard(message));
    this.worker.on('error', (error) => this.die(`its thread failed: ${error.message}`));
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        running.delete(this);
        this.die(`its thread ended (${code})`);
        resolve();
      });
    });
  }

  static async start(
    spec: BoardSpec | null,
  ): Promise<{ host: BoardThread; board: UsbBoard | null; interfaces: readonly UsbInterface[] }> {
    const host = new BoardThread(spec);
    const first = await new Promise<WorkerMessage | Error>((resolve) => {
      host.opened = resolve;
    });
    host.opened = null;
    if (first instanceof Error) throw first;
    if (first.kind === 'failed') {
      await host.exited;
      throw errorOf(first.error);
    }
    if (first.kind !== 'open') throw new Error(`the thread of a board began with ${first.kind}`);
    if (host.over) throw host.over;
    running.add(host);
    return { host, board: first.board, interfaces: first.interfaces };
  }

  /** Asks the worker; bytes in `transfer` are handed over. */
  call<K extends keyof WorkerCalls>(
    call: K,
    args: Parameters<WorkerCalls[K]>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ReturnType<WorkerCalls[K]>> {
    return new Promise((resolve, reject) => {
      if (this.over) throw this.over;
      const id = this.nextId++;
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.worker.postMessage({ id, call, args } as CallMessage, transfer);
    });
  }

  onGone(listener: () => void): void {
    if (!this.over) this.goneListeners.add(listener);
  }

  /** Calls `ended` once, when the stream ended or its thread died. */
  onStreamEnd(stream: number, ended: (error: UsbError | null) => void): void {
    if (this.over) ended(this.over);
    else this.streamListeners.set(stream, ended);
  }

  forgetStream(stream: number): void {
    this.streamListeners.delete(stream);
  }

  /** Ends the worker in order. */
  async close(): Promise<void> {
    this.goneListeners.clear();
    try {
      await this.call('close', []);
    } catch (error) {
      if (!(error instanceof UsbError)) throw error; // it was dead already
    }
    // A library that keeps its thread busy must not keep the caller waiting, nor the process alive.
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.exited, new Promise((resolve) => (timer = setTimeout(resolve, EXIT_MS)))]);
    clearTimeout(timer);
    running.delete(this);
    this.worker.unref();
  }

  silenceNow(waitMs: number): boolean {
    if (this.over) return true;
    Atomics.store(this.words, SILENT, 0);
    this.worker.postMessage({ id: 0, call: 'silence', args: [] } satisfies CallMessage);
    return this.waitFor(SILENT, waitMs);
  }

  /** At the exit of the process, where nothing can be awaited any more. */
  endNow(): void {
    if (this.over) return;
    Atomics.store(this.words, SILENT, 0);
    this.worker.postMessage({ id: 0, call: 'close', args: [] } satisfies CallMessage);
    if (this.waitFor(SILENT, FAREWELL_MS)) this.waitFor(CLOSED, LET_GO_MS);
  }

  private waitFor(word: number, waitMs: number): boolean {
    return Atomics.wait(this.words, word, 0, waitMs) !== 'timed-out';
  }

  private heard(message: WorkerMessage): void {
    if (message.kind === 'done' || message.kind === 'refused') {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.kind === 'done') waiting?.resolve(message.value);
      else waiting?.reject(errorOf(message.error));
    } else if (message.kind === 'streamEnded') {
      const listener = this.streamListeners.get(message.stream);
      this.streamListeners.delete(message.stream);
      listener?.(message.error && (errorOf(message.error) as UsbError));
    } else if (message.kind === 'gone') this.sayGone();
    else this.opened?.(message);
  }

  private sayGone(): void {
    for (const listener of [...this.goneListeners]) listener();
    this.goneListeners.clear();
  }

  /** The thread is dead: nobody waits for it any longer. */
  private die(reason: string): void {
    if (this.over) return;
    this.over = new UsbError('gone', `the board is gone: ${reason}`);
    this.opened?.(this.over);
    for (const { reject } of this.waiting.values()) reject(this.over);
    this.waiting.clear();
    for (const ended of [...this.streamListeners.values()]) ended(this.over);
    this.streamListeners.clear();
    this.sayGone();
  }
}
