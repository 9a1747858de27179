import { setTimeout as sleep } from 'node:timers/promises';
import type { UsbipSpec } from './bus-spec.ts';
import { type ReadControl, readDescriptors, readString } from './descriptors.ts';
import { type UsbBoard, type UsbBus, type UsbDevice, UsbError, type UsbInterface, type UsbNumbers } from './usb.ts';
import { UsbipDevice } from './usbip-device.ts';
import { importDevice, listDevices, type StepTime, stepTime, usbipName } from './usbip-link.ts';

/** A server needs a moment to take a device back after its last user. */
const BUSY_RETRY_MS = 100;
const BUSY_RETRIES = 10;
const LIST_RETRIES = 2;
const SET_CONFIGURATION = { requestType: 0, request: 9, index: 0 } as const;

/** USB/IP client: boards of another machine (usbipd) or emulated ones, without kernel modules. */
export class UsbipBus implements UsbBus {
  /** @param stepMs time that the server has for each step of a list or an import; all steps together have twice that */
  constructor(
    private readonly spec: UsbipSpec,
    private readonly stepMs = 900,
  ) {}

  async list(wanted: readonly UsbNumbers[]): Promise<UsbBoard[]> {
    const boards: UsbBoard[] = [];
    const time = stepTime(this.stepMs, 2 * this.stepMs);
    for (const info of await listDevices(this.spec, time)) {
      if (!wanted.some((w) => w.vendorId === info.vendorId && w.productId === info.productId)) continue;
      const { vendorId, productId, bcdDevice, busId: path } = info;
      const bare: UsbBoard = { vendorId, productId, bcdDevice, product: null, serial: null, path };
      // Strings can be read only from an imported device; one that is in use is listed without.
      try {
        const device = await this.importBoard(bare, LIST_RETRIES, time);
        boards.push(device.board);
        await device.close();
      } catch (error) {
        if (!(error instanceof UsbError)) throw error;
        if (error.kind !== 'gone') boards.push(bare);
      }
    }
    return boards;
  }

  async open(board: UsbBoard): Promise<UsbDevice> {
    return this.importBoard(board, BUSY_RETRIES, stepTime(this.stepMs, 2 * this.stepMs));
  }

  describe(): string {
    return usbipName(this.spec);
  }

  private async importBoard(board: UsbBoard, retries: number, time: StepTime): Promise<UsbipDevice> {
    for (let left = retries; ; left--) {
      try {
        return await this.importOnce(board, time);
      } catch (error) {
        if (!(error instanceof UsbError && error.kind === 'busy') || left <= 0) throw error;
        await sleep(BUSY_RETRY_MS);
      }
    }
  }

  private async importOnce(board: UsbBoard, time: StepTime): Promise<UsbipDevice> {
    const imported = await importDevice(this.spec, board.path, time);
    const device = new UsbipDevice(imported, `USB device ${board.path} of the ${usbipName(this.spec)}`);
    try {
      const read: ReadControl = (request, length) => device.controlIn(request, length, time());
      const { device: descriptor, configuration, language } = await readDescriptors(read);
      const { vendorId, productId, bcdDevice } = descriptor;
      if (vendorId !== board.vendorId || productId !== board.productId) {
        throw new UsbError('gone', `another board is at ${board.path} of the ${usbipName(this.spec)} now`);
      }
      const product = await readString(read, descriptor.productString, language);
      const serial = await readString(read, descriptor.serialString, language);
      device.board = { vendorId, productId, bcdDevice, product, serial, path: board.path };
      const interfaces: UsbInterface[] = [];
      for (const { number, nameString, endpoints } of configuration.interfaces) {
        interfaces.push({ number, name: await readString(read, nameString, language), endpoints });
      }
      device.interfaces = interfaces;
      // A device that usbipd has just taken from its drivers is not configured.
      await device.controlOut({ ...SET_CONFIGURATION, value: configuration.value }, undefined, time());
      return device;
    } catch (error) {
      await device.close();
      throw error;
    }
  }
}
