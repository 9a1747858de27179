import { StandardRequests } from './standard-requests.ts';
import {
  type ConfigurationInfo,
  configurationInfo,
  type DeviceInfo,
  deviceInfo,
  stringDescriptor,
} from './usb-descriptors.ts';
import type { ControlReply, EmulatedUsbDevice, UsbSetup } from './usb-device.ts';

/** What a host hears of the cable. */
export interface CableEvents {
  onUnplug(): void;
  onPlug(): void;
}

/** How a transfer ended that was called off: by the host, by a reset, or because the cable was pulled. */
export type Ended = 'cancelled' | 'unplugged';

/**
 * The emulated board's socket: one host at a time is connected to it, whichever front end it comes through, and the cable can
 * be pulled and plugged in again.
 */
export class UsbPort {
  readonly device: EmulatedUsbDevice;
  readonly info: DeviceInfo;
  readonly configuration: ConfigurationInfo;
  private readonly standard: StandardRequests;
  private host: { readonly link: UsbLink; readonly events: CableEvents } | null = null;
  private isPlugged = true;
  private readonly resetsWhenLeft: boolean;

  /**
   * @param resetsWhenLeft whether a host that goes resets the device: usbipd and QEMU do (Linux, stub_shutdown_connection), a program that is killed does not
   */
  constructor(device: EmulatedUsbDevice, resetsWhenLeft = true) {
    this.device = device;
    this.resetsWhenLeft = resetsWhenLeft;
    this.info = deviceInfo(device.descriptors.device);
    this.configuration = configurationInfo(device.descriptors.configuration);
    for (let i = 0; i <= device.descriptors.strings.length; i++) stringDescriptor(device.descriptors, i);
    this.standard = new StandardRequests(device);
    device.onConnection?.((isThere) => {
      if (isThere) this.came();
      else this.left();
    });
  }

  get serial(): string {
    return this.device.descriptors.strings[this.info.serialIndex - 1] ?? '';
  }

  get plugged(): boolean {
    return this.isPlugged;
  }

  get busy(): boolean {
    return this.host !== null;
  }

  /** The host's end; `busy` while another host has it. A port without its cable can be attached to: the host waits for `onPlug`. */
  attach(events: CableEvents): UsbLink | 'busy' {
    if (this.host) return 'busy';
    const link = new UsbLink(this, this.standard, () => {
      this.host = null;
      if (this.isPlugged && this.resetsWhenLeft) this.standard.reset();
    });
    this.host = { link, events };
    if (this.isPlugged) this.standard.reset();
    return link;
  }

  /** Pulls the cable: the device stops, every transfer ends as `unplugged`. */
  unplug(): void {
    if (!this.isPlugged) return;
    this.device.unplug();
    this.left();
  }

  plug(): void {
    if (this.isPlugged) return;
    this.device.plug();
    this.came();
  }

  /** Also by itself: a request may restart a device. */
  private left(): void {
    if (!this.isPlugged) return;
    this.isPlugged = false;
    this.host?.link.endAll('unplugged');
    this.host?.events.onUnplug();
  }

  private came(): void {
    if (this.isPlugged) return;
    this.isPlugged = true;
    this.standard.reset();
    this.host?.events.onPlug();
  }
}

/**
 * A host's end of the cable. Every transfer ends: as the device answers, or as `Ended` when it was called off; after that the
 * device's answer is thrown away.
 */
export class UsbLink {
  private readonly port: UsbPort;
  private readonly standard: StandardRequests;
  private readonly onDetach: () => void;
  private readonly running = new Map<AbortController, (how: Ended) => void>();
  private isAttached = true;

  constructor(port: UsbPort, standard: StandardRequests, onDetach: () => void) {
    this.port = port;
    this.standard = standard;
    this.onDetach = onDetach;
  }

  get configuration(): number {
    return this.standard.configuration;
  }

  alternateOf(interfaceNumber: number): number | null {
    return this.standard.alternateOf(interfaceNumber);
  }

  control(setup: UsbSetup, data: Uint8Array, cancel?: AbortSignal): Promise<ControlReply | Ended> {
    return this.run(cancel, () => this.standard.control(setup, plain(data)));
  }

  bulkIn(endpoint: number, length: number, cancel?: AbortSignal): Promise<Uint8Array | 'stall' | Ended> {
    return this.run(cancel, (signal) => this.standard.bulkIn(endpoint, length, signal));
  }

  bulkOut(endpoint: number, data: Uint8Array, cancel?: AbortSignal): Promise<'ok' | 'stall' | Ended> {
    return this.run(cancel, (signal) => this.standard.bulkOut(endpoint, plain(data), signal));
  }

  /** Bus reset by the host: what is under way is cancelled. */
  reset(): void {
    if (!this.isAttached || !this.port.plugged) return;
    this.endAll('cancelled');
    this.standard.reset();
  }

  /** Calls off everything that is under way. */
  endAll(how: Ended): void {
    for (const end of [...this.running.values()]) end(how);
  }

  /** The host is gone: everything is called off, the device is reset (unless the port leaves it), another host may come. */
  detach(): void {
    if (!this.isAttached) return;
    this.isAttached = false;
    this.endAll('cancelled');
    this.onDetach();
  }

  private run<T>(
    cancel: AbortSignal | undefined,
    transfer: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | 'stall' | Ended> {
    if (!this.isAttached || cancel?.aborted) return Promise.resolve('cancelled');
    if (!this.port.plugged) return Promise.resolve('unplugged');
    return new Promise((resolve, reject) => {
      const own = new AbortController();
      const onCancel = () => end('cancelled');
      const forget = () => {
        this.running.delete(own);
        cancel?.removeEventListener('abort', onCancel);
      };
      const end = (how: Ended) => {
        forget();
        own.abort();
        resolve(how);
      };
      this.running.set(own, end);
      cancel?.addEventListener('abort', onCancel);
      transfer(own.signal).then(
        (reply) => {
          if (!this.running.has(own)) return;
          forget();
          resolve(reply);
        },
        (error: unknown) => {
          if (!this.running.has(own)) return; // a model may refuse by rejecting what was called off
          forget();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }
}

/** Models are written for Uint8Array: the slice of a Buffer would be no copy. */
function plain(data: Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}
