import { UsageError } from '../common/errors.ts';
import { parseQuantity } from '../common/units.ts';
import { LOOPS_RANGE, PACE_RANGE } from './file/pace-range.ts';
import type { UsbipSpec } from './usb/bus-spec.ts';

export const IMAGE_FILTERS = ['bypass', 'low-pass', 'high-pass'] as const;
export type ImageFilter = (typeof IMAGE_FILTERS)[number];

/** Settings of a board that a HackRF URI may carry: they hold for every stream that is opened by it. */
export interface HackrfUriOptions {
  /** RX IF gain, 0 to 40 dB in steps of 8. */
  readonly lnaDb?: number;
  /** RX baseband gain, 0 to 62 dB in steps of 2. */
  readonly vgaDb?: number;
  /** The 14 dB RF amplifier. */
  readonly amp?: boolean;
  /** Error of the board's clock, parts per million. */
  readonly ppm?: number;
  /** 3.3 V on the antenna connector while a stream is open, receiving or sending. */
  readonly biasTee?: boolean;
  /** Baseband filter, one of the board's. Default: by the sample rate. */
  readonly filterHz?: number;
  /** Samples start with the trigger pin. */
  readonly trigger?: boolean;
  /** 10 MHz at CLKOUT. */
  readonly clockOut?: boolean;
  /** True: refuse to go on without a clock at CLKIN. (The board takes one that is there by itself.) */
  readonly clockIn?: boolean;
  /** Mixer by hand: the way of the signal, and the intermediate frequency to within half a MHz; the frequency stays the one asked for. */
  readonly path?: ImageFilter;
  readonly ifHz?: number;
}

/** A device named on the command line (docs: design §6). A USB board is on this machine unless a USB/IP server is named. */
export type RadioUri =
  | {
      readonly kind: 'hackrf';
      readonly serial: string | null;
      readonly options: HackrfUriOptions;
      readonly usbip?: UsbipSpec;
    }
  | { readonly kind: 'pluto-usb'; readonly serial?: string; readonly usbip?: UsbipSpec }
  | { readonly kind: 'pluto-ip'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Played as a board delivers: at so many times its sample rate; and so often. */
      readonly pace?: number;
      readonly loops?: number;
    }
  | { readonly kind: 'loopback' };

const GRAMMAR =
  'hackrf[:SERIAL][?lna=DB&vga=DB&amp=0|1&bias=0|1&filter=HZ&trigger=0|1&clkin=1&clkout=0|1&path=bypass|low-pass|high-pass&if=HZ&ppm=X&usbip=SERVER], pluto:usb[?serial=SERIAL&usbip=SERVER], pluto:ip:HOST[:PORT], file:PATH[?pace=X&loop=N], loopback; SERVER = HOST[:PORT] or unix:PATH';

/** TCP port of USB/IP servers. */
export const USBIP_PORT = 3240;

/** TCP port of iiod, the Pluto's server. */
export const IIOD_PORT = 30_431;

/** Reads a radio URI; a UsageError says which part is wrong and what is possible. */
export function parseRadioUri(text: string): RadioUri {
  if (text.startsWith('file:')) return parseFile(text);
  if (text === 'loopback') return { kind: 'loopback' };
  if (/^hackrf(?=$|[:?])/.test(text)) return parseHackrf(text);
  if (/^pluto:usb(?=$|\?)/.test(text)) return parsePlutoUsb(text);
  if (text.startsWith('pluto:ip:')) return parsePlutoIp(text);
  throw wrong(text, 'is not a radio');
}

/** The URI as text again. */
export function formatRadioUri(uri: RadioUri): string {
  switch (uri.kind) {
    case 'hackrf': {
      const { lnaDb, vgaDb, amp, ppm, biasTee, filterHz, trigger, clockIn, clockOut, path, ifHz } = uri.options;
      const gains = { lna: lnaDb, vga: vgaDb, amp };
      const others = {
        bias: biasTee,
        filter: filterHz,
        trigger,
        clkin: clockIn,
        clkout: clockOut,
        path,
        if: ifHz,
        ppm,
      };
      const query = formatQuery({ ...gains, ...others, usbip: formatUsbip(uri.usbip) });
      return `hackrf${uri.serial ? `:${uri.serial}` : ''}${query}`;
    }
    case 'pluto-usb':
      return `pluto:usb${formatQuery({ serial: uri.serial, usbip: formatUsbip(uri.usbip) })}`;
    case 'pluto-ip':
      return `pluto:ip:${formatHost(uri.host)}:${uri.port}`;
    case 'file':
      return `file:${uri.path}${formatQuery({ pace: uri.pace, loop: uri.loops })}`;
    case 'loopback':
      return 'loopback';
  }
}

/** A path may have a question mark in it; KEY=VALUE behind the last one are options. */
function parseFile(text: string): RadioUri {
  const [, path, query] = /^file:(.*?)(?:\?([a-z]+=[^?]*))?$/s.exec(text) ?? [];
  if (!path || path.includes('\0')) throw wrong(text, 'names no file');
  const options: { pace?: number; loops?: number } = {};
  for (const [key, value] of queryPairs(text, query)) {
    if (key === 'pace') options.pace = withinOf(text, key, value, PACE_RANGE);
    else if (key === 'loop') options.loops = withinOf(text, key, value, LOOPS_RANGE);
    else throw wrong(text, `has the unknown option "${key}"; known: pace, loop`);
  }
  if (options.loops !== undefined && !Number.isInteger(options.loops))
    throw wrong(text, `has loop=${options.loops}; allowed whole numbers`);
  return { kind: 'file', path, ...options };
}

function withinOf(text: string, key: string, value: string, { min, max }: { min: number; max: number }): number {
  const number = numberOf(text, key, value);
  if (!(number >= min && number <= max)) throw wrong(text, `has ${key}=${value}; allowed ${min} to ${max}`);
  return number;
}

function parseHackrf(text: string): RadioUri {
  const match = /^hackrf(?::([^?]*))?(?:\?(.*))?$/.exec(text);
  const serial = match?.[1] ?? null;
  if (serial !== null && !/^[0-9a-fA-F]{1,32}$/.test(serial)) {
    throw wrong(text, `has the serial "${serial}"; a serial, or its end, is 1 to 32 hexadecimal digits`);
  }
  const options: { -readonly [K in keyof HackrfUriOptions]: HackrfUriOptions[K] } = {};
  let usbip: UsbipSpec | undefined;
  for (const [key, value] of queryPairs(text, match?.[2])) {
    if (key === 'lna') options.lnaDb = numberOf(text, key, value);
    else if (key === 'vga') options.vgaDb = numberOf(text, key, value);
    else if (key === 'ppm') options.ppm = numberOf(text, key, value);
    else if (key === 'amp') options.amp = switchOf(text, key, value);
    else if (key === 'bias') options.biasTee = switchOf(text, key, value);
    else if (key === 'trigger') options.trigger = switchOf(text, key, value);
    else if (key === 'clkin') options.clockIn = switchOf(text, key, value);
    else if (key === 'clkout') options.clockOut = switchOf(text, key, value);
    else if (key === 'filter') options.filterHz = parseQuantity('filter of a HackRF', value, 'Hz');
    else if (key === 'if') options.ifHz = parseQuantity('if of a HackRF', value, 'Hz');
    else if (key === 'path') options.path = pathOf(text, value);
    else if (key === 'usbip') usbip = parseUsbip(text, value);
    else throw wrong(text, `has the unknown option "${key}"; known: ${HACKRF_KEYS}`);
  }
  const { path = 'bypass', ifHz } = options;
  if ((path === 'bypass') !== (ifHz === undefined)) {
    throw wrong(text, 'needs path=low-pass or path=high-pass together with if=HZ, and nothing else does');
  }
  return { kind: 'hackrf', serial, options, ...(usbip && { usbip }) };
}

const HACKRF_KEYS = 'lna, vga, amp, bias, filter, trigger, clkin, clkout, path, if, ppm, usbip';

function switchOf(text: string, key: string, value: string): boolean {
  if (value !== '0' && value !== '1') throw wrong(text, `has ${key}=${value}; allowed: 0, 1`);
  return value === '1';
}

function pathOf(text: string, value: string): ImageFilter {
  const path = IMAGE_FILTERS.find((name) => name === value);
  if (!path) throw wrong(text, `has path=${value}; allowed: ${IMAGE_FILTERS.join(', ')}`);
  return path;
}

function parsePlutoUsb(text: string): RadioUri {
  let serial: string | undefined;
  let usbip: UsbipSpec | undefined;
  for (const [key, value] of queryPairs(text, /^[^?]*\?(.*)$/.exec(text)?.[1])) {
    if (key === 'serial') {
      if (!/^[0-9A-Za-z]{1,64}$/.test(value)) {
        throw wrong(text, `has serial=${value}; a serial, or its end, is 1 to 64 letters and digits`);
      }
      serial = value;
    } else if (key === 'usbip') usbip = parseUsbip(text, value);
    else throw wrong(text, `has the unknown option "${key}"; known: serial, usbip`);
  }
  return { kind: 'pluto-usb', ...(serial && { serial }), ...(usbip && { usbip }) };
}

/** KEY=VALUE pairs between ampersands, each key once. */
function queryPairs(text: string, query: string | undefined): [string, string][] {
  const pairs = new Map<string, string>();
  for (const pair of (query ?? '').split('&').filter(Boolean)) {
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (pairs.has(key)) throw wrong(text, `gives ${key} twice`);
    pairs.set(key, equals < 0 ? '' : pair.slice(equals + 1));
  }
  return [...pairs];
}

function formatQuery(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const text = (value: string | number | boolean) => (typeof value === 'boolean' ? Number(value) : value);
  const pairs = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${text(value)}`],
  );
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

/** HOST, HOST:PORT, or unix:PATH with % and & of the path written as %25 and %26. */
function parseUsbip(text: string, value: string): UsbipSpec {
  if (value.startsWith('unix:')) {
    const path = value.slice(5).replace(/%25|%26/g, (code) => (code === '%25' ? '%' : '&'));
    // The kernel's sockaddr_un holds 108 bytes with the final zero.
    if (!path || path.includes('\0') || Buffer.byteLength(path) > 107) {
      throw wrong(text, 'needs the path of a socket after usbip=unix:, 1 to 107 bytes');
    }
    return { kind: 'usbip-unix', path };
  }
  return { kind: 'usbip', ...parseHostPort(text, value, 'usbip=', USBIP_PORT) };
}

function formatUsbip(spec: UsbipSpec | undefined): string | undefined {
  if (!spec) return undefined;
  if (spec.kind === 'usbip') return `${formatHost(spec.host)}:${spec.port}`;
  return `unix:${spec.path.replace(/[%&]/g, (char) => (char === '%' ? '%25' : '%26'))}`;
}

function numberOf(text: string, key: string, value: string): number {
  if (!/^[+-]?\d+(\.\d+)?$/.test(value)) throw wrong(text, `has ${key}=${value}, which is not a number`);
  return Number(value);
}

function parsePlutoIp(text: string): RadioUri {
  return { kind: 'pluto-ip', ...parseHostPort(text, text.slice('pluto:ip:'.length), 'pluto:ip:', IIOD_PORT) };
}

/** HOST[:PORT]; `after` is what stands before it in the URI. */
function parseHostPort(text: string, value: string, after: string, standard: number): { host: string; port: number } {
  const match =
    /^(?:\[([0-9a-fA-F:.]+(?:%[A-Za-z0-9._-]{1,32})?)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})))(?::(\d{1,5}))?$/.exec(
      value,
    );
  if (!match) throw wrong(text, `needs HOST[:PORT] after ${after} (an IPv6 address in brackets)`);
  const port = match[3] === undefined ? standard : Number(match[3]);
  if (port < 1 || port > 65_535) throw wrong(text, `has port ${port}; allowed 1 to 65535`);
  return { host: match[1] ?? match[2], port };
}

function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function wrong(text: string, what: string): UsageError {
  return new UsageError(`"${text.slice(0, 120)}" ${what}`, `radios: ${GRAMMAR}`);
}
