import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InStream, StreamBoard, StreamThread } from '../stream/stream-board.ts';
import { openWorkerBoard, openWorkerThread } from '../stream/worker-host.ts';
import type { BoardSpec } from '../usb/bus.ts';
import type { Connector } from './byte-transport.ts';
import type { RxLoopConfig } from './rx-loop.ts';
import type { RxTaskParameters } from './rx-task.ts';
import { TcpConnector } from './tcp-transport.ts';
import { findIioInterface, resetPipesRequest, UsbConnector } from './usb-transport.ts';

/** The way to a Pluto: connections for settings and transmitting, and a thread that receives. */
export interface PlutoLink {
  readonly connector: Connector;
  /** Whether the board notices that this host is gone, even killed, and ends what it sends. */
  readonly noticesLoss: boolean;
  startReceiving(loop: RxLoopConfig): Promise<InStream>;
  /** While something may be transmitted: what the thread of the board sends if this process ends. */
  armFarewell(): Promise<void>;
  close(): Promise<void>;
}

/** Seconds of samples that may wait for a busy main thread (coding a picture, say), and bounds of the memory for them. */
const RING_S = 4;
const MIN_RING_BYTES = 64 << 20;
const MAX_RING_BYTES = 256 << 20;
const BYTES_PER_SAMPLE = 4;

/** Pipes of a board on USB: settings and transmitter on the main thread's side, the receiver's in its own. */
const MAIN_PIPES = [0, 2];
const RX_PIPES = [1];

/** Over TCP, to `pluto:ip:HOST:PORT`. A thread for receiving is made when it is first needed. */
export function tcpLink(host: string, port: number, openThread = openWorkerThread): PlutoLink {
  const connector = new TcpConnector(host, port);
  let thread: StreamThread | null = null;
  return {
    connector,
    noticesLoss: true,
    async startReceiving(loop) {
      thread ??= await openThread();
      return startTask(thread, { server: { kind: 'tcp', host, port }, loop });
    },
    async armFarewell() {},
    async close() {
      await thread?.close();
      await connector.close();
    },
  };
}

/** Over USB: on this machine, or behind a USB/IP server. */
export async function usbLink(spec: BoardSpec, openBoard = openWorkerBoard): Promise<PlutoLink> {
  const board: StreamBoard = await openBoard(spec);
  try {
    const connector = await UsbConnector.open(board, MAIN_PIPES);
    const farewell = [resetPipesRequest(findIioInterface(board).number)];
    return {
      connector,
      noticesLoss: false,
      startReceiving: (loop) => startTask(board, { server: { kind: 'usb', pipes: RX_PIPES }, loop }),
      armFarewell: () => board.setFarewell(farewell),
      async close() {
        await connector.close();
        await board.close();
      },
    };
  } catch (error) {
    await board.close();
    throw error;
  }
}

function startTask(thread: Pick<StreamThread, 'startTask'>, parameters: RxTaskParameters): Promise<InStream> {
  const { bufferSamples, rateHz } = parameters.loop;
  const chunkBytes = bufferSamples * BYTES_PER_SAMPLE;
  const wanted = Math.max(4 * chunkBytes, MIN_RING_BYTES, Math.ceil(RING_S * rateHz) * BYTES_PER_SAMPLE);
  return thread.startTask({
    // Sources run as .ts, the built package as .js.
    module: new URL(`./rx-task${extname(fileURLToPath(import.meta.url))}`, import.meta.url).href,
    parameters,
    ringBytes: Math.max(2 * chunkBytes, Math.min(wanted, MAX_RING_BYTES)),
    chunkBytes,
  });
}
