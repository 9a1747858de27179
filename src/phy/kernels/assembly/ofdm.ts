// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of OFDM demodulation, made into ../ofdm-wasm-binary.ts by
// `npm run build:kernels`. ../ofdm-kernel.ts says what it computes, ../ofdm-wasm.ts calls it.
//
// The frequency offset is taken out where the transform reads its input; the phase ramp over the carriers where its
// output is cut to the occupied ones. Angles run in double precision, four carriers a step.
import { FACTORS, forwardRotated, RESULT } from './fft.ts';

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
/** What is held of a burst begins here: angles f64 [symbol][start, step], pilots [symbol][nSubbands], rows [symbol][nCarriers]. */
export const HELD: usize = 524288;

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

/**
 * exp(i x) of two angles to an address: x less its quarter turns, then polynomials of degree 13 and 14, exact to some 1e-15 for x
 * of a few turns. It takes long, but not for the one before: so those of several symbols come one after the other.
 */
function turnsOf(x: v128, to: usize): void {
  const quarters = f64x2.nearest(f64x2.mul(x, f64x2.splat(0.6366197723675814)));
  const rough = f64x2.sub(x, f64x2.mul(quarters, f64x2.splat(1.5707963267948966)));
  const r = f64x2.sub(rough, f64x2.mul(quarters, f64x2.splat(6.123233995736766e-17)));
  const z = f64x2.mul(r, r);
  let sin = f64x2.add(f64x2.splat(-2.505210838544172e-8), f64x2.mul(z, f64x2.splat(1.6059043836821613e-10)));
  sin = f64x2.add(f64x2.splat(2.7557319223985893e-6), f64x2.mul(z, sin));
  sin = f64x2.add(f64x2.splat(-1.984126984126984e-4), f64x2.mul(z, sin));
  sin = f64x2.add(f64x2.splat(8.333333333333333e-3), f64x2.mul(z, sin));
  sin = f64x2.add(f64x2.splat(-0.16666666666666666), f64x2.mul(z, sin));
  sin = f64x2.add(r, f64x2.mul(f64x2.mul(r, z), sin));
  let cos = f64x2.add(f64x2.splat(2.08767569878681e-9), f64x2.mul(z, f64x2.splat(-1.1470745597729725e-11)));
  cos = f64x2.add(f64x2.splat(-2.755731922398589e-7), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(2.48015873015873e-5), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(-1.388888888888889e-3), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(4.1666666666666664e-2), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(-0.5), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(1), f64x2.mul(z, cos));
  // Of both numbers of quarter turns the last two bits, at the top of a lane of 64.
  const whole = i32x4.trunc_sat_f64x2_s_zero(quarters);
  const count = v128.shuffle<i32>(whole, whole, 0, 0, 1, 1);
  const top = i64x2.splat(0x8000000000000000);
  const odd = i32x4.shr_s(i32x4.shl(count, 31), 31);
  const re = v128.bitselect(sin, cos, odd);
  const im = v128.bitselect(cos, sin, odd);
  const reSign = v128.and(i32x4.shl(i32x4.add(count, i32x4.splat(1)), 30), top);
  const imSign = v128.and(i32x4.shl(count, 30), top);
  v128.store(to, v128.xor(re, reSign));
  v128.store(to, v128.xor(im, imSign), 16);
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

/** Least-squares channel at the pilots of a row to another address: y conj(pilot). */
function pilotsOf(row: usize, symbol: usize, local: usize, subbands: usize, to: usize): void {
  let value = VALUES + (((symbol % SEQUENCE) * subbands) << 3);
  let y = row + ((<usize>load<u32>(OFFSETS + (local << 2))) << 3);
  for (const end = to + (subbands << 3); to < end; to += 8, value += 8, y += SUBBAND << 3) {
    const re = load<f32>(y);
    const im = load<f32>(y, 4);
    const pr = load<f32>(value);
    const pi = load<f32>(value, 4);
    store<f32>(to, re * pr + im * pi);
    store<f32>(to, im * pr - re * pi, 4);
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
  const halfBytes = half << 3;
  const subbands = carriers / SUBBAND;
  let symbol = SYMBOLS;
  for (let t: usize = 0, first = local; t < symbols; t++, symbol += SYMBOL_BYTES) {
    const step = load<f64>(symbol, 8);
    const offset = <i32>load<u32>(OFFSETS + (first << 2));
    turnsOf(f64x2(load<f64>(symbol) - <f64>(<i32>half - offset) * step, step), PAIRS + (t << 5));
    first = first === SLOT - 1 ? 0 : first + 1;
  }
  symbol = SYMBOLS;
  for (let t: usize = 0; t < symbols; t++, symbol += SYMBOL_BYTES, row += 2 * halfBytes, pilots += subbands << 3) {
    forwardRotated(size, SAMPLES + ((<usize>load<f64>(symbol, 16)) << 3), RESULT, FACTORS, ROTATION);
    cut(size, half, row);
    pilotsOf(row, sequence + t, local, subbands, pilots);
    const offset = <usize>load<u32>(OFFSETS + (local << 2));
    const pair = PAIRS + (t << 5);
    let re = load<f64>(pair);
    let im = load<f64>(pair, 16);
    const stepRe = load<f64>(pair, 8);
    const stepIm = load<f64>(pair, 24);
    // To the power of 12, from one subband to the next.
    const twoRe = stepRe * stepRe - stepIm * stepIm;
    const twoIm = 2 * stepRe * stepIm;
    const threeRe = twoRe * stepRe - twoIm * stepIm;
    const threeIm = twoRe * stepIm + twoIm * stepRe;
    const sixRe = threeRe * threeRe - threeIm * threeIm;
    const sixIm = 2 * threeRe * threeIm;
    const nextRe = sixRe * sixRe - sixIm * sixIm;
    const nextIm = 2 * sixRe * sixIm;
    let left = <i32>half - <i32>offset;
    for (let p = pilots, end = pilots + (subbands << 3); p < end; p += 8) {
      // The carrier at DC is none.
      if (left <= 0 && left > -(<i32>SUBBAND)) {
        const jump = re * stepRe - im * stepIm;
        im = re * stepIm + im * stepRe;
        re = jump;
      }
      left -= SUBBAND;
      const x = <f64>load<f32>(p);
      const y = <f64>load<f32>(p, 4);
      store<f32>(p, <f32>(x * re - y * im));
      store<f32>(p, <f32>(x * im + y * re), 4);
      const turned = re * nextRe - im * nextIm;
      im = re * nextIm + im * nextRe;
      re = turned;
    }
    local = local === SLOT - 1 ? 0 : local + 1;
  }
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

/** Start phases and ramps of `symbols` rows held, by `angles`, in place; and their pilots' channel anew. */
export function finish(
  carriers: usize,
  symbols: usize,
  sequence: usize,
  angles: usize,
  row: usize,
  pilots: usize,
): void {
  const half = carriers >> 1;
  const subbands = carriers / SUBBAND;
  for (const end = sequence + symbols; sequence < end; ) {
    // A slot, or what is left of one.
    const some = min(SLOT, end - sequence);
    for (let t: usize = 0; t < some; t++, angles += 16) turnsOf(v128.load(angles), PAIRS + (t << 5));
    for (let t: usize = 0; t < some; t++, row += carriers << 3, pilots += subbands << 3) {
      turnRow(PAIRS + (t << 5), row, half);
      pilotsOf(row, sequence + t, t, subbands, pilots);
    }
    sequence += some;
  }
}
