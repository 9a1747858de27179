// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the soft demapper, made into ../demap-wasm-binary.ts by
// `npm run build:kernels`. ../demap-kernel.ts says what it computes, ../demap-wasm.ts calls it.
//
// Four symbols side by side in the lanes, real and imaginary parts in vectors of their own. A call takes at most 1024 symbols.

/** f32 [symbol][re, im] */
export const SYMBOLS: usize = 1024;
/** Variances or SNRs. f32 [symbol] */
export const VARIANCES: usize = 33792;
/** f32 [symbol][bit], and what the last vector may write behind it */
export const LLRS: usize = 50176;

/** A vector [x, y] of two symbols to where a level's bits of both belong, `step` bytes apart. */
function storePairs(to: usize, x: v128, y: v128, step: usize): void {
  const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
  v128.store64_lane(to, low, 0);
  v128.store64_lane(to + step, low, 1);
  v128.store64_lane(to + 2 * step, high, 0);
  v128.store64_lane(to + 3 * step, high, 1);
}

/** sign(x) weight (1 + p) (2 |x| + 1 - p), p the nearest level of x's sign, at most `top`. */
function foldedLlr(x: v128, ax: v128, top: v128, weight: v128): v128 {
  const one = f32x4.splat(1);
  const half = f32x4.floor(f32x4.mul(ax, f32x4.splat(0.5)));
  const p = f32x4.pmin(f32x4.add(f32x4.add(half, half), one), top);
  const rest = f32x4.sub(f32x4.add(f32x4.add(ax, ax), one), p);
  const llr = f32x4.mul(f32x4.mul(weight, f32x4.add(one, p)), rest);
  return v128.xor(llr, v128.and(x, i32x4.splat(i32.MIN_VALUE)));
}

type Variances = i32;
type Mmse = u32;

function demapAs<Kind>(qm: usize, count: usize, halfSpacing: f32, leastVariance: f32, leastSnr: f32): void {
  const perSpacing = f32x4.splat(1 / halfSpacing);
  const energy = f32x4.splat(halfSpacing * halfSpacing);
  const least = f32x4.splat(leastVariance);
  const most = f32x4.splat(1 / leastVariance);
  const weakest = f32x4.splat(leastSnr);
  const four = f32x4.splat(4);
  const step = qm << 2;
  const levels: i32 = 1 << (<i32>(qm >> 1) - 1);
  let to = LLRS;
  let from = SYMBOLS;
  let variance = VARIANCES;
  for (const end = from + (count << 3); from < end; from += 32, variance += 16, to += 4 * step) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    let gain = perSpacing;
    let noise = v128.load(variance);
    let weight: v128;
    // pmax and pmin let what is no number through.
    if (isSigned<Kind>()) {
      weight = f32x4.div(energy, f32x4.pmax(noise, least));
    } else {
      noise = f32x4.pmax(noise, weakest);
      weight = f32x4.mul(energy, f32x4.pmin(noise, most));
      gain = f32x4.add(gain, f32x4.div(gain, noise));
    }
    let x = f32x4.mul(v128.shuffle<f32>(a, b, 0, 2, 4, 6), gain);
    let y = f32x4.mul(v128.shuffle<f32>(a, b, 1, 3, 5, 7), gain);
    let bits = to;
    for (let half = levels; half > 1; half >>= 1, bits += 8) {
      const ax = f32x4.abs(x);
      const ay = f32x4.abs(y);
      const top = f32x4.splat(<f32>(half + half - 1));
      storePairs(bits, foldedLlr(x, ax, top, weight), foldedLlr(y, ay, top, weight), step);
      const middle = f32x4.splat(<f32>half);
      x = f32x4.sub(middle, ax);
      y = f32x4.sub(middle, ay);
    }
    const last = f32x4.mul(four, weight);
    storePairs(bits, f32x4.mul(last, x), f32x4.mul(last, y), step);
  }
}

/**
 * QPSK of the MMSE equaliser: 4 energy snr (1 + 1 / snr) y / halfSpacing = 4 halfSpacing (1 + snr) y on either axis, where the largest
 * SNR is so large that the one does not count.
 */
function demapQpsk(count: usize, halfSpacing: f32, leastVariance: f32, leastSnr: f32): void {
  const scale = f32x4.splat(4 * halfSpacing);
  const one = f32x4.splat(1);
  const most = f32x4.splat(1 / leastVariance);
  const weakest = f32x4.splat(leastSnr);
  let to = LLRS;
  let snr = VARIANCES;
  let from = SYMBOLS;
  for (const end = from + (count << 3); from < end; from += 32, snr += 16, to += 32) {
    const bounded = f32x4.pmin(f32x4.pmax(v128.load(snr), weakest), most);
    const weight = f32x4.mul(scale, f32x4.add(bounded, one));
    v128.store(to, f32x4.mul(v128.load(from), v128.shuffle<f32>(weight, weight, 0, 0, 1, 1)));
    v128.store(to, f32x4.mul(v128.load(from, 16), v128.shuffle<f32>(weight, weight, 2, 2, 3, 3)), 16);
  }
}

/** By the variances of the noise. */
export function demap(qm: usize, count: usize, halfSpacing: f32, leastVariance: f32): void {
  demapAs<Variances>(qm, count, halfSpacing, leastVariance, 0);
}

/** VARIANCES are SNRs, and the symbols biased by snr / (1 + snr). */
export function demapMmse(qm: usize, count: usize, halfSpacing: f32, leastVariance: f32, leastSnr: f32): void {
  if (qm === 2) demapQpsk(count, halfSpacing, leastVariance, leastSnr);
  else demapAs<Mmse>(qm, count, halfSpacing, leastVariance, leastSnr);
}
