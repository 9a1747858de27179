import type { Air, AirClock, Antenna, Emission, Transmitter } from '../../../hardware/emulated/air.ts';

/**
 * The smallest air: one board (or several) in one room without channel, everybody hears the sum of all, at equal rate and frequency alone.
 * What is emitted at other rates or frequencies is recorded and not heard.
 */
export class Coil implements Air {
  readonly clock: AirClock;
  readonly emissions: Emission[] = [];
  readonly lossDb: number;
  private readonly transmitters: Transmitter[] = [];

  constructor(clock: AirClock, lossDb = 0) {
    this.clock = clock;
    this.lossDb = lossDb;
  }

  attach(_name: string, transmitter?: Transmitter): Antenna {
    if (transmitter) this.transmitters.push(transmitter);
    const gain = 10 ** (-this.lossDb / 20);
    return {
      emit: (emission) => {
        this.emissions.push(emission);
      },
      hear: ({ rateHz, frequencyHz, startS, samples }) => {
        for (const one of this.transmitters) one.transmitTo(startS + samples / rateHz);
        const out = new Float32Array(2 * samples);
        for (const emission of this.emissions) {
          if (emission.rateHz !== rateHz || emission.frequencyHz !== frequencyHz) continue;
          const shift = Math.round((emission.startS - startS) * rateHz);
          const from = Math.max(0, -shift);
          const to = Math.min(emission.reIm.length / 2, samples - shift);
          for (let i = 2 * from; i < 2 * to; i++) out[i + 2 * shift] += gain * emission.reIm[i];
        }
        return out;
      },
    };
  }

  describe(): string {
    return `${this.lossDb} dB between all`;
  }
}
