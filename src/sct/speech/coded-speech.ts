import { FormatError } from '../../common/errors.ts';
import { DoesNotFit } from '../codec/does-not-fit.ts';
import type { RangeDecoder, RangeEncoder } from '../partition/range-coder.ts';
import { AdaptiveLengths } from './adaptive-symbols.ts';
import { BAND_OF, BAND_WEIGHT_CODES, BANDS } from './bands.ts';
import { FRAME } from './mdct.ts';
import { levelsOf, type SpeechModel, UNIT_LEVEL } from './speech-model.ts';
import { decodeSpeechFile, encodeSpeechFile } from './speech-side.ts';

/** Codes of the step an octave, and the code of a step of 1 where weight is 1. */
const STEPS_PER_OCTAVE = 8;
const CODE_OF_ONE = 128;
export const MAX_STEP_CODE = 255;
/** Coefficients whose deviation is less than 2^-3 of a step are not coded: they are zero. */
const LEAST_CLASS = -6;
const MOST_CLASS = 30;
/** Bits of the largest quantised number. */
const NUMBER_BITS = 20;
/** What is added before a number is cut: with decaying densities less than a half costs fewer bits for the same error. */
const ROUND = 0.4;

/**
 * The coded reference: every coefficient divided by step / sqrt(weight), rounded and range-coded with counts that learn for each class of
 * expected size, 2 log2(deviation / step) in whole numbers.
 */
export function encodeCoded(model: SpeechModel, coefficients: Float32Array, stepCode: number): Uint8Array {
  const levels = levelsOf(model);
  return encodeSpeechFile(model, stepCode, (coder) => {
    const code = new Numbers();
    for (let at = 0; at < coefficients.length; at++) {
      const cell = Math.floor(at / FRAME) * BANDS + BAND_OF[at % FRAME];
      const size = sizeClass(levels[cell], BAND_OF[at % FRAME], stepCode);
      if (size < LEAST_CLASS) continue;
      const x = coefficients[at] / stepOf(levels[cell], BAND_OF[at % FRAME], stepCode);
      const q = Math.min(2 ** NUMBER_BITS - 1, Math.floor(Math.abs(x) + ROUND));
      code.encode(x < 0 ? -q : q, size, coder);
    }
  });
}

/** The file of the finest step that fits; DoesNotFit where even the coarsest does not. */
export function fitCoded(
  model: SpeechModel,
  coefficients: Float32Array,
  bytes: number,
): { file: Uint8Array; stepCode: number } {
  let [low, high] = [0, MAX_STEP_CODE];
  let best = encodeCoded(model, coefficients, high);
  if (best.length > bytes) {
    const message = `coded speech needs ${best.length} bytes at least, ${bytes} are granted`;
    throw new DoesNotFit(message, 'give more --symbols', best.length);
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    const file = encodeCoded(model, coefficients, middle);
    if (file.length <= bytes) [high, best] = [middle, file];
    else low = middle + 1;
  }
  return { file: best, stepCode: high };
}

/**
 * @returns coefficients [frame][coefficient] and how many samples they stand for
 * @throws FormatError naming the field
 */
export function decodeCoded(file: Uint8Array): { coefficients: Float32Array; samples: number } {
  const { model, step, coder } = decodeSpeechFile(file);
  const levels = levelsOf(model);
  const coefficients = new Float32Array(model.gains.length * FRAME);
  const code = new Numbers();
  for (let at = 0; at < coefficients.length; at++) {
    const cell = Math.floor(at / FRAME) * BANDS + BAND_OF[at % FRAME];
    const size = sizeClass(levels[cell], BAND_OF[at % FRAME], step);
    if (size < LEAST_CLASS) continue;
    coefficients[at] = code.decode(size, coder) * stepOf(levels[cell], BAND_OF[at % FRAME], step);
  }
  if (!coefficients.every(Number.isFinite)) throw new FormatError('coefficients', 'are beyond what floats hold');
  return { coefficients, samples: model.samples };
}

/** step / sqrt(weight), weight = importance a coefficient / sqrt(variance), as for analog symbols. */
function stepOf(level: number, band: number, stepCode: number): number {
  const logWeight = BAND_WEIGHT_CODES[band] / 16 - (level - UNIT_LEVEL) / 2;
  return 2 ** ((stepCode - CODE_OF_ONE) / STEPS_PER_OCTAVE - logWeight / 2);
}

/** floor(2 log2(deviation / step)) in whole numbers: 32nds of an octave, then halves. */
function sizeClass(level: number, band: number, stepCode: number): number {
  // log2 deviation = (level - 32) / 2; log2 step = (code - 128) / 8 - weight code / 32 + (level - 32) / 4.
  const in32nds = 8 * (level - UNIT_LEVEL) - 4 * (stepCode - CODE_OF_ONE) + BAND_WEIGHT_CODES[band];
  return Math.min(MOST_CLASS, Math.floor(in32nds / 16));
}

/** Signed numbers by their class of expected size. */
class Numbers {
  private readonly lengths = Array.from(
    { length: MOST_CLASS - LEAST_CLASS + 1 },
    () => new AdaptiveLengths(NUMBER_BITS),
  );

  encode(value: number, size: number, coder: RangeEncoder): void {
    this.lengths[size - LEAST_CLASS].encode(Math.abs(value), coder);
    if (value !== 0) coder.encode(value < 0 ? 1 : 0, 1, 2);
  }

  decode(size: number, coder: RangeDecoder): number {
    const value = this.lengths[size - LEAST_CLASS].decode(coder);
    if (value === 0) return 0;
    const negative = coder.position(2);
    coder.consume(negative, 1, 2);
    return negative ? -value : value;
  }
}
