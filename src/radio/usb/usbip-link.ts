import { connect, type Socket } from 'node:net';
import type { UsbipSpec } from './bus-spec.ts';
import { UsbError } from './usb.ts';
import {
  DEVICE_BYTES,
  INTERFACE_BYTES,
  importRequest,
  listRequest,
  MAX_DEVICES,
  OP_HEADER_BYTES,
  parseDevice,
  parseOpHeader,
  type UsbipDeviceInfo,
} from './usbip-wire.ts';

/** A connection to a USB/IP server up to the point where transfers begin. */

/** Time that the next step of a list or an import has, ms. */
export type StepTime = () => number;

/** Steps of up to stepMs each, all together in wholeMs: neither a server that is silent nor one that trickles holds anybody up. */
export function stepTime(stepMs: number, wholeMs: number): StepTime {
  const endMs = performance.now() + wholeMs;
  return () => Math.max(1, Math.min(stepMs, endMs - performance.now()));
}

/** Where the server is, for messages. */
export function usbipName(spec: UsbipSpec): string {
  if (spec.kind === 'usbip-unix') return `USB/IP server at ${spec.path}`;
  return `USB/IP server ${spec.host.includes(':') ? `[${spec.host}]` : spec.host}:${spec.port}`;
}

/** What the server exports. UsbError where it is not there or speaks something else. */
export async function listDevices(spec: UsbipSpec, time: StepTime): Promise<UsbipDeviceInfo[]> {
  const link = await UsbipLink.open(spec, time);
  try {
    link.socket.write(listRequest());
    const status = parseOpHeader(await link.take(OP_HEADER_BYTES), 'list');
    if (status !== 0) throw new UsbError('io', `${link.name} refuses to list its devices (status ${status})`);
    const count = (await link.take(4)).readUInt32BE(0);
    if (count > MAX_DEVICES) throw new UsbError('io', `${link.name} lists ${count} devices: at most ${MAX_DEVICES}`);
    const devices: UsbipDeviceInfo[] = [];
    while (devices.length < count) {
      const device = parseDevice(await link.take(DEVICE_BYTES));
      if (device.interfaces > 0) await link.take(INTERFACE_BYTES * device.interfaces);
      devices.push(device);
    }
    return devices;
  } finally {
    link.socket.destroy();
  }
}

/** An imported device and its connection, on which transfers may begin. */
export interface ImportedDevice {
  readonly info: UsbipDeviceInfo;
  readonly socket: Socket;
  /** What the server sent already. */
  readonly rest: Buffer;
}

/** Imports one device. UsbError: gone (not exported any more), busy (imported by somebody else), io. */
export async function importDevice(spec: UsbipSpec, busId: string, time: StepTime): Promise<ImportedDevice> {
  const link = await UsbipLink.open(spec, time);
  try {
    link.socket.write(importRequest(busId));
    const status = parseOpHeader(await link.take(OP_HEADER_BYTES), 'import');
    if (status !== 0) throw refusal(link.name, busId, status);
    const info = parseDevice(await link.take(DEVICE_BYTES));
    return { info, socket: link.socket, rest: link.release() };
  } catch (error) {
    link.socket.destroy();
    throw error;
  }
}

/** Status words of usbipd: 1 not available, 2 busy, 3 in error, 4 not there, 5 other. */
function refusal(name: string, busId: string, status: number): UsbError {
  if (status === 4) return new UsbError('gone', `${name} exports no device ${busId} any more`);
  if (status === 1 || status === 2) {
    return new UsbError('busy', `${name} does not give device ${busId}: it is in use`, 'end the program that uses it');
  }
  return new UsbError('io', `${name} cannot give device ${busId} (status ${status})`);
}

class UsbipLink {
  private buffered = Buffer.alloc(0);
  private failure: UsbError | null = null;
  private waiting: (() => void) | null = null;
  private readonly listeners: [string, (...args: never[]) => void][];

  private constructor(
    readonly socket: Socket,
    readonly name: string,
    private readonly time: StepTime,
  ) {
    this.listeners = [
      ['data', (chunk: Buffer) => this.arrived(chunk)],
      ['error', (error: Error) => this.fail(new UsbError('io', `${name}: ${error.message}`))],
      ['close', () => this.fail(new UsbError('io', `${name} closed the connection`))],
    ];
    for (const [event, listener] of this.listeners) socket.on(event, listener as never);
  }

  static async open(spec: UsbipSpec, time: StepTime): Promise<UsbipLink> {
    const name = usbipName(spec);
    const stepMs = time();
    const socket = connect(spec.kind === 'usbip' ? { host: spec.host, port: spec.port } : { path: spec.path });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 1000);
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer within ${seconds(stepMs)}`)), stepMs);
        socket.once('connect', resolve).once('error', reject);
        socket.once('close', () => clearTimeout(timer)).once('connect', () => clearTimeout(timer));
      });
    } catch (error) {
      socket.on('error', () => {}).destroy();
      throw new UsbError(
        'io',
        `${name} cannot be reached: ${(error as Error).message}`,
        'start "sct emulate hackrf --usbip ..." for an emulated board, or usbipd where the board is',
      );
    }
    return new UsbipLink(socket, name, time);
  }

  /** The next `length` bytes. */
  async take(length: number): Promise<Buffer> {
    const stepMs = this.time();
    const deadline = performance.now() + stepMs;
    while (this.buffered.length < length) {
      if (this.failure) throw this.failure;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new UsbError('io', `${this.name} did not answer within ${seconds(stepMs)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const bytes = this.buffered.subarray(0, length);
    this.buffered = this.buffered.subarray(length);
    // No more than what was asked for is read ahead.
    if (this.buffered.length < 65_536) this.socket.resume();
    return bytes;
  }

  /** Ends this object's part; the socket is paused and what was read ahead is returned. */
  release(): Buffer {
    this.socket.pause();
    for (const [event, listener] of this.listeners) this.socket.off(event, listener as never);
    if (this.failure) throw this.failure;
    return this.buffered;
  }

  private arrived(chunk: Buffer): void {
    this.buffered = Buffer.concat([this.buffered, chunk]);
    if (this.buffered.length >= 65_536) this.socket.pause();
    this.wake();
  }

  private fail(error: UsbError): void {
    this.failure ??= error;
    this.wake();
  }

  private wake(): void {
    this.waiting?.();
    this.waiting = null;
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms) / 1000} s`;
}
