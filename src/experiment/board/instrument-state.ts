import { UsageError } from '../../common/errors.ts';
import type { Attenuator } from '../../radio/instruments/attenuator.ts';
import { type Gpsdo, gpsdoTrouble } from '../../radio/instruments/gpsdo.ts';
import { parseInstrumentUri } from '../../radio/instruments/instrument-uri.ts';
import { type LineOpener, openAttenuator, openGpsdo, openRelay } from '../../radio/instruments/open-instrument.ts';
import type { Relay } from '../../radio/instruments/relay.ts';

/** What is to be changed on an instrument before its state is read. */
export interface InstrumentWish {
  readonly setDb?: number;
  /** Relays, counted from 1. */
  readonly on?: readonly number[];
  readonly off?: readonly number[];
}

/** What an instrument says of itself, plain data. `ok`: whether it can be relied on. */
export interface InstrumentState {
  readonly kind: 'attenuator' | 'relay' | 'gpsdo';
  readonly ok: boolean;
  readonly about: string;
  readonly facts: { readonly [key: string]: unknown };
  readonly lines: readonly string[];
}

/** Opens the instrument that a URI names, changes what is wished, reads back and closes it. UsageError, InstrumentError. */
export async function instrumentState(uri: string, wish: InstrumentWish, open?: LineOpener): Promise<InstrumentState> {
  const { kind } = parseInstrumentUri(uri);
  if (wish.setDb !== undefined && kind !== 'att') throw new UsageError('--set: only an attenuator is set in dB');
  if ((wish.on || wish.off) && kind !== 'relay') throw new UsageError('--on, --off: only a relay board is switched');
  const both = wish.on?.find((channel) => wish.off?.includes(channel));
  if (both !== undefined) throw new UsageError(`relay ${both} is named by --on and by --off`);
  if (kind === 'att') return use(await openAttenuator(uri, open), (it) => attenuator(it, wish));
  if (kind === 'relay') return use(await openRelay(uri, open), (it) => relay(it, wish));
  return use(await openGpsdo(uri, open), gpsdo);
}

async function use<T extends { close(): Promise<void> }>(it: T, look: (it: T) => Promise<InstrumentState>) {
  try {
    return await look(it);
  } finally {
    await it.close();
  }
}

async function attenuator(it: Attenuator, { setDb }: InstrumentWish): Promise<InstrumentState> {
  const attenuationDb = setDb === undefined ? await it.read() : await it.set(setDb);
  const { model, rangeDb } = it;
  const why = setDb === undefined ? ', its maximum: opening it sets that, the safe side' : '';
  return {
    kind: 'attenuator',
    ok: true,
    about: it.describe(),
    facts: { model, rangeDb: { ...rangeDb }, attenuationDb },
    lines: [`at ${attenuationDb} dB${why}`],
  };
}

async function relay(it: Relay, { on = [], off = [] }: InstrumentWish): Promise<InstrumentState> {
  for (const channel of off) await it.set(channel, false);
  for (const channel of on) await it.set(channel, true);
  const states: (boolean | null)[] = [];
  for (let channel = 1; channel <= it.channels; channel++) states.push(await it.read(channel));
  const word = (state: boolean | null) => (state === null ? 'not told' : state ? 'on' : 'off');
  return {
    kind: 'relay',
    ok: true,
    about: it.describe(),
    facts: { channels: it.channels, on: states },
    lines: states.map((state, i) => `relay ${i + 1} ${word(state)}`),
  };
}

async function gpsdo(it: Gpsdo): Promise<InstrumentState> {
  const status = await it.status();
  const trouble = gpsdoTrouble(status);
  const { satellitesTracked, locked, holdover, timeIntervalS } = status;
  return {
    kind: 'gpsdo',
    ok: trouble === null,
    about: it.describe(),
    facts: { ...status, trouble },
    lines: [
      trouble === null ? 'locked: a reference' : `no reference: ${trouble}`,
      `${locked ? 'locked' : 'not locked'}, ${satellitesTracked} satellites, ${(timeIntervalS * 1e9).toFixed(1)} ns from their second`,
      `holdover ${holdover.active ? `for ${holdover.durationS} s` : `none now, the last ${holdover.durationS} s`}`,
    ],
  };
}
