// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of OFDM demodulation, made into ../ofdm-wasm-binary.ts by
// `npm run build:kernels`. ../ofdm-kernel.ts says what it computes, ../ofdm-wasm.ts calls it.
//
// The frequency offset is taken out where the transform reads its input; the phase ramp over the carriers where its
// output is cut to the occupied ones. Angles run in double precision, four carriers a step.
import { FACTORS, forwardRotated, RESULT } from './fft.ts';
import { timesIm, timesRe, turnsOf } from './turns.ts';

export { FACTORS } from './fft.ts';

/** exp(-2 pi i cfo m) / sqrt(N). f32 [N/4][re x 4, im x 4] */
export const ROTATION: usize = 200704;
/** What each symbol needs: start angle and step from carrier to carrier, rad, and first sample. f64 [16][3] */
export const SYMBOLS: usize = 208896;
/** exp(i a) of two angles of each symbol of a call. f64 [16][re, re, im, im] */
const PAIRS: usize = 209408;
/** Samples of all symbols of a call. f32 [18432][re, im] */
export const SAMPLES: usize = 209920;
/** Occupied carriers. f32 [16][nCarriers][re, im] */
export const ROWS: usize = 357376;
/** Carrier of the pilot within each subband, u32 [14], and the pilots' values, f32 [64][nSubbands][re, im]. */
export const OFFSETS: usize = 434304;
export const VALUES: usize = 434368;
/**
 * Memory from 524288 on is the equaliser's (equalise.ts), which reads the rows held. Behind it lies what is held of a burst: angles f64
 * [symbol][start, step], turns f64 [symbol][at the first carrier, from carrier to carrier][re, im], pilots [symbol][nSubbands], rows
 * [symbol][nCarriers].
 */
export const HELD: usize = 983040;

const SYMBOL_BYTES: usize = 24;
const SUBBAND: usize = 12;
const SLOT: usize = 14;
const SEQUENCE: usize = 64;

/** Four carriers at an address times (cos, sin) each. */
function turnFour(at: usize, cos: v128, sin: v128): void {
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const x = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
  const y = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
  const outRe = f32x4.sub(f32x4.mul(x, cos), f32x4.mul(y, sin));
  const outIm = f32x4.add(f32x4.mul(x, sin), f32x4.mul(y, cos));
  v128.store(at, v128.shuffle<f32>(outRe, outIm, 0, 4, 1, 5));
  v128.store(at, v128.shuffle<f32>(outRe, outIm, 2, 6, 3, 7), 16);
}

/** The occupied carriers of RESULT to a row: -half..-1 stand at the end of the bins, 1..half behind DC. */
function cut(size: usize, half: usize, row: usize): void {
  const below = RESULT + ((size - half) << 3);
  const above = RESULT + 8;
  const bytes = half << 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(row + i, v128.load(below + i));
    v128.store(row + bytes + i, v128.load(above + i));
  }
}

/** [re, im] times [re, im], of two at once. */
function timesBoth(a: v128, b: v128): v128 {
  const re = f32x4.mul(a, v128.shuffle<f32>(b, b, 0, 0, 2, 2));
  const im = f32x4.mul(v128.shuffle<f32>(a, a, 1, 0, 3, 2), v128.shuffle<f32>(b, b, 1, 1, 3, 3));
  return f32x4.add(re, v128.xor(im, i32x4(0x80000000, 0, 0x80000000, 0)));
}

/** The address of symbol `symbol`'s pilot values. */
function valuesOf(symbol: usize, subbands: usize): usize {
  return VALUES + (((symbol % SEQUENCE) * subbands) << 3);
}

/**
 * Least-squares channel y conj(pilot) at the pilots of rows, with start phases and ramps, two symbols side by side. `sequence`: the first
 * symbol's number in the pilots' sequence; it is symbol `local` of a slot. `angles`: f64 [start, step] of each, `angleBytes` apart. `turns`:
 * where it is not 0, receives f64 [turn at the row's first carrier, turn from carrier to carrier][re, im] of each.
 */
function pilotsOf(
  row: usize,
  carriers: usize,
  symbols: usize,
  sequence: usize,
  local: usize,
  angles: usize,
  angleBytes: usize,
  pilots: usize,
  turns: usize,
): void {
  const subbands = carriers / SUBBAND;
  const half = <i32>(carriers >> 1);
  const last = symbols - 1;
  for (let t: usize = 0; t < symbols; t += 2) {
    // An odd number: the last one twice.
    const after: usize = t < last ? 1 : 0;
    const localAfter = local + after === SLOT ? 0 : local + after;
    const offset = <i32>load<u32>(OFFSETS + (local << 2));
    const offsetAfter = <i32>load<u32>(OFFSETS + (localAfter << 2));
    const anglesAfter = angles + after * angleBytes;
    const start = f64x2(load<f64>(angles), load<f64>(anglesAfter));
    const step = f64x2(load<f64>(angles, 8), load<f64>(anglesAfter, 8));
    turnsOf(step, PAIRS);
    const stepRe = v128.load(PAIRS);
    const stepIm = v128.load(PAIRS, 16);
    if (turns !== 0) {
      turnsOf(f64x2.sub(start, f64x2.mul(f64x2.splat(<f64>half), step)), PAIRS);
      const firstRe = v128.load(PAIRS);
      const firstIm = v128.load(PAIRS, 16);
      const turnsAfter = turns + (after << 5);
      v128.store(turns, v128.shuffle<f64>(firstRe, firstIm, 0, 2));
      v128.store(turns, v128.shuffle<f64>(stepRe, stepIm, 0, 2), 16);
      v128.store(turnsAfter, v128.shuffle<f64>(firstRe, firstIm, 1, 3));
      v128.store(turnsAfter, v128.shuffle<f64>(stepRe, stepIm, 1, 3), 16);
      turns += 64;
    }
    turnsOf(f64x2.sub(start, f64x2.mul(f64x2(<f64>(half - offset), <f64>(half - offsetAfter)), step)), PAIRS);
    let re = v128.load(PAIRS);
    let im = v128.load(PAIRS, 16);
    // To the power of 12, from one subband to the next.
    const twoRe = timesRe(stepRe, stepIm, stepRe, stepIm);
    const twoIm = timesIm(stepRe, stepIm, stepRe, stepIm);
    const fourRe = timesRe(twoRe, twoIm, twoRe, twoIm);
    const fourIm = timesIm(twoRe, twoIm, twoRe, twoIm);
    const eightRe = timesRe(fourRe, fourIm, fourRe, fourIm);
    const eightIm = timesIm(fourRe, fourIm, fourRe, fourIm);
    const nextRe = timesRe(eightRe, eightIm, fourRe, fourIm);
    const nextIm = timesIm(eightRe, eightIm, fourRe, fourIm);
    let value = valuesOf(sequence + t, subbands);
    let valueAfter = valuesOf(sequence + t + after, subbands);
    let y = row + ((<usize>offset) << 3);
    let yAfter = row + after * (carriers << 3) + ((<usize>offsetAfter) << 3);
    let to = pilots;
    let toAfter = pilots + after * (subbands << 3);
    let left = half - offset;
    let leftAfter = half - offsetAfter;
    for (const end = to + (subbands << 3); to < end; to += 8, toAfter += 8) {
      // The carrier at DC is none.
      const above = left <= 0 && left > -(<i32>SUBBAND);
      const aboveAfter = leftAfter <= 0 && leftAfter > -(<i32>SUBBAND);
      if (above || aboveAfter) {
        const which = i64x2(above ? -1 : 0, aboveAfter ? -1 : 0);
        const jumpRe = timesRe(re, im, stepRe, stepIm);
        const jumpIm = timesIm(re, im, stepRe, stepIm);
        re = v128.bitselect(jumpRe, re, which);
        im = v128.bitselect(jumpIm, im, which);
      }
      left -= SUBBAND;
      leftAfter -= SUBBAND;
      const received = v128.load64_lane(yAfter, v128.load64_zero(y), 1);
      const pilot = v128.load64_lane(valueAfter, v128.load64_zero(value), 1);
      const turn = v128.shuffle<f32>(f32x4.demote_f64x2_zero(re), f32x4.demote_f64x2_zero(im), 0, 4, 1, 5);
      const conjugate = v128.xor(pilot, i32x4(0, 0x80000000, 0, 0x80000000));
      const channel = timesBoth(timesBoth(received, conjugate), turn);
      v128.store64_lane(to, channel, 0);
      v128.store64_lane(toAfter, channel, 1);
      y += SUBBAND << 3;
      yAfter += SUBBAND << 3;
      value += 8;
      valueAfter += 8;
      const nowRe = re;
      re = timesRe(nowRe, im, nextRe, nextIm);
      im = timesIm(nowRe, im, nextRe, nextIm);
    }
    row += carriers << 4;
    pilots += subbands << 4;
    angles += 2 * angleBytes;
    local = localAfter === SLOT - 1 ? 0 : localAfter + 1;
  }
}

/**
 * The symbols of SYMBOLS from SAMPLES to the rows held, as they come out of the transform; and their pilots' channel, with start
 * phase and ramp. `sequence`: the number of the first of them in the pilots' sequence; it is symbol `local` of a slot.
 */
export function take(
  size: usize,
  carriers: usize,
  symbols: usize,
  sequence: usize,
  row: usize,
  pilots: usize,
  local: usize,
): void {
  const half = carriers >> 1;
  let to = row;
  for (let s = SYMBOLS, end = s + symbols * SYMBOL_BYTES; s < end; s += SYMBOL_BYTES, to += carriers << 3) {
    forwardRotated(size, SAMPLES + ((<usize>load<f64>(s, 16)) << 3), RESULT, FACTORS, ROTATION);
    cut(size, half, to);
  }
  pilotsOf(row, carriers, symbols, sequence, local, SYMBOLS, SYMBOL_BYTES, pilots, 0);
}

/**
 * A row times exp(i (start + k step)), k = -half..-1, 1..half, in place; `pair`: where exp(i start) and exp(i step) stand. From DC
 * outward to both sides: eight carriers a step in double precision, what lies within them in single.
 */
function turnRow(pair: usize, row: usize, half: usize): void {
  const re = load<f64>(pair);
  const im = load<f64>(pair, 16);
  const stepRe = load<f64>(pair, 8);
  const stepIm = load<f64>(pair, 24);
  const twoRe = stepRe * stepRe - stepIm * stepIm;
  const twoIm = 2 * stepRe * stepIm;
  const threeRe = twoRe * stepRe - twoIm * stepIm;
  const threeIm = twoRe * stepIm + twoIm * stepRe;
  const fourRe = twoRe * twoRe - twoIm * twoIm;
  const fourIm = 2 * twoRe * twoIm;
  const eightRe = fourRe * fourRe - fourIm * fourIm;
  const eightIm = 2 * fourRe * fourIm;
  const fineRe = f32x4(1, <f32>stepRe, <f32>twoRe, <f32>threeRe);
  const fineIm = f32x4(0, <f32>stepIm, <f32>twoIm, <f32>threeIm);
  const fourthRe = f32x4.splat(<f32>fourRe);
  const fourthIm = f32x4.splat(<f32>fourIm);
  // Four carriers on, and four back.
  const a = f32x4.mul(fineRe, fourthRe);
  const b = f32x4.mul(fineIm, fourthIm);
  const c = f32x4.mul(fineRe, fourthIm);
  const d = f32x4.mul(fineIm, fourthRe);
  const nextRe = f32x4.sub(a, b);
  const nextIm = f32x4.add(c, d);
  const lastRe = f32x4.add(a, b);
  const lastIm = f32x4.sub(d, c);
  const middle = row + (half << 3);
  let at = middle;
  let upRe = re * stepRe - im * stepIm;
  let upIm = re * stepIm + im * stepRe;
  let downRe = re * fourRe + im * fourIm;
  let downIm = im * fourRe - re * fourIm;
  if (half & 2) {
    // An odd number of subbands: a vector of carriers -2, -1, 1 and 2.
    const minus1Re = re * stepRe + im * stepIm;
    const minus1Im = im * stepRe - re * stepIm;
    const minus2Re = re * twoRe + im * twoIm;
    const minus2Im = im * twoRe - re * twoIm;
    const plus2Re = re * twoRe - im * twoIm;
    const plus2Im = re * twoIm + im * twoRe;
    turnFour(
      middle - 16,
      f32x4(<f32>minus2Re, <f32>minus1Re, <f32>upRe, <f32>plus2Re),
      f32x4(<f32>minus2Im, <f32>minus1Im, <f32>upIm, <f32>plus2Im),
    );
    at += 16;
    upRe = re * threeRe - im * threeIm;
    upIm = re * threeIm + im * threeRe;
    const back = downRe * twoRe + downIm * twoIm;
    downIm = downIm * twoRe - downRe * twoIm;
    downRe = back;
  }
  const end = middle + (half << 3);
  let below = 2 * middle - at - 32;
  while (at < end) {
    const highRe = f32x4.splat(<f32>upRe);
    const highIm = f32x4.splat(<f32>upIm);
    const lowRe = f32x4.splat(<f32>downRe);
    const lowIm = f32x4.splat(<f32>downIm);
    turnFour(
      at,
      f32x4.sub(f32x4.mul(highRe, fineRe), f32x4.mul(highIm, fineIm)),
      f32x4.add(f32x4.mul(highRe, fineIm), f32x4.mul(highIm, fineRe)),
    );
    turnFour(
      below,
      f32x4.sub(f32x4.mul(lowRe, fineRe), f32x4.mul(lowIm, fineIm)),
      f32x4.add(f32x4.mul(lowRe, fineIm), f32x4.mul(lowIm, fineRe)),
    );
    at += 32;
    below -= 32;
    if (at === end) break;
    turnFour(
      at,
      f32x4.sub(f32x4.mul(highRe, nextRe), f32x4.mul(highIm, nextIm)),
      f32x4.add(f32x4.mul(highRe, nextIm), f32x4.mul(highIm, nextRe)),
    );
    turnFour(
      below,
      f32x4.sub(f32x4.mul(lowRe, lastRe), f32x4.mul(lowIm, lastIm)),
      f32x4.add(f32x4.mul(lowRe, lastIm), f32x4.mul(lowIm, lastRe)),
    );
    at += 32;
    below -= 32;
    const up = upRe * eightRe - upIm * eightIm;
    upIm = upRe * eightIm + upIm * eightRe;
    upRe = up;
    const down = downRe * eightRe + downIm * eightIm;
    downIm = downIm * eightRe - downRe * eightIm;
    downRe = down;
  }
}

/** The symbols of SYMBOLS from SAMPLES to ROWS. */
export function demodulate(size: usize, carriers: usize, symbols: usize): void {
  const half = carriers >> 1;
  let symbol = SYMBOLS;
  for (let t: usize = 0; t < symbols; t++, symbol += SYMBOL_BYTES) turnsOf(v128.load(symbol), PAIRS + (t << 5));
  symbol = SYMBOLS;
  let row = ROWS;
  for (let t: usize = 0; t < symbols; t++, symbol += SYMBOL_BYTES, row += carriers << 3) {
    forwardRotated(size, SAMPLES + ((<usize>load<f64>(symbol, 16)) << 3), RESULT, FACTORS, ROTATION);
    cut(size, half, row);
    turnRow(PAIRS + (t << 5), row, half);
  }
}

/**
 * The pilots' channel of `symbols` rows held anew, with start phases and ramps by `angles`, and the turns of each row, which stays as it is. Returns the pilots' energy.
 */
export function finish(
  carriers: usize,
  symbols: usize,
  sequence: usize,
  angles: usize,
  turns: usize,
  row: usize,
  pilots: usize,
): f64 {
  pilotsOf(row, carriers, symbols, sequence, 0, angles, 16, pilots, turns);
  // They are a multiple of two.
  let energy = f64x2.splat(0);
  for (const end = pilots + (((carriers / SUBBAND) * symbols) << 3); pilots < end; pilots += 16) {
    const x = v128.load(pilots);
    const squares = f32x4.mul(x, x);
    energy = f64x2.add(energy, f64x2.promote_low_f32x4(squares));
    energy = f64x2.add(energy, f64x2.promote_low_f32x4(v128.shuffle<f32>(squares, squares, 2, 3, 2, 3)));
  }
  return f64x2.extract_lane(energy, 0) + f64x2.extract_lane(energy, 1);
}
