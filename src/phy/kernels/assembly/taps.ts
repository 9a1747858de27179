// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of a filter that changes with time, made into ../taps-wasm-binary.ts by
// `npm run build:kernels`. ../taps-kernel.ts says what it computes, ../taps-wasm.ts calls it.
//
// Double precision, and two outputs a vector: each lane does what the plain code does, in its order, so both agree to the bit.

/** The two filters, between which it moves. f64 [768][re, im] */
export const FIRST: usize = 1024;
export const SECOND: usize = 13312;
/** The filter in use. f64 [768][re, im] */
const FIR: usize = 25600;
/** Input. f32 [768 + 1024][re, im] */
export const INPUT: usize = 37888;
/** The same in planes. f64 [1792] each */
const RE: usize = 52224;
const IM: usize = 66560;
/** f32 [1024][re, im] */
export const OUTPUT: usize = 80896;

/** INPUT to planes. */
function part(samples: usize): void {
  let re = RE;
  let im = IM;
  // An odd one takes a neighbour along that nobody reads.
  for (let p = INPUT, end = INPUT + (samples << 3); p < end; p += 16, re += 16, im += 16) {
    const x = v128.load(p);
    v128.store(re, f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 0, 2, 0, 2)));
    v128.store(im, f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 1, 3, 1, 3)));
  }
}

/** FIR = rest x FIRST + weight x SECOND. */
function mix(taps: usize, rest: f64, weight: f64): void {
  const r = f64x2.splat(rest);
  const w = f64x2.splat(weight);
  for (let at: usize = 0, end = taps << 4; at < end; at += 16) {
    const first = f64x2.mul(r, v128.load(FIRST + at));
    v128.store(FIR + at, f64x2.add(first, f64x2.mul(w, v128.load(SECOND + at))));
  }
}

/** Two outputs as singles. */
function store(out: usize, re: v128, im: v128): void {
  const a = f32x4.demote_f64x2_zero(re);
  const b = f32x4.demote_f64x2_zero(im);
  v128.store(out, v128.shuffle<f32>(a, b, 0, 4, 1, 5));
}

/** Eight outputs: sums over every second tap, first the even ones, which `store` adds the odd ones to. */
function eight(x: usize, from: usize, end: usize, out: usize): void {
  let re0 = f64x2.splat(0);
  let im0 = re0;
  let re1 = re0;
  let im1 = re0;
  let re2 = re0;
  let im2 = re0;
  let re3 = re0;
  let im3 = re0;
  let p = x;
  for (let h = from; h < end; h += 32, p += 16) {
    const a = v128.load64_splat(h);
    const b = v128.load64_splat(h, 8);
    let c = v128.load(p);
    let d = v128.load(p, IM - RE);
    re0 = f64x2.add(re0, f64x2.sub(f64x2.mul(a, c), f64x2.mul(b, d)));
    im0 = f64x2.add(im0, f64x2.add(f64x2.mul(a, d), f64x2.mul(b, c)));
    c = v128.load(p, 16);
    d = v128.load(p, IM - RE + 16);
    re1 = f64x2.add(re1, f64x2.sub(f64x2.mul(a, c), f64x2.mul(b, d)));
    im1 = f64x2.add(im1, f64x2.add(f64x2.mul(a, d), f64x2.mul(b, c)));
    c = v128.load(p, 32);
    d = v128.load(p, IM - RE + 32);
    re2 = f64x2.add(re2, f64x2.sub(f64x2.mul(a, c), f64x2.mul(b, d)));
    im2 = f64x2.add(im2, f64x2.add(f64x2.mul(a, d), f64x2.mul(b, c)));
    c = v128.load(p, 48);
    d = v128.load(p, IM - RE + 48);
    re3 = f64x2.add(re3, f64x2.sub(f64x2.mul(a, c), f64x2.mul(b, d)));
    im3 = f64x2.add(im3, f64x2.add(f64x2.mul(a, d), f64x2.mul(b, c)));
  }
  if (from === FIR) {
    v128.store(SUMS, re0);
    v128.store(SUMS, im0, 16);
    v128.store(SUMS, re1, 32);
    v128.store(SUMS, im1, 48);
    v128.store(SUMS, re2, 64);
    v128.store(SUMS, im2, 80);
    v128.store(SUMS, re3, 96);
    v128.store(SUMS, im3, 112);
    return;
  }
  store(out, f64x2.add(v128.load(SUMS), re0), f64x2.add(v128.load(SUMS, 16), im0));
  store(out + 16, f64x2.add(v128.load(SUMS, 32), re1), f64x2.add(v128.load(SUMS, 48), im1));
  store(out + 32, f64x2.add(v128.load(SUMS, 64), re2), f64x2.add(v128.load(SUMS, 80), im2));
  store(out + 48, f64x2.add(v128.load(SUMS, 96), re3), f64x2.add(v128.load(SUMS, 112), im3));
}

/** Sums of the even taps of eight outputs. f64 [4][re x 2, im x 2] */
const SUMS: usize = 896;

/** Two outputs. */
function two(x: usize, end: usize, out: usize): void {
  let re0 = f64x2.splat(0);
  let im0 = re0;
  let re1 = re0;
  let im1 = re0;
  for (let h = FIR; h < end; h += 32, x += 16) {
    let a = v128.load64_splat(h);
    let b = v128.load64_splat(h, 8);
    let c = v128.load(x);
    let d = v128.load(x, IM - RE);
    re0 = f64x2.add(re0, f64x2.sub(f64x2.mul(a, c), f64x2.mul(b, d)));
    im0 = f64x2.add(im0, f64x2.add(f64x2.mul(a, d), f64x2.mul(b, c)));
    if (h + 16 === end) break;
    a = v128.load64_splat(h, 16);
    b = v128.load64_splat(h, 24);
    c = v128.load(x, 8);
    d = v128.load(x, IM - RE + 8);
    re1 = f64x2.add(re1, f64x2.sub(f64x2.mul(a, c), f64x2.mul(b, d)));
    im1 = f64x2.add(im1, f64x2.add(f64x2.mul(a, d), f64x2.mul(b, c)));
  }
  store(out, f64x2.add(re0, re1), f64x2.add(im0, im1));
}

/**
 * `count` outputs from INPUT, which holds taps - 1 + count samples; the first is sample `within` of `spacing` between the filters.
 * `held` is how much of FIRST goes away: 1 for a line between two filters, 0 where SECOND is added.
 */
export function run(taps: usize, count: usize, within: usize, spacing: f64, hold: usize, fade: f64): void {
  part(taps - 1 + count);
  const end = FIR + (taps << 4);
  for (let i: usize = 0; i < count; ) {
    const since = (within + i) % hold;
    const stop = min(count, i + hold - since);
    const weight = (<f64>(within + i - since) + <f64>(hold - 1) / 2) / spacing;
    mix(taps, 1 - fade * weight, weight);
    for (; i + 8 <= stop; i += 8) {
      const x = RE + (i << 3);
      const out = OUTPUT + (i << 3);
      eight(x, FIR, end, out);
      eight(x + 8, FIR + 16, end, out);
    }
    // An output too many is written over by the next, or left.
    for (; i < stop; i += 2) two(RE + (i << 3), end, OUTPUT + (i << 3));
    i = stop;
  }
}
