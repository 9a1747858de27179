import type { Duplex } from 'node:stream';
import { UsageError } from '../../common/errors.ts';
import type { Attenuator } from './attenuator.ts';
import { ATTENUATOR_MODELS } from './attenuator-models.ts';
import { CdcAttenuator, detectCdcAttenuator } from './cdc-attenuator.ts';
import { Exchange } from './exchange.ts';
import type { Gpsdo } from './gpsdo.ts';
import { InstrumentError } from './instrument-error.ts';
import { type InstrumentUri, parseInstrumentUri } from './instrument-uri.ts';
import { JacksonGpsdo } from './jackson-gpsdo.ts';
import { KmtronicRelay } from './kmtronic-relay.ts';
import { LcTechRelay } from './lctech-relay.ts';
import { openLine } from './open-line.ts';
import type { Relay } from './relay.ts';
import { RudatAttenuator } from './rudat-attenuator.ts';

/** How a port becomes a line; the default loads the serial library where the port is a serial one. */
export type LineOpener = (path: string, baudRate: number) => Promise<Duplex>;

/**
 * Opens the attenuator that a URI names and sets it to its maximum: the safe side, whatever it stood at. Without `?model=` both command sets are tried, so nothing may transmit
 * yet. InstrumentError; the port is closed again where it cannot be used.
 */
export async function openAttenuator(uri: string, open: LineOpener = openLine): Promise<Attenuator> {
  const parsed = expect('att', uri);
  return withExchange(parsed, open, async (exchange) => {
    if (parsed.model === 'rudat') return RudatAttenuator.open(exchange);
    const kind = ATTENUATOR_MODELS.find((model) => model.name === parsed.model);
    if (kind) {
      const attenuator = new CdcAttenuator(exchange, kind);
      await attenuator.setMaximum();
      return attenuator;
    }
    return detectAttenuator(exchange, parsed.port);
  });
}

/** Opens a relay board; nothing is switched. */
export async function openRelay(uri: string, open: LineOpener = openLine): Promise<Relay> {
  const parsed = expect('relay', uri);
  return withExchange(parsed, open, async (exchange) =>
    parsed.commandSet === 'kmtronic'
      ? new KmtronicRelay(exchange, parsed.channels)
      : new LcTechRelay(exchange, parsed.channels),
  );
}

/** Opens a GPSDO and reads its name. */
export async function openGpsdo(uri: string, open: LineOpener = openLine): Promise<Gpsdo> {
  return withExchange(expect('gpsdo', uri), open, (exchange) => JacksonGpsdo.open(exchange));
}

async function detectAttenuator(exchange: Exchange, port: string): Promise<Attenuator> {
  try {
    return await detectCdcAttenuator(exchange);
  } catch (error) {
    if (!(error instanceof InstrumentError) || error.kind !== 'timeout') throw error;
  }
  try {
    return await RudatAttenuator.open(exchange);
  } catch (error) {
    if (!(error instanceof InstrumentError) || error.kind === 'gone') throw error;
    throw new InstrumentError(
      'timeout',
      `${port}: no attenuator of a known command set answers (${error.message})`,
      'is it the right port? att:PORT?model=NAME asks for one only',
    );
  }
}

async function withExchange<T>(
  uri: InstrumentUri,
  open: LineOpener,
  use: (exchange: Exchange) => Promise<T>,
): Promise<T> {
  const exchange = new Exchange(await open(uri.port, uri.baudRate), uri.port);
  try {
    return await use(exchange);
  } catch (error) {
    await exchange.close();
    throw error;
  }
}

function expect<K extends InstrumentUri['kind']>(kind: K, text: string): Extract<InstrumentUri, { kind: K }> {
  const uri = parseInstrumentUri(text);
  if (uri.kind !== kind) throw new UsageError(`"${text.slice(0, 120)}" is no ${kind}: instrument`);
  return uri as Extract<InstrumentUri, { kind: K }>;
}
