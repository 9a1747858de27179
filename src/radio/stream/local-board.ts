import type { ControlRequest, UsbBoard, UsbDevice, UsbInterface } from '../usb/usb.ts';
import { BoardEngine } from './board-engine.ts';
import { createChunkRing } from './chunk-ring.ts';
import { type Clock, checkInRequest } from './in-runner.ts';
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

/** A board whose streams run in the caller's own thread: for tests and tools. A caller that blocks loses samples at the board. */
export class LocalBoard implements StreamBoard {
  private readonly engine: BoardEngine;
  private readonly device: UsbDevice;

  /** @param options.nowNs host time, ns since 1970; for tests with a clock of their own */
  constructor(device: UsbDevice, options: { readonly nowNs?: Clock } = {}) {
    this.device = device;
    this.engine = new BoardEngine(device, options.nowNs);
  }

  get board(): UsbBoard {
    return this.device.board;
  }

  get interfaces(): readonly UsbInterface[] {
    return this.device.interfaces;
  }

  claim(interfaceNumber: number): Promise<void> {
    return this.device.claim(interfaceNumber);
  }

  controlIn(request: ControlRequest, length: number, timeoutMs?: number): Promise<Uint8Array> {
    return this.device.controlIn(request, length, timeoutMs);
  }

  controlOut(request: ControlRequest, data?: Uint8Array, timeoutMs?: number): Promise<void> {
    return this.device.controlOut(request, data, timeoutMs);
  }

  bulkIn(endpoint: number, into: Uint8Array, timeoutMs: number): Promise<number> {
    return this.device.bulkIn(endpoint, into, timeoutMs);
  }

  bulkOut(endpoint: number, data: Uint8Array, timeoutMs: number): Promise<number> {
    return this.device.bulkOut(endpoint, data, timeoutMs);
  }

  cancel(endpoint: number): Promise<void> {
    return this.device.cancel(endpoint);
  }

  onGone(listener: () => void): void {
    this.device.onGone(listener);
  }

  async startIn(request: InRequest): Promise<InStream> {
    checkInRequest(request);
    const shared = createChunkRing(request.ringBytes, request.transferBytes);
    return new RingStream(shared, this.engine.runIn(request, shared));
  }

  async startOut(request: OutRequest): Promise<OutQueue> {
    const runner = this.engine.openOut(request);
    return {
      write: (data) => runner.write(data.buffer instanceof SharedArrayBuffer ? data : data.slice()),
      cancel: () => this.engine.cancelOut(runner),
      get sentBytes() {
        return runner.sentBytes;
      },
    };
  }

  async startTask(request: TaskRequest): Promise<InStream> {
    const shared = createChunkRing(request.ringBytes, request.chunkBytes);
    return new RingStream(shared, await this.engine.runTask(request, shared));
  }

  async setFarewell(requests: readonly PresetRequest[]): Promise<void> {
    this.engine.setFarewell(requests);
  }

  silenceNow(): boolean {
    return false;
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
