import {
  type ConfigurationInfo,
  configurationInfo,
  DescriptorType,
  deviceQualifier,
  otherSpeedConfiguration,
  stringDescriptor,
} from './usb-descriptors.ts';
import type { ControlReply, EmulatedUsbDevice, UsbSetup } from './usb-device.ts';

/** bRequest of standard requests (USB 2.0 table 9-4). */
export const StandardRequest = {
  getStatus: 0,
  clearFeature: 1,
  setFeature: 3,
  setAddress: 5,
  getDescriptor: 6,
  getConfiguration: 8,
  setConfiguration: 9,
  getInterface: 10,
  setInterface: 11,
} as const;

const Recipient = { device: 0, interface: 1, endpoint: 2 } as const;
const ENDPOINT_HALT = 0;
const DEVICE_REMOTE_WAKEUP = 1;
const IN = 0x80;

/**
 * A device model with the part that all USB devices share: standard requests (USB 2.0 §9.4) answered from the descriptors,
 * endpoints that exist only in the configured state, and halted endpoints. What is left goes to the model. Everything that a
 * host asks in vain is a STALL, never an exception.
 */
export class StandardRequests {
  readonly device: EmulatedUsbDevice;
  private readonly info: ConfigurationInfo;
  private readonly halted = new Set<number>();
  private readonly alternates = new Map<number, number>();
  private remoteWakeup = false;
  /** Set by the host; 0 after a reset. */
  address = 0;
  /** bConfigurationValue of the active configuration; 0 while there is none. */
  configuration = 0;

  constructor(device: EmulatedUsbDevice) {
    this.device = device;
    this.info = configurationInfo(device.descriptors.configuration);
  }

  /** One control transfer; an IN reply is never longer than was asked for. */
  async control(setup: UsbSetup, data: Uint8Array): Promise<ControlReply> {
    const isIn = (setup.requestType & IN) !== 0;
    if (!isIn && data.length !== setup.length) return 'stall';
    const standard = (setup.requestType & 0x60) === 0;
    const reply = standard ? this.standard(setup) : await this.device.control(setup, data);
    if (reply === 'stall') return 'stall';
    if (!isIn) return 'ok';
    return reply === 'ok' ? new Uint8Array(0) : reply.subarray(0, setup.length);
  }

  /** A bulk IN transfer; a model that answers STALL halts the endpoint (§9.4.5). */
  async bulkIn(endpoint: number, length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'> {
    if ((endpoint & IN) === 0 || !this.isReady(endpoint)) return 'stall';
    const reply = await this.device.bulkIn(endpoint, length, signal);
    if (reply === 'stall') this.halted.add(endpoint);
    return reply;
  }

  /** A bulk OUT transfer. */
  async bulkOut(endpoint: number, data: Uint8Array, signal: AbortSignal): Promise<'ok' | 'stall'> {
    if ((endpoint & IN) !== 0 || !this.isReady(endpoint)) return 'stall';
    const reply = await this.device.bulkOut(endpoint, data, signal);
    if (reply === 'stall') this.halted.add(endpoint);
    return reply;
  }

  /** Bus reset (§7.1.7.5): no address, no configuration. */
  reset(): void {
    this.address = 0;
    this.deconfigure(0);
    this.device.reset();
  }

  /** Active alternate setting of an interface; null where there is no such interface. */
  alternateOf(interfaceNumber: number): number | null {
    if (this.configuration === 0 || !this.info.interfaces.some((i) => i.number === interfaceNumber)) return null;
    return this.alternates.get(interfaceNumber) ?? 0;
  }

  private standard({ requestType, request, value, index, length }: UsbSetup): ControlReply {
    const recipient = requestType & 0x1f;
    const isIn = (requestType & IN) !== 0;
    const R = StandardRequest;
    if (isIn) {
      if (request === R.getStatus && value === 0) return this.status(recipient, index);
      if (recipient === Recipient.interface && request === R.getInterface && value === 0) {
        const alternate = this.alternateOf(index);
        return alternate === null ? 'stall' : Uint8Array.of(alternate);
      }
      if (recipient !== Recipient.device) return 'stall';
      if (request === R.getDescriptor) return this.descriptor(value >> 8, value & 0xff);
      if (request === R.getConfiguration && value === 0 && index === 0) return Uint8Array.of(this.configuration);
      return 'stall';
    }
    if (length !== 0) return 'stall'; // SET_DESCRIPTOR is optional and not there
    if (request === R.clearFeature || request === R.setFeature) {
      return this.feature(recipient, value, index, request === R.setFeature);
    }
    if (recipient === Recipient.interface && request === R.setInterface) return this.setInterface(index, value);
    if (recipient !== Recipient.device || index !== 0) return 'stall';
    if (request === R.setConfiguration) return this.setConfiguration(value);
    if (request === R.setAddress && value <= 127) {
      this.address = value;
      return 'ok';
    }
    return 'stall';
  }

  private descriptor(type: number, index: number): ControlReply {
    const { descriptors } = this.device;
    if (type === DescriptorType.string) return stringDescriptor(descriptors, index) ?? 'stall';
    if (index !== 0) return 'stall'; // one configuration
    switch (type) {
      case DescriptorType.device:
        return descriptors.device;
      case DescriptorType.configuration:
        return descriptors.configuration;
      case DescriptorType.deviceQualifier:
        return deviceQualifier(descriptors.device);
      case DescriptorType.otherSpeedConfiguration:
        return otherSpeedConfiguration(descriptors.configuration);
      default:
        return 'stall';
    }
  }

  private status(recipient: number, index: number): ControlReply {
    if (recipient === Recipient.device && index === 0) {
      return Uint8Array.of((this.info.selfPowered ? 1 : 0) | (this.remoteWakeup ? 2 : 0), 0);
    }
    if (recipient === Recipient.interface && this.alternateOf(index) !== null) return new Uint8Array(2);
    if (recipient === Recipient.endpoint && this.exists(index)) {
      return Uint8Array.of(this.halted.has(index) ? 1 : 0, 0);
    }
    return 'stall';
  }

  private feature(recipient: number, feature: number, index: number, on: boolean): ControlReply {
    if (recipient === Recipient.device && feature === DEVICE_REMOTE_WAKEUP && this.info.remoteWakeup && index === 0) {
      this.remoteWakeup = on;
      return 'ok';
    }
    if (recipient !== Recipient.endpoint || feature !== ENDPOINT_HALT || !this.exists(index)) return 'stall';
    if ((index & 0x7f) === 0) return on ? 'stall' : 'ok'; // the control pipe is never halted
    if (on) this.halted.add(index);
    else this.halted.delete(index);
    return 'ok';
  }

  private setConfiguration(value: number): ControlReply {
    if (value !== 0 && value !== this.info.value) return 'stall';
    this.deconfigure(value);
    this.device.reset();
    return 'ok';
  }

  private setInterface(interfaceNumber: number, alternate: number): ControlReply {
    if (this.configuration === 0) return 'stall';
    const setting = this.info.interfaces.find((i) => i.number === interfaceNumber && i.alternate === alternate);
    if (!setting) return 'stall';
    for (const { address } of this.endpointsOf(interfaceNumber)) this.halted.delete(address);
    this.alternates.set(interfaceNumber, alternate);
    for (const { address } of setting.endpoints) this.halted.delete(address);
    return 'ok';
  }

  private deconfigure(configuration: number): void {
    this.configuration = configuration;
    this.halted.clear();
    this.alternates.clear();
    this.remoteWakeup = false;
  }

  private endpointsOf(interfaceNumber: number) {
    const alternate = this.alternates.get(interfaceNumber) ?? 0;
    return this.info.interfaces.find((i) => i.number === interfaceNumber && i.alternate === alternate)?.endpoints ?? [];
  }

  /** The control pipe, or an endpoint of an active setting. */
  private exists(endpoint: number): boolean {
    if ((endpoint & 0x7f) === 0) return true;
    if (this.configuration === 0) return false;
    return this.info.interfaces.some((i) => this.endpointsOf(i.number).some((e) => e.address === endpoint));
  }

  private isReady(endpoint: number): boolean {
    return (endpoint & 0x7f) !== 0 && this.exists(endpoint) && !this.halted.has(endpoint);
  }
}
