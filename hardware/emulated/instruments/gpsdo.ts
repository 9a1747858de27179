import { type InstrumentModel, LineSplitter, latin1 } from './instrument-model.ts';

export interface EmulatedGpsdoState {
  satellitesTracked: number;
  locked: boolean;
  holdoverS: number;
  timeIntervalS: number;
  healthBits: number;
}

export interface EmulatedGpsdoOptions {
  /** Repeats the question before the answer. */
  readonly echo?: boolean;
  /** Puts `scpi > ` before the answer. */
  readonly prompt?: boolean;
  /** An NMEA sentence between question and answer, and this often unasked, ms; 0: none. */
  readonly nmeaEveryMs?: number;
  /** Knows SYNC:HEALTH?. */
  readonly health?: boolean;
}

/** A Jackson Labs GPSDO (src/radio/instruments/jackson-gpsdo.ts): SCPI with echo, prompt and NMEA in between. */
export class EmulatedGpsdo implements InstrumentModel {
  readonly state: EmulatedGpsdoState = {
    satellitesTracked: 9,
    locked: true,
    holdoverS: 191,
    timeIntervalS: -7.873e-9,
    healthBits: 0,
  };
  private readonly options: Required<EmulatedGpsdoOptions>;
  private readonly lines = new LineSplitter();

  constructor(options: EmulatedGpsdoOptions = {}) {
    this.options = { echo: true, prompt: true, nmeaEveryMs: 0, health: true, ...options };
  }

  receive(bytes: Uint8Array): Uint8Array {
    return latin1(
      this.lines
        .push(bytes)
        .map((line) => this.reply(line.trim()))
        .join(''),
    );
  }

  start(send: (bytes: Uint8Array) => void): () => void {
    if (this.options.nmeaEveryMs === 0) return () => {};
    const timer = setInterval(() => send(latin1(GGA)), this.options.nmeaEveryMs);
    return () => clearInterval(timer);
  }

  private reply(question: string): string {
    const echo = this.options.echo ? `${question}\r\n` : '';
    const nmea = this.options.nmeaEveryMs > 0 ? GGA : '';
    const prompt = this.options.prompt ? 'scpi > ' : '';
    return `${echo}${nmea}${this.answer(question.toUpperCase())}\r\n\r\n${prompt}`;
  }

  private answer(question: string): string {
    const { satellitesTracked, locked, holdoverS, timeIntervalS, healthBits } = this.state;
    if (question === '*IDN?') return 'Jackson Labs,Fury,1234,1.22';
    if (question === 'GPS:SAT:TRA:COUN?') return `${satellitesTracked}`;
    if (question === 'SYNC:LOCKED?') return locked ? '1' : '0';
    if (question === 'SYNC:HOLD:DUR?') return `${holdoverS},${locked ? 0 : 1}`;
    if (question === 'PTIME:TINT?') return timeIntervalS.toExponential(3).toUpperCase();
    if (question === 'SYNC:HEALTH?' && this.options.health) return `0x${healthBits.toString(16)}`;
    return 'Command Error';
  }
}

/** A sentence of the NMEA 0183 standard's usual example. */
const GGA = '$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n';
