import { parentPort, workerData } from 'node:worker_threads';
import { openBoard } from '../usb/bus.ts';
import { type UsbDevice, UsbError } from '../usb/usb.ts';
import { BoardEngine } from './board-engine.ts';
import type { Running } from './in-runner.ts';
import type { OutRunner } from './out-runner.ts';
import {
  type CallMessage,
  CLOSED,
  plainError,
  SILENT,
  type WorkerCalls,
  type WorkerMessage,
  type WorkerStart,
} from './worker-protocol.ts';

/** The thread that has a board open; started by board-thread.ts. */

const port = parentPort!;
const { spec, flags } = workerData as WorkerStart;
const words = new Int32Array(flags);

function post(message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function raise(word: number): void {
  Atomics.store(words, word, 1);
  Atomics.notify(words, word);
}

/** What the main thread may ask for, done on one open board. */
function serve(engine: BoardEngine): { [K in keyof WorkerCalls]: (...args: Parameters<WorkerCalls[K]>) => unknown } {
  const streams = new Map<number, Running>();
  const queues = new Map<number, OutRunner>();
  const device = (): UsbDevice => {
    if (!engine.device) throw new UsbError('gone', 'this thread has no board');
    return engine.device;
  };
  const keep = (stream: number, running: Running) => {
    streams.set(stream, running);
    void running.ended.then((error) => {
      streams.delete(stream);
      post({ kind: 'streamEnded', stream, error: error && plainError(error) });
    });
  };
  return {
    claim: (interfaceNumber) => device().claim(interfaceNumber),
    controlIn: (request, length, timeoutMs) => device().controlIn(request, length, timeoutMs),
    controlOut: (request, data, timeoutMs) => device().controlOut(request, data, timeoutMs),
    bulkIn: async (endpoint, length, timeoutMs) => {
      const into = new Uint8Array(length);
      return into.subarray(0, await device().bulkIn(endpoint, into, timeoutMs));
    },
    bulkOut: (endpoint, data, timeoutMs) => device().bulkOut(endpoint, data, timeoutMs),
    cancel: (endpoint) => device().cancel(endpoint),
    startIn: (stream, request, shared) => keep(stream, engine.runIn(request, shared)),
    startTask: async (stream, request, shared) => keep(stream, await engine.runTask(request, shared)),
    stopStream: (stream) => streams.get(stream)?.stop(),
    pollNow: (stream) => streams.get(stream)?.pollNow(),
    startOut: (queue, request, sent) => {
      const counter = new BigInt64Array(sent);
      const onSent = (bytes: number) => void Atomics.store(counter, 0, BigInt(bytes));
      queues.set(queue, engine.openOut(request, onSent));
    },
    write: (queue, data) => {
      const runner = queues.get(queue);
      if (!runner) throw new UsbError('cancelled', 'sending was cancelled');
      return runner.write(data);
    },
    cancelOut: async (queue) => {
      const runner = queues.get(queue);
      queues.delete(queue);
      if (runner) await engine.cancelOut(runner);
    },
    setFarewell: (requests) => engine.setFarewell(requests),
    silence: async () => {
      await engine.silence();
      raise(SILENT);
    },
    close: async () => {
      await engine.close(() => raise(SILENT));
      raise(CLOSED);
    },
  };
}

async function answer(calls: ReturnType<typeof serve>, { id, call, args }: CallMessage): Promise<void> {
  try {
    const value = await (calls[call] as (...values: unknown[]) => unknown)(...args);
    // Data is handed over, not copied.
    const bytes = value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
    post({ kind: 'done', id, value }, bytes);
  } catch (error) {
    post({ kind: 'refused', id, error: plainError(error) });
  }
  // Nothing keeps the thread alive any more; it ends by itself when the library has let go, too.
  if (call === 'close') port.close();
}

async function start(): Promise<void> {
  let device: UsbDevice | null = null;
  try {
    device = spec && (await openBoard(spec));
  } catch (error) {
    post({ kind: 'failed', error: plainError(error) });
    port.close();
    return;
  }
  const engine = new BoardEngine(device);
  device?.onGone(() => post({ kind: 'gone' }));
  const calls = serve(engine);
  port.on('message', (message: CallMessage) => void answer(calls, message));
  // The main thread is gone without a word: the board must not go on sending.
  port.on('close', () => void engine.close());
  process.on('uncaughtException', (error) => {
    process.stderr.write(`the thread of a board failed: ${error.stack ?? error}\n`);
    void engine.close().finally(() => process.exit(1));
  });
  post({ kind: 'open', board: device && { ...device.board }, interfaces: device?.interfaces ?? [] });
}

void start();
