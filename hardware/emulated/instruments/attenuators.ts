import type { AttenuatorModel } from '../../../src/radio/instruments/attenuator-models.ts';
import { type InstrumentModel, LineSplitter, latin1, MAX_COMMAND_BYTES } from './instrument-model.ts';

/**
 * An attenuator of the CDC command set (src/radio/instruments/cdc-attenuator.ts). A value off its range is not obeyed and not answered, one between two steps is cut to the step
 * below: how real boxes behave there is not documented, so this is the case a driver must find out by reading back.
 */
export class EmulatedCdcAttenuator implements InstrumentModel {
  attenuationDb = 0;
  private readonly kind: AttenuatorModel;
  private readonly lines = new LineSplitter();

  constructor(kind: AttenuatorModel) {
    this.kind = kind;
  }

  receive(bytes: Uint8Array): Uint8Array {
    return latin1(
      this.lines
        .push(bytes)
        .map((line) => this.answer(line))
        .join(''),
    );
  }

  private answer(line: string): string {
    const set = /^att-(\d{2,3}\.\d{2})$/.exec(line);
    if (set) {
      const wantedDb = Number(set[1]);
      if (set[1].length !== this.kind.digits + 3 || wantedDb > this.kind.maxDb) return '';
      this.attenuationDb = Math.floor(wantedDb / this.kind.stepDb + 1e-6) * this.kind.stepDb;
      return 'attOK\r\n';
    }
    return line === 'READ' ? `ATT = -${this.attenuationDb.toFixed(2)}\r\n` : '';
  }
}

/** A Mini-Circuits RUDAT on RS-232 (src/radio/instruments/rudat-attenuator.ts): single letters and B...E, replies without an end. */
export class EmulatedRudat implements InstrumentModel {
  attenuationDb = 0;
  readonly model: string;
  readonly serial: string;
  readonly maxDb: number;
  private command = '';

  /** @param model its last number is the range, as in RUDAT-6000-90 */
  constructor(model = 'RUDAT-6000-90', serial = '11802180076') {
    this.model = model;
    this.serial = serial;
    this.maxDb = Number(/-(\d+)$/.exec(model)?.[1] ?? 90);
  }

  receive(bytes: Uint8Array): Uint8Array {
    let reply = '';
    for (const byte of bytes) reply += this.take(String.fromCharCode(byte));
    return latin1(reply);
  }

  private take(letter: string): string {
    if (this.command === '') {
      if (letter === 'M') return this.model;
      if (letter === 'S') return this.serial;
      if (letter === 'R') return this.attenuationDb.toFixed(2);
      if (letter === 'B') this.command = letter;
      return '';
    }
    if (letter !== 'E') {
      this.command = this.command.length < MAX_COMMAND_BYTES ? this.command + letter : '';
      return '';
    }
    const value = /^B(\d{1,3}(?:\.\d{1,2})?)$/.exec(this.command);
    this.command = '';
    if (!value || Number(value[1]) > this.maxDb) return '';
    this.attenuationDb = Math.floor(Number(value[1]) * 4 + 1e-6) / 4;
    return 'ACK';
  }
}
