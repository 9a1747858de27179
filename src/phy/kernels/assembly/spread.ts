// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of DFT spreading, made into ../spread-wasm-binary.ts by
// `npm run build:kernels`. ../spread-kernel.ts says what it computes, ../spread-wasm.ts calls it.
//
// Four groups of one length side by side in the lanes, real and imaginary parts in vectors of their own: no shuffle anywhere.

/** The groups, in and out. f32 [154][re x 4, im x 4] */
export const LANES: usize = 1024;
/** f32 [154][re x 4, im x 4] */
const MIDDLE: usize = 5952;
/** x_i + x_(p-i) and x_i - x_(p-i). f32 [76][sum re, sum im, difference re, difference im][x 4] */
const PAIRS: usize = 10880;
/** cos and sin of 2 pi m / n of every length in use, one after the other. f32 [n][cos, sin] */
export const TABLES: usize = 15744;

/** Where the numbers of one transform go, and what they are multiplied by on the way: `scale`, or w^(turn k) of the table. */
let to: usize = 0;
let toStep: usize = 0;
let turn: usize = 0;
let table: usize = 0;
let length: usize = 0;

function put<Last>(k: usize, re: v128, im: v128, scale: v128): void {
  const at = to + k * toStep;
  if (isSigned<Last>()) {
    v128.store(at, f32x4.mul(re, scale));
    v128.store(at, f32x4.mul(im, scale), 16);
  } else {
    const w = table + (((turn * k) % length) << 3);
    const cos = v128.load32_splat(w);
    const sin = v128.load32_splat(w, 4);
    v128.store(at, f32x4.add(f32x4.mul(re, cos), f32x4.mul(im, sin)));
    v128.store(at, f32x4.sub(f32x4.mul(im, cos), f32x4.mul(re, sin)), 16);
  }
}

/**
 * X_k = sum of x_i exp(-2 pi i k / p) over p numbers: x_i and x_(p-i) share one cosine and, up to its sign, one sine, and so do
 * X_k and X_(p-k).
 */
function transformOf<Last>(p: usize, from: usize, fromStep: usize, scale: v128): void {
  const half = (p - 1) >> 1;
  const even = (p & 1) === 0 && p > 1;
  const first = v128.load(from);
  const firstIm = v128.load(from, 16);
  let re = first;
  let im = firstIm;
  let low = from + fromStep;
  let high = from + (p - 1) * fromStep;
  const end = PAIRS + (half << 6);
  for (let pair = PAIRS; pair < end; pair += 64, low += fromStep, high -= fromStep) {
    const a = v128.load(low);
    const b = v128.load(high);
    const aIm = v128.load(low, 16);
    const bIm = v128.load(high, 16);
    const sum = f32x4.add(a, b);
    const sumIm = f32x4.add(aIm, bIm);
    v128.store(pair, sum);
    v128.store(pair, sumIm, 16);
    v128.store(pair, f32x4.sub(a, b), 32);
    v128.store(pair, f32x4.sub(aIm, bIm), 48);
    re = f32x4.add(re, sum);
    im = f32x4.add(im, sumIm);
  }
  let middle = f32x4.splat(0);
  let middleIm = middle;
  if (even) {
    middle = v128.load(low);
    middleIm = v128.load(low, 16);
    re = f32x4.add(re, middle);
    im = f32x4.add(im, middleIm);
  }
  put<Last>(0, re, im, scale);
  const period = length << 3;
  const unit = period / p;
  for (let k: usize = 1; k <= half; k++) {
    // The middle one stands with (-1)^k.
    let a = (k & 1) !== 0 ? f32x4.sub(first, middle) : f32x4.add(first, middle);
    let aIm = (k & 1) !== 0 ? f32x4.sub(firstIm, middleIm) : f32x4.add(firstIm, middleIm);
    let b = f32x4.splat(0);
    let bIm = b;
    const step = unit * k;
    let w = step;
    for (let pair = PAIRS; pair < end; pair += 64) {
      const cos = v128.load32_splat(table + w);
      const sin = v128.load32_splat(table + w, 4);
      a = f32x4.add(a, f32x4.mul(v128.load(pair), cos));
      aIm = f32x4.add(aIm, f32x4.mul(v128.load(pair, 16), cos));
      b = f32x4.add(b, f32x4.mul(v128.load(pair, 32), sin));
      bIm = f32x4.add(bIm, f32x4.mul(v128.load(pair, 48), sin));
      w += step;
      if (w >= period) w -= period;
    }
    put<Last>(k, f32x4.add(a, bIm), f32x4.sub(aIm, b), scale);
    put<Last>(p - k, f32x4.sub(a, bIm), f32x4.add(aIm, b), scale);
  }
  if (even) {
    const k = p >> 1;
    re = (k & 1) !== 0 ? f32x4.sub(first, middle) : f32x4.add(first, middle);
    im = (k & 1) !== 0 ? f32x4.sub(firstIm, middleIm) : f32x4.add(firstIm, middleIm);
    let minus = true;
    for (let pair = PAIRS; pair < end; pair += 64, minus = !minus) {
      re = minus ? f32x4.sub(re, v128.load(pair)) : f32x4.add(re, v128.load(pair));
      im = minus ? f32x4.sub(im, v128.load(pair, 16)) : f32x4.add(im, v128.load(pair, 16));
    }
    put<Last>(k, re, im, scale);
  }
}

type Twiddled = u32;
type Scaled = i32;

/** LANES to LANES, of length n = a b: first over a numbers each, then over b. */
export function transform(n: usize, a: usize, tableAt: usize, scale: f32): void {
  const b = n / a;
  const scales = f32x4.splat(scale);
  length = n;
  table = tableAt;
  toStep = b << 5;
  for (let i: usize = 0; i < b; i++) {
    turn = i;
    to = MIDDLE + (i << 5);
    transformOf<Twiddled>(a, LANES + (i << 5), b << 5, scales);
  }
  toStep = a << 5;
  for (let k: usize = 0; k < a; k++) {
    to = LANES + (k << 5);
    transformOf<Scaled>(b, MIDDLE + ((k * b) << 5), 32, scales);
  }
}
