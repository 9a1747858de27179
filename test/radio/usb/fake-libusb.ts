import type { UsbLink, UsbPort } from '../../../hardware/emulated/usb-port.ts';
import type { LibusbDevice, LibusbLibrary, LibusbTransfer } from '../../../src/radio/usb/libusb-types.ts';

/**
 * Stands in for the package `usb` 2.18 with what its native part does: a transfer whose submit failed stays active for ever, a device with
 * transfers under way cannot be closed, errors carry libusb's numbers, completions come in later turns of the loop.
 */

class LibusbException extends Error {
  readonly errno: number;
  constructor(errno: number) {
    super(`LIBUSB ${errno}`);
    this.errno = errno;
  }
}

const ERROR = { access: -3, noDevice: -4, notFound: -5, busy: -6 } as const;
const STATUS = { error: 1, cancelled: 3, stall: 4, noDevice: 5 } as const;

export class FakeLibusbDevice implements LibusbDevice {
  readonly busNumber = 1;
  readonly deviceAddress: number;
  readonly portNumbers: readonly number[];
  readonly deviceDescriptor: LibusbDevice['deviceDescriptor'];
  configDescriptor: unknown = {};
  link: UsbLink | null = null;
  readonly port: UsbPort;
  gone = false;
  denied = false;
  /** Interfaces that another program has. */
  readonly taken = new Set<number>();
  readonly claimed = new Set<number>();
  underWay = 0;
  halts: number[] = [];
  configurations: number[] = [];

  constructor(port: UsbPort, index: number) {
    this.port = port;
    this.portNumbers = [index];
    this.deviceAddress = index + 1;
    const { device } = port.device.descriptors;
    const view = new DataView(device.buffer, device.byteOffset, device.length);
    const at = (offset: number) => view.getUint16(offset, true);
    this.deviceDescriptor = { idVendor: at(8), idProduct: at(10), bcdDevice: at(12) };
  }

  open(): void {
    if (this.denied) throw new LibusbException(ERROR.access);
    if (this.gone) throw new LibusbException(ERROR.noDevice);
    if (this.link) return; // so does the native part
    const link = this.port.attach({
      onUnplug: () => {
        this.gone = true;
      },
      onPlug: () => {},
    });
    if (link === 'busy') throw new LibusbException(ERROR.access);
    this.link = link;
    // An operating system configures what is plugged in.
    void link.control({ requestType: 0, request: 9, value: 1, index: 0, length: 0 }, new Uint8Array(0));
  }

  close(): void {
    if (this.underWay > 0) throw new Error("Can't close device with a pending request");
    this.link?.detach();
    this.link = null;
  }

  __claimInterface(number: number): void {
    if (this.taken.has(number)) throw new LibusbException(ERROR.busy);
    if (number !== 0) throw new LibusbException(ERROR.notFound);
    this.claimed.add(number);
  }

  __releaseInterface(number: number, done: (error?: Error) => void): void {
    this.claimed.delete(number);
    setImmediate(() => done(this.gone ? new LibusbException(ERROR.noDevice) : undefined));
  }

  __setAutoDetachKernelDriver(): void {
    throw new LibusbException(-12); // not supported, as on other systems
  }

  __setConfiguration(value: number, done: (error?: Error) => void): void {
    this.configurations.push(value);
    this.configDescriptor = {};
    setImmediate(() => done());
  }

  __clearHalt(endpoint: number, done: (error?: Error) => void): void {
    this.halts.push(endpoint);
    setImmediate(() => done());
  }
}

class FakeTransfer implements LibusbTransfer {
  private readonly device: FakeLibusbDevice;
  private readonly endpoint: number;
  private readonly done: (error: Error | undefined, buffer: Buffer, actual: number) => void;
  private active = false;
  private abort = new AbortController();

  constructor(
    device: LibusbDevice,
    endpoint: number,
    _type: number,
    timeout: number,
    done: (error: Error | undefined, buffer: Buffer, actual: number) => void,
  ) {
    if (timeout !== 0) throw new Error('the time-outs of the library fire a minute late');
    this.device = device as FakeLibusbDevice;
    this.endpoint = endpoint;
    this.done = done;
  }

  submit(buffer: Buffer): void {
    if (this.active) throw new Error('Transfer is already active');
    this.active = true;
    const { link, gone } = this.device;
    if (!link) throw new Error('Device is not open');
    if (gone) throw new LibusbException(ERROR.noDevice);
    this.abort = new AbortController();
    this.device.underWay++;
    void this.act(link, buffer).then(([status, actual]) =>
      setImmediate(() => {
        this.device.underWay--;
        this.active = false;
        this.done(status === 0 ? undefined : new LibusbException(status), buffer, actual);
      }),
    );
  }

  cancel(): boolean {
    this.abort.abort();
    return this.active;
  }

  private async act(link: UsbLink, buffer: Buffer): Promise<[status: number, actual: number]> {
    const { signal } = this.abort;
    let reply: Uint8Array | string;
    const setup = {
      requestType: buffer[0],
      request: buffer[1],
      value: buffer[2] | (buffer[3] << 8),
      index: buffer[4] | (buffer[5] << 8),
      length: buffer[6] | (buffer[7] << 8),
    };
    if (this.endpoint === 0) reply = await link.control(setup, Uint8Array.from(buffer.subarray(8)), signal);
    else if (this.endpoint >= 0x80) reply = await link.bulkIn(this.endpoint, buffer.length, signal);
    else reply = await link.bulkOut(this.endpoint, Uint8Array.from(buffer), signal);
    if (reply === 'ok') return [0, this.endpoint === 0 ? setup.length : buffer.length];
    if (reply === 'stall') return [STATUS.stall, 0];
    if (reply === 'unplugged') return [STATUS.noDevice, 0];
    if (typeof reply === 'string') return [STATUS.cancelled, 0];
    const data = reply.subarray(0, this.endpoint === 0 ? setup.length : buffer.length);
    buffer.set(data, this.endpoint === 0 ? 8 : 0);
    return [0, data.length];
  }
}

/** The library with these boards; a board that is plugged in again is another device, as it is to libusb. */
export class FakeLibusb {
  readonly devices: FakeLibusbDevice[];
  readonly libusb: LibusbLibrary;
  initError = 0;

  constructor(ports: readonly UsbPort[]) {
    this.devices = ports.map((port, i) => new FakeLibusbDevice(port, i + 1));
    const fake = this;
    this.libusb = {
      usb: {
        get INIT_ERROR() {
          return fake.initError;
        },
        getDeviceList: () => this.list(),
      },
      Transfer: FakeTransfer,
    };
  }

  private list(): FakeLibusbDevice[] {
    for (const [i, device] of this.devices.entries()) {
      if (device.gone && device.port.plugged) this.devices[i] = new FakeLibusbDevice(device.port, i + 1);
    }
    return this.devices.filter((device) => device.port.plugged);
  }
}
