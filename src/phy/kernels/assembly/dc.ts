// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the DC blocker, made into ../dc-wasm-binary.ts by
// `npm run build:kernels`. ../dc-kernel.ts says what it computes, ../dc-wasm.ts calls it.
//
// A group is eight vectors of two samples. Only the chain from one mean to the next runs in double precision.

/** f64 [mean re, mean im, samples that made it, zeros in a row, not finite] */
export const STATE: usize = 1024;
/** f32 [8192][re, im] */
export const INPUT: usize = 2048;
export const OUTPUT: usize = 67584;
/** Results of `sums`. f32 [128][re, im, |x|^2, |x - first|^2] */
export const SUMS: usize = 133120;

const GROUP: usize = 16;
const GROUP_BYTES: usize = 128;
const MEMORY: f64 = 32768;
const FIRST: f64 = 64;
const SILENT: f64 = 64;
const MAX_POWER: f32 = 1e10;

/** |x|^2 of two samples, each twice. */
function power(x: v128): v128 {
  const square = f32x4.mul(x, x);
  return f32x4.add(square, v128.shuffle<f32>(square, square, 1, 0, 3, 2));
}

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

/** Counts zeros in a row through a group; beyond SILENT the output is 0. */
function keepSilence(input: usize, output: usize): void {
  let zeros = load<f64>(STATE, 24);
  for (const end = input + GROUP_BYTES; input < end; input += 8, output += 8) {
    if (load<f32>(input) !== 0 || load<f32>(input, 4) !== 0) zeros = 0;
    else if (++zeros > SILENT) store<u64>(output, 0);
  }
  store<f64>(STATE, zeros, 24);
}

/** `groups` groups from INPUT to OUTPUT. */
export function process(groups: usize): void {
  let input = INPUT;
  let output = OUTPUT;
  let meanRe = load<f64>(STATE);
  let meanIm = load<f64>(STATE, 8);
  let count = load<f64>(STATE, 16);
  const most = f32x4.splat(MAX_POWER);
  for (const end = INPUT + groups * GROUP_BYTES; input < end; input += GROUP_BYTES, output += GROUP_BYTES) {
    let a = v128.load(input);
    let b = v128.load(input, 16);
    let c = v128.load(input, 32);
    let d = v128.load(input, 48);
    let e = v128.load(input, 64);
    let f = v128.load(input, 80);
    let g = v128.load(input, 96);
    let h = v128.load(input, 112);
    // A sum of squares that is too large, infinite or no number does not compare.
    const low = f32x4.add(f32x4.add(power(a), power(b)), f32x4.add(power(c), power(d)));
    const high = f32x4.add(f32x4.add(power(e), power(f)), f32x4.add(power(g), power(h)));
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
    // The mean as two singles: a constant leaves no steps of their resolution.
    const highRe = <f32>meanRe;
    const highIm = <f32>meanIm;
    const restRe = <f32>(meanRe - <f64>highRe);
    const restIm = <f32>(meanIm - <f64>highIm);
    const whole = f32x4(highRe, highIm, highRe, highIm);
    const rest = f32x4(restRe, restIm, restRe, restIm);
    v128.store(output, f32x4.sub(f32x4.sub(a, whole), rest));
    v128.store(output, f32x4.sub(f32x4.sub(b, whole), rest), 16);
    v128.store(output, f32x4.sub(f32x4.sub(c, whole), rest), 32);
    v128.store(output, f32x4.sub(f32x4.sub(d, whole), rest), 48);
    v128.store(output, f32x4.sub(f32x4.sub(e, whole), rest), 64);
    v128.store(output, f32x4.sub(f32x4.sub(f, whole), rest), 80);
    v128.store(output, f32x4.sub(f32x4.sub(g, whole), rest), 96);
    v128.store(output, f32x4.sub(f32x4.sub(h, whole), rest), 112);
    const left = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
    const right = f32x4.add(f32x4.add(e, f), f32x4.add(g, h));
    const sum = f32x4.add(left, right);
    const sumRe = <f64>(f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 2));
    const sumIm = <f64>(f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 3));
    count = min(count + <f64>GROUP, MEMORY);
    const gain = 1 / (FIRST - 1 + count);
    meanRe += gain * (sumRe - <f64>GROUP * meanRe);
    meanIm += gain * (sumIm - <f64>GROUP * meanIm);
    // A long run of zeros reaches from one group into the next.
    const last = (load<u32>(input, 120) | load<u32>(input, 124)) << 1;
    if (load<f64>(STATE, 24) > 0 || last === 0) keepSilence(input, output);
  }
  store<f64>(STATE, meanRe);
  store<f64>(STATE, meanIm, 8);
  store<f64>(STATE, count, 16);
}

/** Sums over `stretches` stretches of 64 samples of INPUT. */
export function sums(stretches: usize): void {
  let p = INPUT;
  for (let out = SUMS, last = SUMS + (stretches << 4); out < last; out += 16) {
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
    v128.store(out, v128.shuffle<f32>(halves, pair, 0, 1, 4, 6));
  }
}
