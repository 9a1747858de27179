import { UsageError } from '../common/errors.ts';

/** Subcarriers of one subband, OFDM symbols of one slot, data RE of one resource block (12 x 14 less 14 pilots). */
export const SUBBAND_CARRIERS = 12;
export const SLOT_SYMBOLS = 14;
export const RB_DATA_RE = SUBBAND_CARRIERS * SLOT_SYMBOLS - SLOT_SYMBOLS;
export const SUBCARRIER_SPACING_HZ = 15_000;

/** The burst header: 80 information bits and a CRC-16, at no more than 0.15 information bit a resource element. */
const HEADER_MIN_RE = 640;

/**
 * One OFDM numerology: 15 kHz spacing, the subcarrier at DC empty, occupied subcarriers in ascending frequency.
 * All lengths are in samples of the modem rate.
 */
export interface Numerology {
  /** Number in the header's 3-bit field. */
  readonly id: number;
  readonly nSubbands: number;
  readonly fftSize: number;
  readonly cpLength: number;
  readonly symbolLength: number;
  readonly nCarriers: number;
  readonly sampleRateHz: number;
  readonly slotLength: number;
  /** Data RE of one OFDM symbol: every subband has 11 and one pilot. */
  readonly symbolDataRe: number;
  readonly headerSymbols: number;
  /** Signed subcarrier number of each occupied carrier, [nCarriers], ascending, without 0. */
  readonly carriers: Int32Array;
  /** FFT bin of each occupied carrier, [nCarriers]. */
  readonly bins: Int32Array;
  /** Detection part of the preamble: `nSegments` repetitions of a `segmentLength` waveform with known signs. */
  readonly segmentLength: number;
  readonly nSegments: number;
  /** Guard interval before the two training symbols. */
  readonly trainingGuard: number;
  readonly preambleLength: number;
}

function make(id: number, nSubbands: number, fftSize: number, cpLength: number, nSegments: number): Numerology {
  const nCarriers = nSubbands * SUBBAND_CARRIERS;
  const carriers = new Int32Array(nCarriers);
  const bins = new Int32Array(nCarriers);
  for (let i = 0; i < nCarriers; i++) {
    const k = i - nCarriers / 2;
    carriers[i] = k < 0 ? k : k + 1;
    bins[i] = carriers[i] < 0 ? carriers[i] + fftSize : carriers[i];
  }
  const segmentLength = fftSize / 4;
  const symbolLength = fftSize + cpLength;
  const symbolDataRe = nSubbands * (SUBBAND_CARRIERS - 1);
  return {
    id,
    nSubbands,
    fftSize,
    cpLength,
    symbolLength,
    nCarriers,
    sampleRateHz: fftSize * SUBCARRIER_SPACING_HZ,
    slotLength: SLOT_SYMBOLS * symbolLength,
    symbolDataRe,
    headerSymbols: Math.ceil(HEADER_MIN_RE / symbolDataRe),
    carriers,
    bins,
    segmentLength,
    nSegments,
    trainingGuard: 2 * cpLength,
    preambleLength: nSegments * segmentLength + 2 * cpLength + 2 * fftSize,
  };
}

/** All numerologies, by number of subbands. The first is for benchmarks against 64-point peers. */
export const NUMEROLOGIES: readonly Numerology[] = [
  make(0, 4, 64, 16, 33),
  make(1, 6, 128, 9, 33),
  make(2, 15, 256, 18, 17),
  make(3, 25, 512, 36, 9),
  make(4, 50, 1024, 72, 9),
];

/** The numerology with that many subbands; a UsageError lists those that exist. */
export function numerology(nSubbands: number): Numerology {
  const found = NUMEROLOGIES.find((n) => n.nSubbands === nSubbands);
  if (!found) {
    const list = NUMEROLOGIES.map((n) => `${n.nSubbands} (${n.fftSize}-point, ${n.sampleRateHz / 1e6} Msps)`);
    throw new UsageError(`numerology ${nSubbands} does not exist`, `numerologies by subbands: ${list.join(', ')}`);
  }
  return found;
}

export function describeNumerology(n: Numerology): string {
  const rate = (n.sampleRateHz / 1e6).toFixed(2);
  return `${n.fftSize}-point OFDM, CP ${n.cpLength}, ${n.nSubbands} subbands of 12 x 15 kHz, ${rate} Msps`;
}
