import { inRange } from '../../common/errors.ts';
import { kaiserBeta, kaiserWindow, sinc } from '../frontend/kaiser.ts';
import { OutputBuffer, SampleHistory } from '../frontend/sample-history.ts';
import type { ChannelStage } from './stage.ts';

/** Half width of the interpolating sinc: 32 taps, images and error <= -75 dB for |f| <= 0.4 of the sample rate. */
export const CLOCK_DELAY_SAMPLES = 16;
const TAPS = 2 * CLOCK_DELAY_SAMPLES;
/** Table rows a sample; linear interpolation between rows adds (2 pi 0.4 / 256)^2 / 8 = -98 dB. */
const PHASES = 256;

/**
 * Start delay and sample-clock offset in one resampler: the receiver's clock runs sfoPpm fast against the transmitter's.
 *
 * y[m] = x((m - 16 - whole) / (1 + sfoPpm 1e-6) - fraction), x(t) by windowed-sinc interpolation, x = 0 before 0.
 * `whole` + `fraction` = startDelaySamples (the whole samples come out as zeros with the first block); 16 is `delaySamples`. A tone of f Hz comes out as f / (1 + sfoPpm 1e-6).
 * Every position is computed from the absolute index, so neither drift nor block size changes it.
 * Source: [Smith84] (band-limited interpolation from a table).
 */
export class ClockStage implements ChannelStage {
  readonly delaySamples = CLOCK_DELAY_SAMPLES;
  readonly sfoPpm: number;
  readonly startDelaySamples: number;
  private readonly ratio: number;
  private readonly whole: number;
  private readonly fraction: number;
  private readonly history = new SampleHistory(TAPS);
  private readonly output = new OutputBuffer();
  /** Input samples taken in before the newest block. */
  private taken = 0;
  /** Absolute index of the next output. */
  private index = 0;

  constructor(sfoPpm: number, startDelaySamples = 0) {
    this.sfoPpm = inRange('sample clock offset', sfoPpm, -1000, 1000, 'ppm');
    this.startDelaySamples = inRange('start delay', startDelaySamples, 0, 1e7, 'samples');
    this.ratio = 1 / (1 + sfoPpm * 1e-6);
    this.whole = Math.floor(startDelaySamples);
    this.fraction = startDelaySamples - this.whole;
  }

  reset(): void {
    this.history.reset();
    this.taken = 0;
    this.index = 0;
  }

  process(input: Float32Array): Float32Array {
    const n = this.history.append(input);
    const end = this.taken + n;
    // Outputs that the input reaches: floor(position) + 16 <= end - 1; one more than the estimate is room enough.
    const most = Math.ceil((end - CLOCK_DELAY_SAMPLES + this.fraction) / this.ratio) + CLOCK_DELAY_SAMPLES + this.whole;
    const out = this.output.take(Math.max(0, most + 2 - this.index));
    const x = this.history.data;
    // Element of input sample 0 in the history.
    const origin = this.history.keep - this.taken;
    let at = 0;
    let m = this.index;
    for (; ; m++) {
      const position = (m - CLOCK_DELAY_SAMPLES - this.whole) * this.ratio - this.fraction;
      const base = Math.floor(position);
      if (base + CLOCK_DELAY_SAMPLES >= end && m >= this.whole) break;
      if (base + CLOCK_DELAY_SAMPLES < 0 || m < this.whole) {
        out[at++] = 0;
        out[at++] = 0;
        continue;
      }
      const scaled = (position - base) * PHASES;
      const row = Math.floor(scaled);
      const mix = scaled - row;
      let j = 2 * (origin + base - CLOCK_DELAY_SAMPLES + 1);
      // Two sums, so that one addition need not wait for the one before.
      let re0 = 0;
      let im0 = 0;
      let re1 = 0;
      let im1 = 0;
      for (let w = 2 * row * TAPS, stop = w + 2 * TAPS; w < stop; w += 4, j += 4) {
        const h0 = table[w] + mix * table[w + 1];
        const h1 = table[w + 2] + mix * table[w + 3];
        re0 += h0 * x[j];
        im0 += h0 * x[j + 1];
        re1 += h1 * x[j + 2];
        im1 += h1 * x[j + 3];
      }
      out[at++] = re0 + re1;
      out[at++] = im0 + im1;
    }
    this.index = m;
    this.taken = end;
    return out.subarray(0, at);
  }

  /** The whole samples of the start delay come out first; then the interpolation's past must be zero. */
  get silentAfter(): number {
    return TAPS + this.whole;
  }

  passSilence(n: number): number {
    const end = this.taken + n;
    const before = this.index;
    const reaches = (m: number) =>
      Math.floor((m - CLOCK_DELAY_SAMPLES - this.whole) * this.ratio - this.fraction) + CLOCK_DELAY_SAMPLES >= end &&
      m >= this.whole;
    // The first output that these zeros do not reach: the estimate is right to a sample or two.
    const estimate =
      Math.floor((end - CLOCK_DELAY_SAMPLES + this.fraction) / this.ratio) + CLOCK_DELAY_SAMPLES + this.whole - 2;
    this.index = Math.max(before, estimate);
    while (!reaches(this.index)) this.index++;
    this.taken = end;
    return this.index - before;
  }

  /** Output index (fractional, delaySamples included) at which input sample n appears. */
  outputIndexOf(inputIndex: number): number {
    return (inputIndex + this.fraction) / this.ratio + CLOCK_DELAY_SAMPLES + this.whole;
  }

  /** Input index (fractional) that output sample m shows. */
  inputIndexOf(outputIndex: number): number {
    return (outputIndex - CLOCK_DELAY_SAMPLES - this.whole) * this.ratio - this.fraction;
  }

  describe(): string {
    return `clock ${this.sfoPpm} ppm, start delay ${this.startDelaySamples.toFixed(3)}, delay ${this.delaySamples}`;
  }
}

/** [phase][tap][weight of x[base - 15 + tap] for a position phase/256 beyond base, its change to the next phase]. */
const table = (() => {
  const beta = kaiserBeta(79);
  const weight = (p: number, i: number) => {
    const t = i - CLOCK_DELAY_SAMPLES + 1 - p / PHASES;
    return Math.fround(sinc(t) * kaiserWindow(t / CLOCK_DELAY_SAMPLES, beta));
  };
  const rows = new Float64Array(2 * PHASES * TAPS);
  for (let p = 0; p < PHASES; p++) {
    for (let i = 0; i < TAPS; i++) {
      rows[2 * (p * TAPS + i)] = weight(p, i);
      rows[2 * (p * TAPS + i) + 1] = weight(p + 1, i) - weight(p, i);
    }
  }
  return rows;
})();
