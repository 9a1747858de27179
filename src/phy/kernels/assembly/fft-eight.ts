// AssemblyScript, not TypeScript: part of the WebAssembly kernel of the Fourier transform, fft.ts.
//
// Stages of eight points.
import { storeJoined } from './fft-vectors.ts';

/** Last stage of 8 points, stride N/8: the 4-point transforms of the even and the odd ones, joined by w8 = (1 - i) / sqrt 2. */
export function lastOfEight<Direction>(size: usize, x: usize, y: usize): void {
  const stride = size;
  const half = f32x4.splat(<f32>Math.SQRT1_2);
  for (const end = x + stride; x < end; x += 32, y += 32) {
    const x2 = x + 2 * stride;
    const x4 = x + 4 * stride;
    const x6 = x + 6 * stride;
    let ar = v128.load(x + stride);
    let ai = v128.load(x + stride, 16);
    let br = v128.load(x2 + stride);
    let bi = v128.load(x2 + stride, 16);
    let cr = v128.load(x4 + stride);
    let ci = v128.load(x4 + stride, 16);
    let dr = v128.load(x6 + stride);
    let di = v128.load(x6 + stride, 16);
    let sr = f32x4.add(ar, cr);
    let si = f32x4.add(ai, ci);
    let mr = f32x4.sub(ar, cr);
    let mi = f32x4.sub(ai, ci);
    let tr = f32x4.add(br, dr);
    let ti = f32x4.add(bi, di);
    let ur = f32x4.sub(br, dr);
    let ui = f32x4.sub(bi, di);
    // The odd ones times 1, w8, -i, -i w8.
    const o0r = f32x4.add(sr, tr);
    const o0i = f32x4.add(si, ti);
    let re = f32x4.add(mr, ui);
    let im = f32x4.sub(mi, ur);
    const o1r = f32x4.mul(half, f32x4.add(re, im));
    const o1i = f32x4.mul(half, f32x4.sub(im, re));
    const o2r = f32x4.sub(si, ti);
    const o2i = f32x4.sub(tr, sr);
    re = f32x4.sub(mr, ui);
    im = f32x4.add(mi, ur);
    const o3r = f32x4.mul(half, f32x4.sub(im, re));
    const o3i = f32x4.neg(f32x4.mul(half, f32x4.add(re, im)));
    ar = v128.load(x);
    ai = v128.load(x, 16);
    br = v128.load(x2);
    bi = v128.load(x2, 16);
    cr = v128.load(x4);
    ci = v128.load(x4, 16);
    dr = v128.load(x6);
    di = v128.load(x6, 16);
    sr = f32x4.add(ar, cr);
    si = f32x4.add(ai, ci);
    mr = f32x4.sub(ar, cr);
    mi = f32x4.sub(ai, ci);
    tr = f32x4.add(br, dr);
    ti = f32x4.add(bi, di);
    ur = f32x4.sub(br, dr);
    ui = f32x4.sub(bi, di);
    const upper = y + 4 * stride;
    re = f32x4.add(sr, tr);
    im = f32x4.add(si, ti);
    storeJoined<Direction>(y, f32x4.add(re, o0r), f32x4.add(im, o0i));
    storeJoined<Direction>(upper, f32x4.sub(re, o0r), f32x4.sub(im, o0i));
    re = f32x4.add(mr, ui);
    im = f32x4.sub(mi, ur);
    storeJoined<Direction>(y + stride, f32x4.add(re, o1r), f32x4.add(im, o1i));
    storeJoined<Direction>(upper + stride, f32x4.sub(re, o1r), f32x4.sub(im, o1i));
    re = f32x4.sub(sr, tr);
    im = f32x4.sub(si, ti);
    storeJoined<Direction>(y + 2 * stride, f32x4.add(re, o2r), f32x4.add(im, o2i));
    storeJoined<Direction>(upper + 2 * stride, f32x4.sub(re, o2r), f32x4.sub(im, o2i));
    re = f32x4.sub(mr, ui);
    im = f32x4.add(mi, ur);
    storeJoined<Direction>(y + 3 * stride, f32x4.add(re, o3r), f32x4.add(im, o3i));
    storeJoined<Direction>(upper + 3 * stride, f32x4.sub(re, o3r), f32x4.sub(im, o3i));
  }
}

/** Four points times the factor at an address. */
function storeTurned(y: usize, re: v128, im: v128, w: usize): void {
  const wr = v128.load32_splat(w);
  const wi = v128.load32_splat(w, 4);
  v128.store(y, f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)));
  v128.store(y, f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)), 16);
}

/**
 * Stage of 8 points, of length n and stride s = N / n >= 4: as lastOfEight, with factors of p one after the other: w^p, ... w^7p,
 * each re, im.
 */
export function middleOfEight(size: usize, n: usize, x: usize, y: usize, factors: usize): void {
  const eighth = size;
  const stride = (size / n) << 3;
  const half = f32x4.splat(<f32>Math.SQRT1_2);
  let w = factors;
  for (const end = w + 7 * n; w < end; w += 56) {
    for (const last = x + stride; x < last; x += 32, y += 32) {
      const x2 = x + 2 * eighth;
      const x4 = x + 4 * eighth;
      const x6 = x + 6 * eighth;
      let ar = v128.load(x + eighth);
      let ai = v128.load(x + eighth, 16);
      let br = v128.load(x2 + eighth);
      let bi = v128.load(x2 + eighth, 16);
      let cr = v128.load(x4 + eighth);
      let ci = v128.load(x4 + eighth, 16);
      let dr = v128.load(x6 + eighth);
      let di = v128.load(x6 + eighth, 16);
      let sr = f32x4.add(ar, cr);
      let si = f32x4.add(ai, ci);
      let mr = f32x4.sub(ar, cr);
      let mi = f32x4.sub(ai, ci);
      let tr = f32x4.add(br, dr);
      let ti = f32x4.add(bi, di);
      let ur = f32x4.sub(br, dr);
      let ui = f32x4.sub(bi, di);
      const o0r = f32x4.add(sr, tr);
      const o0i = f32x4.add(si, ti);
      let re = f32x4.add(mr, ui);
      let im = f32x4.sub(mi, ur);
      const o1r = f32x4.mul(half, f32x4.add(re, im));
      const o1i = f32x4.mul(half, f32x4.sub(im, re));
      const o2r = f32x4.sub(si, ti);
      const o2i = f32x4.sub(tr, sr);
      re = f32x4.sub(mr, ui);
      im = f32x4.add(mi, ur);
      const o3r = f32x4.mul(half, f32x4.sub(im, re));
      const o3i = f32x4.mul(half, f32x4.add(re, im));
      ar = v128.load(x);
      ai = v128.load(x, 16);
      br = v128.load(x2);
      bi = v128.load(x2, 16);
      cr = v128.load(x4);
      ci = v128.load(x4, 16);
      dr = v128.load(x6);
      di = v128.load(x6, 16);
      sr = f32x4.add(ar, cr);
      si = f32x4.add(ai, ci);
      mr = f32x4.sub(ar, cr);
      mi = f32x4.sub(ai, ci);
      tr = f32x4.add(br, dr);
      ti = f32x4.add(bi, di);
      ur = f32x4.sub(br, dr);
      ui = f32x4.sub(bi, di);
      const y2 = y + 2 * stride;
      const y4 = y + 4 * stride;
      const y6 = y + 6 * stride;
      re = f32x4.add(sr, tr);
      im = f32x4.add(si, ti);
      v128.store(y, f32x4.add(re, o0r));
      v128.store(y, f32x4.add(im, o0i), 16);
      storeTurned(y4, f32x4.sub(re, o0r), f32x4.sub(im, o0i), w + 24);
      re = f32x4.add(mr, ui);
      im = f32x4.sub(mi, ur);
      storeTurned(y + stride, f32x4.add(re, o1r), f32x4.add(im, o1i), w);
      storeTurned(y4 + stride, f32x4.sub(re, o1r), f32x4.sub(im, o1i), w + 32);
      re = f32x4.sub(sr, tr);
      im = f32x4.sub(si, ti);
      storeTurned(y2, f32x4.add(re, o2r), f32x4.add(im, o2i), w + 8);
      storeTurned(y6, f32x4.sub(re, o2r), f32x4.sub(im, o2i), w + 40);
      re = f32x4.sub(mr, ui);
      im = f32x4.add(mi, ur);
      storeTurned(y2 + stride, f32x4.add(re, o3r), f32x4.sub(im, o3i), w + 16);
      storeTurned(y6 + stride, f32x4.sub(re, o3r), f32x4.add(im, o3i), w + 48);
    }
    y += 7 * stride;
  }
}
