import { inRange, UsageError } from '../../common/errors.ts';
import type { RandomStream } from '../../common/random.ts';
import { fftKernel } from '../kernels/fft/fft.ts';
import { SameLengthStage } from './stage.ts';

export const JAMMER_KINDS = ['tone', 'subband', 'noise'] as const;

export interface JammerOptions {
  /** tone: a carrier; subband: Gaussian noise over widthHz about centreHz; noise: Gaussian noise over the whole rate. */
  kind: (typeof JAMMER_KINDS)[number];
  /** Mean power while on, over the signal's mean power per sample, dB. */
  powerDb: number;
  centreHz?: number;
  widthHz?: number;
  /** Share of each period during which it is on; default 1 (always). */
  dutyCycle?: number;
  periodS?: number;
  /** Nothing before this time. */
  startS?: number;
}

/** Noise synthesis block: 1024 points, half overlapped. */
const SIZE = 1024;
const HOP = SIZE / 2;

/**
 * Interference switched by the absolute sample index: on while (t - start) mod period < duty x period.
 *
 * Subband noise is synthesised: independent Gaussian bins over the band, inverse FFT, power-complementary (Vorbis)
 * window, half overlap; its power is stationary and falls below -50 dB within 8 bins (of rate/1024) of the band edge.
 */
export class JammerStage extends SameLengthStage {
  readonly options: Required<JammerOptions>;
  private readonly amplitude: number;
  private readonly rateHz: number;
  private readonly parent: RandomStream;
  private rng: RandomStream;
  private tonePhase = 0;
  private index = 0;
  private readonly period: number;
  private readonly on: number;
  private readonly start: number;
  private readonly bins: number[] = [];
  private readonly spectrum = new Float32Array(2 * SIZE);
  /** Overlap state: the finished samples of this hop and the tail of the last block. */
  private readonly hop = new Float32Array(2 * HOP);
  private readonly tail = new Float32Array(2 * HOP);

  /** @param signalPower mean E|x|^2 per sample of the signal that powerDb is relative to */
  constructor(options: JammerOptions, signalPower: number, rateHz: number, random: RandomStream) {
    super();
    const { kind, powerDb, centreHz = 0, widthHz = rateHz / 10, dutyCycle = 1, periodS = 1e-3, startS = 0 } = options;
    if (!JAMMER_KINDS.includes(kind))
      throw new UsageError(`unknown jammer "${kind}": one of ${JAMMER_KINDS.join(', ')}`);
    inRange('jammer power', powerDb, -100, 100, 'dB');
    inRange('jammer centre', centreHz, -rateHz / 2, rateHz / 2, 'Hz');
    inRange('jammer width', widthHz, rateHz / SIZE, rateHz, 'Hz');
    inRange('jammer duty cycle', dutyCycle, 0, 1);
    inRange('jammer period', periodS, 1e-6, 1e3, 's');
    inRange('jammer start', startS, 0, 1e6, 's');
    this.options = { kind, powerDb, centreHz, widthHz, dutyCycle, periodS, startS };
    this.rateHz = rateHz;
    this.period = Math.max(1, Math.round(periodS * rateHz));
    this.on = Math.round(dutyCycle * this.period);
    this.start = Math.round(startS * rateHz);
    this.amplitude = Math.sqrt(signalPower * 10 ** (powerDb / 10));
    if (kind === 'subband') {
      const first = Math.round(((centreHz - widthHz / 2) / rateHz) * SIZE);
      const count = Math.max(1, Math.round((widthHz / rateHz) * SIZE));
      for (let k = 0; k < count; k++) this.bins.push((((first + k) % SIZE) + SIZE) % SIZE);
    }
    this.parent = random;
    this.rng = random.fork('jammer');
    this.reset();
  }

  reset(): void {
    this.rng = this.parent.fork('jammer');
    this.tonePhase = this.rng.uniform();
    this.index = 0;
    if (this.options.kind === 'subband') {
      this.nextHop();
    }
  }

  protected apply(input: Float32Array, out: Float32Array): void {
    const { kind } = this.options;
    const n = input.length >> 1;
    const sigma = this.amplitude * Math.SQRT1_2;
    const cycles = this.options.centreHz / this.rateHz;
    for (let i = 0; i < n; i++, this.index++) {
      let re = 0;
      let im = 0;
      if (kind === 'subband') {
        const within = this.index % HOP;
        if (within === 0) this.nextHop();
        re = this.hop[2 * within];
        im = this.hop[2 * within + 1];
      }
      const since = this.index - this.start;
      if (since >= 0 && since % this.period < this.on) {
        if (kind === 'tone') {
          const angle = 2 * Math.PI * (((cycles * this.index) % 1) + this.tonePhase);
          re = this.amplitude * Math.cos(angle);
          im = this.amplitude * Math.sin(angle);
        } else if (kind === 'noise') {
          re = sigma * this.rng.normal();
          im = sigma * this.rng.normal();
        }
        out[2 * i] = input[2 * i] + re;
        out[2 * i + 1] = input[2 * i + 1] + im;
      } else {
        out[2 * i] = input[2 * i];
        out[2 * i + 1] = input[2 * i + 1];
      }
    }
  }

  /** Synthesises the next block: its first half completes `hop`, its second waits in `tail`. */
  private nextHop(): void {
    const { spectrum, tail, hop } = this;
    spectrum.fill(0);
    const sigma = this.amplitude * Math.sqrt(0.5 / this.bins.length);
    for (const bin of this.bins) {
      spectrum[2 * bin] = sigma * this.rng.normal();
      spectrum[2 * bin + 1] = sigma * this.rng.normal();
    }
    fftKernel(SIZE).inverse(spectrum, 0, spectrum, 0);
    for (let i = 0; i < HOP; i++) {
      const rise = window[i];
      const fall = window[HOP + i];
      hop[2 * i] = tail[2 * i] + rise * spectrum[2 * i];
      hop[2 * i + 1] = tail[2 * i + 1] + rise * spectrum[2 * i + 1];
      tail[2 * i] = fall * spectrum[2 * (HOP + i)];
      tail[2 * i + 1] = fall * spectrum[2 * (HOP + i) + 1];
    }
  }

  describe(): string {
    const { kind, powerDb, centreHz, widthHz, dutyCycle, periodS } = this.options;
    const where = kind === 'noise' ? '' : ` at ${centreHz} Hz`;
    const wide = kind === 'subband' ? `, ${widthHz} Hz wide` : '';
    const when = dutyCycle < 1 ? `, ${dutyCycle * 100} % of ${periodS * 1e3} ms` : '';
    return `jammer ${kind}${where}${wide}, ${powerDb} dB over the signal${when}`;
  }
}

/** sin(pi/2 sin^2(pi (i + 1/2)/size)): squares of the overlapped halves sum to 1. */
const window = Float64Array.from({ length: SIZE }, (_, i) =>
  Math.sin((Math.PI / 2) * Math.sin((Math.PI * (i + 0.5)) / SIZE) ** 2),
);
