import { isLocal, type ListenAddress, parseListenAddress } from '../../../hardware/emulated/front-ends/listen.ts';
import { DEFAULT_PLUTO_RELEASE, PLUTO_RELEASES } from '../../../hardware/emulated/pluto/firmware.ts';
import { inRange, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import { CHANNELS } from '../../phy/channel/scenario.ts';
import { emulatedSerial } from '../../radio/board-identity.ts';
import { IIOD_PORT } from '../../radio/uri.ts';
import { EMULATED_INSTRUMENTS, type InstrumentPlan, instrumentOf } from './instruments.ts';

export const EMULATED_KINDS = ['hackrf', 'pluto'] as const;
export type EmulatedKind = (typeof EMULATED_KINDS)[number];

/** Boards of one process; each gets a bus id "1-N". */
const MOST_BOARDS = 15;
/** Port of USB/IP servers. */
const DEFAULT_USBIP = '3240';
/** Port of the first serial instrument; the next have the following, as Plutos have from IIOD_PORT on. */
const DEFAULT_INSTRUMENT = 7001;

/** One board of the emulation. */
export interface BoardPlan {
  readonly kind: EmulatedKind;
  /** 32 hexadecimal digits. */
  readonly serial: string;
  readonly ppm: number;
}

export interface EmulationPlan {
  readonly boards: readonly BoardPlan[];
  readonly instruments: readonly InstrumentPlan[];
  readonly usbip: ListenAddress | null;
  /** One for each board, or none. */
  readonly usbredir: readonly ListenAddress[];
  /** IIO server of each Pluto, null for none. */
  readonly iiod: readonly (ListenAddress | null)[];
  /** Serial console of each Pluto; none, or one for each. */
  readonly console: readonly ListenAddress[];
  /** Emulated seconds in a second. */
  readonly speed: number;
  readonly channel: string;
  readonly dopplerHz: number | undefined;
  readonly delaySpreadNs: number | undefined;
  readonly pathLossDb: number;
  /** From a board's output to its own input; null: it does not hear itself. */
  readonly ownLossDb: number | null;
  readonly seed: number;
  /** USB API version of emulated HackRFs. */
  readonly apiVersion: number;
  /** Release of emulated Plutos. */
  readonly plutoFirmware: string;
  readonly counter: boolean;
  readonly faults: boolean;
  readonly durationS: number;
}

/** The words of the command line as commander gives them. */
export interface EmulationWords {
  readonly count?: string;
  readonly serial?: string;
  readonly ppm?: string;
  readonly usbip?: string;
  readonly usbredir?: string;
  readonly iiod?: string;
  readonly console?: string;
  readonly instruments?: string;
  readonly allowRemote?: boolean;
  readonly speed?: string;
  readonly channel?: string;
  readonly doppler?: string;
  readonly delaySpread?: string;
  readonly pathLoss?: string;
  readonly ownLoss?: string;
  readonly seed?: string;
  readonly api?: string;
  readonly firmware?: string;
  readonly counter?: boolean;
  readonly faults?: boolean;
  readonly duration?: string;
}

/** Checks the words; a UsageError names flag and range. */
export function planEmulation(names: readonly string[], words: EmulationWords): EmulationPlan {
  const number = (flag: string, text: string | undefined, standard: number, min: number, max: number, unit = '') =>
    text === undefined ? standard : inRange(flag, parseQuantity(flag, text, unit), min, max, unit);
  const instruments = names.flatMap((name) => instrumentOf(name) ?? []);
  const kinds = names.flatMap((name) => {
    if (instrumentOf(name)) return [];
    const kind = EMULATED_KINDS.find((k) => k === name);
    if (!kind)
      throw new UsageError(`unknown board "${name}": ${[...EMULATED_KINDS, ...EMULATED_INSTRUMENTS].join(', ')}`);
    return [kind];
  });
  const count = whole('--count', number('--count', words.count, 1, 1, MOST_BOARDS));
  const all = kinds.flatMap((kind) => Array.from({ length: count }, () => kind));
  if (all.length > MOST_BOARDS) throw new UsageError(`${all.length} boards: at most ${MOST_BOARDS}`);
  const serials = list('--serial', words.serial, all.length);
  const errors = list('--ppm', words.ppm, all.length);
  const boards = all.map((kind, i) => ({
    kind,
    serial: serials ? parseSerial(serials[i]) : emulatedSerial(i),
    ppm: number('--ppm', errors?.[i], 0, -1000, 1000, 'ppm'),
  }));
  if (new Set(boards.map((b) => b.serial)).size !== boards.length)
    throw new UsageError('--serial: two boards with one');
  const channel = (words.channel ?? 'awgn').toLowerCase();
  if (!CHANNELS.includes(channel)) throw new UsageError(`--channel ${channel}: one of ${CHANNELS.join(', ')}`);
  const optional = (flag: string, text: string | undefined, min: number, max: number, unit: string) =>
    text === undefined ? undefined : number(flag, text, 0, min, max, unit);
  return {
    boards,
    ...listeners(words, boards.length, all.filter((kind) => kind === 'pluto').length, instruments),
    speed: number('--speed', words.speed, 1, 1e-4, 1),
    channel,
    ...fading(
      channel,
      optional('--doppler', words.doppler, 0, 1000, 'Hz'),
      optional('--delay-spread', words.delaySpread, 1, 1000, 'ns'),
    ),
    pathLossDb: number('--path-loss', words.pathLoss, 60, 0, 300, 'dB'),
    ownLossDb: optional('--own-loss', words.ownLoss, 0, 300, 'dB') ?? null,
    seed: whole('--seed', number('--seed', words.seed, 1, 0, 2 ** 32 - 1)),
    apiVersion: parseApi(words.api ?? '0107'),
    plutoFirmware: parseFirmware(words.firmware ?? DEFAULT_PLUTO_RELEASE),
    counter: words.counter ?? false,
    faults: words.faults ?? false,
    durationS: number('--duration', words.duration, Number.POSITIVE_INFINITY, 0, 1e9, 's'),
  };
}

/** What a channel model does not have is refused, not passed over. */
function fading(channel: string, dopplerHz: number | undefined, delaySpreadNs: number | undefined) {
  if (dopplerHz !== undefined && channel === 'awgn')
    throw new UsageError('--doppler: not for awgn, which does not fade');
  if (delaySpreadNs !== undefined && !channel.startsWith('tdl')) {
    throw new UsageError(`--delay-spread: not for ${channel}, only for tdl-a, tdl-b, tdl-c`);
  }
  return { dopplerHz, delaySpreadNs };
}

/** Where the boards are to be had: Plutos at their IIO servers, HackRFs over USB/IP unless only QEMU is asked for. */
function listeners(
  words: EmulationWords,
  boards: number,
  plutos: number,
  kinds: readonly Pick<InstrumentPlan, 'kind' | 'model'>[],
) {
  const usbredir = list('--usbredir', words.usbredir, boards)?.map((at) => parseListenAddress('--usbredir', at)) ?? [];
  const reached = usbredir.length > 0 || plutos === boards;
  const at = words.usbip ?? (reached ? null : DEFAULT_USBIP);
  const usbip = at === null ? null : parseListenAddress('--usbip', at);
  const standard = Array.from({ length: plutos }, (_, i) => String(IIOD_PORT + i));
  const iiod = (list('--iiod', words.iiod, plutos) ?? standard).map((place) =>
    place === 'no' ? null : parseListenAddress('--iiod', place),
  );
  const console =
    list('--console', words.console, plutos)?.map((place) => parseListenAddress('--console', place)) ?? [];
  const ports = kinds.map((_, i) => String(DEFAULT_INSTRUMENT + i));
  const instruments = (list('--instruments', words.instruments, kinds.length, 'instruments') ?? ports).map(
    (place, i) => ({
      ...kinds[i],
      at: parseListenAddress('--instruments', place),
    }),
  );
  for (const address of [...usbredir, ...iiod, ...console, usbip, ...instruments.map(({ at }) => at)]) {
    if (address === null || words.allowRemote || isLocal(address)) continue;
    throw new UsageError(
      `${'host' in address ? address.host : ''} can be reached from other machines, and nobody is asked for a password`,
      'use 127.0.0.1 or a UNIX socket; --allow-remote in a network that you trust',
    );
  }
  return { usbip, usbredir, iiod, console, instruments };
}

function parseSerial(text: string): string {
  if (!/^[0-9a-fA-F]{1,32}$/.test(text)) throw new UsageError(`--serial "${text}": 1 to 32 hexadecimal digits`);
  return text.toLowerCase().padStart(32, '0');
}

function parseFirmware(text: string): string {
  if (PLUTO_RELEASES.includes(text)) return text;
  throw new UsageError(`--firmware ${text}: one of ${PLUTO_RELEASES.join(', ')}`);
}

function parseApi(text: string): number {
  const match = /^(?:0x)?(0[0-9a-fA-F]{3})$/.exec(text);
  if (!match) throw new UsageError(`--api "${text}": four hexadecimal digits such as 0107`);
  return Number.parseInt(match[1], 16);
}

/** Words with commas between them: one for each board, or whatever they are for. */
function list(flag: string, text: string | undefined, count: number, what = 'boards'): string[] | null {
  if (text === undefined) return null;
  const parts = text.split(',');
  if (parts.length !== count) throw new UsageError(`${flag} names ${parts.length} for ${count} ${what}`);
  return parts;
}

function whole(flag: string, value: number): number {
  if (!Number.isInteger(value)) throw new UsageError(`${flag} ${value} is not a whole number`);
  return value;
}
