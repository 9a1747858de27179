// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of Gaussian noise, made into ../noise-wasm-binary.ts by
// `npm run build:kernels`. ../noise-kernel.ts says what it computes, ../noise-wasm.ts calls it.
//
// First all pairs of uniform numbers, one after the other, without a branch on which are taken; then two pairs a vector. The
// logarithm is that of the engine, step by step in its order [fdlibm e_log, Sun Microsystems 1993]: the same bits.

/** The generator. u32 [4] */
export const STATE: usize = 1024;
/** Points inside the unit circle and their squared radius. f64 [4096][u, v], f64 [4096] */
const UV: usize = 2048;
const Q: usize = 67616;
/** Samples, to which noise is added. f32 [4096][re, im] */
export const SAMPLES: usize = 100400;

const SCALE: f64 = 4.656612873077393e-10;
/**
 * Constants of the logarithm, each once in memory: loading one costs less than what the engine makes of a constant in a loop. ln 2 in two parts, the
 * polynomial's coefficients and plain numbers; then whole numbers, by which the parts of a double are taken and judged.
 */
const LN2_HIGH: usize = 512;
const LN2_LOW: usize = 520;
const LG1: usize = 528;
const LG2: usize = 536;
const LG3: usize = 544;
const LG4: usize = 552;
const LG5: usize = 560;
const LG6: usize = 568;
const LG7: usize = 576;
const TWO: usize = 584;
const ONE: usize = 592;
const HALF: usize = 600;
const MINUS_TWO: usize = 608;
const MANTISSA: usize = 616;
const ROUND_UP: usize = 624;
const EXPONENT_ONE: usize = 632;
const EXPONENT_ZERO: usize = 640;
const LOW_WORD: usize = 648;
const NEAR_LOW: usize = 656;
const NEAR_HIGH: usize = 664;
const SMALL_SHIFT: usize = 672;
const SMALL: usize = 680;
store<f64>(LN2_HIGH, 0.6931471803691238);
store<f64>(LN2_LOW, 1.9082149292705877e-10);
store<f64>(LG1, 0.6666666666666735);
store<f64>(LG2, 0.3999999999940942);
store<f64>(LG3, 0.2857142874366239);
store<f64>(LG4, 0.22222198432149784);
store<f64>(LG5, 0.1818357216161805);
store<f64>(LG6, 0.15313837699209373);
store<f64>(LG7, 0.14798198605116586);
store<f64>(TWO, 2);
store<f64>(ONE, 1);
store<f64>(HALF, 0.5);
store<f64>(MINUS_TWO, -2);
store<u64>(MANTISSA, 0xfffff);
store<u64>(ROUND_UP, 0x95f64);
store<u64>(EXPONENT_ONE, 0x100000);
store<u64>(EXPONENT_ZERO, 0x3ff00000);
store<u64>(LOW_WORD, 0xffffffff);
store<u64>(NEAR_LOW, 0x6147a);
store<u64>(NEAR_HIGH, 0x6b851);
store<u64>(SMALL_SHIFT, 2);
store<u64>(SMALL, 3);

function splat(constant: usize): v128 {
  return v128.load64_splat(constant);
}

/** `count` points to UV and Q: xoshiro128** 1.1. */
function draw(count: usize): void {
  let a = load<u32>(STATE);
  let b = load<u32>(STATE, 4);
  let c = load<u32>(STATE, 8);
  let d = load<u32>(STATE, 12);
  const scale = f64x2.splat(SCALE);
  const one = splat(ONE);
  const below = load<u64>(ONE) - 1;
  let at: usize = 0;
  const end = count << 3;
  while (at < end) {
    const first = rotl(b * 5, 7) * 9;
    let t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    const second = rotl(b * 5, 7) * 9;
    t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    const uv = f64x2.sub(f64x2.mul(f64x2.convert_low_i32x4_u(i32x4(first, second, 0, 0)), scale), one);
    const square = f64x2.mul(uv, uv);
    const q = f64x2.extract_lane(square, 0) + f64x2.extract_lane(square, 1);
    v128.store(UV + (at << 1), uv);
    store<f64>(Q + at, q);
    // 0 < q < 1 by its bits.
    at += (<usize>(reinterpret<u64>(q) - 1 < below)) << 3;
  }
  store<u32>(STATE, a);
  store<u32>(STATE, b, 4);
  store<u32>(STATE, c, 8);
  store<u32>(STATE, d, 12);
}

/** ln x of two numbers in (0, 1), neither subnormal. */
function ln(x: v128): v128 {
  const bits = i64x2.shr_u(x, 32);
  const mantissa = v128.and(bits, splat(MANTISSA));
  const one = v128.and(i64x2.add(mantissa, splat(ROUND_UP)), splat(EXPONENT_ONE));
  const high = v128.or(mantissa, v128.xor(one, splat(EXPONENT_ZERO)));
  const f = f64x2.sub(v128.or(v128.and(x, splat(LOW_WORD)), i64x2.shl(high, 32)), splat(ONE));
  const exponent = i64x2.add(i64x2.shr_u(bits, 20), i64x2.shr_u(one, 20));
  const packed = i32x4.sub(v128.shuffle<i32>(exponent, exponent, 0, 2, 0, 2), i32x4.splat(1023));
  const k = f64x2.convert_low_i32x4_s(packed);
  const kLow = f64x2.mul(k, splat(LN2_LOW));
  const kHigh = f64x2.mul(k, splat(LN2_HIGH));
  const s = f64x2.div(f, f64x2.add(splat(TWO), f));
  const z = f64x2.mul(s, s);
  const w = f64x2.mul(z, z);
  const t1 = f64x2.mul(w, f64x2.add(splat(LG2), f64x2.mul(w, f64x2.add(splat(LG4), f64x2.mul(w, splat(LG6))))));
  const t2 = f64x2.mul(
    z,
    f64x2.add(
      splat(LG1),
      f64x2.mul(w, f64x2.add(splat(LG3), f64x2.mul(w, f64x2.add(splat(LG5), f64x2.mul(w, splat(LG7)))))),
    ),
  );
  const r = f64x2.add(t2, t1);
  const half = f64x2.mul(f64x2.mul(splat(HALF), f), f);
  // Which of the two sums it is depends on the mantissa.
  const near = i64x2.gt_s(
    v128.or(i64x2.sub(mantissa, splat(NEAR_LOW)), i64x2.sub(splat(NEAR_HIGH), mantissa)),
    i64x2.splat(0),
  );
  const inner = f64x2.add(f64x2.mul(s, f64x2.add(half, r)), kLow);
  const a = f64x2.sub(half, inner);
  const b = f64x2.sub(f64x2.mul(s, f64x2.sub(f, r)), kLow);
  const usual = f64x2.sub(kHigh, f64x2.sub(v128.bitselect(a, b, near), f));
  // A mantissa within 2^-20 of 1: once in half a million.
  const small = i64x2.lt_s(v128.and(i64x2.add(mantissa, splat(SMALL_SHIFT)), splat(MANTISSA)), splat(SMALL));
  if (!v128.any_true(small)) return usual;
  const third = f64x2.sub(splat(HALF), f64x2.mul(f64x2.splat(0.3333333333333333), f));
  const rest = f64x2.mul(f64x2.mul(f, f), third);
  const short = f64x2.sub(kHigh, f64x2.sub(f64x2.sub(rest, kLow), f));
  return v128.bitselect(short, usual, small);
}

/** Adds noise to `count` of SAMPLES; sigma is that of a component. */
export function add(count: usize, sigma: f64): void {
  draw(count);
  const scale = f64x2.splat(sigma);
  let p = SAMPLES;
  for (let at: usize = 0, end = count << 3; at < end; at += 16, p += 16) {
    const q = v128.load(Q + at);
    const f = f64x2.sqrt(f64x2.div(f64x2.mul(splat(MINUS_TWO), ln(q)), q));
    const a = f64x2.mul(v128.load(UV + (at << 1)), v128.shuffle<f64>(f, f, 0, 0));
    const b = f64x2.mul(v128.load(UV + (at << 1), 16), v128.shuffle<f64>(f, f, 1, 1));
    const x = v128.load(p);
    const high = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
    const first = f64x2.add(f64x2.promote_low_f32x4(x), f64x2.mul(scale, a));
    const second = f64x2.add(f64x2.promote_low_f32x4(high), f64x2.mul(scale, b));
    v128.store(p, v128.shuffle<f32>(f32x4.demote_f64x2_zero(first), f32x4.demote_f64x2_zero(second), 0, 1, 4, 5));
  }
}
