import type { RandomStream } from '../../../src/common/random.ts';
import type { Antenna } from '../air.ts';
import { AnalogueFaults, type MakeFaults } from '../analogue-faults.ts';
import { GaussianNoise, THERMAL_DBM_HZ } from '../noise.ts';
import { meanPower, quantise } from '../quantiser.ts';
import type { RfFigures } from '../rf-figures.ts';
import type { SampleClock } from './sample-clock.ts';
import type { RadioSettings } from './settings.ts';

/** What a radio side is made of. */
export interface RfParts {
  /** Null: nothing is heard but noise. */
  readonly antenna: Antenna | null;
  readonly figures: RfFigures;
  readonly settings: RadioSettings;
  /** What set values are multiplied by: 1 + clock error. */
  readonly clockFactor: () => number;
  readonly random: RandomStream;
  /** After the gain in RX, before it in TX. */
  readonly rxFaults?: MakeFaults;
  readonly txFaults?: MakeFaults;
}

const FULL_SCALE = 128;

/** Between antenna and converters: levels, noise, quantisation. */
export class RfSide {
  /** Samples of RX with I or Q at a limit that the input exceeded. */
  readonly received = { clippedSamples: 0 };
  /** Highest mean power that came in over some hundred microseconds, dBm. */
  loudestInputDbm = Number.NEGATIVE_INFINITY;
  /** Samples put on the air that were not zero, and the end of the last stretch with one; s of the air. */
  emittedSamples = 0;
  lastEmissionS: number | null = null;
  private readonly parts: RfParts;
  private readonly rxFaults: AnalogueFaults | null;
  private readonly txFaults: AnalogueFaults | null;
  private readonly noise: GaussianNoise;
  private scratch = new Float32Array(0);

  constructor(parts: RfParts) {
    this.parts = parts;
    this.noise = new GaussianNoise(parts.random.fork('thermal'));
    this.rxFaults = parts.rxFaults ? new AnalogueFaults(parts.rxFaults) : null;
    this.txFaults = parts.txFaults ? new AnalogueFaults(parts.txFaults) : null;
  }

  /** Fills `out` [sample][i, q] with what arrives from `startS` on. */
  receive(startS: number, out: Int8Array, clock: SampleClock): void {
    const { settings, figures, antenna, clockFactor } = this.parts;
    const samples = out.length / 2;
    const rateHz = clock.rateHz;
    const frequencyHz = settings.frequencyHz * clockFactor();
    const ampDb = settings.amp ? figures.maxGainDb('amp') : 0;
    const fullScaleDbm = figures.rxFullScaleDbm - settings.lnaDb - settings.vgaDb - ampDb;
    const figureDb = settings.amp ? figures.noiseFigureDb : figures.noiseFigureWithoutAmpDb;
    const noiseDbm = THERMAL_DBM_HZ + figureDb + 10 * Math.log10(rateHz);
    let reIm: Float32Array;
    if (antenna) {
      reIm = antenna.hear({ rateHz, frequencyHz, startS, samples });
      const powerDbm = 10 * Math.log10(meanPower(reIm));
      if (powerDbm > this.loudestInputDbm) this.loudestInputDbm = powerDbm;
    } else reIm = this.space(out.length).fill(0);
    this.noise.addTo(reIm, Math.sqrt(10 ** (noiseDbm / 10) / 2));
    const toFullScale = 10 ** (-fullScaleDbm / 20);
    if (!this.rxFaults) {
      quantise(reIm, toFullScale * FULL_SCALE, FULL_SCALE, out, this.received);
    } else {
      for (let i = 0; i < reIm.length; i++) reIm[i] *= toFullScale;
      quantise(this.rxFaults.process(reIm, rateHz), FULL_SCALE, FULL_SCALE, out, this.received);
    }
  }

  /** Puts samples on the air from `startS` on; `bytes` null: the converter gives zeros. */
  transmit(startS: number, samples: number, bytes: Int8Array | null, clock: SampleClock): void {
    const { settings, figures, antenna, clockFactor } = this.parts;
    let any = false;
    if (bytes) for (let i = 0; i < bytes.length && !any; i++) any = bytes[i] !== 0;
    if (!bytes || !any) return;
    this.emittedSamples += samples;
    this.lastEmissionS = startS + samples / clock.rateHz;
    if (!antenna) return;
    const frequencyHz = settings.frequencyHz * clockFactor();
    const vgaBackDb = figures.maxGainDb('txvga') - settings.txVgaDb;
    const ampBackDb = settings.amp ? 0 : figures.maxGainDb('txamp');
    const outputDbm = figures.maxOutputDbm(settings.frequencyHz) - vgaBackDb - ampBackDb;
    const gain = 10 ** (outputDbm / 20);
    let reIm: Float32Array = new Float32Array(2 * samples);
    for (let i = 0; i < reIm.length; i++) reIm[i] = bytes[i] / FULL_SCALE;
    if (this.txFaults) reIm = this.txFaults.process(reIm, clock.rateHz).slice();
    for (let i = 0; i < reIm.length; i++) reIm[i] *= gain;
    antenna.emit({ rateHz: clock.rateHz, frequencyHz, startS, reIm });
  }

  private space(length: number): Float32Array {
    if (this.scratch.length < length) this.scratch = new Float32Array(length);
    return this.scratch.subarray(0, length);
  }
}
