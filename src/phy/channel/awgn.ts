import { inRange } from '../../common/errors.ts';
import type { RandomStream } from '../../common/random.ts';
import { noiseKernel } from '../kernels/noise/noise.ts';
import { SameLengthStage } from './stage.ts';

/** Adds circular white Gaussian noise, E|n|^2 = noiseVariance per complex sample. */
export class AwgnStage extends SameLengthStage {
  readonly noiseVariance: number;
  private readonly parent: RandomStream;
  private rng: RandomStream;

  /** @param random the scenario's stream; the stage forks its own from it */
  constructor(noiseVariance: number, random: RandomStream) {
    super();
    this.noiseVariance = inRange('noise variance', noiseVariance, 0, 1e12);
    this.parent = random;
    this.rng = random.fork('awgn');
  }

  /** Without noise the stage is a wire. */
  get silentAfter(): number | null {
    return this.noiseVariance > 0 ? null : 0;
  }

  passSilence(): undefined {}

  reset(): void {
    this.rng = this.parent.fork('awgn');
  }

  protected apply(input: Float32Array, out: Float32Array): void {
    out.set(input);
    if (this.noiseVariance > 0) noiseKernel().add(this.rng, out, this.noiseVariance);
  }

  describe(): string {
    return `awgn variance ${this.noiseVariance.toPrecision(6)}`;
  }
}
