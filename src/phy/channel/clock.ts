import { inRange } from '../../common/errors.ts';
import { OutputBuffer, SampleHistory } from '../frontend/sample-history.ts';
import { type ClockGrid, clockKernel } from '../kernels/clock/clock.ts';
import { CLOCK_HALF_TAPS, CLOCK_TAPS } from '../kernels/clock/clock-kernel.ts';
import type { ChannelStage } from './stage.ts';

/** Half width of the interpolating sinc. */
export const CLOCK_DELAY_SAMPLES = CLOCK_HALF_TAPS;

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
  /** Output m of the stream is output m - 16 - whole of the grid. */
  private readonly grid: ClockGrid;
  private readonly whole: number;
  private readonly history = new SampleHistory(CLOCK_TAPS);
  private readonly output = new OutputBuffer();
  /** Input samples taken in before the newest block. */
  private taken = 0;
  /** Absolute index of the next output. */
  private index = 0;

  constructor(sfoPpm: number, startDelaySamples = 0) {
    this.sfoPpm = inRange('sample clock offset', sfoPpm, -1000, 1000, 'ppm');
    this.startDelaySamples = inRange('start delay', startDelaySamples, 0, 1e7, 'samples');
    this.whole = Math.floor(startDelaySamples);
    this.grid = { ratio: 1 / (1 + sfoPpm * 1e-6), shift: startDelaySamples - this.whole };
  }

  reset(): void {
    this.history.reset();
    this.taken = 0;
    this.index = 0;
  }

  process(input: Float32Array): Float32Array {
    const n = this.history.append(input);
    const { index } = this;
    const end = this.reach(this.taken + n);
    const out = this.output.take(end - index);
    // Before the first input sample there is nothing.
    const first = Math.min(end, Math.max(index, this.firstSounding()));
    out.fill(0, 0, 2 * (first - index));
    // Element of input sample 0 in the history.
    const origin = this.history.keep - this.taken;
    const early = CLOCK_DELAY_SAMPLES + this.whole;
    clockKernel().run(this.grid, first - early, this.history.data, origin, out, first - index, end - first);
    this.index = end;
    this.taken += n;
    return out;
  }

  /** The whole samples of the start delay come out first; then the interpolation's past must be zero. */
  get silentAfter(): number {
    return CLOCK_TAPS + this.whole;
  }

  passSilence(n: number): number {
    const before = this.index;
    this.taken += n;
    this.index = this.reach(this.taken);
    return this.index - before;
  }

  /** The next output that so many input samples do not reach. */
  private reach(samples: number): number {
    // The estimate is right to a sample or two. The whole samples of the delay are there with the first block.
    const estimate = Math.floor((samples - CLOCK_DELAY_SAMPLES + this.grid.shift) / this.grid.ratio) - 2;
    let next = Math.max(this.index, this.whole, estimate + CLOCK_DELAY_SAMPLES + this.whole);
    while (this.baseOf(next) + CLOCK_DELAY_SAMPLES < samples) next++;
    return next;
  }

  /** First output of which the last tap meets an input sample. */
  private firstSounding(): number {
    if (this.index > this.whole + 2 * CLOCK_DELAY_SAMPLES) return this.index;
    let first = this.whole;
    while (this.baseOf(first) + CLOCK_DELAY_SAMPLES < 0) first++;
    return first;
  }

  /** Input sample at or just before the place of an output. */
  private baseOf(index: number): number {
    return Math.floor((index - CLOCK_DELAY_SAMPLES - this.whole) * this.grid.ratio - this.grid.shift);
  }

  /** Output index (fractional, delaySamples included) at which input sample n appears. */
  outputIndexOf(inputIndex: number): number {
    return (inputIndex + this.grid.shift) / this.grid.ratio + CLOCK_DELAY_SAMPLES + this.whole;
  }

  /** Input index (fractional) that output sample m shows. */
  inputIndexOf(outputIndex: number): number {
    return (outputIndex - CLOCK_DELAY_SAMPLES - this.whole) * this.grid.ratio - this.grid.shift;
  }

  describe(): string {
    return `clock ${this.sfoPpm} ppm, start delay ${this.startDelaySamples.toFixed(3)}, delay ${this.delaySamples}`;
  }
}
