import { DeviceError } from '../../common/errors.ts';

/**
 * USB as the drivers of the boards see it. Two ways lead to a board: libusb on this machine, and a USB/IP server (another
 * machine, or an emulated board). Both give the same devices, in any thread.
 */

/** What is known of a board before it is opened. */
export interface UsbBoard {
  readonly vendorId: number;
  readonly productId: number;
  /** Release number of the device, BCD; the HackRF's API version. */
  readonly bcdDevice: number;
  /** Strings of the descriptors; null where they cannot be read, for want of permission for instance. */
  readonly product: string | null;
  readonly serial: string | null;
  /** Place on the bus, as the bus names it. */
  readonly path: string;
}

/** A way to USB boards. */
export interface UsbBus {
  /** Devices with one of these numbers. UsbError where the bus itself is not there. */
  list(wanted: readonly UsbNumbers[]): Promise<UsbBoard[]>;
  /** Opens one of the listed boards. UsbError: gone, busy, permission. */
  open(board: UsbBoard): Promise<UsbDevice>;
  describe(): string;
}

export interface UsbNumbers {
  readonly vendorId: number;
  readonly productId: number;
}

/** One control request: bmRequestType, bRequest, wValue, wIndex of a setup packet (USB 2.0 §9.3). */
export interface ControlRequest {
  readonly requestType: number;
  readonly request: number;
  readonly value: number;
  readonly index: number;
}

/** An interface of the active configuration. */
export interface UsbInterface {
  readonly number: number;
  readonly name: string | null;
  readonly endpoints: readonly { readonly address: number; readonly maxPacketBytes: number }[];
}

/**
 * An open board. Every call ends: done, or a UsbError of a kind; none later than its time-out and 100 ms. After `gone` every
 * pending and every later call is a UsbError of kind gone.
 */
export interface UsbDevice {
  readonly board: UsbBoard;
  readonly interfaces: readonly UsbInterface[];
  claim(interfaceNumber: number): Promise<void>;
  /** At most `length` bytes (up to 65 535). */
  controlIn(request: ControlRequest, length: number, timeoutMs?: number): Promise<Uint8Array>;
  controlOut(request: ControlRequest, data?: Uint8Array, timeoutMs?: number): Promise<void>;
  /**
   * One bulk transfer into `into`; resolves to the number of bytes, which is less after a short packet. Several may be under way at
   * one endpoint; they are served in order. timeoutMs 0: until it comes or `cancel`.
   */
  bulkIn(endpoint: number, into: Uint8Array, timeoutMs: number): Promise<number>;
  /** One bulk transfer; resolves to the bytes sent. */
  bulkOut(endpoint: number, data: Uint8Array, timeoutMs: number): Promise<number>;
  /** Ends all transfers that are under way at an endpoint: UsbError of kind cancelled. */
  cancel(endpoint: number): Promise<void>;
  /** Called once when the board is pulled or the bus is lost. */
  onGone(listener: () => void): void;
  /** Cancels, waits for what is under way, releases. Safe to call twice, and after the board is gone. */
  close(): Promise<void>;
}

/** stall: refused by the board; io: what the bus reports otherwise; no-library: libusb or its loader is missing. */
export type UsbErrorKind = 'stall' | 'timeout' | 'gone' | 'busy' | 'permission' | 'cancelled' | 'io' | 'no-library';

export class UsbError extends DeviceError {
  readonly kind: UsbErrorKind;
  constructor(kind: UsbErrorKind, message: string, hint?: string) {
    super(message, hint);
    this.kind = kind;
  }
}
