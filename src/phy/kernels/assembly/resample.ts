// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the front end, made into ../resample-wasm-binary.ts by
// `npm run build:kernels`. ../resample-kernel.ts says what it computes, ../resample-wasm.ts calls it.
//
// Two complex samples a vector, [re, im, re, im], all the way. An instance serves one stream: what the filter remembers lies
// in its memory. Every tap stands twice in a row, so that it meets real and imaginary part without a shuffle; the branches follow
// one another as they are used, each behind the step to the next, so that only the last has to look for the first.

/** Samples as they come from the device, at most 2048. [n][i, q] of i8, i16 or f32 */
export const NATIVE: usize = 1024;
/** Cosines and sines of a shift over 256 samples, each twice: f32 [256 + 1][2] */
export const COSINES: usize = 17424;
export const SINES: usize = 19488;
/** Sums of I, Q, I^2, Q^2, I Q of all samples taken in since the caller set them to 0. f64 [5] */
export const MOMENTS: usize = 21552;
/** What the filter looks back on, and behind it what was taken in last. f32 [taps - 1 + 2048][re, im], and a vector more */
export const HISTORY: usize = 21632;
/** f32 [8192][re, im], and a vector more */
export const RESULT: usize = 70848;
/** [up]: u32 bytes from the input of this branch to that of the next, 12 bytes of nothing, f32 [taps][2] */
export const BRANCHES: usize = 136448;

type Plain = i32;
type Shifted = u32;

/** Input of the next output, from HISTORY on, and its branch. */
let position: usize = 0;
let branch: usize = BRANCHES;

/** Taps of a branch: a multiple of 4. */
let taps: usize = 0;
let branchesEnd: usize = BRANCHES;

export function setUp(up: usize, perBranch: usize): void {
  taps = perBranch;
  branchesEnd = BRANCHES + up * (16 + 8 * perBranch);
  reset();
}

export function reset(): void {
  position = 0;
  branch = BRANCHES;
  memory.fill(HISTORY, 0, 8 * taps);
}

/** Two samples as floats. */
function pair<Format>(at: usize): v128 {
  if (sizeof<Format>() === 1)
    return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(at))));
  if (sizeof<Format>() === 2) return f32x4.convert_i32x4_s(v128.load16x4_s(at));
  return v128.load(at);
}

/** Adds the lanes of sums over [I, Q, I, Q] and of products I Q, each there twice. */
function addMoments(sum: v128, power: v128, cross: v128): void {
  const s = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
  const p = f32x4.add(power, v128.shuffle<f32>(power, power, 2, 3, 0, 1));
  const c = f32x4.add(cross, v128.shuffle<f32>(cross, cross, 2, 3, 0, 1));
  v128.store(MOMENTS, f64x2.add(v128.load(MOMENTS), f64x2.promote_low_f32x4(s)));
  v128.store(MOMENTS, f64x2.add(v128.load(MOMENTS, 16), f64x2.promote_low_f32x4(p)), 16);
  store<f64>(MOMENTS, load<f64>(MOMENTS, 32) + <f64>f32x4.extract_lane(c, 0), 32);
}

/** Turns two samples by two rotations, given as [re, re], and [-im, im]. */
function turned(x: v128, re: v128, im: v128): v128 {
  return f32x4.add(f32x4.mul(x, re), f32x4.mul(v128.shuffle<f32>(x, x, 1, 0, 3, 2), im));
}

function alternating(value: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(value), 0, -value), 2, -value);
}

/** Takes in n samples from `from` on and returns how many components of them were no finite numbers. */
function take<Format, Shift>(
  from: usize,
  n: usize,
  to: usize,
  scale: f32,
  reGain: f32,
  imGain: f32,
  reToIm: f32,
  reOffset: f32,
  imOffset: f32,
  at: usize,
  anchorRe: f32,
  anchorIm: f32,
): i32 {
  const zero = f32x4.splat(0);
  const scales = f32x4.splat(scale);
  const gains = v128.shuffle<f32>(f32x4.splat(reGain), f32x4.splat(imGain), 0, 4, 0, 4);
  const crossed = v128.shuffle<f32>(zero, f32x4.splat(reToIm), 0, 4, 0, 4);
  const offsets = v128.shuffle<f32>(f32x4.splat(reOffset), f32x4.splat(imOffset), 0, 4, 0, 4);
  const aRe = f32x4.splat(anchorRe);
  const aIm = f32x4.splat(anchorIm);
  const signedRe = alternating(anchorRe);
  const signedIm = alternating(anchorIm);
  let sum = zero;
  let power = zero;
  let cross = zero;
  let finite = i32x4.splat(0);
  let x = from;
  let y = to;
  let turn = at << 3;
  const end = to + (n << 3);
  for (const odd = end - 8; y < end; y += 16) {
    let v = f32x4.mul(pair<Format>(x), scales);
    x += 4 * sizeof<Format>();
    // What stands behind the last of an odd number is not looked at.
    if (y === odd) v = v128.and(v, i64x2(-1, 0));
    if (isFloat<Format>()) {
      const good = f32x4.eq(f32x4.sub(v, v), zero);
      v = v128.and(v, good);
      finite = i32x4.sub(finite, good);
    }
    const swapped = v128.shuffle<f32>(v, v, 1, 0, 3, 2);
    sum = f32x4.add(sum, v);
    power = f32x4.add(power, f32x4.mul(v, v));
    cross = f32x4.add(cross, f32x4.mul(v, swapped));
    let out = f32x4.add(f32x4.add(f32x4.mul(v, gains), f32x4.mul(swapped, crossed)), offsets);
    if (!isSigned<Shift>()) {
      const cosine = v128.load(COSINES + turn);
      const sine = v128.load(SINES + turn);
      const re = f32x4.sub(f32x4.mul(cosine, aRe), f32x4.mul(sine, aIm));
      const im = f32x4.add(f32x4.mul(cosine, signedIm), f32x4.mul(sine, signedRe));
      out = turned(out, re, im);
      turn += 16;
    }
    v128.store(y, out);
  }
  addMoments(sum, power, cross);
  if (!isFloat<Format>()) return 0;
  const lanes = i32x4.extract_lane(finite, 0) + i32x4.extract_lane(finite, 1);
  return 4 * <i32>((n + 1) >> 1) - (lanes + i32x4.extract_lane(finite, 2) + i32x4.extract_lane(finite, 3));
}

/**
 * Takes in samples from..from + n of NATIVE, bytes or words or floats (1, 2, 4 bytes a component), to address `to`: times
 * `scale`, summed into MOMENTS, corrected, and with `shifted` turned by anchor x table from sample `at` of it on.
 */
export function intake(
  bytes: i32,
  shifted: bool,
  from: usize,
  n: usize,
  to: usize,
  scale: f32,
  reGain: f32,
  imGain: f32,
  reToIm: f32,
  reOffset: f32,
  imOffset: f32,
  at: usize,
  re: f32,
  im: f32,
): i32 {
  const x = NATIVE + 2 * from * bytes;
  if (shifted) {
    if (bytes === 1) return take<i8, Shifted>(x, n, to, scale, reGain, imGain, reToIm, reOffset, imOffset, at, re, im);
    if (bytes === 2) return take<i16, Shifted>(x, n, to, scale, reGain, imGain, reToIm, reOffset, imOffset, at, re, im);
    return take<f32, Shifted>(x, n, to, scale, reGain, imGain, reToIm, reOffset, imOffset, at, re, im);
  }
  if (bytes === 1) return take<i8, Plain>(x, n, to, scale, reGain, imGain, reToIm, reOffset, imOffset, 0, 1, 0);
  if (bytes === 2) return take<i16, Plain>(x, n, to, scale, reGain, imGain, reToIm, reOffset, imOffset, 0, 1, 0);
  return take<f32, Plain>(x, n, to, scale, reGain, imGain, reToIm, reOffset, imOffset, 0, 1, 0);
}

/** Resamples the n samples taken in at HISTORY + 8 (taps - 1) and forgets what is no longer looked at; returns the outputs at `to`. */
export function filter(n: usize, to: usize): usize {
  const length = taps << 3;
  const end = HISTORY + (n << 3);
  const last = branchesEnd;
  let x = HISTORY + position;
  let w = branch;
  let y = to;
  for (; x < end; y += 8) {
    const step = <usize>load<u32>(w);
    w += 16;
    let even = f32x4.mul(v128.load(x), v128.load(w));
    let odd = f32x4.mul(v128.load(x, 16), v128.load(w, 16));
    let p = x + 32;
    const stop = w + length;
    for (w += 32; w < stop; w += 32, p += 32) {
      even = f32x4.add(even, f32x4.mul(v128.load(p), v128.load(w)));
      odd = f32x4.add(odd, f32x4.mul(v128.load(p, 16), v128.load(w, 16)));
    }
    even = f32x4.add(even, odd);
    v128.store64_lane(y, f32x4.add(even, v128.shuffle<f32>(even, even, 2, 3, 0, 1)), 0);
    x += step;
    if (w === last) w = BRANCHES;
  }
  position = x - end;
  branch = w;
  memory.copy(HISTORY, end, length - 8);
  return (y - to) >> 3;
}

/** Turns n outputs from `from` on by anchor x table from sample `at` of it on. */
export function shift(from: usize, n: usize, at: usize, anchorRe: f32, anchorIm: f32): void {
  const aRe = f32x4.splat(anchorRe);
  const aIm = f32x4.splat(anchorIm);
  const signedRe = alternating(anchorRe);
  const signedIm = alternating(anchorIm);
  let turn = at << 3;
  let x = from;
  for (const end = from + (n << 3); x < end; x += 16, turn += 16) {
    const cosine = v128.load(COSINES + turn);
    const sine = v128.load(SINES + turn);
    const re = f32x4.sub(f32x4.mul(cosine, aRe), f32x4.mul(sine, aIm));
    const im = f32x4.add(f32x4.mul(cosine, signedIm), f32x4.mul(sine, signedRe));
    const out = turned(v128.load(x), re, im);
    // Behind the last of an odd number stands a sample that is turned later.
    if (x + 8 === end) v128.store64_lane(x, out, 0);
    else v128.store(x, out);
  }
}
