import { kaiserBeta, kaiserOrder, kaiserWindow, sinc } from './kaiser.ts';
import { OutputBuffer, SampleHistory } from './sample-history.ts';

/** Passband and stop band of a resampler; frequencies are of the complex baseband, one-sided. */
export interface ResamplerSpec {
  inputRateHz: number;
  /** Output rate = inputRateHz * up / down. */
  up: number;
  down: number;
  /** |f| up to here passes with a ripple of 10^(-attenuationDb/20). */
  passHz: number;
  /** Images and aliases from here on are attenuated by attenuationDb. */
  stopHz: number;
  attenuationDb: number;
}

/**
 * Streaming polyphase resampler by the rational ratio up/down with a Kaiser low-pass of real taps.
 *
 * y[k] = sum_j x[j] h(k down/up - delay - j), h(t) = 2 fc sinc(2 fc t) kaiser(t / delay) with t in input samples, fc the
 * middle of the transition band over the input rate. The delay is a whole number of input samples. n inputs from the
 * start give ceil(n up / down) outputs in all, whatever the block sizes. Source: [Crochiere83] §3.3, [Kaiser74].
 */
export class RationalResampler {
  readonly up: number;
  readonly down: number;
  /** Group delay in input samples: exact, the filter is symmetric. */
  readonly delayInputSamples: number;
  /** Taps of one polyphase branch. */
  readonly tapsPerBranch: number;
  /** Branches one after the other, each in ascending order of input index: [up][tapsPerBranch]. */
  private readonly branches: Float32Array;
  private readonly history: SampleHistory;
  private readonly output = new OutputBuffer();
  private phase = 0;
  /** Input samples still to be passed over before the next output, relative to the next block. */
  private position = 0;

  constructor(spec: ResamplerSpec) {
    const { inputRateHz, up, down, passHz, stopHz, attenuationDb } = spec;
    if (!(stopHz > passHz)) throw new RangeError(`stop band ${stopHz} Hz is not above the pass band ${passHz} Hz`);
    this.up = up;
    this.down = down;
    const half = Math.max(2, Math.ceil(kaiserOrder(attenuationDb, (stopHz - passHz) / inputRateHz) / 2));
    this.delayInputSamples = half;
    const taps = 2 * half + 1;
    this.tapsPerBranch = taps;
    this.branches = new Float32Array(up * taps);
    const beta = kaiserBeta(attenuationDb);
    const twoFc = (passHz + stopHz) / inputRateHz;
    for (let p = 0; p < up; p++) {
      // Output at input time base + p/up sees x[base - 2 half + i], i.e. t = p/up - delay + 2 half - i.
      for (let i = 0; i < taps; i++) {
        const t = p / up + half - i;
        this.branches[p * taps + i] = twoFc * sinc(twoFc * t) * kaiserWindow(t / half, beta);
      }
    }
    this.history = new SampleHistory(taps - 1);
  }

  reset(): void {
    this.history.reset();
    this.phase = 0;
    this.position = 0;
  }

  /** Resamples one block [n][re, im]; the result is valid until the next call. */
  process(block: Float32Array): Float32Array {
    const n = this.history.append(block);
    const { up, down, branches, tapsPerBranch: taps } = this;
    const wholeStep = Math.floor(down / up);
    const phaseStep = down % up;
    const room = this.position < n ? Math.ceil(((n - this.position) * up - this.phase) / down) : 0;
    const out = this.output.take(room);
    const x = this.history.data;
    let { phase, position } = this;
    let at = 0;
    while (position < n) {
      let re = 0;
      let im = 0;
      let j = 2 * position;
      const end = (phase + 1) * taps;
      for (let c = phase * taps; c < end; c++) {
        const h = branches[c];
        re += h * x[j];
        im += h * x[j + 1];
        j += 2;
      }
      out[at++] = re;
      out[at++] = im;
      position += wholeStep;
      phase += phaseStep;
      if (phase >= up) {
        phase -= up;
        position++;
      }
    }
    this.phase = phase;
    this.position = position - n;
    return out;
  }

  /** Output index (fractional) at which input sample `inputIndex` appears. */
  outputIndexOf(inputIndex: number): number {
    return ((inputIndex + this.delayInputSamples) * this.up) / this.down;
  }

  /** Input index (fractional) that output sample `outputIndex` shows. */
  inputIndexOf(outputIndex: number): number {
    return (outputIndex * this.down) / this.up - this.delayInputSamples;
  }
}

/** Reduces a ratio of two rates in Hz (whole numbers) to lowest terms. */
export function rateRatio(outputRateHz: number, inputRateHz: number): { up: number; down: number } {
  let a = outputRateHz;
  let b = inputRateHz;
  while (b !== 0) [a, b] = [b, a % b];
  return { up: outputRateHz / a, down: inputRateHz / a };
}
