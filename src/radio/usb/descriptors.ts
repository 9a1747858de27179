import { type ControlRequest, UsbError, type UsbInterface } from './usb.ts';

/** Descriptors of USB 2.0 §9.6 as a device sends them. A device is not to be trusted: every length is checked. */

export interface DeviceDescriptor {
  readonly vendorId: number;
  readonly productId: number;
  readonly bcdDevice: number;
  /** Numbers of strings; 0 = none. */
  readonly productString: number;
  readonly serialString: number;
}

export interface ConfigurationDescriptor {
  /** bConfigurationValue, what SET_CONFIGURATION takes. */
  readonly value: number;
  /** Alternate setting 0 of each interface. */
  readonly interfaces: readonly (Omit<UsbInterface, 'name'> & { readonly nameString: number })[];
}

const DEVICE = 1;
const CONFIGURATION = 2;
const STRING = 3;
const INTERFACE = 4;
const ENDPOINT = 5;
export const DEVICE_DESCRIPTOR_BYTES = 18;
export const CONFIGURATION_HEADER_BYTES = 9;
/** Longest configuration that is read; a Pluto's has some 200 bytes. */
export const MAX_CONFIGURATION_BYTES = 4096;

/** GET_DESCRIPTOR of a kind (device, configuration, string) and number. */
export function getDescriptor(
  kind: 'device' | 'configuration' | 'string',
  number: number,
  language = 0,
): ControlRequest {
  const type = { device: DEVICE, configuration: CONFIGURATION, string: STRING }[kind];
  return { requestType: 0x80, request: 6, value: (type << 8) | number, index: language };
}

export function parseDeviceDescriptor(bytes: Uint8Array): DeviceDescriptor {
  if (bytes.length < DEVICE_DESCRIPTOR_BYTES || bytes[0] < DEVICE_DESCRIPTOR_BYTES || bytes[1] !== DEVICE) {
    throw broken('device descriptor');
  }
  return {
    vendorId: u16(bytes, 8),
    productId: u16(bytes, 10),
    bcdDevice: u16(bytes, 12),
    productString: bytes[15],
    serialString: bytes[16],
  };
}

/** wTotalLength of the first bytes of a configuration. */
export function configurationLength(bytes: Uint8Array): number {
  if (bytes.length < CONFIGURATION_HEADER_BYTES || bytes[1] !== CONFIGURATION) throw broken('configuration descriptor');
  const length = u16(bytes, 2);
  if (length < CONFIGURATION_HEADER_BYTES || length > MAX_CONFIGURATION_BYTES) {
    throw broken(`configuration descriptor of ${length} bytes`);
  }
  return length;
}

/** Walks the descriptors of a whole configuration; kinds that are not known are passed over. */
export function parseConfigurationDescriptor(bytes: Uint8Array): ConfigurationDescriptor {
  const length = configurationLength(bytes);
  if (bytes.length < length) throw broken('configuration descriptor, which is cut off');
  const interfaces = new Map<number, { nameString: number; endpoints: UsbInterface['endpoints'][number][] }>();
  let endpoints: UsbInterface['endpoints'][number][] | null = null;
  for (let at = 0; at < length; ) {
    const size = bytes[at];
    if (size < 2 || at + size > length) throw broken(`descriptor of ${size} bytes at ${at} of the configuration`);
    const type = bytes[at + 1];
    if (type === INTERFACE) {
      if (size < 9) throw broken('interface descriptor');
      const number = bytes[at + 2];
      if (bytes[at + 3] === 0 && !interfaces.has(number)) {
        endpoints = [];
        interfaces.set(number, { nameString: bytes[at + 8], endpoints });
      } else endpoints = null; // another alternate setting: not used
    } else if (type === ENDPOINT) {
      if (size < 7) throw broken('endpoint descriptor');
      endpoints?.push({ address: bytes[at + 2], maxPacketBytes: u16(bytes, at + 4) & 0x7ff });
    }
    at += size;
  }
  return { value: bytes[5], interfaces: [...interfaces].map(([number, rest]) => ({ number, ...rest })) };
}

/** Text of a string descriptor, UTF-16LE; null when it is none. What a terminal would take as a command becomes a blank. */
export function parseStringDescriptor(bytes: Uint8Array): string | null {
  if (bytes.length < 2 || bytes[1] !== STRING) return null;
  const end = Math.min(bytes[0], bytes.length) & ~1;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf16le', 2, Math.max(end, 2));
  return text.replace(/[\p{C}\u2028\u2029]/gu, ' ').trim();
}

/** First language of string 0; US English where there is none. */
export function parseLanguage(bytes: Uint8Array): number {
  return bytes.length >= 4 && bytes[1] === STRING ? u16(bytes, 2) : 0x0409;
}

/** A control IN request to the device that is looked at. */
export type ReadControl = (request: ControlRequest, length: number) => Promise<Uint8Array>;

/** Device, first configuration and language, read as an operating system does. */
export async function readDescriptors(
  read: ReadControl,
): Promise<{ device: DeviceDescriptor; configuration: ConfigurationDescriptor; language: number }> {
  const device = parseDeviceDescriptor(await read(getDescriptor('device', 0), DEVICE_DESCRIPTOR_BYTES));
  const header = await read(getDescriptor('configuration', 0), CONFIGURATION_HEADER_BYTES);
  const whole = await read(getDescriptor('configuration', 0), configurationLength(header));
  const language = parseLanguage(await unlessStalled(read(getDescriptor('string', 0), 255)));
  return { device, configuration: parseConfigurationDescriptor(whole), language };
}

/** String `number`; null for number 0 and where the device has none. */
export async function readString(read: ReadControl, number: number, language: number): Promise<string | null> {
  if (number === 0) return null;
  return parseStringDescriptor(await unlessStalled(read(getDescriptor('string', number, language), 255)));
}

async function unlessStalled(reply: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof UsbError && error.kind === 'stall') return new Uint8Array(0);
    throw error;
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

function broken(what: string): UsbError {
  return new UsbError('io', `the USB device sends a broken ${what}`);
}
