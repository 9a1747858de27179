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
/** Samples of all symbols of a call. f32 [18432][re, im] */
export const SAMPLES: usize = 209920;
/** Occupied carriers. f32 [16][nCarriers][re, im], and what a vector may write behind them */
export const ROWS: usize = 357376;

const SYMBOL_BYTES: usize = 24;

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

/**
 * Carriers times exp(i a) each, a rising by one step from carrier to carrier: `count` carriers (rounded up to four) from one
 * address to the other; (re, im) = exp(i a) at the first of them. Eight a turn of the loop: the angle waits for its own last value.
 */
function ramp(from: usize, to: usize, count: usize, re: f64, im: f64, stepRe: f64, stepIm: f64): void {
  const twoRe = stepRe * stepRe - stepIm * stepIm;
  const twoIm = 2 * stepRe * stepIm;
  const threeRe = twoRe * stepRe - twoIm * stepIm;
  const threeIm = twoRe * stepIm + twoIm * stepRe;
  const fourRe = twoRe * twoRe - twoIm * twoIm;
  const fourIm = 2 * twoRe * twoIm;
  const eightRe = fourRe * fourRe - fourIm * fourIm;
  const eightIm = 2 * fourRe * fourIm;
  // exp(i step j), j = 0..3 and 4..7.
  const fineRe = f32x4(1, <f32>stepRe, <f32>twoRe, <f32>threeRe);
  const fineIm = f32x4(0, <f32>stepIm, <f32>twoIm, <f32>threeIm);
  const upRe = f32x4.splat(<f32>fourRe);
  const upIm = f32x4.splat(<f32>fourIm);
  const nextRe = f32x4.sub(f32x4.mul(fineRe, upRe), f32x4.mul(fineIm, upIm));
  const nextIm = f32x4.add(f32x4.mul(fineRe, upIm), f32x4.mul(fineIm, upRe));
  const end = from + (count << 3);
  while (from < end) {
    const baseRe = f32x4.splat(<f32>re);
    const baseIm = f32x4.splat(<f32>im);
    const next = re * eightRe - im * eightIm;
    im = re * eightIm + im * eightRe;
    re = next;
    const cos = f32x4.sub(f32x4.mul(baseRe, fineRe), f32x4.mul(baseIm, fineIm));
    const sin = f32x4.add(f32x4.mul(baseRe, fineIm), f32x4.mul(baseIm, fineRe));
    turnFour(from, to, cos, sin);
    if (from + 32 < end) {
      const cosToo = f32x4.sub(f32x4.mul(baseRe, nextRe), f32x4.mul(baseIm, nextIm));
      const sinToo = f32x4.add(f32x4.mul(baseRe, nextIm), f32x4.mul(baseIm, nextRe));
      turnFour(from + 32, to + 32, cosToo, sinToo);
    }
    from += 64;
    to += 64;
  }
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

/** Turns the carriers of ROWS by the steps in SYMBOLS, in place. */
export function turn(carriers: usize, symbols: i32): void {
  const half = carriers >> 1;
  let symbol = SYMBOLS;
  let row = ROWS;
  for (let t = 0; t < symbols; t++, symbol += SYMBOL_BYTES, row += carriers << 3) {
    const step = load<f64>(symbol, 8);
    if (step === 0) continue;
    turnOf(step);
    const stepRe = load<f64>(POWER);
    const stepIm = load<f64>(POWER, 8);
    turnOf(step * <f64>half);
    // What a vector writes behind the lower half stands there again before the upper one is read.
    const middle = row + (half << 3);
    const kept = v128.load(middle);
    const keptToo = v128.load(middle, 16);
    const behind = row + (carriers << 3);
    const next = v128.load(behind);
    const nextToo = v128.load(behind, 16);
    ramp(row, row, half, load<f64>(POWER), -load<f64>(POWER, 8), stepRe, stepIm);
    v128.store(middle, kept);
    v128.store(middle, keptToo, 16);
    ramp(middle, middle, half, stepRe, stepIm, stepRe, stepIm);
    v128.store(behind, next);
    v128.store(behind, nextToo, 16);
  }
}

/** The symbols of SYMBOLS from SAMPLES to ROWS. */
export function demodulate(size: usize, carriers: usize, symbols: i32): void {
  const half = carriers >> 1;
  let symbol = SYMBOLS;
  let row = ROWS;
  for (let t = 0; t < symbols; t++, symbol += SYMBOL_BYTES, row += carriers << 3) {
    turnOf(load<f64>(symbol));
    const startRe = load<f64>(POWER);
    const startIm = load<f64>(POWER, 8);
    const step = load<f64>(symbol, 8);
    turnOf(step);
    const stepRe = load<f64>(POWER);
    const stepIm = load<f64>(POWER, 8);
    const first = <usize>load<f64>(symbol, 16);
    forwardRotated(size, SAMPLES + (first << 3), RESULT, FACTORS, ROTATION);
    turnOf(step * <f64>half);
    const powerRe = load<f64>(POWER);
    const powerIm = load<f64>(POWER, 8);
    // Carriers -half..-1 stand at the end of the bins, 1..half behind DC. What the lower half writes behind its end is
    // overwritten by the upper one.
    const lowRe = startRe * powerRe + startIm * powerIm;
    const lowIm = startIm * powerRe - startRe * powerIm;
    ramp(RESULT + ((size - half) << 3), row, half, lowRe, lowIm, stepRe, stepIm);
    const highRe = startRe * stepRe - startIm * stepIm;
    const highIm = startRe * stepIm + startIm * stepRe;
    ramp(RESULT + 8, row + (half << 3), half, highRe, highIm, stepRe, stepIm);
  }
}
