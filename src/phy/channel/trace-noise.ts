import type { RandomStream } from '../../common/random.ts';
import { fftKernel } from '../kernels/fft/fft.ts';
import { noiseKernel } from '../kernels/noise/noise.ts';
import { SUBCARRIER_SPACING_HZ } from '../numerology.ts';
import { type ChannelTrace, indexAt, meanNoise, reflectedTime } from './channel-trace.ts';
import { partEdgesHz, SUBBAND_PARTS, sourceNoise } from './noise-leakage.ts';
import { SameLengthStage } from './stage.ts';

/** Finest bin of the synthesis: a twentieth of a subband blurs its edge little, and half a block is less than a slot. */
const MAX_BIN_HZ = 2000;

export interface TraceNoiseOptions {
  readonly trace: ChannelTrace;
  readonly rateHz: number;
  /** Where the band's centre lies in the baseband of `rateHz`. */
  readonly centreHz: number;
  /** Variance per sample at `rateHz` of white noise that is 1 per resource element in the trace's unit. */
  readonly unitVariance: number;
}

/**
 * Adds Gaussian noise coloured as a trace says: each subband has its own variance, which changes from slot to slot; beyond the
 * band it is the median of the subbands.
 *
 * Synthesis: independent Gaussian bins of <= 2 kHz, inverse FFT, power-complementary (Vorbis) window, half overlap, placed by
 * the absolute index. Variances are what was sent into the receiver's FFT, not what it saw (`sourceNoise`).
 * O(log N) a sample.
 */
export class TraceNoiseStage extends SameLengthStage {
  readonly options: TraceNoiseOptions;
  private readonly size: number;
  /** Column of `variances` of each bin. */
  private readonly columnOfBin: Int16Array;
  /** Source variance of every span, [span][subband x 4 + 1], the last one beyond the band. */
  private readonly variances: Float32Array;
  private readonly columns: number;
  private readonly window: Float64Array;
  private readonly spectrum: Float32Array;
  private readonly hop: Float32Array;
  private readonly tail: Float32Array;
  private readonly parent: RandomStream;
  private rng: RandomStream;
  private index = 0;

  constructor(options: TraceNoiseOptions, random: RandomStream) {
    super();
    this.options = options;
    const { trace, rateHz, centreHz } = options;
    let size = 256;
    while (size * MAX_BIN_HZ < rateHz) size *= 2;
    this.size = size;
    const edges = partEdgesHz(trace.carrierHz, SUBCARRIER_SPACING_HZ);
    const beyond = edges.length - 1;
    this.columnOfBin = Int16Array.from({ length: size }, (_, k) => {
      const offset = ((k * rateHz) / size - centreHz) / rateHz;
      const hz = (offset - Math.round(offset)) * rateHz;
      return hz < edges[0] || hz >= edges[beyond] ? beyond : indexAt(edges, hz);
    });
    this.columns = edges.length;
    this.variances = sourceNoise(trace);
    this.window = Float64Array.from({ length: size }, (_, i) =>
      Math.sin((Math.PI / 2) * Math.sin((Math.PI * (i + 0.5)) / size) ** 2),
    );
    this.spectrum = new Float32Array(2 * size);
    this.hop = new Float32Array(size);
    this.tail = new Float32Array(size);
    this.parent = random;
    this.rng = random;
    this.reset();
  }

  reset(): void {
    this.rng = this.parent.fork('trace-noise');
    this.index = 0;
    this.tail.fill(0);
    this.nextHop(-this.size / 2);
  }

  protected apply(input: Float32Array, out: Float32Array): void {
    const n = input.length >> 1;
    const hop = this.size / 2;
    for (let i = 0; i < n; ) {
      const within = this.index % hop;
      if (within === 0) this.nextHop(this.index);
      const count = Math.min(n - i, hop - within);
      for (let k = 0; k < 2 * count; k++) out[2 * i + k] = input[2 * i + k] + this.hop[2 * within + k];
      i += count;
      this.index += count;
    }
  }

  /** Synthesises the block that starts at `start`: its first half completes `hop`, its second waits in `tail`. */
  private nextHop(start: number): void {
    const { spectrum, tail, hop, size, window, columns, variances, columnOfBin } = this;
    const { trace, rateHz, unitVariance } = this.options;
    const time = reflectedTime((start + size / 2) / rateHz, trace.endS);
    const row = columns * indexAt(trace.noiseTimesS, time);
    spectrum.fill(0);
    noiseKernel().add(this.rng, spectrum, 2);
    for (let k = 0; k < size; k++) {
      const sigma = Math.sqrt((unitVariance * variances[row + columnOfBin[k]]) / (2 * size));
      spectrum[2 * k] *= sigma;
      spectrum[2 * k + 1] *= sigma;
    }
    fftKernel(size).inverse(spectrum, 0, spectrum, 0);
    for (let i = 0; i < size / 2; i++) {
      hop[2 * i] = tail[2 * i] + window[i] * spectrum[2 * i];
      hop[2 * i + 1] = tail[2 * i + 1] + window[i] * spectrum[2 * i + 1];
      tail[2 * i] = window[size / 2 + i] * spectrum[size + 2 * i];
      tail[2 * i + 1] = window[size / 2 + i] * spectrum[size + 2 * i + 1];
    }
  }

  /** Mean variance per sample over the record, as far as it lies in the band and its guards up to the rate. */
  meanVariance(): number {
    const { trace, unitVariance } = this.options;
    const mean = meanNoise(trace);
    const median = mean.slice().sort()[mean.length >> 1];
    let sum = 0;
    for (const c of this.columnOfBin) sum += mean[Math.floor(c / SUBBAND_PARTS)] ?? median;
    return (unitVariance * sum) / this.size;
  }

  describe(): string {
    const mean = meanNoise(this.options.trace);
    const [low, high] = [Math.min(...mean), Math.max(...mean)].map((v) => (10 * Math.log10(v)).toFixed(1));
    return `noise of the trace, ${low} to ${high} dB a subband below the channel, ${this.size}-point synthesis`;
  }
}
