import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import type { BoardSpec } from '../../../src/radio/usb/bus.ts';
import { COUNTER_NUMBERS, CounterDevice } from '../usb/counter-device.ts';

/** A counter behind a USB/IP server; as a thread of its own it lets out `workerData.bytes` in `workerData.pieces`, 10 ms apart. */
export interface CounterServer {
  readonly counter: CounterDevice;
  readonly port: UsbPort;
  readonly server: UsbIpServer;
  readonly spec: BoardSpec;
}

let count = 0;

export async function startCounter(name: string): Promise<CounterServer> {
  const counter = new CounterDevice();
  const port = new UsbPort(counter);
  const path = join(tmpdir(), `sct-${name}-${process.pid}-${count++}.sock`);
  const server = await UsbIpServer.listen({ boards: [{ busId: '1-1', port }], at: { path } });
  const spec = { bus: { kind: 'usbip-unix', path }, wanted: [COUNTER_NUMBERS], serial: null, name: 'Counter' } as const;
  return { counter, port, server, spec };
}

if (!isMainThread && workerData?.counterServer) {
  const { bytes, pieces } = workerData.counterServer as { bytes: number; pieces: number };
  const { counter, server, spec } = await startCounter('thread');
  let left = pieces;
  const timer = setInterval(() => {
    counter.allow(bytes / pieces);
    if (--left === 0) clearInterval(timer);
  }, 10);
  parentPort!.once('message', () => void server.close());
  parentPort!.postMessage(spec);
}
