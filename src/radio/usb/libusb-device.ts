import { type ReadControl, readDescriptors, readString } from './descriptors.ts';
import { LibusbTransfers } from './libusb-transfers.ts';
import { type LibusbDevice, type LibusbLibrary, libusbError } from './libusb-types.ts';
import { type ControlRequest, type UsbBoard, type UsbDevice, UsbError, type UsbInterface } from './usb.ts';

const DEFAULT_CONTROL_MS = 1000;
const DESCRIPTOR_MS = 900;
/** An idle board is asked for its configuration so often, to notice that it was pulled. */
const HEARTBEAT_MS = 400;
/** How long close() waits for transfers, and then for each interface. */
const CLOSE_MS = 500;
/** How long the library has for what it does itself. */
const CALL_MS = 1000;
const GET_CONFIGURATION: ControlRequest = { requestType: 0x80, request: 8, value: 0, index: 0 };

/** The library keeps one object a device: it can be open once in a thread. */
const openHandles = new WeakMap<LibusbDevice, LibusbDeviceHandle>();

/** An open board on this machine's USB. */
export class LibusbDeviceHandle implements UsbDevice {
  board!: UsbBoard;
  interfaces: readonly UsbInterface[] = [];
  private readonly transfers: LibusbTransfers;
  private readonly claimed = new Set<number>();
  private readonly goneListeners = new Set<() => void>();
  private readonly heartbeat: NodeJS.Timeout;
  private closing: Promise<void> | null = null;

  private constructor(
    library: LibusbLibrary,
    private readonly device: LibusbDevice,
    private readonly name: string,
  ) {
    this.transfers = new LibusbTransfers(library, device, name, () => this.lost());
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  /** The handle that is open already, if any. */
  static openOf(device: LibusbDevice): LibusbDeviceHandle | undefined {
    return openHandles.get(device);
  }

  /** Opens a device, reads its descriptors, configures it where nobody has. */
  static async open(library: LibusbLibrary, device: LibusbDevice, path: string): Promise<LibusbDeviceHandle> {
    const name = `USB device ${path}`;
    if (openHandles.has(device)) throw new UsbError('busy', `${name} is open already in this program`);
    try {
      device.open();
    } catch (error) {
      throw libusbError(error, name);
    }
    const handle = new LibusbDeviceHandle(library, device, name);
    openHandles.set(device, handle);
    try {
      const read: ReadControl = (request, length) => handle.controlIn(request, length, DESCRIPTOR_MS);
      const { device: descriptor, configuration, language } = await readDescriptors(read);
      if (!device.configDescriptor) await handle.call((done) => device.__setConfiguration(configuration.value, done));
      const { vendorId, productId, bcdDevice } = descriptor;
      const product = await readString(read, descriptor.productString, language);
      const serial = await readString(read, descriptor.serialString, language);
      handle.board = { vendorId, productId, bcdDevice, product, serial, path };
      const interfaces: UsbInterface[] = [];
      for (const { number, nameString, endpoints } of configuration.interfaces) {
        interfaces.push({ number, name: await readString(read, nameString, language), endpoints });
      }
      handle.interfaces = interfaces;
      return handle;
    } catch (error) {
      await handle.close();
      throw libusbError(error, name);
    }
  }

  async claim(interfaceNumber: number): Promise<void> {
    this.transfers.check();
    if (this.claimed.has(interfaceNumber)) return;
    try {
      // Linux has a driver of its own for the HackRF; it lets go and comes back after us. Elsewhere there is no such thing.
      this.device.__setAutoDetachKernelDriver(1);
    } catch {}
    try {
      this.device.__claimInterface(interfaceNumber);
    } catch (error) {
      throw libusbError(error, this.name);
    }
    this.claimed.add(interfaceNumber);
  }

  controlIn(request: ControlRequest, length: number, timeoutMs = DEFAULT_CONTROL_MS): Promise<Uint8Array> {
    return this.transfers.controlIn(request, length, timeoutMs);
  }

  async controlOut(request: ControlRequest, data?: Uint8Array, timeoutMs = DEFAULT_CONTROL_MS): Promise<void> {
    // CLEAR_FEATURE(ENDPOINT_HALT): the host's data toggle has to follow, which only libusb can do.
    if (request.requestType === 0x02 && request.request === 1 && request.value === 0) {
      this.transfers.check();
      await this.call((done) => this.device.__clearHalt(request.index, done));
    } else await this.transfers.controlOut(request, data ?? new Uint8Array(0), timeoutMs);
  }

  bulkIn(endpoint: number, into: Uint8Array, timeoutMs: number): Promise<number> {
    return this.transfers.bulk(endpoint, into, timeoutMs);
  }

  bulkOut(endpoint: number, data: Uint8Array, timeoutMs: number): Promise<number> {
    return this.transfers.bulk(endpoint, data, timeoutMs);
  }

  cancel(endpoint: number): Promise<void> {
    return this.transfers.cancel(endpoint);
  }

  onGone(listener: () => void): void {
    this.goneListeners.add(listener);
  }

  close(): Promise<void> {
    this.closing ??= this.release();
    return this.closing;
  }

  private async release(): Promise<void> {
    clearInterval(this.heartbeat);
    this.goneListeners.clear();
    const drained = await this.transfers.close(CLOSE_MS);
    for (const number of this.claimed) {
      await this.call((done) => this.device.__releaseInterface(number, done), CLOSE_MS).catch(() => {});
    }
    try {
      // With a transfer under way the library refuses; the handle then stays until the process ends.
      if (drained) this.device.close();
    } catch {}
    openHandles.delete(this.device);
  }

  private beat(): void {
    if (this.transfers.busy || this.transfers.isGone) return;
    this.controlIn(GET_CONFIGURATION, 1).catch(() => {}); // gone is noticed by the transfer itself
  }

  private lost(): void {
    clearInterval(this.heartbeat);
    for (const listener of this.goneListeners) listener();
    this.goneListeners.clear();
  }

  /** One of the library's calls that end with a callback. */
  private call(start: (done: (error?: Error) => void) => void, withinMs = CALL_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new UsbError('timeout', `${this.name}: no answer in time`)), withinMs);
      try {
        start((error) => {
          clearTimeout(timer);
          if (error) reject(libusbError(error, this.name));
          else resolve();
        });
      } catch (error) {
        clearTimeout(timer);
        reject(libusbError(error, this.name));
      }
    });
  }
}
