import type { ChannelFn } from '../../../src/radio/loopback/loopback-path.ts';
import type { RadioProfile } from '../../../src/radio/profile.ts';

/** What the analogue side between connector and converter does wrong, after the chip's own corrections. */
export interface ConverterFaults {
  /** Amplitude of I over that of Q, dB. */
  readonly iqGainDb: number;
  /** By how much I and Q miss a right angle, degrees. */
  readonly iqPhaseDeg: number;
  /** Constant part of |x|, dB of full scale; null: none. */
  readonly dcDbfs: number | null;
}

export function profileFaults(profile: RadioProfile): ConverterFaults {
  const { iqGainDb, iqPhaseDeg, dcDbfs } = profile.frontEnd;
  return { iqGainDb: iqGainDb.value, iqPhaseDeg: iqPhaseDeg.value, dcDbfs: dcDbfs.value };
}

/** Applies faults to samples, full scale 1: I' = (1 + g/2)(I cos(p/2) - Q sin(p/2)), Q' = (1 - g/2)(Q cos(p/2) - I sin(p/2)), then the constant. */
export class FaultyMixer implements ChannelFn {
  private readonly ii: number;
  private readonly iq: number;
  private readonly qi: number;
  private readonly qq: number;
  private readonly dc: number;
  private readonly text: string;

  constructor({ iqGainDb, iqPhaseDeg, dcDbfs }: ConverterFaults) {
    const ratio = 10 ** (iqGainDb / 20);
    const half = (ratio - 1) / (ratio + 1);
    const angle = (iqPhaseDeg * Math.PI) / 360;
    this.ii = (1 + half) * Math.cos(angle);
    this.iq = -(1 + half) * Math.sin(angle);
    this.qi = -(1 - half) * Math.sin(angle);
    this.qq = (1 - half) * Math.cos(angle);
    this.text = `mixer: ${iqGainDb} dB, ${iqPhaseDeg} degrees, ${dcDbfs === null ? 'no constant part' : `constant part ${dcDbfs} dBFS`}`;
    this.dc = dcDbfs === null ? 0 : 10 ** (dcDbfs / 20) * Math.SQRT1_2;
  }

  describe(): string {
    return this.text;
  }

  /** In place; returns its argument. */
  process(reIm: Float32Array): Float32Array {
    const { dc, ii, iq, qi, qq } = this;
    for (let i = 0; i + 1 < reIm.length; i += 2) {
      const re = reIm[i];
      const im = reIm[i + 1];
      reIm[i] = ii * re + iq * im + dc;
      reIm[i + 1] = qi * re + qq * im + dc;
    }
    return reIm;
  }
}
