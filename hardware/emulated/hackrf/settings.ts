import type { Firmware } from './firmware.ts';

/** Passbands of the MAX2837's filter, Hz. */
const FILTERS_HZ = [1.75, 2.5, 3.5, 5, 5.5, 6, 7, 8, 9, 10, 12, 14, 15, 20, 24, 28].map((mhz) => mhz * 1e6);

const HIGHEST_MHZ = 7250;
const EXPLICIT_IF_HZ = { min: 2e9, max: 3e9 } as const;
const EXPLICIT_LO_HZ = { min: 84.375e6, max: 5.4e9 } as const;
/** Sample rates that newer firmware moves others to, Hz. */
const MCU_RATE_HZ = { min: 200e3, max: 21.8e6 } as const;
/** The clock generator divides 800 MHz by at least 8, and gives twice the sample rate. */
const HIGHEST_RATE_HZ = 50e6;
const VCO_HZ = 800e6;

/**
 * What the radio is set to, with the ranges of the firmware. Setters return false where the firmware refuses; newer firmware
 * refuses nothing and moves values into the range, or ignores them.
 */
export class RadioSettings {
  frequencyHz = 100e6;
  /** As the clock generator makes it, without the error of its reference. */
  rateHz = 10e6;
  filterHz = 1.75e6;
  lnaDb = 16;
  vgaDb = 12;
  txVgaDb = 16;
  amp = false;
  biasTee = false;
  clkout = false;
  hardwareTrigger = false;
  leds = 0;
  uiEnabled = true;
  txUnderrunLimit = 0;
  rxOverrunLimit = 0;
  private readonly firmware: Firmware;
  /** What the bias tee becomes on entry to a mode (request 48); null: stays. */
  private readonly biasOnEntry: { off: boolean | null; rx: boolean | null; tx: boolean | null };

  constructor(firmware: Firmware) {
    this.firmware = firmware;
    // Newer firmware has it in its register as it was set.
    this.biasOnEntry = { off: firmware.strict ? false : null, rx: null, tx: null };
  }

  /** SET_FREQ: MHz and Hz, which may be more than a million. */
  setFrequency(mhz: number, hz: number): boolean {
    const frequencyHz = mhz * 1e6 + hz;
    if (Math.floor(frequencyHz / 1e6) > HIGHEST_MHZ) {
      if (this.firmware.strict) return false;
      this.frequencyHz = HIGHEST_MHZ * 1e6;
    } else this.frequencyHz = frequencyHz;
    return true;
  }

  /** SET_FREQ_EXPLICIT: intermediate frequency, local oscillator, path (0 bypass, 1 low pass, 2 high pass). */
  setFrequencyExplicit(ifHz: number, loHz: number, path: number): boolean {
    const { firmware } = this;
    const ifInRange = ifHz >= EXPLICIT_IF_HZ.min && ifHz <= EXPLICIT_IF_HZ.max;
    const loInRange = path === 0 || (loHz >= EXPLICIT_LO_HZ.min && loHz <= EXPLICIT_LO_HZ.max);
    if (firmware.strict && !(ifInRange && loInRange && path <= 2)) return false;
    const intermediate = Math.min(Math.max(ifHz, EXPLICIT_IF_HZ.min), EXPLICIT_IF_HZ.max);
    // The mixer is set to whole MHz.
    const lo = Math.floor(Math.min(Math.max(loHz, EXPLICIT_LO_HZ.min), EXPLICIT_LO_HZ.max) / 1e6) * 1e6;
    if (path === 1) this.frequencyHz = Math.abs(lo - intermediate);
    else if (path === 2) this.frequencyHz = lo + intermediate;
    else this.frequencyHz = intermediate;
    return true;
  }

  /** SAMPLE_RATE_SET: numerator and denominator. */
  setRate(numeratorHz: number, divider: number): boolean {
    const wanted = numeratorHz / Math.max(divider, 1);
    if (this.firmware.strict) {
      // A rate of 0 makes older firmware divide by 0; the clock stays as it was.
      if (wanted > 0) this.rateHz = Math.min(generatedRateHz(numeratorHz, Math.max(divider, 1)), HIGHEST_RATE_HZ);
    } else {
      const moved = Math.min(Math.max(wanted, MCU_RATE_HZ.min), MCU_RATE_HZ.max);
      this.rateHz = moved === wanted ? generatedRateHz(numeratorHz, Math.max(divider, 1)) : moved;
    }
    return true;
  }

  /** BASEBAND_FILTER_BANDWIDTH_SET: the narrowest passband that is not narrower. */
  setFilter(bandwidthHz: number): boolean {
    const filter = FILTERS_HZ.find((f) => f >= bandwidthHz);
    if (filter !== undefined) this.filterHz = filter;
    return filter !== undefined || !this.firmware.strict;
  }

  setLna(gainDb: number): boolean {
    const valid = gainDb <= 40 && gainDb % 8 === 0;
    if (valid) this.lnaDb = gainDb;
    return valid || !this.firmware.strict;
  }

  setVga(gainDb: number): boolean {
    const valid = gainDb <= 62 && gainDb % 2 === 0;
    if (valid) this.vgaDb = gainDb;
    return valid || !this.firmware.strict;
  }

  /** The firmware checks nothing here: the register holds 6 bits, of which the highest stands for 16 dB less. */
  setTxVga(gainDb: number): boolean {
    const register = gainDb < 16 ? (31 - gainDb) | 32 : (31 - (gainDb - 16)) & 63;
    this.txVgaDb = 31 - (register & 31) + (register & 32 ? 0 : 16);
    return true;
  }

  setAmp(value: number): boolean {
    if (value > 1 && this.firmware.strict) return false;
    this.amp = value !== 0;
    return true;
  }

  setBiasTee(value: number): boolean {
    if (value > 1 && this.firmware.strict) return false;
    this.biasTee = value !== 0;
    return true;
  }

  /** SET_USER_BIAS_T_OPTS: three bits a mode: change, and what to: 2 off, 3 on, else nothing. */
  setBiasOptions(bits: number): void {
    const option = (value: number) => (value === 2 ? false : value === 3 ? true : null);
    if (bits & 0x4) this.biasOnEntry.off = option(bits & 3);
    if (bits & 0x20) this.biasOnEntry.rx = option((bits >> 3) & 3);
    if (bits & 0x100) this.biasOnEntry.tx = option((bits >> 6) & 3);
  }

  /** The transceiver enters a mode. When one is left, older firmware (rf_path.c) switches amplifier and bias tee off. */
  enter(mode: 'off' | 'rx' | 'tx'): void {
    this.biasTee = this.biasOnEntry[mode] ?? this.biasTee;
    if (mode === 'off' && this.firmware.strict) this.amp = false;
  }
}

/**
 * Sample rate that the Si5351C makes: 800 MHz / (a + b/c) / 2 with c < 2^20, and what is cut off on the way to that
 * (the firmware's sample_rate_frac_set). Rates with a small denominator come out exactly.
 */
function generatedRateHz(numeratorHz: number, divider: number): number {
  const wanted = 2 * numeratorHz;
  const a = Math.floor((VCO_HZ * divider) / wanted);
  const rest = VCO_HZ * divider - a * wanted;
  if (rest === 0 || a === 0) return VCO_HZ / Math.max(a, 1) / 2;
  const g = gcd(rest, wanted);
  const [b, c] = [rest / g, wanted / g];
  if (c < 2 ** 20) return VCO_HZ / (a + b / c) / 2;
  const approximate = Number((BigInt(2 ** 20 - 1) * BigInt(b)) / BigInt(c));
  return VCO_HZ / (a + approximate / (2 ** 20 - 1)) / 2;
}

function gcd(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
