import { FormatError, inRange, UsageError } from '../../common/errors.ts';
import type { ControlRequest } from '../usb/usb.ts';
import { type RequestName, VENDOR_REQUESTS } from './vendor-requests.ts';

/**
 * One vendor request ready to be sent: what stands in the setup packet, the data, and how many bytes of reply are a reply. Calls are made
 * by pure functions (radio-calls.ts, board-facts.ts, ...) and sent by `HackrfBoard`.
 */
export interface BoardCall {
  readonly name: RequestName;
  readonly setup: ControlRequest;
  /** OUT: the data stage, empty where there is none. */
  readonly data: Uint8Array;
  /** IN: bytes asked for; 0 for OUT. */
  readonly replyBytes: number;
  /** IN: a shorter reply is garbage. */
  readonly minReplyBytes: number;
  readonly timeoutMs: number;
}

/** bmRequestType: vendor request to the device. */
const OUT_TYPE = 0x40;
const IN_TYPE = 0xc0;

/** libhackrf waits 100 ms; a board behind a network or a busy host needs longer. */
export const CALL_TIMEOUT_MS = 1000;

/** A request without reply. `value` and `index` are 16 bits (u32 values go low half first, as libhackrf sends them). */
export function outCall(
  name: RequestName,
  value: number,
  index = 0,
  data: Uint8Array = new Uint8Array(0),
  timeoutMs = CALL_TIMEOUT_MS,
): BoardCall {
  return { name, setup: setup(name, 'out', value, index), data, replyBytes: 0, minReplyBytes: 0, timeoutMs };
}

/** A request with a reply of `minReplyBytes` to `replyBytes` bytes. */
export function inCall(
  name: RequestName,
  value: number,
  index: number,
  replyBytes: number,
  minReplyBytes = replyBytes,
): BoardCall {
  const timeoutMs = CALL_TIMEOUT_MS;
  return {
    name,
    setup: setup(name, 'in', value, index),
    data: new Uint8Array(0),
    replyBytes,
    minReplyBytes,
    timeoutMs,
  };
}

function setup(name: RequestName, direction: 'in' | 'out', value: number, index: number): ControlRequest {
  const request = VENDOR_REQUESTS[name];
  if (request.direction !== direction && request.direction !== 'both')
    throw new Error(`${name} is not an ${direction} request`);
  return {
    requestType: direction === 'in' ? IN_TYPE : OUT_TYPE,
    request: request.number,
    value: integerIn(`${name} value`, value, 0, 0xffff),
    index: integerIn(`${name} index`, index, 0, 0xffff),
  };
}

/** A whole number in its range, or a UsageError. */
export function integerIn(name: string, value: number, min: number, max: number, unit = ''): number {
  inRange(name, value, min, max, unit);
  if (!Number.isInteger(value)) throw new UsageError(`${name} ${value} is not a whole number`);
  return value;
}

/** A DataView of a reply that is at least as long as it must be; a FormatError names the request. */
export function replyView(call: BoardCall, reply: Uint8Array): DataView {
  if (reply.length < call.minReplyBytes || reply.length > call.replyBytes) {
    throw new FormatError(call.name, `the board answered with ${reply.length} bytes, ${call.minReplyBytes} were due`);
  }
  return new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
}

/** Bytes of little-endian u32 values. */
export function u32Bytes(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  return bytes;
}
