import { type InstrumentModel, latin1 } from './instrument-model.ts';

/** A KMTronic relay board (src/radio/instruments/kmtronic-relay.ts). Bytes outside a command of three that opens with FF are dropped. */
export class EmulatedKmtronic implements InstrumentModel {
  readonly states: boolean[];
  private command: number[] = [];

  constructor(channels: number) {
    this.states = new Array<boolean>(channels).fill(false);
  }

  receive(bytes: Uint8Array): Uint8Array {
    const reply: number[] = [];
    for (const byte of bytes) {
      if (this.command.length === 0 && byte !== 0xff) continue;
      this.command.push(byte);
      if (this.command.length < 3) continue;
      reply.push(...this.obey(this.command[1], this.command[2]));
      this.command = [];
    }
    return Uint8Array.from(reply);
  }

  private obey(number: number, what: number): number[] {
    const channels = this.states.length;
    if (number === 9 && what === 0 && channels >= 4) return this.states.map(Number);
    if (number < 1 || number > channels) return [];
    if (what === 3) return channels < 4 ? [0xff, number, Number(this.states[number - 1])] : [];
    if (what <= 1) this.states[number - 1] = what === 1;
    return [];
  }
}

/** An LC-Tech relay board (src/radio/instruments/lctech-relay.ts); `tells`: whether it answers FF with its state. */
export class EmulatedLcTech implements InstrumentModel {
  readonly states: boolean[];
  private readonly tells: boolean;
  private command: number[] = [];

  constructor(channels: number, tells: boolean) {
    this.states = new Array<boolean>(channels).fill(false);
    this.tells = tells;
  }

  receive(bytes: Uint8Array): Uint8Array {
    let reply = '';
    for (const byte of bytes) {
      if (this.command.length === 0 && byte === 0xff && this.tells) {
        reply += this.states.map((on, i) => `CH${i + 1}:${on ? ' ON' : 'OFF'} \r\n`).join('');
      }
      if (this.command.length === 0 && byte !== 0xa0) continue;
      this.command.push(byte);
      if (this.command.length < 4) continue;
      const [start, number, state, sum] = this.command;
      this.command = [];
      const known = number >= 1 && number <= this.states.length && state <= 1;
      if (known && sum === ((start + number + state) & 0xff)) this.states[number - 1] = state === 1;
    }
    return latin1(reply);
  }
}
