import { inRange } from '../../common/errors.ts';
import { fromDb } from '../../common/units.ts';
import { SameLengthStage } from './stage.ts';

/**
 * IQ imbalance: I' = s I, Q' = s g (Q cos phi - I sin phi), i.e. y = s (K1 x + K2 conj x) with K1 = (1 + g e^-i phi)/2 and
 * K2 = (1 - g e^i phi)/2; s = sqrt(2/(1+g^2)) keeps a circular signal's power. Source: [Valkama01].
 * Image rejection |K1|^2/|K2|^2 = (1 + 2 g cos phi + g^2)/(1 - 2 g cos phi + g^2).
 */
export class IqImbalanceStage extends SameLengthStage {
  readonly gainDb: number;
  readonly phaseDeg: number;

  constructor(gainDb: number, phaseDeg: number) {
    super();
    this.gainDb = inRange('IQ gain imbalance', gainDb, -6, 6, 'dB');
    this.phaseDeg = inRange('IQ phase imbalance', phaseDeg, -45, 45, 'degrees');
  }

  reset(): void {}

  protected apply(input: Float32Array, out: Float32Array): void {
    const g = 10 ** (this.gainDb / 20);
    const phi = (this.phaseDeg * Math.PI) / 180;
    const s = Math.sqrt(2 / (1 + g * g));
    const fromQ = s * g * Math.cos(phi);
    const fromI = -s * g * Math.sin(phi);
    for (let i = 0; i + 1 < input.length; i += 2) {
      out[i + 1] = fromQ * input[i + 1] + fromI * input[i];
      out[i] = s * input[i];
    }
  }

  describe(): string {
    return `iq ${this.gainDb} dB ${this.phaseDeg} deg`;
  }
}

/** Image rejection of an IQ imbalance in dB (closed form above); Infinity for none. */
export function imageRejectionDb(gainDb: number, phaseDeg: number): number {
  const g = 10 ** (gainDb / 20);
  const c = 2 * g * Math.cos((phaseDeg * Math.PI) / 180);
  return 10 * Math.log10((1 + c + g * g) / (1 - c + g * g));
}

/** Adds a constant of power dcDbfs (0 dBFS = amplitude 1) at an angle. */
export class DcOffsetStage extends SameLengthStage {
  readonly dcDbfs: number;
  private readonly re: number;
  private readonly im: number;

  constructor(dcDbfs: number, phaseRad = Math.PI / 4) {
    super();
    this.dcDbfs = inRange('DC offset', dcDbfs, -200, 0, 'dBFS');
    const amplitude = Math.sqrt(fromDb(dcDbfs));
    this.re = amplitude * Math.cos(phaseRad);
    this.im = amplitude * Math.sin(phaseRad);
  }

  reset(): void {}

  protected apply(input: Float32Array, out: Float32Array): void {
    for (let i = 0; i + 1 < input.length; i += 2) {
      out[i] = input[i] + this.re;
      out[i + 1] = input[i + 1] + this.im;
    }
  }

  describe(): string {
    return `dc ${this.dcDbfs} dBFS`;
  }
}

/** Multiplies by a constant: the receiver's gain setting. */
export class GainStage extends SameLengthStage {
  readonly gainDb: number;

  constructor(gainDb: number) {
    super();
    this.gainDb = inRange('gain', gainDb, -200, 200, 'dB');
  }

  reset(): void {}

  protected apply(input: Float32Array, out: Float32Array): void {
    const g = 10 ** (this.gainDb / 20);
    for (let i = 0; i < input.length; i++) out[i] = g * input[i];
  }

  describe(): string {
    return `gain ${this.gainDb.toFixed(2)} dB`;
  }
}
