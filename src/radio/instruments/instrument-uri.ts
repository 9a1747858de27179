import { UsageError } from '../../common/errors.ts';
import { ATTENUATOR_MODELS } from './attenuator-models.ts';
import { parseLinePlace } from './open-line.ts';

export const RELAY_COMMAND_SETS = ['kmtronic', 'lctech'] as const;
export type RelayCommandSet = (typeof RELAY_COMMAND_SETS)[number];
export const BAUD_RATES = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400] as const;

/** A serial instrument as named on the command line. */
export type InstrumentUri =
  /** model null: found by asking, which sets the largest attenuation. */
  | { readonly kind: 'att'; readonly port: string; readonly model: string | null; readonly baudRate: number }
  | {
      readonly kind: 'relay';
      readonly port: string;
      readonly commandSet: RelayCommandSet;
      readonly channels: number;
      readonly baudRate: number;
    }
  | { readonly kind: 'gpsdo'; readonly port: string; readonly baudRate: number };

const GRAMMAR = `att:PORT[?model=NAME], relay:PORT?set=${RELAY_COMMAND_SETS.join('|')}[&channels=1..8], gpsdo:PORT; each with &baud=N; PORT = a serial port, tcp:HOST:PORT or unix:PATH`;
const MAX_PORT_LENGTH = 200;

/**
 * Reads `att:/dev/ttyUSB0`, `relay:/dev/ttyUSB1?set=kmtronic&channels=8`, `gpsdo:/dev/ttyACM0?baud=57600`, `att:COM3?model=rudat`,
 * `att:tcp:127.0.0.1:7001`. UsageError saying which part is wrong.
 */
export function parseInstrumentUri(text: string): InstrumentUri {
  const match = /^(att|relay|gpsdo):([^?]*)(?:\?(.*))?$/.exec(text);
  if (!match) throw wrong(text, 'is not an instrument');
  const [, kind, port, query] = match;
  if (port === '') throw wrong(text, 'names no port');
  if (port.length > MAX_PORT_LENGTH || !/^[A-Za-z0-9_./\\:@+-]+$/.test(port)) {
    throw wrong(text, 'has a port that is no path or name of a serial port');
  }
  if (!parseLinePlace(port)) throw wrong(text, 'needs tcp:HOST:PORT or unix:PATH');
  const options = optionsOf(text, query ?? '');
  const take = (key: string) => {
    const value = options.get(key);
    options.delete(key);
    return value;
  };
  const baudRate = baudOf(text, take('baud'), kind === 'gpsdo' ? 115_200 : 9600);
  let uri: InstrumentUri;
  if (kind === 'att') uri = { kind, port, model: modelOf(text, take('model')), baudRate };
  else if (kind === 'gpsdo') uri = { kind, port, baudRate };
  else {
    const set = RELAY_COMMAND_SETS.find((known) => known === options.get('set'));
    if (!set) throw wrong(text, `needs set=${RELAY_COMMAND_SETS.join(' or set=')}`);
    options.delete('set');
    const channels = take('channels') ?? '1';
    if (!/^[1-8]$/.test(channels)) throw wrong(text, `has channels=${channels}; allowed 1 to 8`);
    uri = { kind: 'relay', port, commandSet: set, channels: Number(channels), baudRate };
  }
  const [unknown] = options.keys();
  if (unknown !== undefined) throw wrong(text, `has the unknown option "${unknown.slice(0, 40)}"`);
  return uri;
}

/** The URI as text again. */
export function formatInstrumentUri(uri: InstrumentUri): string {
  const pairs: string[] = [];
  if (uri.kind === 'att' && uri.model !== null) pairs.push(`model=${uri.model}`);
  if (uri.kind === 'relay') pairs.push(`set=${uri.commandSet}`, `channels=${uri.channels}`);
  if (uri.baudRate !== (uri.kind === 'gpsdo' ? 115_200 : 9600)) pairs.push(`baud=${uri.baudRate}`);
  return `${uri.kind}:${uri.port}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
}

function optionsOf(text: string, query: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const pair of query.split('&').filter(Boolean)) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw wrong(text, `has "${pair.slice(0, 40)}" where KEY=VALUE is expected`);
    const key = pair.slice(0, equals);
    if (options.has(key)) throw wrong(text, `gives ${key} twice`);
    options.set(key, pair.slice(equals + 1));
  }
  return options;
}

function modelOf(text: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  const known = ['rudat', ...ATTENUATOR_MODELS.map((model) => model.name)];
  if (!known.includes(value)) throw wrong(text, `has model=${value.slice(0, 40)}; known: ${known.join(', ')}`);
  return value;
}

function baudOf(text: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const rate = BAUD_RATES.find((known) => String(known) === value);
  if (rate === undefined) throw wrong(text, `has baud=${value.slice(0, 20)}; known: ${BAUD_RATES.join(', ')}`);
  return rate;
}

function wrong(text: string, what: string): UsageError {
  return new UsageError(`"${text.slice(0, 120)}" ${what}`, `instruments: ${GRAMMAR}`);
}
