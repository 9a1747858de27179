import type { NumberRange } from '../radio.ts';
import { onGrid } from '../settings.ts';
import { type Attenuator, sameDb } from './attenuator.ts';
import type { Exchange } from './exchange.ts';
import { InstrumentError, shownBytes } from './instrument-error.ts';

const REPLY_TIMEOUT_MS = 2000;
/** Replies have no end mark: at 9600 Bd a character takes 1 ms, USB adapters hold some back for 16 ms. */
const QUIET_MS = 150;

/**
 * Mini-Circuits RUDAT over its RS-232 port, 9600 8N1: `M` -> model, `S` -> serial number, `B20.25E` -> `ACK`, `R` -> attenuation; none with an end of line. Steps of 0.25 dB,
 * range after the model's last number (RUDAT-6000-90: 90 dB). Source: Mini-Circuits, RUDAT Linux programming note, "RS-232 - Programming".
 */
export class RudatAttenuator implements Attenuator {
  readonly model: string;
  readonly serial: string;
  readonly rangeDb: NumberRange;
  private readonly exchange: Exchange;

  private constructor(exchange: Exchange, model: string, serial: string, maxDb: number) {
    this.exchange = exchange;
    this.model = model;
    this.serial = serial;
    this.rangeDb = { min: 0, max: maxDb, step: 0.25 };
  }

  /** Asks for model and serial number, then sets the largest attenuation. */
  static async open(exchange: Exchange): Promise<RudatAttenuator> {
    const options = { timeoutMs: REPLY_TIMEOUT_MS, quietMs: QUIET_MS };
    const { model, maxDb } = await exchange.ask('M', readModel, options);
    const serial = await exchange.ask('S', readSerial, options);
    const attenuator = new RudatAttenuator(exchange, model, serial, maxDb);
    await attenuator.setMaximum();
    return attenuator;
  }

  async set(attenuationDb: number): Promise<number> {
    onGrid(`${this.model} attenuation`, attenuationDb, this.rangeDb, 'dB');
    await this.exchange.ask(`B${attenuationDb.toFixed(2)}E`, readAck, {
      timeoutMs: REPLY_TIMEOUT_MS,
      quietMs: QUIET_MS,
    });
    const actualDb = await this.read();
    if (!sameDb(actualDb, attenuationDb)) {
      throw new InstrumentError('refused', `${this.model}: stands at ${actualDb} dB after ${attenuationDb} dB was set`);
    }
    return actualDb;
  }

  read(): Promise<number> {
    return this.exchange.ask('R', readValue, { timeoutMs: REPLY_TIMEOUT_MS, quietMs: QUIET_MS });
  }

  setMaximum(): Promise<number> {
    return this.set(this.rangeDb.max);
  }

  close(): Promise<void> {
    return this.exchange.close();
  }

  describe(): string {
    return `${this.model} (${this.serial}), 0 to ${this.rangeDb.max} dB in steps of ${this.rangeDb.step} dB`;
  }
}

/** A reply is whole at an end of line, or when the line has fallen silent. */
function whole(received: string, quiet: boolean): string | null {
  const line = /^[\s\0]*([^\r\n\0]+)[\r\n\0]/.exec(received);
  if (line) return line[1].trim();
  return quiet ? received.trim() : null;
}

function readModel(received: string, quiet: boolean): { model: string; maxDb: number } | undefined {
  const text = whole(received, quiet);
  if (text === null) return undefined;
  const match = /^\[?(RUDAT-[0-9A-Z]{1,6}-(\d{2,3}))\]?$/.exec(text);
  const maxDb = Number(match?.[2]);
  if (!match || maxDb < 10 || maxDb > 130) {
    throw new InstrumentError('garbled', `no RUDAT attenuator: it says it is "${shownBytes(text)}"`);
  }
  return { model: match[1], maxDb };
}

function readSerial(received: string, quiet: boolean): string | undefined {
  const text = whole(received, quiet);
  if (text === null) return undefined;
  const match = /^\[?([0-9A-Za-z]{1,24})\]?$/.exec(text);
  if (!match) throw new InstrumentError('garbled', `no serial number: "${shownBytes(text)}"`);
  return match[1];
}

function readAck(received: string, quiet: boolean): true | undefined {
  if (/^\s*\[?ACK/.test(received)) return true;
  const text = whole(received, quiet);
  if (text !== null) throw new InstrumentError('refused', `the attenuator did not say ACK: "${shownBytes(text)}"`);
  return undefined;
}

function readValue(received: string, quiet: boolean): number | undefined {
  const text = whole(received, quiet);
  if (text === null) return undefined;
  const match = /^\[?(\d{1,3}(?:\.\d{1,2})?)\]?$/.exec(text);
  if (!match) throw new InstrumentError('garbled', `no attenuation: "${shownBytes(text)}"`);
  return Number(match[1]);
}
