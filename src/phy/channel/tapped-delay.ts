import { inRange } from '../../common/errors.ts';
import type { RandomStream } from '../../common/random.ts';
import { addFractionalDelay, kaiserBeta } from '../frontend/kaiser.ts';
import { OutputBuffer, SampleHistory } from '../frontend/sample-history.ts';
import { MAX_SPACING, tapsKernel } from '../kernels/taps/taps.ts';
import { FadingProcess, FadingWalk } from './fading.ts';
import type { PowerDelayProfile } from './power-delay-profiles.ts';
import type { ChannelStage } from './stage.ts';

/** Half width of the interpolating sinc in samples: 24 taps, error <= -70 dB a tap for |f| <= 0.4 of the sample rate (signals reach 0.38). */
export const FADING_DELAY_SAMPLES = 12;
const BETA = kaiserBeta(74);

export interface TappedDelayOptions {
  profile: PowerDelayProfile;
  rateHz: number;
  /** Maximum Doppler frequency; default the profile's. */
  dopplerHz?: number;
  /** K factor of the first tap, dB; absent is Rayleigh. Its mean power stays the profile's. */
  ricianKDb?: number;
  /**
   * Scales this realisation to a mean |H|^2 of 1 over the occupied band and the burst, instead of leaving the ensemble
   * mean at 1: for curves "given the instantaneous SNR" only.
   */
  normaliseOver?: { startSample: number; lengthSamples: number; occupiedHz: number };
}

/**
 * Time-varying multipath: y[n] = sum_k h_k(n) x(n - tau_k rate - 12), fractional delays by Kaiser-windowed sinc.
 *
 * All taps are merged into one FIR on the sample grid. It is computed exactly at nodes every 2^a samples, linearly
 * interpolated between them and held over 2^b samples, aligned to the absolute index; a and b follow the Doppler so that
 * interpolation error <= (2 pi fd U / rate)^2/8 <= -70 dB and hold error <= pi fd V / rate <= -66 dB of a tap's
 * amplitude. The ensemble mean of sum |h_k|^2 is 1.
 */
export class TappedDelayLine implements ChannelStage {
  readonly delaySamples = FADING_DELAY_SAMPLES;
  readonly profile: PowerDelayProfile;
  readonly dopplerHz: number;
  readonly rateHz: number;
  private readonly taps: FadingProcess[];
  /** The taps at the nodes. */
  private readonly walks: FadingWalk[];
  private readonly amplitudes: Float64Array;
  /** Interpolation weights [tap][length]. */
  private readonly weights: Float64Array;
  private readonly length: number;
  private readonly nodeSpacing: number;
  private readonly hold: number;
  /** FIR at the nodes around the present sample, [length][re, im]. */
  private node0: Float64Array;
  private node1: Float64Array;
  private readonly gains: Float64Array;
  private nodeIndex = -1;
  private index = 0;
  private readonly history: SampleHistory;
  private readonly output = new OutputBuffer();
  private readonly ricianKDb: number | undefined;

  /** @param random the scenario's stream; every tap forks its own */
  constructor(options: TappedDelayOptions, random: RandomStream) {
    const { profile, rateHz } = options;
    this.profile = profile;
    this.rateHz = inRange('channel rate', rateHz, 1e5, 61.44e6, 'Hz');
    this.dopplerHz = inRange('Doppler', options.dopplerHz ?? profile.defaultDopplerHz, 0, 2000, 'Hz');
    this.ricianKDb = options.ricianKDb;
    const k = options.ricianKDb === undefined ? 0 : 10 ** (inRange('Rician K', options.ricianKDb, -20, 40, 'dB') / 10);
    const nTaps = profile.powers.length;
    this.taps = profile.powers.map(
      (_, i) => new FadingProcess(this.dopplerHz, i === 0 ? k : 0, random.fork(`fading-tap-${i}`)),
    );
    this.amplitudes = Float64Array.from(profile.powers, Math.sqrt);
    const maxDelay = (Math.max(...profile.delaysNs) * rateHz) / 1e9;
    this.length = Math.ceil(maxDelay) + 2 * FADING_DELAY_SAMPLES;
    this.weights = new Float64Array(nTaps * this.length);
    for (let i = 0; i < nTaps; i++) {
      const row = this.weights.subarray(i * this.length, (i + 1) * this.length);
      const delay = FADING_DELAY_SAMPLES + (profile.delaysNs[i] * rateHz) / 1e9;
      addFractionalDelay(row, delay, FADING_DELAY_SAMPLES, BETA);
    }
    const perSample = this.dopplerHz / rateHz;
    this.nodeSpacing = powerOfTwoBelow(0.05 / (2 * Math.PI * perSample), MAX_SPACING);
    this.hold = Math.min(powerOfTwoBelow(5e-4 / (Math.PI * perSample), 64), this.nodeSpacing);
    this.walks = this.taps.map((tap) => new FadingWalk(tap, this.nodeSpacing / rateHz));
    this.node0 = new Float64Array(2 * this.length);
    this.node1 = new Float64Array(2 * this.length);
    this.gains = new Float64Array(2 * nTaps);
    this.history = new SampleHistory(this.length - 1);
    if (options.normaliseOver) this.normalise(options.normaliseOver);
  }

  reset(): void {
    this.history.reset();
    this.index = 0;
    this.nodeIndex = -1;
  }

  /** True tap gains h_k at an absolute sample index of the output, [tap][re, im], into out. */
  tapGains(sampleIndex: number, out: Float64Array = new Float64Array(this.gains.length)): Float64Array {
    const timeS = sampleIndex / this.rateHz;
    for (let k = 0; k < this.taps.length; k++) {
      this.taps[k].at(timeS, out, 2 * k);
      out[2 * k] *= this.amplitudes[k];
      out[2 * k + 1] *= this.amplitudes[k];
    }
    return out;
  }

  /**
   * True H(f) = sum_k h_k exp(-2 pi i f tau_k) at an absolute output sample; the constant `delaySamples` is not in it.
   * freqHz are baseband frequencies; returns [frequency][re, im].
   */
  frequencyResponse(sampleIndex: number, freqHz: ArrayLike<number>): Float64Array {
    const out = new Float64Array(2 * freqHz.length);
    const gains = this.tapGains(sampleIndex);
    const delays = this.profile.delaysNs;
    for (let f = 0; f < freqHz.length; f++) {
      for (let k = 0; k < delays.length; k++) {
        const angle = -2e-9 * Math.PI * freqHz[f] * delays[k];
        const c = Math.cos(angle);
        const s = Math.sin(angle);
        out[2 * f] += gains[2 * k] * c - gains[2 * k + 1] * s;
        out[2 * f + 1] += gains[2 * k] * s + gains[2 * k + 1] * c;
      }
    }
    return out;
  }

  get silentAfter(): number {
    return this.length - 1;
  }

  /** The past holds nothing but zeros already. */
  passSilence(n: number): undefined {
    this.index += n;
  }

  process(input: Float32Array): Float32Array {
    const n = this.history.append(input);
    const out = this.output.take(n);
    const kernel = tapsKernel();
    for (let done = 0; done < n; ) {
      const { nodeSpacing: spacing, hold } = this;
      this.prepareNodes();
      const within = this.index % spacing;
      const count = Math.min(n - done, spacing - within);
      const change = {
        first: this.node0,
        second: this.node1,
        spacing,
        hold,
        kind: this.dopplerHz === 0 ? 'sum' : 'line',
      } as const;
      kernel.run(change, within, this.history.data, done, out, done, count);
      done += count;
      this.index += count;
    }
    return out;
  }

  /** Sets the filters at the nodes around the present index. */
  private prepareNodes(): void {
    const node = Math.floor(this.index / this.nodeSpacing);
    if (node === this.nodeIndex) return;
    if (this.dopplerHz === 0) {
      // One filter for all time, to which nothing of the second is added.
      if (this.nodeIndex < 0) this.computeNode(0, this.node0);
    } else {
      if (node === this.nodeIndex + 1 && this.nodeIndex >= 0) [this.node0, this.node1] = [this.node1, this.node0];
      else {
        // As if it had walked there: the same samples to the last bit.
        for (const walk of this.walks) walk.leadTo(node);
        this.computeNode(node, this.node0);
      }
      this.computeNode(node + 1, this.node1);
    }
    this.nodeIndex = node;
  }

  /** The exact FIR at a node, stored in ascending order of input sample: fir[length - 1 - l] weighs x[n - l]. */
  private computeNode(node: number, fir: Float64Array): void {
    const { length, weights, gains } = this;
    fir.fill(0);
    for (let k = 0; k < this.taps.length; k++) {
      this.walks[k].to(node, gains, 2 * k);
      const re = this.amplitudes[k] * gains[2 * k];
      const im = this.amplitudes[k] * gains[2 * k + 1];
      for (let l = 0; l < length; l++) {
        const w = weights[k * length + l];
        if (w === 0) continue;
        fir[2 * (length - 1 - l)] += re * w;
        fir[2 * (length - 1 - l) + 1] += im * w;
      }
    }
  }

  private normalise(over: { startSample: number; lengthSamples: number; occupiedHz: number }): void {
    const freqs = Float64Array.from({ length: 129 }, (_, i) => ((i - 64) / 128) * over.occupiedHz);
    let sum = 0;
    const instants = 17;
    for (let t = 0; t < instants; t++) {
      const h = this.frequencyResponse(over.startSample + (t / (instants - 1)) * over.lengthSamples, freqs);
      for (const v of h) sum += v * v;
    }
    const scale = Math.sqrt((freqs.length * instants) / sum);
    for (let k = 0; k < this.amplitudes.length; k++) this.amplitudes[k] *= scale;
  }

  describe(): string {
    const rician = this.ricianKDb === undefined ? '' : `, K ${this.ricianKDb} dB`;
    return `${this.profile.name} ${this.taps.length} taps, Doppler ${this.dopplerHz} Hz${rician}, delay ${this.delaySamples}`;
  }
}

/** Largest power of two <= value and <= most, at least 1. */
export function powerOfTwoBelow(value: number, most: number): number {
  let p = 1;
  while (2 * p <= value && 2 * p <= most) p *= 2;
  return p;
}
