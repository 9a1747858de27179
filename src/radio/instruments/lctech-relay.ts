import type { Exchange } from './exchange.ts';
import { InstrumentError } from './instrument-error.ts';
import { checkChannel, type Relay } from './relay.ts';

const REPLY_TIMEOUT_MS = 500;

/**
 * LC Technology USB relays, 9600 8N1: `A0 n 01 sum` on, `A0 n 00 sum` off, sum = the three bytes before it modulo 256 (A0 01 01 A2; A0 01 00 A1); no reply.
 * Some boards answer `FF` with lines `CH1: ON` or `CH1:OFF`; where there is no answer the state is not known. Source: jarwyg/USB_RELAY, README; status query as used by
 * public drivers of the two-channel board.
 */
export class LcTechRelay implements Relay {
  readonly channels: number;
  private readonly exchange: Exchange;
  /** Whether the board answers to FF; null until asked. */
  private tells: boolean | null = null;

  constructor(exchange: Exchange, channels: number) {
    this.exchange = exchange;
    this.channels = channels;
  }

  async set(channel: number, on: boolean): Promise<void> {
    checkChannel(channel, this.channels);
    await this.exchange.tell(switchCommand(channel, on), REPLY_TIMEOUT_MS);
    const actual = await this.read(channel);
    if (actual !== null && actual !== on) {
      throw new InstrumentError('refused', `LC-Tech relay ${channel} is still ${on ? 'off' : 'on'}`);
    }
  }

  async read(channel: number): Promise<boolean | null> {
    checkChannel(channel, this.channels);
    if (this.tells === false) return null;
    try {
      const state = await this.exchange.ask(Uint8Array.of(0xff), (text) => readState(text, channel), {
        timeoutMs: REPLY_TIMEOUT_MS,
      });
      this.tells = true;
      return state;
    } catch (error) {
      // A board that has never answered cannot; one that did and no longer does is in trouble.
      if (!(error instanceof InstrumentError) || error.kind !== 'timeout' || this.tells) throw error;
      this.tells = false;
      return null;
    }
  }

  async allOff(): Promise<void> {
    for (let channel = 1; channel <= this.channels; channel++) await this.set(channel, false);
  }

  close(): Promise<void> {
    return this.exchange.close();
  }

  describe(): string {
    const blind = this.tells === false ? ', does not tell its state' : '';
    return `LC-Tech relay board, ${this.channels} relay${this.channels === 1 ? '' : 's'}${blind}`;
  }
}

/** A0 n state sum. */
export function switchCommand(channel: number, on: boolean): Uint8Array {
  const state = on ? 1 : 0;
  return Uint8Array.of(0xa0, channel, state, (0xa0 + channel + state) & 0xff);
}

function readState(received: string, channel: number): boolean | undefined {
  const match = new RegExp(`CH${channel}\\s*:\\s*(ON|OFF)\\b`, 'i').exec(received);
  return match ? match[1].toUpperCase() === 'ON' : undefined;
}
