import type { UsbDescriptors } from './usb-device.ts';

/** What stands in a configuration descriptor, and the descriptors that follow from it (USB 2.0 §9.6). */

export const DescriptorType = {
  device: 1,
  configuration: 2,
  string: 3,
  interface: 4,
  endpoint: 5,
  deviceQualifier: 6,
  otherSpeedConfiguration: 7,
} as const;

export interface EndpointInfo {
  /** bEndpointAddress: bit 7 is IN. */
  readonly address: number;
  /** 0 control, 1 isochronous, 2 bulk, 3 interrupt. */
  readonly transferType: number;
  readonly maxPacketBytes: number;
  readonly interval: number;
}

/** One alternate setting of an interface. */
export interface InterfaceInfo {
  readonly number: number;
  readonly alternate: number;
  readonly classCode: number;
  readonly subClass: number;
  readonly protocol: number;
  readonly endpoints: readonly EndpointInfo[];
}

export interface DeviceInfo {
  readonly usbRelease: number;
  readonly classCode: number;
  readonly subClass: number;
  readonly protocol: number;
  readonly maxPacketBytes0: number;
  readonly vendorId: number;
  readonly productId: number;
  readonly bcdDevice: number;
  /** Index of the serial number among the strings; 0 none. */
  readonly serialIndex: number;
  readonly configurations: number;
}

export interface ConfigurationInfo {
  /** bConfigurationValue. */
  readonly value: number;
  readonly selfPowered: boolean;
  readonly remoteWakeup: boolean;
  /** In the order of the descriptor. */
  readonly interfaces: readonly InterfaceInfo[];
}

const DEVICE_BYTES = 18;
const CONFIGURATION_BYTES = 9;
const LANGUAGE_US_ENGLISH = 0x0409;
/** bLength is a byte: 126 UTF-16 units and the two bytes of the header. */
const MAX_STRING_UNITS = 126;

/** Table 9-8. A plain Error: the model's descriptors are wrong. */
export function deviceInfo(device: Uint8Array): DeviceInfo {
  if (device.length !== DEVICE_BYTES || device[0] !== DEVICE_BYTES || device[1] !== DescriptorType.device) {
    throw new Error('a device descriptor has 18 bytes and begins with 18, 1');
  }
  return {
    usbRelease: word(device, 2),
    classCode: device[4],
    subClass: device[5],
    protocol: device[6],
    maxPacketBytes0: device[7],
    vendorId: word(device, 8),
    productId: word(device, 10),
    bcdDevice: word(device, 12),
    serialIndex: device[16],
    configurations: device[17],
  };
}

/** Tables 9-10, 9-12, 9-13; descriptors of classes in between are passed over. A plain Error: the model's descriptors are wrong. */
export function configurationInfo(configuration: Uint8Array): ConfigurationInfo {
  if (configuration.length < CONFIGURATION_BYTES || word(configuration, 2) !== configuration.length) {
    throw new Error('wTotalLength is not the length of the configuration descriptor');
  }
  const interfaces: InterfaceInfo[] = [];
  let endpoints: EndpointInfo[] = [];
  for (const part of parts(configuration)) {
    if (part[1] === DescriptorType.interface) {
      endpoints = [];
      const [, , number, alternate, , classCode, subClass, protocol] = part;
      interfaces.push({ number, alternate, classCode, subClass, protocol, endpoints });
    } else if (part[1] === DescriptorType.endpoint) {
      if (interfaces.length === 0) throw new Error('an endpoint descriptor before any interface descriptor');
      endpoints.push({
        address: part[2],
        transferType: part[3] & 3,
        maxPacketBytes: word(part, 4) & 0x7ff,
        interval: part[6],
      });
    }
  }
  const attributes = configuration[7];
  return {
    value: configuration[5],
    selfPowered: (attributes & 0x40) !== 0,
    remoteWakeup: (attributes & 0x20) !== 0,
    interfaces,
  };
}

/** What the device would be at the other speed: table 9-9. */
export function deviceQualifier(device: Uint8Array): Uint8Array {
  return Uint8Array.of(10, DescriptorType.deviceQualifier, ...device.subarray(2, 8), device[17], 0);
}

/** The configuration at full speed, where bulk packets hold at most 64 bytes: §9.6.4. */
export function otherSpeedConfiguration(configuration: Uint8Array): Uint8Array {
  const other = configuration.slice();
  other[1] = DescriptorType.otherSpeedConfiguration;
  for (const part of parts(other)) {
    if (part[1] === DescriptorType.endpoint && (part[3] & 3) === 2) {
      const bytes = Math.min(64, word(part, 4));
      part[4] = bytes;
      part[5] = 0;
    }
  }
  return other;
}

/** String descriptor `index` (table 9-15, 9-16); null where there is none. A plain Error where a string does not fit. */
export function stringDescriptor({ strings }: UsbDescriptors, index: number): Uint8Array | null {
  if (index === 0) {
    if (strings.length === 0) return null;
    return Uint8Array.of(4, DescriptorType.string, LANGUAGE_US_ENGLISH & 0xff, LANGUAGE_US_ENGLISH >> 8);
  }
  const text = strings[index - 1];
  if (text === undefined) return null;
  if (text.length > MAX_STRING_UNITS) throw new Error(`string ${index} is longer than ${MAX_STRING_UNITS} characters`);
  const bytes = new Uint8Array(2 + 2 * text.length);
  bytes[0] = bytes.length;
  bytes[1] = DescriptorType.string;
  for (let i = 0; i < text.length; i++) {
    bytes[2 + 2 * i] = text.charCodeAt(i) & 0xff;
    bytes[3 + 2 * i] = text.charCodeAt(i) >> 8;
  }
  return bytes;
}

/** The descriptors that follow one another in a configuration, as views. */
function* parts(configuration: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < configuration.length; ) {
    const bytes = configuration[at];
    const minimum = configuration[at + 1] === DescriptorType.interface ? 9 : 2;
    const needed = configuration[at + 1] === DescriptorType.endpoint ? 7 : minimum;
    if (bytes === undefined || bytes < needed || at + bytes > configuration.length) {
      throw new Error(`the configuration descriptor breaks off at byte ${at}`);
    }
    yield configuration.subarray(at, at + bytes);
    at += bytes;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}
