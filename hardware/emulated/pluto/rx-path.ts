import type { RandomStream } from '../../../src/common/random.ts';
import { fromDb, toDb } from '../../../src/common/units.ts';
import type { Antenna } from '../air.ts';
import { AnalogueFaults, type MakeFaults } from '../analogue-faults.ts';
import { GaussianNoise, THERMAL_DBM_HZ } from '../noise.ts';
import { meanPower, type QuantiserCount, quantise } from '../quantiser.ts';
import type { RfFigures } from '../rf-figures.ts';
import type { SampleClock } from './sample-clock.ts';
import type { Transceiver } from './transceiver.ts';
import type { TxPath } from './tx-path.ts';

const CHUNK_SAMPLES = 16_384;
const FULL_SCALE = 2048;
/** What the gain control aims at, and how often it looks (agc-gain-update-interval-us). */
const AGC_TARGET_DBFS = -12;
const AGC_INTERVAL_S = 1e-3;
const AGC_STEP_DB = { up: 1, down: 2 } as const;

/** From the connector to 12-bit words: thermal noise, gain (manual or the chip's own), converter with limits. */
export class RxPath {
  private readonly chip: Transceiver;
  private readonly antenna: Antenna;
  private readonly figures: RfFigures;
  private readonly samples: SampleClock;
  private readonly txSamples: SampleClock;
  private readonly tx: TxPath;
  private readonly noise: GaussianNoise;
  private readonly faults: AnalogueFaults | null;
  /** To be called before listening, so that what the board itself sends until then is on the air. */
  private readonly transmitTo: (timeS: number) => void;
  private agcSamples = 0;
  private powerMw: number;
  /** Complex samples that the converter limited. */
  readonly count: QuantiserCount = { clippedSamples: 0 };

  constructor(options: {
    chip: Transceiver;
    antenna: Antenna;
    figures: RfFigures;
    samples: SampleClock;
    txSamples: SampleClock;
    tx: TxPath;
    random: RandomStream;
    faults: MakeFaults | null;
    transmitTo: (timeS: number) => void;
  }) {
    this.chip = options.chip;
    this.antenna = options.antenna;
    this.figures = options.figures;
    this.samples = options.samples;
    this.txSamples = options.txSamples;
    this.tx = options.tx;
    this.noise = new GaussianNoise(options.random);
    this.faults = options.faults && new AnalogueFaults(options.faults);
    this.transmitTo = options.transmitTo;
    this.powerMw = this.noiseMw;
  }

  /** Power at the connector over the last stretch, the receiver's noise with it, dBm. */
  get rssiDbm(): number {
    return toDb(this.powerMw);
  }

  /** kTBF over the sample rate, mW. */
  private get noiseMw(): number {
    return fromDb(THERMAL_DBM_HZ + this.figures.noiseFigureDb) * Math.max(1, this.samples.rateHz);
  }

  /** A SampleSource. */
  readonly take = (index: number, count: number, into: Int16Array, offset: number): void => {
    this.transmitTo(this.samples.timeOf(index + count));
    if (this.chip.loopback === 1) {
      this.tx.looped(this.txSamples.indexAt(this.samples.timeOf(index)), count, into, offset);
      return;
    }
    for (let at = 0; at < count; at += CHUNK_SAMPLES) {
      const n = Math.min(CHUNK_SAMPLES, count - at);
      this.convert(this.hear(index + at, n), into, offset + at);
    }
  };

  /** Signal and noise at the connector, [sample][re, im], sqrt(mW). */
  private hear(index: number, samples: number): Float32Array {
    const { chip } = this;
    if (!chip.receives) return new Float32Array(2 * samples);
    const reIm = this.antenna.hear({
      rateHz: this.samples.rateHz,
      frequencyHz: chip.trueHz(chip.rxLo.frequencyHz),
      startS: this.samples.timeOf(index),
      samples,
    });
    this.noise.addTo(reIm, Math.sqrt(this.noiseMw / 2));
    return reIm;
  }

  private convert(reIm: Float32Array, into: Int16Array, offset: number): void {
    const { chip } = this;
    this.powerMw = Math.max(meanPower(reIm), 1e-20);
    if (chip.gainMode !== 'manual' && chip.receives) this.control(reIm.length / 2);
    const fullScale = Math.sqrt(fromDb(this.figures.rxFullScaleDbm - chip.rxGainDb));
    const words = into.subarray(2 * offset, 2 * offset + reIm.length);
    if (!this.faults || !chip.receives) {
      quantise(reIm, FULL_SCALE / fullScale, FULL_SCALE, words, this.count);
      return;
    }
    for (let i = 0; i < reIm.length; i++) reIm[i] /= fullScale;
    quantise(this.faults.process(reIm, this.samples.rateHz), FULL_SCALE, FULL_SCALE, words, this.count);
  }

  /** Slow: a step a millisecond; fast and hybrid: at once. */
  private control(samples: number): void {
    const { chip } = this;
    const levelDbfs = this.rssiDbm + chip.rxGainDb - this.figures.rxFullScaleDbm;
    const wantedDb = AGC_TARGET_DBFS - levelDbfs;
    if (chip.gainMode !== 'slow_attack') {
      chip.controlGainDb(chip.rxGainDb + wantedDb);
      return;
    }
    this.agcSamples += samples;
    const interval = AGC_INTERVAL_S * this.samples.rateHz;
    while (this.agcSamples >= interval) {
      this.agcSamples -= interval;
      const gap = AGC_TARGET_DBFS - (this.rssiDbm + chip.rxGainDb - this.figures.rxFullScaleDbm);
      if (Math.abs(gap) < 1) continue;
      chip.controlGainDb(chip.rxGainDb + Math.max(-AGC_STEP_DB.down, Math.min(AGC_STEP_DB.up, gap)));
    }
  }
}
