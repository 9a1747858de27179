import { LibusbDeviceHandle } from './libusb-device.ts';
import { type LibusbDevice, type LibusbLibrary, libusbError } from './libusb-types.ts';
import { type UsbBoard, type UsbBus, type UsbDevice, UsbError, type UsbNumbers } from './usb.ts';

/** Loads the library; a package that is not there, or does not start on this machine, throws. */
export type LoadLibusb = () => Promise<LibusbLibrary>;

async function loadUsb(): Promise<LibusbLibrary> {
  const { usb, Transfer } = await import('usb');
  return { usb, Transfer } as unknown as LibusbLibrary;
}

const INSTALL_HINT =
  'on Debian and Ubuntu: apt install libudev1; then "npm ci" again; boards behind a USB/IP server (?usbip=HOST) need none of it';

/** The USB boards of this machine, by libusb. The library is loaded when the bus is first used, not before. */
export class LibusbBus implements UsbBus {
  private libusb: LibusbLibrary | null = null;

  constructor(private readonly load: LoadLibusb = loadUsb) {}

  async list(wanted: readonly UsbNumbers[]): Promise<UsbBoard[]> {
    const boards: UsbBoard[] = [];
    for (const device of await this.devices()) {
      const { idVendor, idProduct } = device.deviceDescriptor;
      if (!wanted.some((w) => w.vendorId === idVendor && w.productId === idProduct)) continue;
      boards.push(await this.describeDevice(device));
    }
    return boards;
  }

  async open(board: UsbBoard): Promise<UsbDevice> {
    const device = (await this.devices()).find((candidate) => pathOf(candidate) === board.path);
    const same = device?.deviceDescriptor;
    if (!device || same?.idVendor !== board.vendorId || same.idProduct !== board.productId) {
      throw new UsbError('gone', `no such board at ${board.path} any more`);
    }
    const handle = await LibusbDeviceHandle.open(this.libusb!, device, board.path);
    if (board.serial !== null && handle.board.serial !== board.serial) {
      await handle.close();
      throw new UsbError('gone', `another board is at ${board.path} now`);
    }
    return handle;
  }

  describe(): string {
    return 'USB of this machine';
  }

  private async devices(): Promise<LibusbDevice[]> {
    if (!this.libusb) {
      try {
        this.libusb = await this.load();
      } catch (error) {
        throw new UsbError('no-library', `libusb cannot be loaded: ${(error as Error).message}`, INSTALL_HINT);
      }
    }
    const { usb } = this.libusb;
    if (usb.INIT_ERROR) {
      this.libusb = null;
      throw new UsbError('no-library', `libusb does not start on this machine (error ${usb.INIT_ERROR})`, INSTALL_HINT);
    }
    try {
      return usb.getDeviceList();
    } catch (error) {
      throw libusbError(error, 'USB of this machine');
    }
  }

  /** With its strings where it may be opened. */
  private async describeDevice(device: LibusbDevice): Promise<UsbBoard> {
    const { idVendor, idProduct, bcdDevice } = device.deviceDescriptor;
    const path = pathOf(device);
    const open = LibusbDeviceHandle.openOf(device);
    if (open?.board) return open.board;
    try {
      const handle = await LibusbDeviceHandle.open(this.libusb!, device, path);
      await handle.close();
      return handle.board;
    } catch (error) {
      if (!(error instanceof UsbError)) throw error;
      return { vendorId: idVendor, productId: idProduct, bcdDevice, product: null, serial: null, path };
    }
  }
}

/** Bus and ports, as Linux names them: 1-2.3. Where ports are not known, bus and address. */
function pathOf(device: LibusbDevice): string {
  const ports = device.portNumbers;
  return ports?.length ? `${device.busNumber}-${ports.join('.')}` : `${device.busNumber}:${device.deviceAddress}`;
}
