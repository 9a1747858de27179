import { inRange, UsageError } from '../../common/errors.ts';
import type { RandomStream } from '../../common/random.ts';
import { SameLengthStage } from './stage.ts';

/**
 * An oscillator by its single-sideband phase noise at one offset. A free-running (Wiener) oscillator of full 3 dB line
 * width B has L(f) = B / (2 pi f^2) for f >> B, so B = 2 pi f^2 10^(L/10). Source: [Demir00].
 */
export interface PhaseNoiseFigure {
  dbcHz: number;
  offsetHz: number;
}

/**
 * Modelling figures, not measurements of a board: the synthesiser's typical close-in level at 2.4 GHz put on a 1/f^2
 * slope through 10 kHz. A locked loop is flat inside its bandwidth, so this overstates the slow wander (which the
 * receiver tracks) and holds for the part that crosses from carrier to carrier.
 */
export const PHASE_NOISE_PROFILES: Record<string, PhaseNoiseFigure | null> = {
  none: null,
  hackrf: { dbcHz: -80, offsetHz: 10e3 },
  pluto: { dbcHz: -90, offsetHz: 10e3 },
};

/** Line width in Hz of a named profile ("hackrf", "pluto", "none") or a figure. */
export function lineWidthHz(profile: string | PhaseNoiseFigure): number {
  let figure: PhaseNoiseFigure | null;
  if (typeof profile === 'string') {
    if (!Object.hasOwn(PHASE_NOISE_PROFILES, profile)) {
      throw new UsageError(
        `unknown phase noise profile "${profile}": one of ${Object.keys(PHASE_NOISE_PROFILES).join(', ')}`,
      );
    }
    figure = PHASE_NOISE_PROFILES[profile];
  } else {
    figure = profile;
  }
  if (!figure) return 0;
  inRange('phase noise', figure.dbcHz, -200, -30, 'dBc/Hz');
  inRange('phase noise offset', figure.offsetHz, 1, 1e8, 'Hz');
  return 2 * Math.PI * figure.offsetHz ** 2 * 10 ** (figure.dbcHz / 10);
}

/** Wiener phase noise: phi[n] = phi[n-1] + N(0, 2 pi B / rate), phi[-1] = 0; y = x exp(i phi). */
export class PhaseNoiseStage extends SameLengthStage {
  readonly lineWidthHz: number;
  private readonly sigma: number;
  private readonly parent: RandomStream;
  private readonly name: string;
  private rng: RandomStream;
  private phase = 0;

  /** @param name distinguishes the transmitter's oscillator from the receiver's */
  constructor(lineWidth: number, rateHz: number, random: RandomStream, name = 'phase-noise') {
    super();
    this.lineWidthHz = inRange('line width', lineWidth, 0, 1e5, 'Hz');
    this.sigma = Math.sqrt((2 * Math.PI * lineWidth) / rateHz);
    this.parent = random;
    this.name = name;
    this.rng = random.fork(name);
  }

  reset(): void {
    this.rng = this.parent.fork(this.name);
    this.phase = 0;
  }

  protected apply(input: Float32Array, out: Float32Array): void {
    let phase = this.phase;
    for (let i = 0; i + 1 < input.length; i += 2) {
      phase += this.sigma * this.rng.normal();
      const c = Math.cos(phase);
      const s = Math.sin(phase);
      out[i] = input[i] * c - input[i + 1] * s;
      out[i + 1] = input[i] * s + input[i + 1] * c;
    }
    this.phase = phase;
  }

  describe(): string {
    return `${this.name} line width ${this.lineWidthHz.toPrecision(3)} Hz`;
  }
}
