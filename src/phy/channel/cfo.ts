import { inRange } from '../../common/errors.ts';
import { Nco } from '../frontend/nco.ts';
import { SameLengthStage } from './stage.ts';

/** Carrier frequency offset: y[n] = x[n] exp(i (2 pi cfo n / rate + phase)). */
export class CfoStage extends SameLengthStage {
  readonly cfoHz: number;
  readonly phaseRad: number;
  private readonly nco: Nco;

  constructor(cfoHz: number, rateHz: number, phaseRad = 0) {
    super();
    this.cfoHz = inRange('CFO', cfoHz, -rateHz / 2, rateHz / 2, 'Hz');
    this.phaseRad = phaseRad;
    this.nco = new Nco(cfoHz, rateHz, phaseRad);
  }

  reset(): void {
    this.nco.reset();
  }

  get silentAfter(): number {
    return 0;
  }

  passSilence(n: number): undefined {
    this.nco.skip(n);
  }

  protected apply(input: Float32Array, out: Float32Array): void {
    this.nco.mix(input, out);
  }

  describe(): string {
    return `cfo ${this.cfoHz} Hz, phase ${this.phaseRad.toFixed(3)} rad`;
  }
}
