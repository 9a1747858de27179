import type { ControlRequest, UsbBoard, UsbError, UsbInterface } from '../usb/usb.ts';
import type { BoardThread } from './board-thread.ts';
import { createChunkRing } from './chunk-ring.ts';
import { checkInRequest, type Running } from './in-runner.ts';
import { checkOutRequest } from './out-runner.ts';
import { RingStream } from './ring-stream.ts';
import type {
  InRequest,
  InStream,
  OutQueue,
  OutRequest,
  PresetRequest,
  StreamBoard,
  TaskRequest,
} from './stream-board.ts';

const SILENCE_WAIT_MS = 1000;

/** A board that a worker thread has open, as the main thread sees it. */
export class WorkerBoard implements StreamBoard {
  readonly interfaces: readonly UsbInterface[];
  private readonly thread: BoardThread;
  private readonly opened: UsbBoard | null;
  private nextNumber = 1;
  private closing: Promise<void> | null = null;

  /** @param opened null: a thread for tasks alone; only startTask and close are used then */
  constructor(thread: BoardThread, opened: UsbBoard | null, interfaces: readonly UsbInterface[]) {
    this.thread = thread;
    this.opened = opened;
    this.interfaces = interfaces;
  }

  get board(): UsbBoard {
    if (!this.opened) throw new Error('this thread has no board');
    return this.opened;
  }

  claim(interfaceNumber: number): Promise<void> {
    return this.thread.call('claim', [interfaceNumber]);
  }

  controlIn(request: ControlRequest, length: number, timeoutMs?: number): Promise<Uint8Array> {
    return this.thread.call('controlIn', [request, length, timeoutMs]);
  }

  controlOut(request: ControlRequest, data?: Uint8Array, timeoutMs?: number): Promise<void> {
    return this.thread.call('controlOut', [request, data, timeoutMs]);
  }

  async bulkIn(endpoint: number, into: Uint8Array, timeoutMs: number): Promise<number> {
    const bytes = await this.thread.call('bulkIn', [endpoint, into.length, timeoutMs]);
    into.set(bytes);
    return bytes.length;
  }

  bulkOut(endpoint: number, data: Uint8Array, timeoutMs: number): Promise<number> {
    const bytes = own(data);
    return this.thread.call('bulkOut', [endpoint, bytes.data, timeoutMs], bytes.transfer);
  }

  cancel(endpoint: number): Promise<void> {
    return this.thread.call('cancel', [endpoint]);
  }

  onGone(listener: () => void): void {
    this.thread.onGone(listener);
  }

  async startIn(request: InRequest): Promise<InStream> {
    checkInRequest(request);
    const shared = createChunkRing(request.ringBytes, request.transferBytes);
    return this.stream(shared, (stream) => this.thread.call('startIn', [stream, request, shared]));
  }

  async startTask(request: TaskRequest): Promise<InStream> {
    const shared = createChunkRing(request.ringBytes, request.chunkBytes);
    return this.stream(shared, (stream) => this.thread.call('startTask', [stream, request, shared]));
  }

  async startOut(request: OutRequest): Promise<OutQueue> {
    checkOutRequest(request);
    const queue = this.nextNumber++;
    const sent = new SharedArrayBuffer(8);
    const counter = new BigInt64Array(sent);
    const { thread } = this;
    await thread.call('startOut', [queue, request, sent]);
    return {
      write: (data) => {
        const bytes = own(data);
        const done = thread.call('write', [queue, bytes.data], bytes.transfer);
        done.catch(() => {}); // looked at by whoever waits for it
        return done;
      },
      cancel: () => thread.call('cancelOut', [queue]).catch(() => {}), // a dead thread sends nothing
      get sentBytes() {
        return Number(Atomics.load(counter, 0));
      },
    };
  }

  setFarewell(requests: readonly PresetRequest[]): Promise<void> {
    return this.thread.call('setFarewell', [requests]);
  }

  silenceNow(waitMs = SILENCE_WAIT_MS): boolean {
    return this.thread.silenceNow(waitMs);
  }

  close(): Promise<void> {
    this.closing ??= this.thread.close();
    return this.closing;
  }

  private async stream(shared: SharedArrayBuffer, start: (stream: number) => Promise<void>): Promise<InStream> {
    const stream = this.nextNumber++;
    const { thread } = this;
    const ended = new Promise<UsbError | null>((resolve) => thread.onStreamEnd(stream, resolve));
    const running: Running = {
      ended,
      stop: async () => {
        thread.call('stopStream', [stream]).catch(() => {}); // a dead thread has stopped
        await ended;
      },
      pollNow: () => void thread.call('pollNow', [stream]).catch(() => {}),
    };
    try {
      await start(stream);
    } catch (error) {
      thread.forgetStream(stream);
      throw error;
    }
    return new RingStream(shared, running);
  }
}

/** Bytes that can be handed to another thread: a copy, or shared memory as it is. */
function own(data: Uint8Array): { data: Uint8Array; transfer: readonly ArrayBuffer[] } {
  if (data.buffer instanceof SharedArrayBuffer) return { data, transfer: [] };
  const copy = new Uint8Array(data);
  return { data: copy, transfer: [copy.buffer] };
}
