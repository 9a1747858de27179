import type { Exchange } from './exchange.ts';
import type { Gpsdo, GpsdoStatus } from './gpsdo.ts';
import { InstrumentError, shownBytes } from './instrument-error.ts';

const REPLY_TIMEOUT_MS = 3000;

/**
 * Jackson Labs GPSDOs over SCPI, 115200 8N1. Between question and answer may stand: the question's echo, the prompt `scpi > `, blank lines, and NMEA sentences that
 * the box sends on its own; the answer is the first line that looks like one. Sources: Jackson Labs, Mini-JLT GNSS user manual §3.5 to 3.6
 * (SYNC:HOLD:DUR? "duration,state", SYNC:HEALTH? "0x54", SYNC:LOCKED?); geospace-code/nmeautils, SCPIlogger.py (GPS:SAT:TRA:COUN?, PTIME:TINT?).
 */
export class JacksonGpsdo implements Gpsdo {
  readonly identity: string;
  private readonly exchange: Exchange;

  private constructor(exchange: Exchange, identity: string) {
    this.exchange = exchange;
    this.identity = identity;
  }

  static async open(exchange: Exchange): Promise<JacksonGpsdo> {
    return new JacksonGpsdo(exchange, (await query(exchange, '*IDN?', /^[^,]{1,60}(,[^,]{0,60}){1,5}$/))[0]);
  }

  async status(): Promise<GpsdoStatus> {
    const ask = (question: string, answer: RegExp) => query(this.exchange, question, answer);
    const satellitesTracked = Number((await ask('GPS:SAT:TRA:COUN?', /^\+?(\d{1,3})$/))[1]);
    const locked = (await ask('SYNC:LOCKED?', /^[01]$/))[0] === '1';
    const holdover = await ask('SYNC:HOLD:DUR?', /^\+?(\d{1,9})\s*,\s*([01])$/);
    const timeIntervalS = Number((await ask('PTIME:TINT?', /^([+-]?\d{1,6}(?:\.\d{1,12})?(?:E[+-]?\d{1,3})?)$/i))[1]);
    const healthBits = await this.health();
    return {
      identity: this.identity,
      satellitesTracked,
      locked,
      holdover: { active: holdover[2] === '1', durationS: Number(holdover[1]) },
      timeIntervalS,
      healthBits,
    };
  }

  close(): Promise<void> {
    return this.exchange.close();
  }

  describe(): string {
    return `GPSDO ${this.identity}`;
  }

  /** Older boxes do not know the question. */
  private async health(): Promise<number | null> {
    try {
      return Number.parseInt((await query(this.exchange, 'SYNC:HEALTH?', /^0x([0-9a-f]{1,8})$/i))[1], 16);
    } catch (error) {
      if (error instanceof InstrumentError && error.kind === 'refused') return null;
      throw error;
    }
  }
}

function query(exchange: Exchange, question: string, answer: RegExp): Promise<RegExpExecArray> {
  return exchange.ask(`${question}\r\n`, (received) => findAnswer(received, question, answer), {
    timeoutMs: REPLY_TIMEOUT_MS,
  });
}

/**
 * The answer among the whole lines that came: prompts are taken off; blank lines, the question's echo and NMEA are passed over. InstrumentError of kind refused where the box
 * says that it does not know the question.
 */
export function findAnswer(received: string, question: string, answer: RegExp): RegExpExecArray | undefined {
  const lines = received.split(/[\r\n]+/);
  lines.pop(); // not ended yet
  for (const raw of lines) {
    const line = raw.replace(/^(?:\s*scpi\s*>\s*)+/i, '').trim();
    if (line === '' || line.startsWith('$') || line.toUpperCase() === question.toUpperCase()) continue;
    const match = answer.exec(line);
    if (match) return match;
    if (/\berror\b|^E-\d{3}|undefined header/i.test(line)) {
      throw new InstrumentError('refused', `the GPSDO does not answer ${question}: "${shownBytes(line)}"`);
    }
  }
  return undefined;
}
