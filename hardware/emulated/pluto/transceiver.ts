import { carrierHz, type PathRates, pathRates, XO_CORRECTION_SPAN_HZ, XO_NOMINAL_HZ } from './clock-tree.ts';
import { IioError } from './iio-error.ts';

export const GAIN_MODES = ['manual', 'fast_attack', 'slow_attack', 'hybrid'] as const;
export type GainMode = (typeof GAIN_MODES)[number];
export const ENSM_MODES = ['sleep', 'wait', 'alert', 'fdd', 'pinctrl', 'pinctrl_fdd_indep'] as const;
export type EnsmMode = (typeof ENSM_MODES)[number];

/** Lowest rate without a FIR filter in the path, 25 MHz / 12; highest; Hz. */
export const RATE_HZ = { min: 2_083_333, max: 61_440_000 } as const;
export const TX_GAIN_DB = { min: -89.75, step: 0.25, max: 0 } as const;
export const RX_BANDWIDTH_HZ = { min: 200_000, max: 56_000_000 } as const;
export const TX_BANDWIDTH_HZ = { min: 200_000, max: 40_000_000 } as const;
export const DECIMATIONS = [1, 8] as const;

/** Gain of the full table by carrier (drivers/iio/adc/ad9361.c; the middle row also in the context of a Pluto at 2.4 GHz), dB. */
const RX_GAIN_TABLES = [
  { toHz: 1_300_000_000, min: -1, max: 73 },
  { toHz: 4_000_000_000, min: -3, max: 71 },
  { toHz: 6_000_000_000, min: -10, max: 62 },
] as const;

/** One direction's synthesizer. */
export interface Synthesizer {
  frequencyHz: number;
  powerdown: boolean;
}

/** What changes how samples are made: called before the change, so that what was until now is made the old way. */
export type BeforeChange = () => void;

/** The registers of the transceiver that matter on the air, with the driver's limits on them. */
export class Transceiver {
  readonly frequencyRangeHz: { readonly min: number; readonly max: number };
  private readonly clockErrorPpm: number;
  private readonly beforeChange: BeforeChange;
  private xoHz = XO_NOMINAL_HZ;
  private paths: PathRates;
  private gainDb: number;
  private mode: GainMode = 'slow_attack';
  private ensm: EnsmMode = 'fdd';
  private attenuationSteps = 40;
  private loops: 0 | 1 | 2 = 0;
  readonly rxLo: Synthesizer = { frequencyHz: 2_400_000_000, powerdown: false };
  readonly txLo: Synthesizer = { frequencyHz: 2_450_000_000, powerdown: false };
  rxBandwidthHz = 18_000_000;
  txBandwidthHz = 18_000_000;
  private rxDecimation: 1 | 8 = 1;
  private txInterpolation: 1 | 8 = 1;

  constructor(options: {
    clockErrorPpm: number;
    frequencyRangeHz: { readonly min: number; readonly max: number };
    beforeChange: BeforeChange;
  }) {
    this.clockErrorPpm = options.clockErrorPpm;
    this.frequencyRangeHz = options.frequencyRangeHz;
    this.beforeChange = options.beforeChange;
    this.paths = pathRates(30_720_000, this.xoHz);
    this.gainDb = this.rxGainRangeDb.max;
  }

  /** What is really on the air for a frequency that the driver believes in: the oscillator's error less what xo_correction makes up for. */
  trueHz(believedHz: number): number {
    return believedHz * ((XO_NOMINAL_HZ * (1 + this.clockErrorPpm * 1e-6)) / this.xoHz);
  }

  get xoCorrectionHz(): number {
    return this.xoHz;
  }

  set xoCorrectionHz(hz: number) {
    if (Math.abs(hz - XO_NOMINAL_HZ) > XO_CORRECTION_SPAN_HZ) throw new IioError('EINVAL');
    this.beforeChange();
    this.xoHz = hz;
    this.paths = pathRates(this.paths.sampleHz, hz);
  }

  get rates(): PathRates {
    return this.paths;
  }

  /** One clock for both directions: setting either sets both. */
  set rateHz(hz: number) {
    if (this.ensm === 'sleep' || hz < RATE_HZ.min || hz > RATE_HZ.max) throw new IioError('EINVAL');
    this.beforeChange();
    this.paths = pathRates(hz, this.xoHz);
  }

  /** Rate of the samples that a host gets or gives, Hz as the driver believes. */
  hostRateHz(direction: 'rx' | 'tx'): number {
    return Math.floor(this.paths.sampleHz / (direction === 'rx' ? this.rxDecimation : this.txInterpolation));
  }

  /** The rate by 8 or by 1 in the FPGA: the nearest divider has to be one of them. */
  setHostRateHz(direction: 'rx' | 'tx', hz: number): void {
    const divider = hz > 0 ? Math.round(this.paths.sampleHz / hz) : 0;
    const known = DECIMATIONS.find((one) => one === divider);
    if (known === undefined) throw new IioError('EINVAL');
    this.beforeChange();
    if (direction === 'rx') this.rxDecimation = known;
    else this.txInterpolation = known;
  }

  tune(lo: Synthesizer, hz: number): void {
    const { min, max } = this.frequencyRangeHz;
    if (this.ensm === 'sleep' || hz < min || hz > max) throw new IioError('EINVAL');
    this.beforeChange();
    lo.frequencyHz = carrierHz(hz, this.xoHz);
    const gains = this.rxGainRangeDb;
    this.gainDb = Math.min(Math.max(this.gainDb, gains.min), gains.max);
  }

  setPowerdown(lo: Synthesizer, down: boolean): void {
    this.beforeChange();
    lo.powerdown = down;
  }

  get rxGainRangeDb(): { readonly min: number; readonly max: number } {
    return RX_GAIN_TABLES.find(({ toHz }) => this.rxLo.frequencyHz <= toHz) ?? RX_GAIN_TABLES[2];
  }

  get rxGainDb(): number {
    return this.gainDb;
  }

  get gainMode(): GainMode {
    return this.mode;
  }

  set gainMode(mode: GainMode) {
    this.beforeChange();
    this.mode = mode;
  }

  /** From the host: only in manual mode, whole dB (a fraction is cut off). */
  setRxGainDb(db: number): void {
    const { min, max } = this.rxGainRangeDb;
    const whole = Math.trunc(db);
    if (this.ensm === 'sleep' || whole < min || whole > max) throw new IioError('EINVAL');
    if (this.mode !== 'manual') throw new IioError('EOPNOTSUPP');
    this.beforeChange();
    this.gainDb = whole;
  }

  /** From the gain control of the chip itself. */
  controlGainDb(db: number): void {
    const { min, max } = this.rxGainRangeDb;
    this.gainDb = Math.min(Math.max(Math.round(db), min), max);
  }

  /** 0 to -89.75 dB. */
  get txGainDb(): number {
    return -this.attenuationSteps * TX_GAIN_DB.step;
  }

  /** What is between two steps goes to the smaller attenuation, as the driver divides. */
  set txGainDb(db: number) {
    if (this.ensm === 'sleep' || db > TX_GAIN_DB.max || db < TX_GAIN_DB.min) throw new IioError('EINVAL');
    this.beforeChange();
    this.attenuationSteps = Math.floor(-db / TX_GAIN_DB.step + 1e-9);
  }

  get ensmMode(): EnsmMode {
    return this.ensm;
  }

  set ensmMode(mode: EnsmMode) {
    if (mode !== 'sleep' && mode !== 'alert' && mode !== 'fdd' && mode !== 'wait') throw new IioError('EINVAL');
    this.beforeChange();
    this.ensm = mode;
  }

  /** 0 none, 1 transmit samples to the receiver inside the chip, 2 received samples to the transmitter. */
  get loopback(): 0 | 1 | 2 {
    return this.loops;
  }

  set loopback(mode: 0 | 1 | 2) {
    this.beforeChange();
    this.loops = mode;
  }

  /** As after power-on, but for xo_correction and the dividers in the FPGA. */
  initialize(): void {
    this.beforeChange();
    this.paths = pathRates(30_720_000, this.xoHz);
    Object.assign(this.rxLo, { frequencyHz: 2_400_000_000, powerdown: false });
    Object.assign(this.txLo, { frequencyHz: 2_450_000_000, powerdown: false });
    this.mode = 'slow_attack';
    this.gainDb = this.rxGainRangeDb.max;
    this.attenuationSteps = 40;
    this.ensm = 'fdd';
    this.loops = 0;
    this.rxBandwidthHz = 18_000_000;
    this.txBandwidthHz = 18_000_000;
  }

  /** Sample clocks run. */
  get clocked(): boolean {
    return this.ensm !== 'sleep';
  }

  get receives(): boolean {
    return this.ensm === 'fdd' && !this.rxLo.powerdown;
  }

  get transmits(): boolean {
    return this.ensm === 'fdd' && !this.txLo.powerdown;
  }
}
