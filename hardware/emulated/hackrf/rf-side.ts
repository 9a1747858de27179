import type { RandomStream } from '../../../src/common/random.ts';
import type { ChannelFn } from '../../../src/radio/loopback/loopback-path.ts';
import type { Antenna } from '../air.ts';
import { meanPower, quantise } from '../front-end.ts';
import { GaussianNoise, THERMAL_DBM_HZ } from '../noise.ts';
import type { SampleClock } from './sample-clock.ts';
import type { RadioSettings } from './settings.ts';

/** Levels and faults of a board's radio. Figures without a source are assumed: nobody publishes them for this board. */
export interface HackrfFrontEnd {
  /**
   * Input of full scale (a complex tone of amplitude 128) with all gains at 0, dBm. Assumed 15: 99 dB of voltage gain
   * of the MAX2837 at both maxima, 1.024 V peak to peak at the converter, 8 dB lost on the way.
   */
  readonly rxFullScaleDbm?: number;
  /** Noise figure with and without the RF amplifier, dB; measured by others at 435 MHz: 10.8 and 22. */
  readonly noiseFigureDb?: { readonly amp: number; readonly noAmp: number };
  /** Gain of the RF amplifier, dB, each way. */
  readonly ampDb?: number;
  /** Output of a full-scale tone with TX VGA 47 and amplifier, dBm at a frequency; the maker's upper ends. */
  readonly txFullScaleDbm?: (frequencyHz: number) => number;
  /** What the analogue parts do to the samples, full scale 1.0: after the gain in RX, before it in TX. */
  readonly rxFaults?: ChannelFn;
  readonly txFaults?: ChannelFn;
}

const FULL_SCALE = 128;

/** Upper ends of the ranges in the HackRF's FAQ. */
function documentedOutputDbm(frequencyHz: number): number {
  if (frequencyHz < 2740e6) return 15;
  return frequencyHz < 4000e6 ? 5 : 0;
}

/** Between antenna and converters: levels, noise, quantisation. */
export class RfSide {
  /** Samples of RX with I or Q at a limit that the input exceeded. */
  readonly received = { clippedSamples: 0 };
  /** Highest mean power that came in over some hundred microseconds, dBm. */
  loudestInputDbm = Number.NEGATIVE_INFINITY;
  /** Samples put on the air that were not zero, and the end of the last stretch with one; s of the air. */
  emittedSamples = 0;
  lastEmissionS: number | null = null;
  private readonly antenna: Antenna | null;
  private readonly frontEnd: HackrfFrontEnd;
  private readonly settings: RadioSettings;
  /** What set values are multiplied by: 1 + clock error. */
  private readonly clockFactor: () => number;
  private readonly noise: GaussianNoise;
  private scratch = new Float32Array(0);

  constructor(
    antenna: Antenna | null,
    frontEnd: HackrfFrontEnd,
    settings: RadioSettings,
    clockFactor: () => number,
    random: RandomStream,
  ) {
    this.antenna = antenna;
    this.frontEnd = frontEnd;
    this.settings = settings;
    this.clockFactor = clockFactor;
    this.noise = new GaussianNoise(random.fork('thermal'));
  }

  /** Fills `out` [sample][i, q] with what arrives from `startS` on. */
  receive(startS: number, out: Int8Array, clock: SampleClock): void {
    const { settings, frontEnd, antenna } = this;
    const samples = out.length / 2;
    const rateHz = clock.rateHz;
    const frequencyHz = settings.frequencyHz * this.clockFactor();
    const ampDb = settings.amp ? (frontEnd.ampDb ?? 14) : 0;
    const fullScaleDbm = (frontEnd.rxFullScaleDbm ?? 15) - settings.lnaDb - settings.vgaDb - ampDb;
    const figures = frontEnd.noiseFigureDb ?? { amp: 10.8, noAmp: 22 };
    const noiseDbm = THERMAL_DBM_HZ + (settings.amp ? figures.amp : figures.noAmp) + 10 * Math.log10(rateHz);
    let reIm: Float32Array;
    if (antenna) {
      reIm = antenna.hear({ rateHz, frequencyHz, startS, samples });
      const powerDbm = 10 * Math.log10(meanPower(reIm));
      if (powerDbm > this.loudestInputDbm) this.loudestInputDbm = powerDbm;
    } else reIm = this.space(out.length).fill(0);
    this.noise.addTo(reIm, Math.sqrt(10 ** (noiseDbm / 10) / 2));
    const toFullScale = 10 ** (-fullScaleDbm / 20);
    if (!frontEnd.rxFaults) {
      quantise(reIm, toFullScale * FULL_SCALE, FULL_SCALE, out, this.received);
    } else {
      for (let i = 0; i < reIm.length; i++) reIm[i] *= toFullScale;
      quantise(frontEnd.rxFaults.process(reIm), FULL_SCALE, FULL_SCALE, out, this.received);
    }
  }

  /** Puts samples on the air from `startS` on; `bytes` null: the converter gives zeros. */
  transmit(startS: number, samples: number, bytes: Int8Array | null, clock: SampleClock): void {
    const { settings, frontEnd, antenna } = this;
    let any = false;
    if (bytes) for (let i = 0; i < bytes.length && !any; i++) any = bytes[i] !== 0;
    if (!bytes || !any) return;
    this.emittedSamples += samples;
    this.lastEmissionS = startS + samples / clock.rateHz;
    if (!antenna) return;
    const frequencyHz = settings.frequencyHz * this.clockFactor();
    const ampDb = frontEnd.ampDb ?? 14;
    const highest = (frontEnd.txFullScaleDbm ?? documentedOutputDbm)(settings.frequencyHz);
    const outputDbm = highest - (47 - settings.txVgaDb) - (settings.amp ? 0 : ampDb);
    const gain = 10 ** (outputDbm / 20);
    let reIm: Float32Array = new Float32Array(2 * samples);
    for (let i = 0; i < reIm.length; i++) reIm[i] = bytes[i] / FULL_SCALE;
    if (frontEnd.txFaults) reIm = frontEnd.txFaults.process(reIm).slice(0, reIm.length);
    for (let i = 0; i < reIm.length; i++) reIm[i] *= gain;
    antenna.emit({ rateHz: clock.rateHz, frequencyHz, startS, reIm });
  }

  private space(length: number): Float32Array {
    if (this.scratch.length < length) this.scratch = new Float32Array(length);
    return this.scratch.subarray(0, length);
  }
}
