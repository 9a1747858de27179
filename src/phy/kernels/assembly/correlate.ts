// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the search for preambles, made into
// ../correlate-wasm-binary.ts by `npm run build:kernels`. ../correlate-kernel.ts says what it computes, ../correlate-wasm.ts
// calls it.
//
// Lag products run over two samples a vector; everything after them over four hops a vector, whose metrics read the same
// pairs one place further on each.

/** Where in the row of pairs the +1 and then the -1 of the products stand, bytes. u32 [32] */
export const OFFSETS: usize = 1024;
/** Lag products and energies of hops: 7 of the past, then new ones, and what a vector may touch behind them. f32 [528] each */
export const CROSS_RE: usize = 2048;
export const CROSS_IM: usize = 4160;
export const ENERGY: usize = 6272;
/** Pairs of segments: those of the past, then new ones. f32 [656] each */
export const PAIR_RE: usize = 8384;
export const PAIR_IM: usize = 11008;
/** Metric of every new hop. f32 [528] each */
export const METRIC_RE: usize = 13632;
export const METRIC_IM: usize = 15744;
export const PLAIN: usize = 17856;
/** Sums over two samples a vector, of every hop. f32 [512 + 3][re, im, energy][4] */
const SUMS: usize = 19968;
/** Result of `repeated`. f64 [re, im, energy] */
export const REPEATED: usize = 44800;
/** Signs of segments. f32 [52] */
export const SIGNS: usize = 44832;
/** f32 [4096 + some][re, im] */
export const SAMPLES: usize = 45056;

const PAIR_PAST: usize = 7;
const LEAST_ENERGY: f32 = 1e-20;

/** Sums of the even and of the odd lanes of four vectors 48 bytes apart, added (re, energy) or subtracted (im). */
function reduce(at: usize, sign: v128): v128 {
  const a = v128.load(at);
  const b = v128.load(at, 48);
  const c = v128.load(at, 96);
  const d = v128.load(at, 144);
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  const even = v128.shuffle<f32>(ab, cd, 0, 1, 4, 5);
  const odd = v128.shuffle<f32>(ab, cd, 2, 3, 6, 7);
  return f32x4.add(even, v128.xor(odd, sign));
}

/** Lag products and energies of `count` hops. */
function products(hop: usize, lag: usize, count: usize): void {
  let p = SAMPLES;
  const ahead = lag << 3;
  let out = SUMS;
  for (let h: usize = 0; h < count; h++, out += 48) {
    let re = f32x4.splat(0);
    let im = f32x4.splat(0);
    let energy = f32x4.splat(0);
    let re2 = f32x4.splat(0);
    let im2 = f32x4.splat(0);
    let energy2 = f32x4.splat(0);
    for (const end = p + (hop << 3); p < end; p += 32) {
      const x = v128.load(p);
      const y = v128.load(p + ahead);
      re = f32x4.add(re, f32x4.mul(x, y));
      im = f32x4.add(im, f32x4.mul(x, v128.shuffle<f32>(y, y, 1, 0, 3, 2)));
      energy = f32x4.add(energy, f32x4.mul(x, x));
      const u = v128.load(p, 16);
      const v = v128.load(p + ahead, 16);
      re2 = f32x4.add(re2, f32x4.mul(u, v));
      im2 = f32x4.add(im2, f32x4.mul(u, v128.shuffle<f32>(v, v, 1, 0, 3, 2)));
      energy2 = f32x4.add(energy2, f32x4.mul(u, u));
    }
    v128.store(out, f32x4.add(re, re2));
    v128.store(out, f32x4.add(im, im2), 16);
    v128.store(out, f32x4.add(energy, energy2), 32);
  }
  const plus = i32x4.splat(0);
  const minus = i32x4.splat(0x80000000);
  let at = SUMS;
  const past = PAIR_PAST << 2;
  for (let h: usize = 0; h < count << 2; h += 16, at += 192) {
    v128.store(CROSS_RE + past + h, reduce(at, plus));
    v128.store(CROSS_IM + past + h, reduce(at + 16, minus));
    v128.store(ENERGY + past + h, reduce(at + 32, plus));
  }
}

/** Of four hops from an address on, for four addresses. */
function segment(at: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(at), v128.load(at, 4)), f32x4.add(v128.load(at, 8), v128.load(at, 12)));
}

/** Normalised products of `count` pairs of segments, behind `past` of them. */
function pairs(count: usize, past: usize): void {
  const least = f32x4.splat(LEAST_ENERGY);
  const one = f32x4.splat(1);
  for (let h: usize = 0; h < count << 2; h += 16) {
    const first = f32x4.sqrt(segment(ENERGY + h));
    const second = f32x4.sqrt(segment(ENERGY + h + 16));
    const norm = f32x4.mul(first, second);
    const scale = v128.and(f32x4.div(one, norm), f32x4.gt(norm, least));
    v128.store(PAIR_RE + (past << 2) + h, f32x4.mul(scale, segment(CROSS_RE + h)));
    v128.store(PAIR_IM + (past << 2) + h, f32x4.mul(scale, segment(CROSS_IM + h)));
  }
}

/** The metrics of `count` hops: `plus` offsets of pairs to add, and as many less to subtract up to `all`. */
function metrics(count: usize, plus: usize, all: usize): void {
  const middle = OFFSETS + (plus << 2);
  const end = OFFSETS + (all << 2);
  for (let h: usize = 0; h < count << 2; h += 16) {
    let plusRe = f32x4.splat(0);
    let plusIm = f32x4.splat(0);
    let minusRe = f32x4.splat(0);
    let minusIm = f32x4.splat(0);
    for (let o = OFFSETS; o < middle; o += 4) {
      const at = <usize>load<u32>(o) + h;
      plusRe = f32x4.add(plusRe, v128.load(at + PAIR_RE));
      plusIm = f32x4.add(plusIm, v128.load(at + PAIR_IM));
    }
    for (let o = middle; o < end; o += 4) {
      const at = <usize>load<u32>(o) + h;
      minusRe = f32x4.add(minusRe, v128.load(at + PAIR_RE));
      minusIm = f32x4.add(minusIm, v128.load(at + PAIR_IM));
    }
    v128.store(METRIC_RE + h, f32x4.sub(plusRe, minusRe));
    v128.store(METRIC_IM + h, f32x4.sub(plusIm, minusIm));
    const re = f32x4.add(plusRe, minusRe);
    const im = f32x4.add(plusIm, minusIm);
    v128.store(PLAIN + h, f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)));
  }
}

/** `count` hops of SAMPLES; `past` pairs stand before the new ones. */
export function search(hop: usize, lag: usize, count: usize, past: usize, plus: usize, all: usize): void {
  products(hop, lag, count);
  pairs(count, past);
  metrics(count, plus, all);
}

/** Segments of `length` samples of SAMPLES with those `lag` segments on, the first `count` of them. */
export function repeated(length: usize, lag: usize, count: usize): void {
  let p = SAMPLES;
  const bytes = length << 3;
  const ahead = lag * bytes;
  let sums = f64x2.splat(0);
  let energies: f64 = 0;
  for (let sign = SIGNS, last = SIGNS + (count << 2); sign < last; sign += 4) {
    let re = f32x4.splat(0);
    let im = f32x4.splat(0);
    let energy = f32x4.splat(0);
    for (const end = p + bytes; p < end; p += 16) {
      const x = v128.load(p);
      const y = v128.load(p + ahead);
      re = f32x4.add(re, f32x4.mul(x, y));
      im = f32x4.add(im, f32x4.mul(x, v128.shuffle<f32>(y, y, 1, 0, 3, 2)));
      energy = f32x4.add(energy, f32x4.mul(x, x));
    }
    // re as it is, of im the odd lanes less.
    im = v128.xor(im, i32x4(0, 0x80000000, 0, 0x80000000));
    const pairs = f32x4.add(v128.shuffle<f32>(re, im, 0, 4, 2, 6), v128.shuffle<f32>(re, im, 1, 5, 3, 7));
    const sum = f64x2.promote_low_f32x4(f32x4.add(pairs, v128.shuffle<f32>(pairs, pairs, 2, 3, 0, 1)));
    sums = f64x2.add(sums, f64x2.mul(sum, f64x2.splat(<f64>(load<f32>(sign) * load<f32>(sign + (lag << 2))))));
    const half = f32x4.add(energy, v128.shuffle<f32>(energy, energy, 2, 3, 0, 1));
    energies += <f64>(f32x4.extract_lane(half, 0) + f32x4.extract_lane(half, 1));
  }
  v128.store(REPEATED, sums);
  store<f64>(REPEATED, energies, 16);
}
