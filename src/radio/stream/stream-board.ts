import type { ControlRequest, UsbDevice, UsbError } from '../usb/usb.ts';
import type { RingBytes, RingEnd, RingSide } from './chunk-ring.ts';

/**
 * A board whose streams run beside the caller, in a worker thread (`openWorkerBoard` of worker-host.ts) or in the same one
 * (`LocalBoard`, for tests and tools). It is a UsbDevice besides: control requests are served while streams run.
 */
export interface StreamBoard extends UsbDevice {
  /** Receives from a bulk IN endpoint into a ring until stopped. One stream an endpoint. */
  startIn(request: InRequest): Promise<InStream>;
  /** A queue of bytes to a bulk OUT endpoint. One queue an endpoint. */
  startOut(request: OutRequest): Promise<OutQueue>;
  /** Runs code of a driver beside the board, which fills a ring. */
  startTask(request: TaskRequest): Promise<InStream>;
  /**
   * Control requests (OUT, in this order) that are sent before the board is let go for whatever reason that leaves time for it: close(), a
   * failure of its thread, the end of the process (also by process.exit() or an exception). This keeps a transmitter silent. Replaces what was
   * set before.
   */
  setFarewell(requests: readonly PresetRequest[]): Promise<void>;
  /**
   * For a process that is about to end: cancels every OUT transfer and sends the farewell, without giving way to other code of this thread.
   * Waits for it at most waitMs (default 1000); true: it was sent. Where streams run in the caller's own thread nothing can be sent:
   * false. A worker board does this by itself on the process's exit event.
   */
  silenceNow(waitMs?: number): boolean;
}

/** A control OUT request that the board's thread sends by itself. */
export interface PresetRequest extends ControlRequest {
  readonly data?: Uint8Array;
  /** Default PRESET_MS. */
  readonly timeoutMs?: number;
}

export const PRESET_MS = 500;

export interface InRequest {
  readonly endpoint: number;
  /** Bytes of one transfer, a multiple of the packet size. */
  readonly transferBytes: number;
  /** Transfers under way at once, 1 to 64. */
  readonly transfers: number;
  /** Bytes that may wait for a busy reader; at least two transfers. One second of samples is the least a driver should ask for. */
  readonly ringBytes: number;
  /** The stream ends with a UsbError of kind timeout after so long without a byte; 0 (default): silence is no error. */
  readonly silenceMs?: number;
  /** Sent right before the first transfers (HackRF: mode RX), so that the board's FIFO does not fill meanwhile. */
  readonly begin?: readonly PresetRequest[];
  /** Sent once where one of `begin` was not answered in time; without it that ends the stream. */
  readonly beginAgain?: readonly PresetRequest[];
  readonly poll?: PollRequest;
}

/**
 * A control IN request made again and again while a stream runs; each reply is a side record of tag POLL_TAG in the ring. Its fromIndex and
 * toIndex are the bytes that the host had when the request was sent and when its reply came; the board may have sent up to one transfer
 * more at either time. A refused or late reply is a record without data. The first poll goes out right after the first transfers,
 * each later one `periodMs` after the one before, or when that one is over.
 */
export interface PollRequest {
  readonly request: ControlRequest;
  readonly length: number;
  readonly periodMs: number;
  /** Default 1000. */
  readonly timeoutMs?: number;
}

export const POLL_TAG = 0;

/** The end of a stream: stopped (error null), or why it ended by itself. */
export interface StreamEnd extends RingEnd {
  readonly error: UsbError | null;
}

export type StreamEntry = RingBytes | RingSide | StreamEnd;

export interface InStream {
  /** The next entry; everything that came before the end is delivered first. One call at a time. */
  read(): Promise<StreamEntry>;
  /** The next entry without waiting; null when there is none yet. */
  tryRead(): StreamEntry | null;
  /** Bytes dropped so far because the ring was full, also those that were not read yet. */
  readonly lostBytes: number;
  /** Index after the last byte that reached the host. */
  readonly endIndex: number;
  /** Polls at once (or right after the poll under way); the reply comes through the ring. Nothing where no poll was asked for. */
  pollNow(): void;
  /** Cancels the transfers under way and ends the stream; what is in the ring can still be read. Safe to call twice. */
  stop(): Promise<void>;
}

export interface OutRequest {
  readonly endpoint: number;
  /** What is written is sent in pieces of so many bytes, the last piece of every write being shorter. */
  readonly transferBytes: number;
  readonly transfers: number;
  /** A piece that the board has not taken after so long ends the queue with a UsbError of kind timeout; 0: never. */
  readonly stallMs: number;
}

export interface OutDone {
  /** Bytes taken since the queue began, with this write. */
  readonly sentBytes: number;
  /** When the board had taken the last byte of this write, ns since 1970. */
  readonly timeNs: bigint;
}

export interface OutQueue {
  /**
   * Queues bytes; transfers run on without a gap from one write to the next as long as something is queued. Copied, unless they lie in a
   * SharedArrayBuffer, which the caller then leaves alone until it is done. Resolves when the board has taken all of it; writes are
   * done in order. UsbError: the queue ended (stall, timeout, gone, cancelled), and with it every later write.
   */
  write(data: Uint8Array): Promise<OutDone>;
  /** Bytes that the board has taken, in whole transfers. */
  readonly sentBytes: number;
  /** Ends the queue: what is not taken yet is cancelled. Resolves when no transfer is under way. Safe to call twice. */
  cancel(): Promise<void>;
}

/** Code of a driver that must not wait for a busy main thread, a buffer loop over a text protocol for instance. */
export interface TaskRequest {
  /** `besideModule('my-task', import.meta.url).href` (start-worker.ts); the module exports `runTask`. */
  readonly module: string;
  /** Anything structuredClone takes. */
  readonly parameters: unknown;
  readonly ringBytes: number;
  readonly chunkBytes: number;
}

/** What a task gets. It returns when `signal` is aborted, and throws a UsbError to end the stream with it. */
export interface TaskContext {
  readonly device: UsbDevice | null;
  /** Bytes of the stream; false: lost, the ring is full. `timeNs` default now. */
  push(data: Uint8Array, timeNs?: bigint): boolean;
  /** False: no room, not kept. */
  pushSide(side: Omit<RingSide, 'kind'>): boolean;
  readonly endIndex: number;
  readonly signal: AbortSignal;
  readonly parameters: unknown;
}

export type RunTask = (context: TaskContext) => Promise<void>;

/** A thread without a board: only tasks, for boards that are reached by network. */
export type StreamThread = Pick<StreamBoard, 'startTask' | 'close'>;
