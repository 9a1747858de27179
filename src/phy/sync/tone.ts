import { fftKernel } from '../kernels/fft/fft.ts';

/** Energy share that the strongest line (5 bins of a Hann window) must have. */
const LINE_SHARE = 0.6;
/** Samples between two corrections of the frequency. */
const STEP = 64;
/** Rounds of frequency refinement; each is exact but for noise once within half a bin. */
const ROUNDS = 3;

/** A carrier: frequency in cycles a sample, complex amplitude at the sample it was found from. */
export interface Tone {
  readonly frequency: number;
  readonly re: number;
  readonly im: number;
}

/**
 * The carrier that dominates `size` (a power of two) samples from `at` on, [..][re, im]; null when no line stands out.
 * Peak of the Hann-windowed spectrum, then the phase from the first to the second half (two-point Kay estimator).
 */
export function findTone(samples: Float32Array, at: number, size: number): Tone | null {
  const spectrum = new Float32Array(2 * size);
  for (let i = 0; i < size; i++) {
    const w = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size);
    spectrum[2 * i] = w * samples[2 * (at + i)];
    spectrum[2 * i + 1] = w * samples[2 * (at + i) + 1];
  }
  fftKernel(size).forward(spectrum, 0, spectrum, 0);
  const power = (k: number) => {
    const i = 2 * ((k + size) % size);
    return spectrum[i] ** 2 + spectrum[i + 1] ** 2;
  };
  let total = 0;
  let peak = 0;
  for (let k = 0; k < size; k++) {
    total += power(k);
    if (power(k) > power(peak)) peak = k;
  }
  let line = 0;
  for (let k = peak - 2; k <= peak + 2; k++) line += power(k);
  if (!(line > LINE_SHARE * total)) return null;

  const half = size / 2;
  let frequency = (peak > half ? peak - size : peak) / size;
  for (let round = 0; ; round++) {
    const [r1, i1] = correlate(samples, at, half, frequency);
    const [r2, i2] = correlate(samples, at + half, half, frequency);
    // The second half's phase counts from its own first sample.
    const turn = 2 * Math.PI * frequency * half;
    const cos = Math.cos(turn);
    const sin = Math.sin(turn);
    const b2 = [r2 * cos + i2 * sin, i2 * cos - r2 * sin];
    if (round === ROUNDS) return { frequency, re: (r1 + b2[0]) / size, im: (i1 + b2[1]) / size };
    frequency += Math.atan2(b2[1] * r1 - b2[0] * i1, b2[0] * r1 + b2[1] * i1) / (2 * Math.PI * half);
  }
}

/** Sum of x exp(-2 pi i f n) over `count` samples from `at` on. */
function correlate(samples: Float32Array, at: number, count: number, frequency: number): [number, number] {
  const stepRe = Math.cos(2 * Math.PI * frequency);
  const stepIm = -Math.sin(2 * Math.PI * frequency);
  let cos = 1;
  let sin = 0;
  let re = 0;
  let im = 0;
  for (let i = 2 * at, end = i + 2 * count; i < end; i += 2) {
    re += samples[i] * cos - samples[i + 1] * sin;
    im += samples[i] * sin + samples[i + 1] * cos;
    const t = cos * stepRe - sin * stepIm;
    sin = cos * stepIm + sin * stepRe;
    cos = t;
  }
  return [re, im];
}

/**
 * Takes one carrier out of a stream: a notch of 1 / (2 pi memory) cycles a sample to either side, made of a running mean at
 * the carrier's frequency (like the DC blocker) and a loop that follows the frequency. It knows when the carrier has gone.
 */
export class ToneCanceller {
  /** The carrier has ended: what was taken out last only added to the power. */
  gone = false;
  private frequency: number;
  private re: number;
  private im: number;
  private oscRe: number;
  private oscIm: number;
  private readonly memory: number;
  private readonly check: number;
  private settled: number;
  private count = 0;
  private lastRe: number;
  private lastIm: number;
  /** Energy before less energy after, over the check's samples so far. */
  private gain = 0;

  /** `origin`: samples from the one that the tone's amplitude belongs to until the first to process. */
  constructor(tone: Tone, origin: number, size: number, check: number) {
    this.frequency = tone.frequency;
    this.re = tone.re;
    this.im = tone.im;
    this.lastRe = tone.re;
    this.lastIm = tone.im;
    const turn = 2 * Math.PI * tone.frequency * origin;
    this.oscRe = Math.cos(turn);
    this.oscIm = Math.sin(turn);
    this.memory = 2 * size;
    this.settled = size;
    this.check = STEP * Math.ceil(check / STEP);
  }

  /** Cleans samples [from, to) of [..][re, im] in place; they follow on the last call's. Does nothing once it has gone. */
  process(samples: Float32Array, from: number, to: number): void {
    let stepRe = Math.cos(2 * Math.PI * this.frequency);
    let stepIm = Math.sin(2 * Math.PI * this.frequency);
    for (let i = 2 * from; i < 2 * to && !this.gone; i += 2) {
      const { re, im, oscRe, oscIm } = this;
      const xr = samples[i];
      const xi = samples[i + 1];
      const er = xr - (re * oscRe - im * oscIm);
      const ei = xi - (re * oscIm + im * oscRe);
      samples[i] = er;
      samples[i + 1] = ei;
      this.gain += xr * xr + xi * xi - er * er - ei * ei;
      const rate = 1 / this.settled;
      if (this.settled < this.memory) this.settled++;
      this.re = re + rate * (er * oscRe + ei * oscIm);
      this.im = im + rate * (ei * oscRe - er * oscIm);
      this.oscRe = oscRe * stepRe - oscIm * stepIm;
      this.oscIm = oscRe * stepIm + oscIm * stepRe;
      if (++this.count % STEP !== 0) continue;
      this.follow();
      stepRe = Math.cos(2 * Math.PI * this.frequency);
      stepIm = Math.sin(2 * Math.PI * this.frequency);
    }
  }

  /** Every STEP samples: what the amplitude turned is frequency; the oscillator keeps its length; is the tone still there? */
  private follow(): void {
    const turned = Math.atan2(
      this.im * this.lastRe - this.re * this.lastIm,
      this.re * this.lastRe + this.im * this.lastIm,
    );
    // A second-order loop with the running mean as its first pole, damped critically.
    this.frequency += turned / (2 * Math.PI * 4 * this.settled);
    this.lastRe = this.re;
    this.lastIm = this.im;
    const scale = 1 / Math.hypot(this.oscRe, this.oscIm);
    this.oscRe *= scale;
    this.oscIm *= scale;
    if (this.count % this.check !== 0) return;
    this.gone = this.gain < 0;
    this.gain = 0;
  }
}
