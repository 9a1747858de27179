import { inRange, UsageError } from '../../common/errors.ts';
import { Downconverter, Upconverter } from './converter.ts';
import { type ResamplerSpec, rateRatio } from './resampler.ts';

/** Device rates named in messages; any other rational ratio within the bounds works too. */
export const COMMON_DEVICE_RATES_HZ: readonly number[] = [
  0.96e6, 1.92e6, 3.84e6, 7.68e6, 8e6, 10e6, 12.5e6, 15.36e6, 16e6, 20e6,
];

/** 45 ppm at 5.9 GHz: the frequency error a receiver must let through where the rates leave room for it. */
export const CFO_ALLOWANCE_HZ = 265e3;
/** 10 dB beyond the 60 dB asked of images and aliases; the ripple is then 0.003 dB. */
const ATTENUATION_DB = 70;
const MAX_RATIO_TERM = 640;
const MIN_GAP = 0.04;
/** Between signal edge and LO when the LO is placed beside the signal: more than any frequency error. */
const LO_GUARD_HZ = 300e3;

/** The link between one modem rate and one device rate. */
export interface Frontend {
  readonly modemRateHz: number;
  readonly deviceRateHz: number;
  /** LO frequency minus the signal's centre frequency. */
  readonly loOffsetHz: number;
  /** Frequency error that passes the receive filter without loss. */
  readonly cfoAllowanceHz: number;
  upconverter(): Upconverter;
  downconverter(): Downconverter;
  /** Delay of up- and downconverter together in modem samples (device and channel excluded). */
  readonly roundTripModemSamples: number;
  describe(): string;
}

/**
 * The converters for one pair of rates. The signal's centre appears at -loOffsetHz in the device's baseband.
 *
 * The receiver's low-pass passes occupiedHz/2 plus the CFO allowance and stops at min(rates) minus that, so that neither images
 * nor aliases fall on the signal wherever the CFO puts it. The allowance is 265 kHz, or 35 % of the free band where
 * that is less, so that the transition band keeps at least 30 % of it.
 *
 * @param occupiedHz full occupied bandwidth (occupied carriers plus DC times the spacing)
 * @throws UsageError with the supported rates for a pair that cannot carry the signal, or the range of loOffsetHz
 */
export function frontendFor(modemRateHz: number, occupiedHz: number, deviceRateHz: number, loOffsetHz = 0): Frontend {
  inRange('modem rate', modemRateHz, 1e5, 30.72e6, 'Hz');
  inRange('occupied bandwidth', occupiedHz, 1e3, modemRateHz, 'Hz');
  const problem = pairProblem(modemRateHz, occupiedHz, deviceRateHz);
  if (problem)
    throw new UsageError(`device rate ${mega(deviceRateHz)}: ${problem}`, supportedText(modemRateHz, occupiedHz));
  const { passHz, stopHz, cfoAllowanceHz } = bands(modemRateHz, occupiedHz, deviceRateHz);
  const reach = deviceRateHz / 2 - passHz;
  inRange('LO offset', loOffsetHz, -reach, reach, 'Hz');

  const { up, down } = rateRatio(deviceRateHz, modemRateHz);
  const equal = up === down;
  // The transmitter knows its own frequency: a tenth of the free band is margin enough, and the filter is shorter.
  const narrow = Math.min(modemRateHz, deviceRateHz);
  const txPassHz = occupiedHz / 2 + Math.min(30e3, 0.1 * (narrow - occupiedHz));
  const tx = { passHz: txPassHz, stopHz: narrow - txPassHz, attenuationDb: ATTENUATION_DB };
  const rx = { passHz, stopHz, attenuationDb: ATTENUATION_DB };
  const upSpec: ResamplerSpec | null = equal ? null : { inputRateHz: modemRateHz, up, down, ...tx };
  const downSpec: ResamplerSpec | null = equal ? null : { inputRateHz: deviceRateHz, up: down, down: up, ...rx };
  const upconverter = () => new Upconverter(upSpec, deviceRateHz, loOffsetHz);
  const downconverter = () => new Downconverter(downSpec, deviceRateHz, loOffsetHz);
  const roundTripModemSamples =
    upconverter().delayInputSamples + (downconverter().delayInputSamples * modemRateHz) / deviceRateHz;
  return {
    modemRateHz,
    deviceRateHz,
    loOffsetHz,
    cfoAllowanceHz,
    upconverter,
    downconverter,
    roundTripModemSamples,
    describe: () =>
      `front end ${mega(modemRateHz)} <-> ${mega(deviceRateHz)} (${up}/${down}), LO offset ${loOffsetHz} Hz, ` +
      `CFO allowance ${Math.round(cfoAllowanceHz / 1e3)} kHz`,
  };
}

/** Where to put the LO: beside the occupied band (DC and the IQ image then miss the signal), or 0 if there is no room. */
export function preferredLoOffsetHz(modemRateHz: number, occupiedHz: number, deviceRateHz: number): number {
  const { passHz } = bands(modemRateHz, occupiedHz, deviceRateHz);
  const offset = occupiedHz / 2 + LO_GUARD_HZ;
  return offset + passHz <= deviceRateHz / 2 ? offset : 0;
}

/** The common device rates that can carry a signal of this modem rate and bandwidth. */
export function supportedDeviceRatesHz(modemRateHz: number, occupiedHz: number): number[] {
  return COMMON_DEVICE_RATES_HZ.filter((rate) => pairProblem(modemRateHz, occupiedHz, rate) === null);
}

function bands(modemRateHz: number, occupiedHz: number, deviceRateHz: number) {
  const narrow = Math.min(modemRateHz, deviceRateHz);
  const cfoAllowanceHz = Math.max(0, Math.min(CFO_ALLOWANCE_HZ, 0.35 * (narrow - occupiedHz)));
  const passHz = occupiedHz / 2 + cfoAllowanceHz;
  return { passHz, stopHz: narrow - passHz, cfoAllowanceHz };
}

function pairProblem(modemRateHz: number, occupiedHz: number, deviceRateHz: number): string | null {
  if (!(deviceRateHz > 0) || !Number.isInteger(deviceRateHz) || !Number.isInteger(modemRateHz)) {
    return 'rates must be whole numbers of hertz';
  }
  const narrow = Math.min(modemRateHz, deviceRateHz);
  if (narrow - occupiedHz < MIN_GAP * narrow) {
    return `too low for an occupied band of ${mega(occupiedHz, 'MHz')} (4 % must stay free for the filter)`;
  }
  const { up, down } = rateRatio(deviceRateHz, modemRateHz);
  if (up > MAX_RATIO_TERM || down > MAX_RATIO_TERM) {
    return `the ratio ${up}/${down} to the modem rate ${mega(modemRateHz)} has a term above ${MAX_RATIO_TERM}`;
  }
  return null;
}

function supportedText(modemRateHz: number, occupiedHz: number): string {
  const rates = supportedDeviceRatesHz(modemRateHz, occupiedHz).map((r) => r / 1e6);
  return rates.length > 0
    ? `supported with the modem rate ${mega(modemRateHz)}: ${rates.join(', ')} Msps`
    : `no device rate carries ${mega(occupiedHz, 'MHz')} at the modem rate ${mega(modemRateHz)}`;
}

function mega(hz: number, unit = 'Msps'): string {
  return `${Number((hz / 1e6).toFixed(6))} ${unit}`;
}
