import { UsageError } from '../../common/errors.ts';
import { IMAGE_FILTERS, type ImageFilter } from '../uri.ts';
import { type BoardCall, inCall, integerIn, outCall, u32Bytes } from './board-call.ts';
import type { RateFraction } from './sample-rate.ts';

/** Requests that tune the radio and start and stop it. Every value is checked here; nothing is rounded. */

export const TRANSCEIVER_MODES = { off: 0, rx: 1, tx: 2, sweep: 5 } as const;
export type TransceiverMode = keyof typeof TRANSCEIVER_MODES;

/**
 * Firmware that flushes by itself answers mode 0 only when the last sample is in the air: 64 KiB at 2 Msps and 2 bytes are
 * 16 ms; emulated boards may run slower than time.
 */
const MODE_TIMEOUT_MS = 1000;

export function setMode(mode: TransceiverMode): BoardCall {
  return outCall('SET_TRANSCEIVER_MODE', TRANSCEIVER_MODES[mode], 0, new Uint8Array(0), MODE_TIMEOUT_MS);
}

/** freq_hz and divider, u32 each; the rate is their quotient. */
export function setSampleRate(fraction: RateFraction): BoardCall {
  const { numeratorHz, divider } = fraction;
  integerIn('hackrf rate numerator', numeratorHz, 1, 0xffff_ffff, 'Hz');
  integerIn('hackrf rate divider', divider, 1, 0xffff_ffff);
  return outCall('SAMPLE_RATE_SET', 0, 0, u32Bytes(numeratorHz, divider));
}

/** Bandwidth in Hz, low half in wValue. The board takes what the filter has; see `basebandFilter`. */
export function setBasebandFilter(bandwidthHz: number): BoardCall {
  integerIn('hackrf filter', bandwidthHz, 1, 0xffff_ffff, 'Hz');
  return outCall('BASEBAND_FILTER_BANDWIDTH_SET', bandwidthHz & 0xffff, bandwidthHz >>> 16);
}

/** Whole Hz, sent as MHz and Hz. The range is the caller's; the field holds up to 2^32 MHz. */
export function setFrequency(frequencyHz: number): BoardCall {
  integerIn('hackrf frequency', frequencyHz, 0, 7_250_000_000, 'Hz');
  return outCall('SET_FREQ', 0, 0, u32Bytes(Math.floor(frequencyHz / 1e6), frequencyHz % 1e6));
}

/** Mixer and filter set by hand: bypass receives the IF itself, low-pass IF - LO, high-pass IF + LO. */
export interface ExplicitFrequency {
  readonly ifHz: number;
  /** Not used by the bypass. */
  readonly loHz: number;
  readonly path: ImageFilter;
}

/** Firmware up to 2026.01 sets the mixer to whole MHz and drops the rest (set_freq_explicit). */
export const MIXER_STEP_HZ = 1e6;

/** 17 bytes: u64 IF, u64 LO, u8 path. Ranges of libhackrf's hackrf_set_freq_explicit. */
export function setFrequencyExplicit(tuning: ExplicitFrequency): BoardCall {
  const path = IMAGE_FILTERS.indexOf(tuning.path);
  if (path < 0) throw new UsageError(`hackrf path "${tuning.path}" is not one of ${IMAGE_FILTERS.join(', ')}`);
  integerIn('hackrf IF', tuning.ifHz, 2_000_000_000, 3_000_000_000, 'Hz');
  integerIn('hackrf LO', tuning.loHz, path === 0 ? 0 : 84_375_000, 5_400_000_000, 'Hz');
  if (path !== 0 && tuning.loHz % MIXER_STEP_HZ !== 0) {
    throw new UsageError(`hackrf LO ${tuning.loHz} Hz is not possible: the mixer takes whole MHz`);
  }
  const data = new Uint8Array(17);
  const view = new DataView(data.buffer);
  view.setBigUint64(0, BigInt(tuning.ifHz), true);
  view.setBigUint64(8, BigInt(tuning.loHz), true);
  data[16] = path;
  return outCall('SET_FREQ_EXPLICIT', 0, 0, data);
}

/**
 * IF and LO for a frequency: an IF within half a step of the mixer of the one wanted. Low-pass has the LO above, as the firmware tunes by itself
 * (set_freq); the board turns the spectrum round again.
 */
export function explicitFor(frequencyHz: number, path: ImageFilter, wantedIfHz: number): ExplicitFrequency {
  if (path === 'bypass') return { path, ifHz: frequencyHz, loHz: 0 };
  const whole = (hz: number): number => Math.round(hz / MIXER_STEP_HZ) * MIXER_STEP_HZ;
  const loHz = whole(path === 'low-pass' ? frequencyHz + wantedIfHz : frequencyHz - wantedIfHz);
  return { path, loHz, ifHz: Math.abs(loHz - frequencyHz) };
}

/** Centre frequency of an explicit tuning (libhackrf, hackrf_set_freq_explicit: f = IF, IF - LO mirrored, IF + LO). */
export function explicitCentreHz(tuning: ExplicitFrequency): number {
  if (tuning.path === 'bypass') return tuning.ifHz;
  return tuning.path === 'low-pass' ? Math.abs(tuning.ifHz - tuning.loHz) : tuning.ifHz + tuning.loHz;
}

/** The RF amplifier, 14 dB, both ways. */
export function setAmp(on: boolean): BoardCall {
  return outCall('AMP_ENABLE', on ? 1 : 0);
}

/** The reply is one byte, 0 = rejected. */
export type GainName = 'lna' | 'vga' | 'txvga';
const GAIN_REQUESTS = { lna: 'SET_LNA_GAIN', vga: 'SET_VGA_GAIN', txvga: 'SET_TXVGA_GAIN' } as const;
const GAIN_LIMITS = { lna: { max: 40, step: 8 }, vga: { max: 62, step: 2 }, txvga: { max: 47, step: 1 } } as const;

export function setGain(name: GainName, gainDb: number): BoardCall {
  const { max, step } = GAIN_LIMITS[name];
  integerIn(`hackrf ${name} gain`, gainDb, 0, max, 'dB');
  if (gainDb % step)
    throw new UsageError(`hackrf ${name} gain ${gainDb} dB: allowed 0 to ${max} dB in steps of ${step}`);
  return inCall(GAIN_REQUESTS[name], 0, gainDb, 1);
}

/** 3.3 V, at most 50 mA, on the antenna connector. */
export function setBiasTee(on: boolean): BoardCall {
  return outCall('ANTENNA_ENABLE', on ? 1 : 0);
}

/** The board's own bias tee policy on entering a mode; absent: leave it. `null`: no change of the bias tee on entry. */
export type BiasTeePolicy = Readonly<Partial<Record<'off' | 'rx' | 'tx', boolean | null>>>;

/** Bits of each mode: update 4, on entry 2, enabled 1, for off; shifted by 3 for rx, by 6 for tx. */
export function setBiasTeePolicy(policy: BiasTeePolicy): BoardCall {
  let bits = 0;
  (['off', 'rx', 'tx'] as const).forEach((mode, i) => {
    const on = policy[mode];
    if (on !== undefined) bits |= (4 | (on === null ? 0 : 2 | Number(on))) << (3 * i);
  });
  return outCall('SET_USER_BIAS_T_OPTS', bits);
}

/** Samples start with the pin of the trigger connector; until then the board is silent. */
export function setHardwareTrigger(on: boolean): BoardCall {
  return outCall('SET_HW_SYNC_MODE', on ? 1 : 0);
}

/** 10 MHz on the CLKOUT connector. */
export function setClockOut(on: boolean): BoardCall {
  return outCall('CLKOUT_ENABLE', on ? 1 : 0);
}

/** After a shortfall of this many bytes the board leaves TX (RX) by itself; 0 = never. */
export function setTxUnderrunLimit(bytes: number): BoardCall {
  integerIn('hackrf underrun limit', bytes, 0, 0xffff_ffff, 'bytes');
  return outCall('SET_TX_UNDERRUN_LIMIT', bytes & 0xffff, bytes >>> 16);
}

export function setRxOverrunLimit(bytes: number): BoardCall {
  integerIn('hackrf overrun limit', bytes, 0, 0xffff_ffff, 'bytes');
  return outCall('SET_RX_OVERRUN_LIMIT', bytes & 0xffff, bytes >>> 16);
}

/** Display of a PortaPack or rad1o. */
export function setUi(on: boolean): BoardCall {
  return outCall('UI_ENABLE', on ? 1 : 0);
}

/** USB, RX and TX LEDs, bits 0 to 2 (the board sets them again by itself). */
export function setLeds(bits: number): BoardCall {
  return outCall('SET_LEDS', integerIn('hackrf LEDs', bits, 0, 0xff));
}

/** Restarts the board; it leaves the bus. */
export function reset(): BoardCall {
  return outCall('RESET', 0);
}
