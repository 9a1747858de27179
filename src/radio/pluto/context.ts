import { DeviceError, FormatError } from '../../common/errors.ts';
import type { AttrPlace, AttrRef } from './iiod-words.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** Layout of one sample of one channel in a buffer: `le:S12/16>>0` (libiio channel.c). */
export interface ScanFormat {
  readonly littleEndian: boolean;
  readonly signed: boolean;
  /** Sign-extended to the whole container (an upper-case S or U). */
  readonly extended: boolean;
  readonly bits: number;
  readonly containerBits: number;
  readonly repeat: number;
  readonly shift: number;
}

export interface IioChannel {
  readonly id: string;
  readonly name: string | null;
  readonly output: boolean;
  /** Place in a buffer; null for channels that are no part of one. */
  readonly scan: { readonly index: number; readonly format: ScanFormat } | null;
  readonly attrs: readonly string[];
}

export interface IioDevice {
  readonly id: string;
  readonly name: string | null;
  readonly channels: readonly IioChannel[];
  readonly attrs: readonly string[];
  readonly debugAttrs: readonly string[];
  readonly bufferAttrs: readonly string[];
}

/** What an IIOD server has: PRINT's reply. */
export interface IioContext {
  readonly description: string;
  /** hw_model, hw_serial, fw_version and the like. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly devices: readonly IioDevice[];
}

const MAX_DEVICES = 256;
const MAX_CHANNELS = 256;
/** Words that go into commands. */
const WORD = /^[\x21-\x7e]{1,255}$/;

/** Reads the context's XML; a FormatError names the element and what is wrong. */
export function parseContext(xml: string): IioContext {
  const root = parseXml(xml);
  if (root.name !== 'context') throw new FormatError('context', `the XML is <${root.name}>`);
  const attributes = new Map<string, string>();
  for (const child of root.children) {
    if (child.name === 'context-attribute')
      attributes.set(required(child, 'name'), child.attributes.get('value') ?? '');
  }
  const devices = root.children.filter((child) => child.name === 'device').map(parseDevice);
  if (devices.length > MAX_DEVICES) throw new FormatError('context', `${devices.length} devices`);
  unique(
    'device',
    devices.map((device) => device.id),
  );
  return { description: root.attributes.get('description') ?? '', attributes, devices };
}

function parseDevice(element: XmlElement): IioDevice {
  const id = word(element, 'id');
  const channels = element.children.filter((child) => child.name === 'channel').map(parseChannel);
  if (channels.length > MAX_CHANNELS) throw new FormatError(`device ${id}`, `${channels.length} channels`);
  unique(
    `channel of ${id}`,
    channels.map((channel) => `${channel.output ? 'output' : 'input'} ${channel.id}`),
  );
  return {
    id,
    name: element.attributes.get('name') ?? null,
    channels,
    attrs: names(element, 'attribute'),
    debugAttrs: names(element, 'debug-attribute'),
    bufferAttrs: names(element, 'buffer-attribute'),
  };
}

function parseChannel(element: XmlElement): IioChannel {
  const id = word(element, 'id');
  const type = required(element, 'type');
  if (type !== 'input' && type !== 'output') throw new FormatError(`channel ${id}`, `type "${type.slice(0, 40)}"`);
  const scan = element.children.find((child) => child.name === 'scan-element');
  return {
    id,
    name: element.attributes.get('name') ?? null,
    output: type === 'output',
    scan: scan ? parseScan(id, scan) : null,
    attrs: names(element, 'attribute'),
  };
}

function parseScan(channel: string, element: XmlElement): IioChannel['scan'] {
  const index = required(element, 'index');
  if (!/^-?\d{1,4}$/.test(index)) throw new FormatError(`channel ${channel}`, `scan index "${index.slice(0, 40)}"`);
  // libiio gives -1 to channels that cannot be captured.
  if (Number(index) < 0) return null;
  return { index: Number(index), format: parseScanFormat(required(element, 'format')) };
}

/** Reads `[be|le]:[s|u|S|U]BITS/CONTAINER[XREPEAT]>>SHIFT`; FormatError for anything else. */
export function parseScanFormat(text: string): ScanFormat {
  const match = /^(be|le):([suSU])(\d{1,3})\/(\d{1,3})(?:X(\d{1,3}))?>>(\d{1,2})$/.exec(text);
  if (!match) throw new FormatError('scan format', `"${text.slice(0, 40)}" is not like le:S12/16>>0`);
  const [bits, containerBits, repeat, shift] = [match[3], match[4], match[5] ?? '1', match[6]].map(Number);
  if (bits < 1 || ![8, 16, 32, 64, 128].includes(containerBits) || bits + shift > containerBits || repeat < 1) {
    throw new FormatError('scan format', `"${text}" does not fit into its container`);
  }
  const signed = match[2].toLowerCase() === 's';
  const extended = match[2] === match[2].toUpperCase();
  return { littleEndian: match[1] === 'le', signed, extended, bits, containerBits, repeat, shift };
}

/** A device by its name or id; a DeviceError lists those there are. */
export function findDevice(context: IioContext, name: string): IioDevice {
  const found = context.devices.find((device) => device.name === name || device.id === name);
  if (found) return found;
  const list = context.devices.map((device) => device.name ?? device.id).join(', ') || 'none';
  throw new DeviceError(`the server has no device ${name} (it has: ${list.slice(0, 200)})`, 'is it a Pluto?');
}

/** A channel by its id or name; a DeviceError names the device. */
export function findChannel(device: IioDevice, name: string, output: boolean): IioChannel {
  const found = device.channels.find(
    (channel) => channel.output === output && (channel.id === name || channel.name === name),
  );
  if (found) return found;
  throw new DeviceError(`${device.name ?? device.id} has no ${output ? 'output' : 'input'} channel ${name}`);
}

/** An attribute of a channel; a DeviceError where the board has none of that name. */
export function channelAttr(device: IioDevice, channel: IioChannel, name: string): AttrRef {
  if (!channel.attrs.includes(name)) {
    throw new DeviceError(`${device.name ?? device.id} ${channel.name ?? channel.id} has no attribute ${name}`);
  }
  return { device: device.id, place: { kind: 'channel', channel: channel.id, output: channel.output }, name };
}

/** An attribute of the device itself, of its debug files or its buffer; null where there is none of that name. */
export function deviceAttr(device: IioDevice, kind: 'device' | 'debug' | 'buffer', name: string): AttrRef | null {
  const list = { device: device.attrs, debug: device.debugAttrs, buffer: device.bufferAttrs }[kind];
  const place: AttrPlace = { kind };
  return list.includes(name) ? { device: device.id, place, name } : null;
}

function names(element: XmlElement, kind: string): string[] {
  return element.children.filter((child) => child.name === kind).map((child) => word(child, 'name'));
}

function required(element: XmlElement, attribute: string): string {
  const value = element.attributes.get(attribute);
  if (value === undefined) throw new FormatError(element.name, `no attribute ${attribute}`);
  return value;
}

function word(element: XmlElement, attribute: string): string {
  const value = required(element, attribute);
  if (!WORD.test(value)) throw new FormatError(element.name, `${attribute} "${value.slice(0, 40)}" is no word`);
  return value;
}

function unique(what: string, keys: readonly string[]): void {
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw new FormatError(what, `${twice.slice(0, 80)} twice`);
}
