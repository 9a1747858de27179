import type { RunTask, TaskContext } from '../stream/stream-board.ts';
import { UsbError } from '../usb/usb.ts';
import type { Connector } from './byte-transport.ts';
import { IiodError } from './iiod-error.ts';
import { type RxLoopConfig, receiveLoop } from './rx-loop.ts';
import { lossToBytes, TAG_LOSS, TAG_WARNING } from './rx-records.ts';
import { TcpConnector } from './tcp-transport.ts';
import { UsbConnector } from './usb-transport.ts';

/** Parameters of the task; plain data. */
export interface RxTaskParameters {
  /** Where the server is; usb: on the board of the task, through the pipes with these numbers. */
  readonly server:
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'usb'; readonly pipes: readonly number[] };
  readonly loop: RxLoopConfig;
}

const BYTES_PER_SAMPLE = 4;
/** Longest warning in bytes. */
const MAX_WARNING_BYTES = 400;

/** Runs the receive loop beside the main thread; samples and losses go into the ring in stream order. */
export const runTask: RunTask = async (context) => {
  const { server, loop } = context.parameters as RxTaskParameters;
  const connector = connectorOf(server, context);
  // One monotonic clock that starts at the epoch, as the ring's times are.
  const nowS = () => (performance.timeOrigin + performance.now()) / 1000;
  const sink = {
    samples: (bytes: Uint8Array, lastSampleS: number) => {
      context.push(bytes, BigInt(Math.round(lastSampleS * 1e6)) * 1000n);
    },
    loss: (bounds: { min: number; max: number }, from: number, to: number) =>
      side(context, TAG_LOSS, lossToBytes(bounds), from * BYTES_PER_SAMPLE, to * BYTES_PER_SAMPLE),
    warn: (text: string) => {
      side(context, TAG_WARNING, new TextEncoder().encode(text).subarray(0, MAX_WARNING_BYTES), 0, 0);
    },
  };
  try {
    await receiveLoop(connector, loop, sink, context.signal, nowS);
  } catch (error) {
    throw asUsbError(error);
  }
};

function connectorOf(server: RxTaskParameters['server'], context: TaskContext): Connector {
  if (server.kind === 'tcp') return new TcpConnector(server.host, server.port);
  if (!context.device) throw new UsbError('io', 'the receive task needs a USB board');
  return UsbConnector.share(context.device, server.pipes);
}

function side(context: TaskContext, tag: number, data: Uint8Array, fromIndex: number, toIndex: number): boolean {
  const nowNs = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
  return context.pushSide({ tag, data, fromIndex, toIndex, askedNs: nowNs, timeNs: nowNs });
}

/** A task ends its stream with a UsbError; of an error that is none the kind says what kind of failure it was. */
function asUsbError(error: unknown): UsbError {
  if (error instanceof UsbError) return error;
  const kind = error instanceof IiodError && (error.kind === 'gone' || error.kind === 'timeout') ? error.kind : 'io';
  return new UsbError(kind, error instanceof Error ? error.message : String(error));
}
