import { UsbError } from './usb.ts';

/** What is used of the package `usb` 2.18, so that tests can stand in for it. */
export interface LibusbLibrary {
  readonly usb: { readonly INIT_ERROR?: number; getDeviceList(): LibusbDevice[] };
  /** `type`: 0 control, 2 bulk. `timeout` 0: never; the library's own time-outs fire up to a minute late. */
  readonly Transfer: new (
    device: LibusbDevice,
    endpoint: number,
    type: number,
    timeout: number,
    done: (error: Error | undefined, buffer: Buffer, actual: number) => void,
  ) => LibusbTransfer;
}

export interface LibusbTransfer {
  /** Throws when the bus does not take it; the object cannot be used again then. */
  submit(buffer: Buffer): unknown;
  cancel(): boolean;
}

type Done = (error?: Error) => void;

export interface LibusbDevice {
  readonly busNumber: number;
  readonly deviceAddress: number;
  readonly portNumbers?: readonly number[];
  readonly deviceDescriptor: { readonly idVendor: number; readonly idProduct: number; readonly bcdDevice: number };
  /** Undefined: the device is not configured. */
  readonly configDescriptor?: unknown;
  open(): void;
  close(): void;
  __claimInterface(number: number): void;
  __releaseInterface(number: number, done: Done): void;
  __setAutoDetachKernelDriver(enable: number): void;
  __setConfiguration(value: number, done: Done): void;
  __clearHalt(endpoint: number, done: Done): void;
}

/** libusb_transfer_status (above 0) and libusb_error (below 0) that mean something to a caller. */
const STATUS = { timedOut: 2, cancelled: 3, stall: 4, noDevice: 5 } as const;
const ERROR = { access: -3, noDevice: -4, notFound: -5, busy: -6, timeout: -7, pipe: -9 } as const;

const PERMISSION_HINT =
  'sudo cp hardware/udev/60-sct.rules /etc/udev/rules.d/ && sudo udevadm control --reload-rules && sudo udevadm trigger, then plug the board in again';

/** What the library throws or reports, as a UsbError. */
export function libusbError(error: unknown, name: string): UsbError {
  if (error instanceof UsbError) return error;
  const { errno, message } = error as { errno?: number; message?: string };
  switch (errno) {
    case STATUS.stall:
    case ERROR.pipe:
      return new UsbError('stall', `${name} refused the request`);
    case STATUS.noDevice:
    case ERROR.noDevice:
      return new UsbError('gone', `${name} is gone: the board was pulled`);
    case STATUS.timedOut:
    case ERROR.timeout:
      return new UsbError('timeout', `${name}: no answer in time`);
    case STATUS.cancelled:
      return new UsbError('cancelled', `${name}: the transfer was cancelled`);
    case ERROR.access:
      return new UsbError('permission', `no permission for ${name}`, PERMISSION_HINT);
    case ERROR.busy:
      return new UsbError('busy', `${name} is in use by another program`, 'end the program that uses it');
    case ERROR.notFound:
      return new UsbError('io', `${name} has no such interface or endpoint`);
    default:
      return new UsbError('io', `${name}: ${message ?? 'USB error'}`);
  }
}
