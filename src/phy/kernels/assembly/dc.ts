// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the samples a receiver holds, made into ../dc-wasm-binary.ts by
// `npm run build:kernels`. ../dc-kernel.ts says what it computes, ../dc-wasm.ts calls it.
//
// A group is eight vectors of two samples, processed in place. Only the chain from one mean to the next runs in double precision.

/** f64 [mean re, mean im, samples that made it, zeros in a row, not finite] */
export const STATE: usize = 1024;
/** Results of `sums`, added up: re, im, |x|^2. f64 [3] */
export const TOTALS: usize = 1072;
/** Result of `colour`. f32 [re, im, energy] */
export const COLOUR: usize = 1104;
/** One group, and the beginning of a stretch. f32 [16][re, im], f32 [64][re, im] */
export const GROUP: usize = 1152;
export const TAIL: usize = 1280;
/** |x - first|^2 of the stretches of `sums`. f32 [512] */
export const CHANGES: usize = 2048;
/** The samples held begin here. f32 [..][re, im] */
export const SAMPLES: usize = 4096;

const GROUP_SAMPLES: f64 = 16;
const GROUP_BYTES: usize = 128;
const MEMORY: f64 = 32768;
const FIRST: f64 = 64;
const SILENT: f64 = 64;
const MAX_POWER: f32 = 1e10;

/** Half of what a sample's power may be: re^2 or im^2 of one that is too strong is more. */
const HALF_POWER: f32 = 5e9;

/** A group with samples that are none: they become 0. */
function clean(at: usize): void {
  let bad: f64 = 0;
  for (const end = at + GROUP_BYTES; at < end; at += 8) {
    const re = load<f32>(at);
    const im = load<f32>(at, 4);
    if (re * re + im * im < MAX_POWER) continue;
    // A sample of exactly 0 would count as silence; the least number does not, and adds nothing.
    store<f32>(at, 1e-40);
    store<f32>(at, 0, 4);
    bad++;
  }
  store<f64>(STATE, load<f64>(STATE, 32) + bad, 32);
}

/** Counts zeros in a row through a group; returns those beyond SILENT, the group's first sample in the last bit. */
function zerosOf(at: usize): u32 {
  let zeros = load<f64>(STATE, 24);
  let silent: u32 = 0;
  for (let i = 0; i < 16; i++, at += 8) {
    if (load<f32>(at) !== 0 || load<f32>(at, 4) !== 0) zeros = 0;
    else if (++zeros > SILENT) silent |= 1 << i;
  }
  store<f64>(STATE, zeros, 24);
  return silent;
}

/** Those of a group become 0 again. */
function keepSilence(at: usize, silent: u32): void {
  for (; silent !== 0; silent >>= 1, at += 8) if (silent & 1) store<u64>(at, 0);
}

/** Takes the mean out of `groups` groups at an address. */
export function process(input: usize, groups: usize): void {
  let mean = v128.load(STATE);
  let count = load<f64>(STATE, 16);
  const most = f32x4.splat(HALF_POWER);
  for (const end = input + groups * GROUP_BYTES; input < end; input += GROUP_BYTES) {
    let a = v128.load(input);
    let b = v128.load(input, 16);
    let c = v128.load(input, 32);
    let d = v128.load(input, 48);
    let e = v128.load(input, 64);
    let f = v128.load(input, 80);
    let g = v128.load(input, 96);
    let h = v128.load(input, 112);
    // A sum of squares that is too large, infinite or no number does not compare.
    const low = f32x4.add(f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)), f32x4.add(f32x4.mul(c, c), f32x4.mul(d, d)));
    const high = f32x4.add(f32x4.add(f32x4.mul(e, e), f32x4.mul(f, f)), f32x4.add(f32x4.mul(g, g), f32x4.mul(h, h)));
    if (!v128.all_true<i32>(f32x4.lt(f32x4.add(low, high), most))) {
      clean(input);
      a = v128.load(input);
      b = v128.load(input, 16);
      c = v128.load(input, 32);
      d = v128.load(input, 48);
      e = v128.load(input, 64);
      f = v128.load(input, 80);
      g = v128.load(input, 96);
      h = v128.load(input, 112);
    }
    // Whether the last sample is 0: a long run of zeros reaches from one group into the next.
    const last = (load<u32>(input, 120) | load<u32>(input, 124)) << 1;
    const zeros = last === 0 || load<f64>(STATE, 24) > 0 ? zerosOf(input) : 0;
    // The mean as two singles: a constant leaves no steps of their resolution.
    const high32 = f32x4.demote_f64x2_zero(mean);
    const rest32 = f32x4.demote_f64x2_zero(f64x2.sub(mean, f64x2.promote_low_f32x4(high32)));
    const whole = v128.shuffle<f32>(high32, high32, 0, 1, 0, 1);
    const rest = v128.shuffle<f32>(rest32, rest32, 0, 1, 0, 1);
    v128.store(input, f32x4.sub(f32x4.sub(a, whole), rest));
    v128.store(input, f32x4.sub(f32x4.sub(b, whole), rest), 16);
    v128.store(input, f32x4.sub(f32x4.sub(c, whole), rest), 32);
    v128.store(input, f32x4.sub(f32x4.sub(d, whole), rest), 48);
    v128.store(input, f32x4.sub(f32x4.sub(e, whole), rest), 64);
    v128.store(input, f32x4.sub(f32x4.sub(f, whole), rest), 80);
    v128.store(input, f32x4.sub(f32x4.sub(g, whole), rest), 96);
    v128.store(input, f32x4.sub(f32x4.sub(h, whole), rest), 112);
    const left = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
    const right = f32x4.add(f32x4.add(e, f), f32x4.add(g, h));
    const sum = f32x4.add(left, right);
    const both = f64x2.promote_low_f32x4(f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 2, 3)));
    count = min(count + GROUP_SAMPLES, MEMORY);
    const gain = f64x2.splat(1 / (FIRST - 1 + count));
    mean = f64x2.add(mean, f64x2.mul(gain, f64x2.sub(both, f64x2.mul(f64x2.splat(GROUP_SAMPLES), mean))));
    if (zeros !== 0) keepSilence(input, zeros);
  }
  v128.store(STATE, mean);
  store<f64>(STATE, count, 16);
}

/** Sums over `stretches` stretches of 64 samples at an address. */
export function sums(p: usize, stretches: usize): void {
  let total = v128.load(TOTALS);
  let energy = load<f64>(TOTALS, 16);
  for (let out = CHANGES, last = CHANGES + (stretches << 2); out < last; out += 4) {
    const first = v128.load64_splat(p);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let square = f32x4.splat(0);
    let square2 = f32x4.splat(0);
    let change = f32x4.splat(0);
    let change2 = f32x4.splat(0);
    for (const end = p + 512; p < end; p += 32) {
      const x = v128.load(p);
      const y = v128.load(p, 16);
      a = f32x4.add(a, x);
      b = f32x4.add(b, y);
      square = f32x4.add(square, f32x4.mul(x, x));
      square2 = f32x4.add(square2, f32x4.mul(y, y));
      const u = f32x4.sub(x, first);
      const v = f32x4.sub(y, first);
      change = f32x4.add(change, f32x4.mul(u, u));
      change2 = f32x4.add(change2, f32x4.mul(v, v));
    }
    const sum = f32x4.add(a, b);
    square = f32x4.add(square, square2);
    change = f32x4.add(change, change2);
    // [re, im] and [|x|^2, change], each as the sum of two halves.
    const both = f32x4.add(
      v128.shuffle<f32>(square, change, 0, 2, 4, 6),
      v128.shuffle<f32>(square, change, 1, 3, 5, 7),
    );
    const pair = f32x4.add(both, v128.shuffle<f32>(both, both, 1, 0, 3, 2));
    const halves = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
    total = f64x2.add(total, f64x2.promote_low_f32x4(halves));
    energy += <f64>f32x4.extract_lane(pair, 0);
    store<f32>(out, f32x4.extract_lane(pair, 2));
  }
  v128.store(TOTALS, total);
  store<f64>(TOTALS, energy, 16);
}

/** Neighbours x(n), x(n + 1), n every 4th of `count` samples at an address, a multiple of 8. */
export function colour(p: usize, count: usize): void {
  let re = f32x4.splat(0);
  let im = f32x4.splat(0);
  let energy = f32x4.splat(0);
  let energy2 = f32x4.splat(0);
  for (const end = p + (count << 3); p < end; p += 64) {
    const a = v128.load(p);
    const b = v128.load(p, 32);
    const x = v128.shuffle<f32>(a, b, 0, 1, 4, 5);
    const y = v128.shuffle<f32>(a, b, 2, 3, 6, 7);
    re = f32x4.add(re, f32x4.mul(x, y));
    im = f32x4.add(im, f32x4.mul(x, v128.shuffle<f32>(y, y, 1, 0, 3, 2)));
    energy = f32x4.add(energy, f32x4.mul(a, a));
    energy2 = f32x4.add(energy2, f32x4.mul(b, b));
  }
  energy = f32x4.add(energy, energy2);
  const sumRe =
    f32x4.extract_lane(re, 0) + f32x4.extract_lane(re, 1) + (f32x4.extract_lane(re, 2) + f32x4.extract_lane(re, 3));
  const sumIm =
    f32x4.extract_lane(im, 0) - f32x4.extract_lane(im, 1) + (f32x4.extract_lane(im, 2) - f32x4.extract_lane(im, 3));
  const all =
    f32x4.extract_lane(energy, 0) +
    f32x4.extract_lane(energy, 1) +
    (f32x4.extract_lane(energy, 2) + f32x4.extract_lane(energy, 3));
  store<f32>(COLOUR, sumRe);
  store<f32>(COLOUR, sumIm, 4);
  store<f32>(COLOUR, all, 8);
}
