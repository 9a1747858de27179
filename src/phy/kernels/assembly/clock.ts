// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of a clock offset, made into ../clock-wasm-binary.ts by
// `npm run build:kernels`. ../clock-kernel.ts says what it computes, ../clock-wasm.ts calls it.
//
// Double precision; a vector holds an even and an odd tap, which the plain code sums apart, too: both agree to the bit.

/** Weights. f64 [256 phases and the next sample's first][16][even tap, odd tap, their changes to the next phase] */
export const TABLE: usize = 1024;
/** f32 [2048 + 64][re, im] */
export const INPUT: usize = 132608;
/** The same in planes. f64 [2112] each */
const RE: usize = 149504;
const IM: usize = 166400;
/** f32 [2048][re, im] */
export const OUTPUT: usize = 183296;

const PHASES: f64 = 256;
const ROW_BYTES: usize = 512;
const BEFORE: f64 = 15;
/** How far four outputs are from their phase to the next. f64 [4] */
const MIX: usize = 512;

/** INPUT to planes. */
function part(samples: usize): void {
  let re = RE;
  let im = IM;
  for (let p = INPUT, end = INPUT + (samples << 3); p < end; p += 16, re += 16, im += 16) {
    const x = v128.load(p);
    v128.store(re, f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 0, 2, 0, 2)));
    v128.store(im, f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 1, 3, 1, 3)));
  }
}

/** Sums of even and odd taps, of the real and of the imaginary parts, as one sample. */
function put(out: usize, re: v128, im: v128): void {
  const sums = f64x2.add(v128.shuffle<f64>(re, im, 0, 2), v128.shuffle<f64>(re, im, 1, 3));
  v128.store64_lane(out, f32x4.demote_f64x2_zero(sums), 0);
}

/** One output: weights of the phase at `row`, and `mix` of the way to the next; x its first sample's address in RE. */
function one(row: usize, mix: f64, x: usize, out: usize): void {
  const m = f64x2.splat(mix);
  let re = f64x2.splat(0);
  let im = re;
  for (const end = row + ROW_BYTES; row < end; row += 64, x += 32) {
    let h = f64x2.add(v128.load(row), f64x2.mul(m, v128.load(row, 16)));
    re = f64x2.add(re, f64x2.mul(h, v128.load(x)));
    im = f64x2.add(im, f64x2.mul(h, v128.load(x, IM - RE)));
    h = f64x2.add(v128.load(row, 32), f64x2.mul(m, v128.load(row, 48)));
    re = f64x2.add(re, f64x2.mul(h, v128.load(x, 16)));
    im = f64x2.add(im, f64x2.mul(h, v128.load(x, IM - RE + 16)));
  }
  put(out, re, im);
}

/** Four outputs of the same phase, one sample apart; MIX holds how far each is on the way to the next phase. */
function four(row: usize, x: usize, out: usize): void {
  let reA = f64x2.splat(0);
  let imA = reA;
  let reB = reA;
  let imB = reA;
  let reC = reA;
  let imC = reA;
  let reD = reA;
  let imD = reA;
  const a = v128.load64_splat(MIX);
  const b = v128.load64_splat(MIX, 8);
  const c = v128.load64_splat(MIX, 16);
  const d = v128.load64_splat(MIX, 24);
  for (const end = row + ROW_BYTES; row < end; row += 32, x += 16) {
    const h = v128.load(row);
    const change = v128.load(row, 16);
    let g = f64x2.add(h, f64x2.mul(a, change));
    reA = f64x2.add(reA, f64x2.mul(g, v128.load(x)));
    imA = f64x2.add(imA, f64x2.mul(g, v128.load(x, IM - RE)));
    g = f64x2.add(h, f64x2.mul(b, change));
    reB = f64x2.add(reB, f64x2.mul(g, v128.load(x, 8)));
    imB = f64x2.add(imB, f64x2.mul(g, v128.load(x, IM - RE + 8)));
    g = f64x2.add(h, f64x2.mul(c, change));
    reC = f64x2.add(reC, f64x2.mul(g, v128.load(x, 16)));
    imC = f64x2.add(imC, f64x2.mul(g, v128.load(x, IM - RE + 16)));
    g = f64x2.add(h, f64x2.mul(d, change));
    reD = f64x2.add(reD, f64x2.mul(g, v128.load(x, 24)));
    imD = f64x2.add(imD, f64x2.mul(g, v128.load(x, IM - RE + 24)));
  }
  put(out, reA, imA);
  put(out + 8, reB, imB);
  put(out + 16, reC, imC);
  put(out + 24, reD, imD);
}

/** Keeps in MIX how far a place is on the way from `phase` beyond sample `base` to the next phase; false where it does not lie there. */
function follows(position: f64, base: f64, phase: f64, at: usize): boolean {
  const scaled = (position - base) * PHASES;
  store<f64>(MIX + at, scaled - phase);
  return floor(position) === base && floor(scaled) === phase;
}

/**
 * `count` outputs at (index + i) x ratio - shift, from `samples` of INPUT, the first of which is sample `start` of the stream.
 */
export function run(count: usize, index: f64, ratio: f64, shift: f64, start: f64, samples: usize): void {
  part(samples);
  let out = OUTPUT;
  const last = OUTPUT + (count << 3);
  while (out < last) {
    const position = index * ratio - shift;
    const base = floor(position);
    const scaled = (position - base) * PHASES;
    const phase = floor(scaled);
    const row = TABLE + <usize>phase * ROW_BYTES;
    const x = RE + ((<usize>(base - BEFORE - start)) << 3);
    if (out + 24 < last) {
      store<f64>(MIX, scaled - phase);
      if (
        follows((index + 1) * ratio - shift, base + 1, phase, 8) &&
        follows((index + 2) * ratio - shift, base + 2, phase, 16) &&
        follows((index + 3) * ratio - shift, base + 3, phase, 24)
      ) {
        four(row, x, out);
        index += 4;
        out += 32;
        continue;
      }
    }
    index += 1;
    one(row, scaled - phase, x, out);
    out += 8;
  }
}
