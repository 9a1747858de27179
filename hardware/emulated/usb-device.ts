/**
 * An emulated USB device as its front ends see it: usbredir for QEMU, USB/IP for kernels and for our own driver, direct calls for tests.
 * A device model knows nothing of them. Standard requests (USB 2.0 §9.4) are answered from the descriptors by
 * `standard-requests.ts`; the model gets what is left.
 */

/** A setup packet (USB 2.0 §9.3). */
export interface UsbSetup {
  readonly requestType: number;
  readonly request: number;
  readonly value: number;
  readonly index: number;
  readonly length: number;
}

export interface UsbDescriptors {
  /** Device descriptor, 18 bytes. */
  readonly device: Uint8Array;
  /** Configuration 1 with its interfaces and endpoints, at high speed. */
  readonly configuration: Uint8Array;
  /** String n + 1; string 0 is US English. */
  readonly strings: readonly string[];
}

/** Bytes of an IN request (cut to its length by the caller), done, or refused. */
export type ControlReply = Uint8Array | 'ok' | 'stall';

export interface EmulatedUsbDevice {
  readonly descriptors: UsbDescriptors;
  /** Vendor and class requests. A promise that stays open is a device that answers NAK. */
  control(setup: UsbSetup, data: Uint8Array): ControlReply | Promise<ControlReply>;
  /**
   * One bulk IN transfer of at most `length` bytes; open as long as the device answers NAK. Several may wait at one endpoint; they are
   * served in order. Once `signal` is aborted nothing may be taken from the device for it.
   */
  bulkIn(endpoint: number, length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'>;
  /** One bulk OUT transfer; open as long as the device has no room. */
  bulkOut(endpoint: number, data: Uint8Array, signal: AbortSignal): Promise<'ok' | 'stall'>;
  /** Bus reset, or the configuration was set. */
  reset(): void;
  /** The cable was pulled: everything stops, nothing is on the air any more. */
  unplug(): void;
  /** The device is plugged in (again): as after power-on. */
  plug(): void;
  /**
   * Calls back when the device leaves the bus (false) or comes to it (true), whoever asked for it: `unplug`, `plug`, or the device itself,
   * which some requests restart. All listeners are called, in order; returns what takes this one away. A device that never leaves by
   * itself may lack it.
   */
  onConnection?(listener: (plugged: boolean) => void): () => void;
}
