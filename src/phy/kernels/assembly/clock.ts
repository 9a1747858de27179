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
function store(out: usize, re: v128, im: v128): void {
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
  store(out, re, im);
}

/** Two outputs of the same phase, one sample apart. */
function two(row: usize, mixA: f64, mixB: f64, x: usize, out: usize): void {
  const a = f64x2.splat(mixA);
  const b = f64x2.splat(mixB);
  let reA = f64x2.splat(0);
  let imA = reA;
  let reB = reA;
  let imB = reA;
  for (const end = row + ROW_BYTES; row < end; row += 64, x += 32) {
    let h = v128.load(row);
    let change = v128.load(row, 16);
    let g = f64x2.add(h, f64x2.mul(a, change));
    reA = f64x2.add(reA, f64x2.mul(g, v128.load(x)));
    imA = f64x2.add(imA, f64x2.mul(g, v128.load(x, IM - RE)));
    g = f64x2.add(h, f64x2.mul(b, change));
    reB = f64x2.add(reB, f64x2.mul(g, v128.load(x, 8)));
    imB = f64x2.add(imB, f64x2.mul(g, v128.load(x, IM - RE + 8)));
    h = v128.load(row, 32);
    change = v128.load(row, 48);
    g = f64x2.add(h, f64x2.mul(a, change));
    reA = f64x2.add(reA, f64x2.mul(g, v128.load(x, 16)));
    imA = f64x2.add(imA, f64x2.mul(g, v128.load(x, IM - RE + 16)));
    g = f64x2.add(h, f64x2.mul(b, change));
    reB = f64x2.add(reB, f64x2.mul(g, v128.load(x, 24)));
    imB = f64x2.add(imB, f64x2.mul(g, v128.load(x, IM - RE + 24)));
  }
  store(out, reA, imA);
  store(out + 8, reB, imB);
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
    index += 1;
    if (out + 8 < last) {
      const next = index * ratio - shift;
      const nextScaled = (next - floor(next)) * PHASES;
      if (floor(next) === base + 1 && floor(nextScaled) === phase) {
        two(row, scaled - phase, nextScaled - phase, x, out);
        index += 1;
        out += 16;
        continue;
      }
    }
    one(row, scaled - phase, x, out);
    out += 8;
  }
}
