/**
 * Oscillator and PLLs of the AD936x: what comes out when a rate or a carrier is asked for. The driver computes with the frequency that it
 * believes the oscillator to have (`xo_correction`); what is really on the air follows the oscillator itself.
 */

export const XO_NOMINAL_HZ = 40_000_000;
/** Range of xo_correction about the nominal frequency, Hz: 200 ppm. */
export const XO_CORRECTION_SPAN_HZ = 8000;

/** Fractional parts of the two kinds of PLL (AD9361 register map: BBPLL and RFPLL modulus). */
const BBPLL_MODULUS = 2_088_960;
const RFPLL_MODULUS = 8_388_593;
const BBPLL_MIN_HZ = 715e6;
const ADC_MIN_HZ = 25e6;
const VCO_MIN_HZ = 6e9;

/** Rates of the receive and the transmit path as the driver reads them back, Hz. */
export interface PathRates {
  readonly bbpllHz: number;
  readonly adcHz: number;
  readonly dacHz: number;
  /** After the first half-band filter of the receiver (by 2, or by 3 at the lowest rates). */
  readonly r2Hz: number;
  readonly r1Hz: number;
  readonly t1Hz: number;
  readonly sampleHz: number;
}

/**
 * Divider chain for a sample rate: ADC at 8 times the rate (12 times where that would be below 25 MHz), BBPLL the ADC's
 * clock times a power of 2, its fractional word rounded. xoHz: the believed oscillator.
 */
export function pathRates(rateHz: number, xoHz: number): PathRates {
  const decimation = rateHz * 8 < ADC_MIN_HZ ? 12 : 8;
  let divider = 1;
  while (rateHz * decimation * divider < BBPLL_MIN_HZ) divider *= 2;
  const bbpllHz = synthesised(rateHz * decimation * divider, xoHz, BBPLL_MODULUS);
  const adcHz = Math.round(bbpllHz / divider);
  const sampleHz = Math.round(adcHz / decimation);
  return {
    bbpllHz,
    adcHz,
    dacHz: Math.round(adcHz / (decimation / 4)),
    r2Hz: Math.round(adcHz / (decimation / 4)),
    r1Hz: 2 * sampleHz,
    t1Hz: 2 * sampleHz,
    sampleHz,
  };
}

/** The carrier that comes out when `frequencyHz` is asked for: VCO of 6 to 12 GHz over a power of 2; the driver counts in 2 Hz. */
export function carrierHz(frequencyHz: number, xoHz: number): number {
  const wanted = 2 * Math.floor(frequencyHz / 2);
  let divider = 1;
  while (wanted * divider <= VCO_MIN_HZ) divider *= 2;
  const vcoHz = synthesised(wanted * divider, 2 * xoHz, RFPLL_MODULUS);
  return 2 * Math.round(vcoHz / divider / 2);
}

/** reference (N + F / modulus), the nearest to what is wanted. */
function synthesised(wantedHz: number, referenceHz: number, modulus: number): number {
  const whole = Math.floor(wantedHz / referenceHz);
  const fraction = Math.round(((wantedHz - whole * referenceHz) * modulus) / referenceHz);
  return Math.round(whole * referenceHz + (referenceHz * fraction) / modulus);
}
