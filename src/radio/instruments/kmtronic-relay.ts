import type { Exchange } from './exchange.ts';
import { InstrumentError, shownBytes } from './instrument-error.ts';
import { checkChannel, type Relay } from './relay.ts';

const REPLY_TIMEOUT_MS = 1000;
/** From here on boards answer the status of all relays at once, and only that. */
const ALL_AT_ONCE_FROM = 3;

/**
 * KMTronic USB and RS-485 relay boards, 9600 8N1: `FF n 01` on, `FF n 00` off (no reply); one or two relays: `FF n 03` -> `FF n 00|01`; four or eight: `FF 09 00` ->
 * one byte 00|01 a relay. Source: kmtronic-ltd/arduino-control-rs485-relays; replies as read by drivers of others in public (`FF 09 00` only on boards
 * with four and eight).
 */
export class KmtronicRelay implements Relay {
  readonly channels: number;
  private readonly exchange: Exchange;

  constructor(exchange: Exchange, channels: number) {
    this.exchange = exchange;
    this.channels = channels;
  }

  async set(channel: number, on: boolean): Promise<void> {
    checkChannel(channel, this.channels);
    await this.exchange.tell(Uint8Array.of(0xff, channel, on ? 1 : 0), REPLY_TIMEOUT_MS);
    if ((await this.read(channel)) !== on) {
      throw new InstrumentError('refused', `KMTronic relay ${channel} is still ${on ? 'off' : 'on'}`);
    }
  }

  async read(channel: number): Promise<boolean> {
    checkChannel(channel, this.channels);
    const options = { timeoutMs: REPLY_TIMEOUT_MS };
    if (this.channels < ALL_AT_ONCE_FROM) {
      return this.exchange.ask(Uint8Array.of(0xff, channel, 3), (text) => readOne(text, channel), options);
    }
    const states = await this.exchange.ask(Uint8Array.of(0xff, 9, 0), (text) => readAll(text, this.channels), options);
    return states[channel - 1];
  }

  async allOff(): Promise<void> {
    for (let channel = 1; channel <= this.channels; channel++) await this.set(channel, false);
  }

  close(): Promise<void> {
    return this.exchange.close();
  }

  describe(): string {
    return `KMTronic relay board, ${this.channels} relay${this.channels === 1 ? '' : 's'}`;
  }
}

function readOne(received: string, channel: number): boolean | undefined {
  if (received.length < 3) return undefined;
  const [mark, number, state] = [...received].map((c) => c.charCodeAt(0));
  if (mark !== 0xff || number !== channel || state > 1) throw garbled(received);
  return state === 1;
}

function readAll(received: string, channels: number): boolean[] | undefined {
  const bytes = [...received].map((c) => c.charCodeAt(0));
  if (bytes.some((byte) => byte > 1)) throw garbled(received);
  if (bytes.length < channels) return undefined;
  return bytes.slice(0, channels).map((byte) => byte === 1);
}

function garbled(received: string): InstrumentError {
  return new InstrumentError(
    'garbled',
    `KMTronic relay: a status that is none: "${shownBytes(received)}"`,
    'is the number of channels right? ?channels=N',
  );
}
