import { inRange } from '../../common/errors.ts';
import { addFractionalDelay, kaiserBeta } from '../frontend/kaiser.ts';
import { OutputBuffer, SampleHistory } from '../frontend/sample-history.ts';
import { MAX_SPACING, tapsKernel } from '../kernels/taps/taps.ts';
import { SUBCARRIER_SPACING_HZ } from '../numerology.ts';
import { between, type ChannelTrace, meanNoise, reflectedTime } from './channel-trace.ts';
import type { ChannelStage } from './stage.ts';
import { FADING_DELAY_SAMPLES, powerOfTwoBelow } from './tapped-delay.ts';
import { fitTaps, type TraceTaps } from './trace-taps.ts';

const BETA = kaiserBeta(74);
/** Time between exactly computed filters, and over which one filter is held, s. */
const NODE_S = 50e-6;
const HOLD_S = 2e-6;

/**
 * A recorded H(f, t) as a time-varying filter: y[n] = sum_l h_l(n) x[n - l], h the delays fitted to the trace
 * (`fitTaps`), each a Kaiser-windowed sinc, at any sample rate.
 *
 * Between two recorded instants the gains are interpolated linearly and scaled to the linearly interpolated power, so that a gap
 * between two bursts, over which the channel was not seen, loses none. Before the first instant its H holds; behind the
 * end the record runs backwards (`reflectedTime`). Filters are computed every 2^a <= 50 us of samples, interpolated
 * linearly between and held over 2^b <= 2 us, counted by the absolute index. Complexity: one complex
 * multiplication for each of (window x rate + 24) taps a sample.
 */
export class TraceChannelStage implements ChannelStage {
  /** Where the trace's mean delay comes out. */
  readonly delaySamples: number;
  readonly trace: ChannelTrace;
  readonly rateHz: number;
  readonly taps: TraceTaps;
  private readonly centreHz: number;
  private readonly length: number;
  /** Sinc of every tap, [tap][length], and where its 2 x 12 weights start. */
  private readonly weights: Float64Array;
  private readonly starts: Int32Array;
  /** Mean |H|^2 of each instant, and real part of the correlation with the next one. */
  private readonly powers: Float64Array;
  private readonly correlations: Float64Array;
  private readonly nodeSpacing: number;
  private readonly hold: number;
  private node0: Float64Array;
  private node1: Float64Array;
  /** What is added to node0 on the way to node1. */
  private readonly step: Float64Array;
  private readonly gains: Float64Array;
  private nodeIndex = -1;
  private index = 0;
  private readonly history: SampleHistory;
  private readonly output = new OutputBuffer();

  /** @param centreHz where the band's centre lies in the baseband of `rateHz` (minus the LO offset) */
  constructor(trace: ChannelTrace, rateHz: number, centreHz = 0) {
    this.trace = trace;
    this.rateHz = inRange('channel rate', rateHz, 1e5, 61.44e6, 'Hz');
    this.centreHz = inRange('band centre', centreHz, -rateHz / 2, rateHz / 2, 'Hz');
    this.taps = fitTaps(trace, SUBCARRIER_SPACING_HZ, Math.min(...meanNoise(trace)));
    const { delaysS } = this.taps;
    const before = Math.ceil(-delaysS[0] * rateHz);
    this.delaySamples = before + FADING_DELAY_SAMPLES;
    this.length = Math.ceil(delaysS[delaysS.length - 1] * rateHz) + before + 2 * FADING_DELAY_SAMPLES;
    this.weights = new Float64Array(delaysS.length * this.length);
    this.starts = new Int32Array(delaysS.length);
    for (let j = 0; j < delaysS.length; j++) {
      const delay = this.delaySamples + delaysS[j] * rateHz;
      const row = this.weights.subarray(j * this.length, (j + 1) * this.length);
      addFractionalDelay(row, delay, FADING_DELAY_SAMPLES, BETA);
      this.starts[j] = Math.max(0, Math.ceil(delay - FADING_DELAY_SAMPLES));
    }
    const { powers, correlations } = strengths(trace);
    this.powers = powers;
    this.correlations = correlations;
    this.nodeSpacing = powerOfTwoBelow(NODE_S * rateHz, MAX_SPACING);
    this.hold = powerOfTwoBelow(HOLD_S * rateHz, 64);
    this.node0 = new Float64Array(2 * this.length);
    this.node1 = new Float64Array(2 * this.length);
    this.step = new Float64Array(2 * this.length);
    this.gains = new Float64Array(2 * delaysS.length);
    this.history = new SampleHistory(this.length - 1);
  }

  reset(): void {
    this.history.reset();
    this.index = 0;
    this.nodeIndex = -1;
  }

  /** Gains at an absolute output sample, [tap][re, im], overwritten by the next call. */
  tapGains(sampleIndex: number): Float64Array {
    const { trace, taps, gains, powers } = this;
    const { index, weight: w } = between(trace.timesS, reflectedTime(sampleIndex / this.rateHz, trace.endS));
    const count = gains.length;
    const at = index * count;
    const next = w > 0 ? at + count : at;
    let scale = 1;
    if (w > 0) {
      const wanted = (1 - w) * powers[index] + w * powers[index + 1];
      const mixed =
        (1 - w) ** 2 * powers[index] + w ** 2 * powers[index + 1] + 2 * w * (1 - w) * this.correlations[index];
      // Twice the amplitude at most: two instants that cancel are no channel to blow up.
      scale = Math.sqrt(Math.min(4, wanted / Math.max(mixed, 1e-30)));
    }
    for (let i = 0; i < count; i++) gains[i] = scale * ((1 - w) * taps.gains[at + i] + w * taps.gains[next + i]);
    return gains;
  }

  /** H at an absolute output sample; freqHz count in the device's baseband; `delaySamples` is not in it. [frequency][re, im] */
  frequencyResponse(sampleIndex: number, freqHz: ArrayLike<number>): Float64Array {
    const gains = this.tapGains(sampleIndex);
    const { delaysS } = this.taps;
    const out = new Float64Array(2 * freqHz.length);
    for (let f = 0; f < freqHz.length; f++) {
      for (let j = 0; j < delaysS.length; j++) {
        const angle = -2 * Math.PI * (freqHz[f] - this.centreHz) * delaysS[j];
        const c = Math.cos(angle);
        const s = Math.sin(angle);
        out[2 * f] += gains[2 * j] * c - gains[2 * j + 1] * s;
        out[2 * f + 1] += gains[2 * j] * s + gains[2 * j + 1] * c;
      }
    }
    return out;
  }

  process(input: Float32Array): Float32Array {
    const n = this.history.append(input);
    const out = this.output.take(n);
    const kernel = tapsKernel();
    for (let done = 0; done < n; ) {
      const { nodeSpacing: spacing, hold, step } = this;
      this.prepareNodes();
      const within = this.index % spacing;
      const count = Math.min(n - done, spacing - within);
      const change = { first: this.node0, second: step, spacing, hold, kind: 'sum' } as const;
      kernel.run(change, within, this.history.data, done, out, done, count);
      done += count;
      this.index += count;
    }
    return out;
  }

  private prepareNodes(): void {
    const { nodeSpacing, step } = this;
    const node = Math.floor(this.index / nodeSpacing);
    if (node === this.nodeIndex) return;
    if (node === this.nodeIndex + 1 && this.nodeIndex >= 0) [this.node0, this.node1] = [this.node1, this.node0];
    else this.computeNode(node * nodeSpacing, this.node0);
    this.computeNode((node + 1) * nodeSpacing, this.node1);
    const { node0, node1 } = this;
    for (let l = 0; l < step.length; l++) step[l] = node1[l] - node0[l];
    this.nodeIndex = node;
  }

  /** The filter at an absolute index in ascending order of input sample, turned to the band's centre. */
  private computeNode(sampleIndex: number, fir: Float64Array): void {
    const { length, weights, starts } = this;
    const gains = this.tapGains(sampleIndex);
    fir.fill(0);
    for (let j = 0; j < starts.length; j++) {
      const end = Math.min(length, starts[j] + 2 * FADING_DELAY_SAMPLES + 1);
      for (let l = starts[j]; l < end; l++) {
        const w = weights[j * length + l];
        fir[2 * (length - 1 - l)] += gains[2 * j] * w;
        fir[2 * (length - 1 - l) + 1] += gains[2 * j + 1] * w;
      }
    }
    if (this.centreHz === 0) return;
    for (let l = 0; l < length; l++) {
      const angle = (2 * Math.PI * this.centreHz * (l - this.delaySamples)) / this.rateHz;
      const at = 2 * (length - 1 - l);
      const [re, im, c, s] = [fir[at], fir[at + 1], Math.cos(angle), Math.sin(angle)];
      fir[at] = re * c - im * s;
      fir[at + 1] = re * s + im * c;
    }
  }

  describe(): string {
    const { delaysS, residual } = this.taps;
    const window = 1e6 * (delaysS[delaysS.length - 1] - delaysS[0]);
    const fit = 10 * Math.log10(residual + 1e-12);
    return (
      `channel trace of ${this.trace.endS.toFixed(3)} s, ${delaysS.length} taps over ${window.toFixed(2)} us ` +
      `(fit ${fit.toFixed(0)} dB), delay ${this.delaySamples}`
    );
  }
}

function strengths(trace: ChannelTrace): { powers: Float64Array; correlations: Float64Array } {
  const { response, timesS } = trace;
  const row = response.length / timesS.length;
  const powers = new Float64Array(timesS.length);
  const correlations = new Float64Array(timesS.length);
  for (let i = 0; i < timesS.length; i++) {
    for (let k = i * row; k < (i + 1) * row; k++) {
      powers[i] += (2 * response[k] ** 2) / row;
      if (i + 1 < timesS.length) correlations[i] += (2 * response[k] * response[k + row]) / row;
    }
  }
  return { powers, correlations };
}
