import { UsageError } from '../common/errors.ts';

/** Gains and corrections that a HackRF URI may carry. */
export interface HackrfUriOptions {
  /** RX IF gain, 0 to 40 dB in steps of 8. */
  readonly lnaDb?: number;
  /** RX baseband gain, 0 to 62 dB in steps of 2. */
  readonly vgaDb?: number;
  /** The 14 dB RF amplifier. */
  readonly amp?: boolean;
  /** Error of the board's clock, parts per million. */
  readonly ppm?: number;
}

/** A device named on the command line (docs: design §6). */
export type RadioUri =
  | { readonly kind: 'hackrf'; readonly serial: string | null; readonly options: HackrfUriOptions }
  | { readonly kind: 'pluto-usb' }
  | { readonly kind: 'pluto-ip'; readonly host: string; readonly port: number }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'loopback' };

const GRAMMAR = 'hackrf[:SERIAL][?lna=DB&vga=DB&amp=0|1&ppm=X], pluto:usb, pluto:ip:HOST[:PORT], file:PATH, loopback';

/** TCP port of iiod, the Pluto's server. */
export const IIOD_PORT = 30_431;

/** Reads a radio URI; a UsageError says which part is wrong and what is possible. */
export function parseRadioUri(text: string): RadioUri {
  if (text.startsWith('file:')) {
    const path = text.slice(5);
    if (!path || path.includes('\0')) throw wrong(text, 'names no file');
    return { kind: 'file', path };
  }
  if (text === 'loopback') return { kind: 'loopback' };
  if (/^hackrf(?=$|[:?])/.test(text)) return parseHackrf(text);
  if (text === 'pluto:usb') return { kind: 'pluto-usb' };
  if (text.startsWith('pluto:ip:')) return parsePlutoIp(text);
  throw wrong(text, 'is not a radio');
}

/** The URI as text again. */
export function formatRadioUri(uri: RadioUri): string {
  switch (uri.kind) {
    case 'hackrf': {
      const { lnaDb, vgaDb, amp, ppm } = uri.options;
      const pairs = Object.entries({ lna: lnaDb, vga: vgaDb, amp: amp === undefined ? undefined : Number(amp), ppm });
      const query = pairs.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])).join('&');
      return `hackrf${uri.serial ? `:${uri.serial}` : ''}${query ? `?${query}` : ''}`;
    }
    case 'pluto-usb':
      return 'pluto:usb';
    case 'pluto-ip':
      return `pluto:ip:${uri.host.includes(':') ? `[${uri.host}]` : uri.host}:${uri.port}`;
    case 'file':
      return `file:${uri.path}`;
    case 'loopback':
      return 'loopback';
  }
}

function parseHackrf(text: string): RadioUri {
  const match = /^hackrf(?::([^?]*))?(?:\?(.*))?$/.exec(text);
  const serial = match?.[1] ?? null;
  if (serial !== null && !/^[0-9a-fA-F]{1,32}$/.test(serial)) {
    throw wrong(text, `has the serial "${serial}"; a serial, or its end, is 1 to 32 hexadecimal digits`);
  }
  const options: { -readonly [K in keyof HackrfUriOptions]: HackrfUriOptions[K] } = {};
  const seen = new Set<string>();
  for (const pair of (match?.[2] ?? '').split('&').filter(Boolean)) {
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? '' : pair.slice(equals + 1);
    if (seen.has(key)) throw wrong(text, `gives ${key} twice`);
    seen.add(key);
    if (key === 'lna') options.lnaDb = numberOf(text, key, value);
    else if (key === 'vga') options.vgaDb = numberOf(text, key, value);
    else if (key === 'ppm') options.ppm = numberOf(text, key, value);
    else if (key === 'amp') {
      if (value !== '0' && value !== '1') throw wrong(text, `has amp=${value}; allowed: 0, 1`);
      options.amp = value === '1';
    } else throw wrong(text, `has the unknown option "${key}"; known: lna, vga, amp, ppm`);
  }
  return { kind: 'hackrf', serial, options };
}

function numberOf(text: string, key: string, value: string): number {
  if (!/^[+-]?\d+(\.\d+)?$/.test(value)) throw wrong(text, `has ${key}=${value}, which is not a number`);
  return Number(value);
}

function parsePlutoIp(text: string): RadioUri {
  const match =
    /^pluto:ip:(?:\[([0-9a-fA-F:.]+(?:%[A-Za-z0-9._-]{1,32})?)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})))(?::(\d{1,5}))?$/.exec(
      text,
    );
  if (!match) throw wrong(text, 'needs HOST[:PORT] after pluto:ip: (an IPv6 address in brackets)');
  const port = match[3] === undefined ? IIOD_PORT : Number(match[3]);
  if (port < 1 || port > 65_535) throw wrong(text, `has port ${port}; allowed 1 to 65535`);
  return { kind: 'pluto-ip', host: match[1] ?? match[2], port };
}

function wrong(text: string, what: string): UsageError {
  return new UsageError(`"${text.slice(0, 120)}" ${what}`, `radios: ${GRAMMAR}`);
}
