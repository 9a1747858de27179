import { DeviceError, SctError, UsageError } from '../../common/errors.ts';
import type { BoardSpec } from '../usb/bus-spec.ts';
import { type ControlRequest, type UsbBoard, UsbError, type UsbErrorKind, type UsbInterface } from '../usb/usb.ts';
import type { InRequest, OutDone, OutRequest, PresetRequest, TaskRequest } from './stream-board.ts';

/** What goes between the main thread and the worker that has a board open. Both ends are this program: shapes are not checked. */

/** What the main thread may ask of the worker. Streams and queues have numbers that the main thread gives. */
export interface WorkerCalls {
  claim(interfaceNumber: number): void;
  controlIn(request: ControlRequest, length: number, timeoutMs?: number): Uint8Array;
  controlOut(request: ControlRequest, data?: Uint8Array, timeoutMs?: number): void;
  bulkIn(endpoint: number, length: number, timeoutMs: number): Uint8Array;
  bulkOut(endpoint: number, data: Uint8Array, timeoutMs: number): number;
  cancel(endpoint: number): void;
  startIn(stream: number, request: InRequest, shared: SharedArrayBuffer): void;
  startTask(stream: number, request: TaskRequest, shared: SharedArrayBuffer): void;
  stopStream(stream: number): void;
  pollNow(stream: number): void;
  /** `sent`: one Int64 that the worker keeps at the bytes sent. */
  startOut(queue: number, request: OutRequest, sent: SharedArrayBuffer): void;
  write(queue: number, data: Uint8Array): OutDone;
  cancelOut(queue: number): void;
  setFarewell(requests: readonly PresetRequest[]): void;
  silence(): void;
  close(): void;
}

export type CallMessage = {
  [K in keyof WorkerCalls]: { readonly id: number; readonly call: K; readonly args: Parameters<WorkerCalls[K]> };
}[keyof WorkerCalls];

export type WorkerMessage =
  /** First message: the board is open (null: a thread without one), or why not. */
  | { readonly kind: 'open'; readonly board: UsbBoard | null; readonly interfaces: readonly UsbInterface[] }
  | { readonly kind: 'failed'; readonly error: PlainError }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'streamEnded'; readonly stream: number; readonly error: PlainError | null }
  | { readonly kind: 'gone' };

export interface WorkerStart {
  readonly spec: BoardSpec | null;
  /** Int32 words, below. */
  readonly flags: SharedArrayBuffer;
}

/** Words of the flags: set to 1 by the worker, with a notify. */
export const SILENT = 0;
export const CLOSED = 1;
export const FLAG_BYTES = 8;

/** An error as plain data; classes do not survive the way between threads. */
export interface PlainError {
  readonly type: 'usb' | 'usage' | 'device' | 'other';
  readonly usbKind?: UsbErrorKind;
  readonly message: string;
  readonly hint?: string;
}

export function plainError(error: unknown): PlainError {
  const { message = String(error) } = error as { message?: string };
  const hint = error instanceof SctError && error.hint !== undefined ? { hint: error.hint } : {};
  if (error instanceof UsbError) return { type: 'usb', usbKind: error.kind, message, ...hint };
  if (error instanceof UsageError) return { type: 'usage', message, ...hint };
  if (error instanceof DeviceError) return { type: 'device', message, ...hint };
  return { type: 'other', message, ...hint };
}

/** The error again; what was none of ours stays a plain Error. */
export function errorOf(plain: PlainError): Error {
  const { type, message, hint } = plain;
  if (type === 'usb') return new UsbError(plain.usbKind ?? 'io', message, hint);
  if (type === 'usage') return new UsageError(message, hint);
  if (type === 'device') return new DeviceError(message, hint);
  return new Error(message);
}
