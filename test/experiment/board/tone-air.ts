import type { Air, AirClock, Emission } from '../../../hardware/emulated/air.ts';

/** An air with one carrier in it, exact in frequency, for boards whose own clocks are not; remembers what is emitted. */
export class ToneAir implements Air {
  readonly clock: AirClock;
  readonly emissions: Emission[] = [];
  private readonly carrierHz: number;
  private readonly dbm: number;

  constructor(clock: AirClock, carrierHz: number, dbm: number) {
    this.clock = clock;
    this.carrierHz = carrierHz;
    this.dbm = dbm;
  }

  attach() {
    return {
      emit: (emission: Emission) => {
        this.emissions.push(emission);
      },
      hear: ({
        rateHz,
        frequencyHz,
        startS,
        samples,
      }: Record<'rateHz' | 'frequencyHz' | 'startS' | 'samples', number>) => {
        const out = new Float32Array(2 * samples);
        const amplitude = 10 ** (this.dbm / 20);
        const offsetHz = this.carrierHz - frequencyHz;
        for (let n = 0; n < samples; n++) {
          const angle = 2 * Math.PI * ((offsetHz * (startS + n / rateHz)) % 1);
          out[2 * n] = amplitude * Math.cos(angle);
          out[2 * n + 1] = amplitude * Math.sin(angle);
        }
        return out;
      },
    };
  }

  describe(): string {
    return `one carrier at ${this.carrierHz} Hz`;
  }
}
