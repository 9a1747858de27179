import type { Attribute } from './attribute.ts';
import { IioError } from './iio-error.ts';

/** Where a channel's samples stand in a buffer. */
export interface ScanElement {
  readonly index: number;
  /** As in sysfs: endianness:sign bits/storage>>shift. */
  readonly format: string;
}

export interface Channel {
  /** Type and number: voltage0. */
  readonly id: string;
  readonly name?: string;
  readonly output: boolean;
  readonly scan?: ScanElement;
  readonly attributes: readonly Attribute[];
}

export interface Device {
  readonly id: string;
  readonly name: string;
  /** Those with scan elements first, in the order of their index: the number of a channel is its bit in a mask. */
  readonly channels: readonly Channel[];
  readonly attributes: readonly Attribute[];
  readonly buffer: readonly Attribute[];
  readonly debug: readonly Attribute[];
}

export interface IioContext {
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  readonly devices: readonly Device[];
}

/** A device by id or name. */
export function findDevice(context: IioContext, word: string): Device | undefined {
  return context.devices.find(({ id, name }) => id === word || name === word);
}

/** A channel by id or name. */
export function findChannel(device: Device, word: string, output: boolean): Channel | undefined {
  return device.channels.find((channel) => channel.output === output && (channel.id === word || channel.name === word));
}

export function readAttribute(attributes: readonly Attribute[], name: string): string {
  return find(attributes, name).read();
}

export function writeAttribute(attributes: readonly Attribute[], name: string, text: string): void {
  const attribute = find(attributes, name);
  if (!attribute.write) throw new IioError('EACCES');
  attribute.write(text);
}

function find(attributes: readonly Attribute[], name: string): Attribute {
  const attribute = attributes.find((one) => one.name === name);
  if (!attribute) throw new IioError('ENOENT');
  return attribute;
}

/** Bytes of one sample of the channels in a mask; all storage is 16 bit here. */
export function sampleBytes(device: Device, mask: number): number {
  let bytes = 0;
  device.channels.forEach(({ scan }, number) => {
    if (scan && mask & (1 << number)) bytes += 2;
  });
  return bytes;
}

/** File of an attribute in the device's folder: in_voltage0_hardwaregain, out_altvoltage0_RX_LO_frequency. */
export function attributeFilename(channel: Channel, attribute: Attribute): string {
  if (attribute.filename) return attribute.filename;
  const direction = channel.output ? 'out' : 'in';
  if (attribute.shared) return `${direction}_${channel.id.replace(/\d+$/, '')}_${attribute.name}`;
  return `${direction}_${channel.id}${channel.name ? `_${channel.name}` : ''}_${attribute.name}`;
}
