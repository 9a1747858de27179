import type { RandomStream } from '../../src/common/random.ts';
import type { ChannelFn } from '../../src/radio/loopback/loopback-path.ts';
import type { Reception } from './air.ts';
import { type Run, readRun } from './emissions.ts';
import { interpolatorFor, rotate } from './interpolator.ts';
import { GaussianNoise } from './noise.ts';

/** A channel between two boards at the listener's rate; as many samples come out as go in. */
export interface PathChannel extends ChannelFn {
  /** Lets so many samples of silence pass, as if they were processed; absent: they are processed. */
  skip?(samples: number): void;
}

/** What lies between the connectors of two boards. */
export interface AirPath {
  readonly from: string;
  /** The same name as `from`: a board hears itself, over a cable or its own leakage. */
  readonly to: string;
  /** Mean loss; the channel's own mean gain is 1. */
  readonly lossDb: number;
  /** What instruments in the path add to it now, dB: a step attenuator, an open relay (infinite). */
  readonly extraLossDb?: () => number;
  /** Made anew when the listener's rate or frequency changes. */
  readonly channel?: (rateHz: number, frequencyHz: number) => PathChannel;
  /** Noise that the path adds, dBm in a hertz, beside that of the listener's own front end. */
  readonly noiseDbmHz?: number;
}

/** Less common band than this part of the slower rate is not heard. */
const LEAST_OVERLAP = 1 / 64;
/** Less of the transmitter's band than this is not heard: filters would be longer than any real one. */
const LEAST_KEPT = 1 / 512;
/** Centres of the common band nearer to 0 than this part of it are taken as 0, which saves a rotation. */
const NEAR_ZERO = 0.05;

/** A listener's samples on one clock, at one rate and frequency, without a break other than whole samples. */
interface Session {
  readonly rateHz: number;
  readonly frequencyHz: number;
  /** Time of sample 0. */
  readonly startS: number;
  /** Samples heard or passed over so far. */
  count: number;
}

/** The common part of two bands, in baseband of the transmitter. */
interface Band {
  readonly centreHz: number;
  readonly widthHz: number;
}

/**
 * One path with its state. A sample k of the transmitter, rate fT, stands at t_k = start + k / fT; the listener's
 * sample n at t_n, rate fL. The listener hears s(t_n - D) exp(2 pi i (FT - FL) t_n), s the interpolated stream kept to
 * the band that both have, D = 12 samples of that band, which is the half width of the kernel: causality costs that
 * much. With equal rates and frequencies the samples are handed on as they are, on the listener's nearest sample,
 * without delay.
 */
export class AirPathState {
  private readonly path: AirPath;
  private readonly noise: GaussianNoise | null;
  private readonly onProblem: (text: string) => void;
  /** Why nothing is heard through this path: its channel cannot be made for what the listener is set to. */
  problem: string | null = null;
  private session: Session | null = null;
  private channel: PathChannel | null = null;
  private heard = new Float32Array(0);
  private part = new Float32Array(0);
  private source = new Float32Array(0);

  /** @param onProblem hears why nothing comes through, when that begins */
  constructor(path: AirPath, random: RandomStream, onProblem: (text: string) => void) {
    this.path = path;
    this.onProblem = onProblem;
    this.noise = path.noiseDbmHz === undefined ? null : new GaussianNoise(random);
  }

  /** Adds what arrives through this path. */
  addTo(out: Float32Array, runs: readonly Run[], reception: Reception): void {
    const session = this.follow(reception);
    const first = session.count;
    const { samples } = reception;
    session.count += samples;
    if (this.problem !== null) return;
    if (this.heard.length < 2 * samples) this.heard = new Float32Array(2 * samples);
    let heard: Float32Array = this.heard.subarray(0, 2 * samples);
    let any = false;
    for (const run of runs) {
      // The first one overwrites, the others are added.
      if (this.mix(run, session, first, heard, any)) any = true;
    }
    if (this.channel) {
      if (!any) {
        if (this.channel.skip) this.channel.skip(samples);
        else {
          heard = this.channel.process(heard.fill(0));
          any = true;
        }
      } else heard = this.channel.process(heard);
      if (any && heard.length !== 2 * samples) {
        throw new Error(`the channel from ${this.path.from} to ${this.path.to} changed the number of samples`);
      }
    }
    const gain = 10 ** (-(this.path.lossDb + (this.path.extraLossDb?.() ?? 0)) / 20);
    if (any) for (let i = 0; i < heard.length; i++) out[i] += gain * heard[i];
    if (this.noise && this.path.noiseDbmHz !== undefined) {
      this.noise.addTo(out, Math.sqrt((10 ** (this.path.noiseDbmHz / 10) * reception.rateHz) / 2));
    }
  }

  /** The session that this reception goes on with, or a new one. */
  private follow({ rateHz, frequencyHz, startS }: Reception): Session {
    const old = this.session;
    if (old && old.rateHz === rateHz && old.frequencyHz === frequencyHz) {
      const at = (startS - old.startS) * rateHz;
      const index = Math.round(at);
      if (Math.abs(at - index) < 0.01 && index >= old.count) {
        if (index > old.count) this.channel?.skip?.(index - old.count);
        old.count = index;
        return old;
      }
    }
    if (!old || old.rateHz !== rateHz || old.frequencyHz !== frequencyHz) {
      this.makeChannel(rateHz, frequencyHz);
    } else {
      const passed = Math.round((startS - old.startS) * rateHz) - old.count;
      if (passed > 0) this.channel?.skip?.(passed);
    }
    this.session = { rateHz, frequencyHz, startS, count: 0 };
    return this.session;
  }

  /** A client may set a board to what no channel model knows; that must not end the emulation. */
  private makeChannel(rateHz: number, frequencyHz: number): void {
    this.channel = null;
    this.problem = null;
    try {
      this.channel = this.path.channel?.(rateHz, frequencyHz) ?? null;
    } catch (error) {
      this.problem = `nothing is heard from ${this.path.from} to ${this.path.to}: ${error instanceof Error ? error.message : String(error)}`;
      this.onProblem(this.problem);
    }
  }

  /** Writes or adds what of a run falls on samples [first, ...) of the session; false: nothing does. */
  private mix(run: Run, session: Session, first: number, out: Float32Array, add: boolean): boolean {
    if (run.rateHz === session.rateHz && run.frequencyHz === session.frequencyHz) {
      const offset = Math.round((session.startS - run.startS) * run.rateHz);
      const into = add ? this.space(out.length) : out;
      if (!readRun(run, offset + first, into)) return false;
      if (add) for (let i = 0; i < out.length; i++) out[i] += into[i];
      return true;
    }
    const band = commonBand(run, session);
    if (!band) return false;
    const kernel = interpolatorFor(band.widthHz / run.rateHz);
    const delayS = kernel.half / run.rateHz;
    const start = (session.startS - run.startS - delayS) * run.rateHz;
    const step = run.rateHz / session.rateHz;
    const from = Math.floor(start + first * step) - kernel.half;
    const to = Math.floor(start + (first + out.length / 2) * step) + kernel.half + 2;
    if (to <= 0 || from >= run.end) return false;
    const length = 2 * (to - from);
    if (this.source.length < length) this.source = new Float32Array(length);
    const source = this.source.subarray(0, length);
    if (!readRun(run, from, source)) return false;
    const { centreHz } = band;
    const sampleTime = (k: number) => run.startS + delayS + k / run.rateHz;
    if (centreHz !== 0) rotate(source, from, (k) => -centreHz * sampleTime(k), -centreHz / run.rateHz);
    const into = add ? this.space(out.length) : out;
    kernel.at(source, from, start, first, step, into);
    const shiftHz = centreHz + run.frequencyHz - session.frequencyHz;
    if (shiftHz !== 0) {
      const cycles = (n: number) => shiftHz * (session.startS + n / session.rateHz);
      rotate(into, first, cycles, shiftHz / session.rateHz);
    }
    if (add) for (let i = 0; i < out.length; i++) out[i] += into[i];
    return true;
  }

  private space(length: number): Float32Array {
    if (this.part.length < length) this.part = new Float32Array(length);
    return this.part.subarray(0, length);
  }
}

/** The band of the transmitter that the listener has too; null: none worth speaking of. */
function commonBand(run: Run, session: Session): Band | null {
  const shiftHz = run.frequencyHz - session.frequencyHz;
  const low = Math.max(-run.rateHz / 2, -session.rateHz / 2 - shiftHz);
  const high = Math.min(run.rateHz / 2, session.rateHz / 2 - shiftHz);
  const widthHz = high - low;
  const least = Math.max(LEAST_OVERLAP * Math.min(run.rateHz, session.rateHz), LEAST_KEPT * run.rateHz);
  if (!(widthHz >= least)) return null;
  const centreHz = (low + high) / 2;
  if (Math.abs(centreHz) < NEAR_ZERO * widthHz) return { centreHz: 0, widthHz: 2 * Math.min(-low, high) };
  return { centreHz, widthHz };
}
