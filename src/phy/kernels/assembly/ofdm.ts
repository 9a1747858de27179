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
/** exp(i a) of one angle. f64 [re, im] */
const POWER: usize = 209536;
/** Of two angles. f64 [re, re, im, im] */
const PAIR: usize = 209552;
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

/** Four carriers at one address times (cos, sin) each, to another. */
function turnFour(from: usize, to: usize, cos: v128, sin: v128): void {
  const a = v128.load(from);
  const b = v128.load(from, 16);
  const x = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
  const y = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
  const outRe = f32x4.sub(f32x4.mul(x, cos), f32x4.mul(y, sin));
  const outIm = f32x4.add(f32x4.mul(x, sin), f32x4.mul(y, cos));
  v128.store(to, v128.shuffle<f32>(outRe, outIm, 0, 4, 1, 5));
  v128.store(to, v128.shuffle<f32>(outRe, outIm, 2, 6, 3, 7), 16);
}

/** exp(i x) to POWER: x less its quarter turns, then polynomials of degree 13 and 14, exact to some 1e-15 for x of a few turns. */
function turnOf(x: f64): void {
  const quarters = nearest<f64>(x * 0.6366197723675814);
  const r = x - quarters * 1.5707963267948966 - quarters * 6.123233995736766e-17;
  const z = r * r;
  const low =
    8.333333333333333e-3 + z * (-1.984126984126984e-4 + z * (2.7557319223985893e-6 - z * 2.505210838544172e-8));
  const sin = r + r * z * (-0.16666666666666666 + z * (low + z * z * z * z * 1.6059043836821613e-10));
  const tail =
    z * (2.48015873015873e-5 + z * (-2.755731922398589e-7 + z * (2.08767569878681e-9 - z * 1.1470745597729725e-11)));
  const cos = 1 - 0.5 * z + z * z * (4.1666666666666664e-2 + z * (-1.388888888888889e-3 + tail));
  const quarter = <i32>quarters & 3;
  const a = quarter & 1 ? sin : cos;
  const b = quarter & 1 ? cos : sin;
  store<f64>(POWER, quarter === 1 || quarter === 2 ? -a : a);
  store<f64>(POWER, quarter >= 2 ? -b : b, 8);
}

/** exp(i x) of two angles to PAIR, as turnOf. */
function turnsOf(x: v128): void {
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
  v128.store(PAIR, v128.xor(re, reSign));
  v128.store(PAIR, v128.xor(im, imSign), 16);
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
  for (let t: usize = 0; t < symbols; t++, symbol += SYMBOL_BYTES, row += 2 * halfBytes, pilots += subbands << 3) {
    forwardRotated(size, SAMPLES + ((<usize>load<f64>(symbol, 16)) << 3), RESULT, FACTORS, ROTATION);
    cut(size, half, row);
    pilotsOf(row, sequence + t, local, subbands, pilots);
    const step = load<f64>(symbol, 8);
    const offset = <usize>load<u32>(OFFSETS + (local << 2));
    turnsOf(f64x2(load<f64>(symbol) - <f64>(<i32>half - <i32>offset) * step, step));
    let re = load<f64>(PAIR);
    let im = load<f64>(PAIR, 16);
    const stepRe = load<f64>(PAIR, 8);
    const stepIm = load<f64>(PAIR, 24);
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
 * A row times exp(i a) each, in place: (low) = exp(i a) at its first carrier, (high) at the first above DC, a rising by one step
 * from carrier to carrier.
 */
function turnRow(
  row: usize,
  half: usize,
  lowRe: f64,
  lowIm: f64,
  highRe: f64,
  highIm: f64,
  stepRe: f64,
  stepIm: f64,
): void {
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
  const upRe = f32x4.splat(<f32>fourRe);
  const upIm = f32x4.splat(<f32>fourIm);
  const nextRe = f32x4.sub(f32x4.mul(fineRe, upRe), f32x4.mul(fineIm, upIm));
  const nextIm = f32x4.add(f32x4.mul(fineRe, upIm), f32x4.mul(fineIm, upRe));
  let re = lowRe;
  let im = lowIm;
  let at = row;
  let end = row + ((half & ~3) << 3);
  for (let part = 0; part < 2; part++) {
    while (at < end) {
      const baseRe = f32x4.splat(<f32>re);
      const baseIm = f32x4.splat(<f32>im);
      const next = re * eightRe - im * eightIm;
      im = re * eightIm + im * eightRe;
      re = next;
      const cos = f32x4.sub(f32x4.mul(baseRe, fineRe), f32x4.mul(baseIm, fineIm));
      const sin = f32x4.add(f32x4.mul(baseRe, fineIm), f32x4.mul(baseIm, fineRe));
      turnFour(at, at, cos, sin);
      at += 32;
      if (at === end) break;
      const cosToo = f32x4.sub(f32x4.mul(baseRe, nextRe), f32x4.mul(baseIm, nextIm));
      const sinToo = f32x4.add(f32x4.mul(baseRe, nextIm), f32x4.mul(baseIm, nextRe));
      turnFour(at, at, cosToo, sinToo);
      at += 32;
    }
    if (part === 1) break;
    re = highRe;
    im = highIm;
    end = row + (half << 4);
    if ((half & 2) === 0) continue;
    // An odd number of subbands: a vector of carriers -2, -1, 1 and 2.
    const minus1Re = highRe * twoRe + highIm * twoIm;
    const minus1Im = highIm * twoRe - highRe * twoIm;
    const minus2Re = highRe * threeRe + highIm * threeIm;
    const minus2Im = highIm * threeRe - highRe * threeIm;
    const plus2Re = highRe * stepRe - highIm * stepIm;
    const plus2Im = highRe * stepIm + highIm * stepRe;
    turnFour(
      at,
      at,
      f32x4(<f32>minus2Re, <f32>minus1Re, <f32>highRe, <f32>plus2Re),
      f32x4(<f32>minus2Im, <f32>minus1Im, <f32>highIm, <f32>plus2Im),
    );
    at += 32;
    re = highRe * twoRe - highIm * twoIm;
    im = highRe * twoIm + highIm * twoRe;
  }
}

/** A row by the start angle and step that stand at an address. */
function turnBy(angles: usize, row: usize, half: usize): void {
  const start = load<f64>(angles);
  const step = load<f64>(angles, 8);
  turnOf(step);
  const stepRe = load<f64>(POWER);
  const stepIm = load<f64>(POWER, 8);
  turnsOf(f64x2(start - <f64>half * step, start + step));
  const lowRe = load<f64>(PAIR);
  const highRe = load<f64>(PAIR, 8);
  const lowIm = load<f64>(PAIR, 16);
  const highIm = load<f64>(PAIR, 24);
  turnRow(row, half, lowRe, lowIm, highRe, highIm, stepRe, stepIm);
}

/** The symbols of SYMBOLS from SAMPLES to ROWS. */
export function demodulate(size: usize, carriers: usize, symbols: usize): void {
  const half = carriers >> 1;
  let symbol = SYMBOLS;
  let row = ROWS;
  for (let t: usize = 0; t < symbols; t++, symbol += SYMBOL_BYTES, row += carriers << 3) {
    forwardRotated(size, SAMPLES + ((<usize>load<f64>(symbol, 16)) << 3), RESULT, FACTORS, ROTATION);
    cut(size, half, row);
    turnBy(symbol, row, half);
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
  let local: usize = 0;
  for (let t: usize = 0; t < symbols; t++, angles += 16, row += carriers << 3, pilots += subbands << 3) {
    turnBy(angles, row, half);
    pilotsOf(row, sequence + t, local, subbands, pilots);
    local = local === SLOT - 1 ? 0 : local + 1;
  }
}
