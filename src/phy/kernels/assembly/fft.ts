// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the Fourier transform, made into ../fft-wasm-binary.ts by
// `npm run build:kernels`. ../fft-kernel.ts says what it computes, ../fft-wasm.ts calls it.
//
// Radix-4 Stockham as in ../fft-plain.ts, in single precision, four butterflies side by side in the lanes. Between the
// first stage and the last, real and imaginary parts stand apart in groups of four, [N/4][re x 4, im x 4]: no factor needs
// a shuffle then. The first
// stage runs along p and transposes 4 x 4 on the way out, all others run along q and take one factor for all lanes. What
// is left at the end, 4 or 8 points, has no factors but those of the 8-point transform. Stages of 8 points behind the first few save
// passes over the memory: 256 points take three, 1024 and 2048 four.
// The inverse is the forward transform with real and imaginary parts exchanged on the way in and out. Two types stand for
// the directions, and two for whether the source is rotated on the way in, so that the compiler makes a stage for each and no
// loop has to choose.
import { lastOfEight, middleOfEight } from './fft-eight.ts';
import { imag, real, storeJoined, storeTransposed, turnedImag, turnedReal } from './fft-vectors.ts';

/** Where samples come in and go out, at most 4096 points each. f32 [N][re, im] */
export const SOURCE: usize = 1024;
export const RESULT: usize = 33792;
/** Stages write here and there in turn. f32 [N/4][re x 4, im x 4] */
const HERE: usize = 66560;
const THERE: usize = 99328;
/** Factors of every size in use, one after the other. f32, at most 2 N for each size */
export const FACTORS: usize = 132096;

type Forward = i32;
type Inverse = u32;
type Plain = i32;
type Rotated = u32;

/**
 * Stride 1: points p, p + N/4, ... of the source; factors w^p, w^2p, w^3p as re[N/4], im[N/4] each. The rotation of every
 * point: [N/4][re x 4, im x 4].
 */
function firstStage<Direction, Turn>(size: usize, source: usize, to: usize, factors: usize, rotation: usize): void {
  const quarter = size << 1;
  let w = factors;
  let x = source;
  let y = to;
  for (const end = w + size; w < end; w += 16, x += 32, y += 128) {
    const a0 = v128.load(x);
    const a1 = v128.load(x, 16);
    const b0 = v128.load(x + quarter);
    const b1 = v128.load(x + quarter, 16);
    const c0 = v128.load(x + 2 * quarter);
    const c1 = v128.load(x + 2 * quarter, 16);
    const d0 = v128.load(x + 3 * quarter);
    const d1 = v128.load(x + 3 * quarter, 16);
    let ar = real<Direction>(a0, a1);
    let ai = imag<Direction>(a0, a1);
    let br = real<Direction>(b0, b1);
    let bi = imag<Direction>(b0, b1);
    let cr = real<Direction>(c0, c1);
    let ci = imag<Direction>(c0, c1);
    let dr = real<Direction>(d0, d1);
    let di = imag<Direction>(d0, d1);
    if (!isSigned<Turn>()) {
      const turn = rotation + (x - source);
      const a2 = ar;
      ar = turnedReal(ar, ai, turn);
      ai = turnedImag(a2, ai, turn);
      const b2 = br;
      br = turnedReal(br, bi, turn + quarter);
      bi = turnedImag(b2, bi, turn + quarter);
      const c2 = cr;
      cr = turnedReal(cr, ci, turn + 2 * quarter);
      ci = turnedImag(c2, ci, turn + 2 * quarter);
      const d2 = dr;
      dr = turnedReal(dr, di, turn + 3 * quarter);
      di = turnedImag(d2, di, turn + 3 * quarter);
    }
    const sr = f32x4.add(ar, cr);
    const si = f32x4.add(ai, ci);
    const mr = f32x4.sub(ar, cr);
    const mi = f32x4.sub(ai, ci);
    const tr = f32x4.add(br, dr);
    const ti = f32x4.add(bi, di);
    const ur = f32x4.sub(br, dr);
    const ui = f32x4.sub(bi, di);
    let re = f32x4.add(mr, ui);
    let im = f32x4.sub(mi, ur);
    let wr = v128.load(w);
    let wi = v128.load(w + size);
    const y1r = f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi));
    const y1i = f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr));
    re = f32x4.sub(sr, tr);
    im = f32x4.sub(si, ti);
    wr = v128.load(w + 2 * size);
    wi = v128.load(w + 3 * size);
    const y2r = f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi));
    const y2i = f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr));
    re = f32x4.sub(mr, ui);
    im = f32x4.add(mi, ur);
    wr = v128.load(w + 4 * size);
    wi = v128.load(w + 5 * size);
    const y3r = f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi));
    const y3i = f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr));
    storeTransposed(y, f32x4.add(sr, tr), y1r, y2r, y3r);
    storeTransposed(y + 16, f32x4.add(si, ti), y1i, y2i, y3i);
  }
}

/** Stage of length n and stride s = N / n >= 4; factors of p one after the other: w^p, w^2p, w^3p, each re, im. */
function middleStage(size: usize, n: usize, x: usize, y: usize, factors: usize): void {
  const quarter = size << 1;
  const stride = (size / n) << 3;
  let w = factors;
  for (const end = w + 6 * n; w < end; w += 24) {
    const w1r = v128.load32_splat(w);
    const w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8);
    const w2i = v128.load32_splat(w, 12);
    const w3r = v128.load32_splat(w, 16);
    const w3i = v128.load32_splat(w, 20);
    for (const last = x + stride; x < last; x += 32, y += 32) {
      const x2 = x + 2 * quarter;
      const ar = v128.load(x);
      const ai = v128.load(x, 16);
      const br = v128.load(x + quarter);
      const bi = v128.load(x + quarter, 16);
      const cr = v128.load(x2);
      const ci = v128.load(x2, 16);
      const dr = v128.load(x2 + quarter);
      const di = v128.load(x2 + quarter, 16);
      const sr = f32x4.add(ar, cr);
      const si = f32x4.add(ai, ci);
      const mr = f32x4.sub(ar, cr);
      const mi = f32x4.sub(ai, ci);
      const tr = f32x4.add(br, dr);
      const ti = f32x4.add(bi, di);
      const ur = f32x4.sub(br, dr);
      const ui = f32x4.sub(bi, di);
      v128.store(y, f32x4.add(sr, tr));
      v128.store(y, f32x4.add(si, ti), 16);
      const y1 = y + stride;
      const y2 = y1 + stride;
      const y3 = y2 + stride;
      let re = f32x4.add(mr, ui);
      let im = f32x4.sub(mi, ur);
      v128.store(y1, f32x4.sub(f32x4.mul(re, w1r), f32x4.mul(im, w1i)));
      v128.store(y1, f32x4.add(f32x4.mul(re, w1i), f32x4.mul(im, w1r)), 16);
      re = f32x4.sub(sr, tr);
      im = f32x4.sub(si, ti);
      v128.store(y2, f32x4.sub(f32x4.mul(re, w2r), f32x4.mul(im, w2i)));
      v128.store(y2, f32x4.add(f32x4.mul(re, w2i), f32x4.mul(im, w2r)), 16);
      re = f32x4.sub(mr, ui);
      im = f32x4.add(mi, ur);
      v128.store(y3, f32x4.sub(f32x4.mul(re, w3r), f32x4.mul(im, w3i)));
      v128.store(y3, f32x4.add(f32x4.mul(re, w3i), f32x4.mul(im, w3r)), 16);
    }
    y += 3 * stride;
  }
}

/** Last stage of 4 points, stride N/4: no factors; joins real and imaginary parts again. */
function lastOfFour<Direction>(size: usize, x: usize, y: usize): void {
  const stride = size << 1;
  for (const end = x + stride; x < end; x += 32, y += 32) {
    const x2 = x + 2 * stride;
    const ar = v128.load(x);
    const ai = v128.load(x, 16);
    const br = v128.load(x + stride);
    const bi = v128.load(x + stride, 16);
    const cr = v128.load(x2);
    const ci = v128.load(x2, 16);
    const dr = v128.load(x2 + stride);
    const di = v128.load(x2 + stride, 16);
    const sr = f32x4.add(ar, cr);
    const si = f32x4.add(ai, ci);
    const mr = f32x4.sub(ar, cr);
    const mi = f32x4.sub(ai, ci);
    const tr = f32x4.add(br, dr);
    const ti = f32x4.add(bi, di);
    const ur = f32x4.sub(br, dr);
    const ui = f32x4.sub(bi, di);
    storeJoined<Direction>(y, f32x4.add(sr, tr), f32x4.add(si, ti));
    storeJoined<Direction>(y + stride, f32x4.add(mr, ui), f32x4.sub(mi, ur));
    storeJoined<Direction>(y + 2 * stride, f32x4.sub(sr, tr), f32x4.sub(si, ti));
    storeJoined<Direction>(y + 3 * stride, f32x4.sub(mr, ui), f32x4.add(mi, ur));
  }
}

/**
 * The stages between the first, which wrote to HERE, and the last; returns where that one finds its input. So many are of 4 points
 * that all others, with the last, are of 8.
 */
function middleStages(size: usize, factors: usize): usize {
  let from = HERE;
  let to = THERE;
  let w = factors + 6 * size;
  let n = size >> 2;
  let fours = (3 - (<i32>ctz(n) % 3)) % 3;
  while (n > 8) {
    if (fours > 0) {
      middleStage(size, n, from, to, w);
      w += 6 * n;
      n >>= 2;
      fours--;
    } else {
      middleOfEight(size, n, from, to, w);
      w += 7 * n;
      n >>= 3;
    }
    const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

function transform<Direction, Turn>(size: usize, source: usize, result: usize, factors: usize, rotation: usize): void {
  firstStage<Direction, Turn>(size, source, HERE, factors, rotation);
  const from = middleStages(size, factors);
  if (size === 16 || size === 64) lastOfFour<Direction>(size, from, result);
  else lastOfEight<Direction>(size, from, result);
}

/** Of size 16, 32, ... 4096; source and result are [size][re, im] and do not overlap. */
export function forward(size: usize, source: usize, result: usize, factors: usize): void {
  transform<Forward, Plain>(size, source, result, factors, 0);
}

export function inverse(size: usize, source: usize, result: usize, factors: usize): void {
  transform<Inverse, Plain>(size, source, result, factors, 0);
}

/** For other kernels: every point of the source is first multiplied by its own of `rotation`, [size/4][re x 4, im x 4]. */
export function forwardRotated(size: usize, source: usize, result: usize, factors: usize, rotation: usize): void {
  transform<Forward, Rotated>(size, source, result, factors, rotation);
}
