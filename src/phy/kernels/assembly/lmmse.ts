// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the channel fit, made into ../lmmse-wasm-binary.ts by
// `npm run build:kernels`. ../lmmse-kernel.ts says what it computes, ../lmmse-wasm.ts calls it and says where in the memory
// everything lies: bases and systems come and go, so addresses are arguments.
//
// Projection and expansion in single precision, four delay functions or carriers a vector; the solution in double, a complex
// number a vector.

export { residual, turn, weigh } from './lmmse-pilots.ts';

const SYMBOLS: usize = 14;
const SUBBAND: usize = 12;

/**
 * Pilots of one slot to z, f64 [order][size][re, im].
 * table: f32 [12 pilot offsets][subband][padded], padded = size rounded up to four. ramp: f32 [carrier][re, im].
 * offsets: u32 [14]. polynomials: f32 [14][5]. pilots: f32 [14][subband][re, im]. sums: f32 [14][re, im][padded], scratch.
 */
export function project(
  table: usize,
  padded: usize,
  size: usize,
  subbands: usize,
  ramp: usize,
  offsets: usize,
  polynomials: usize,
  order: usize,
  pilots: usize,
  sums: usize,
  z: usize,
): f64 {
  const rowBytes = padded << 2;
  let energy = f64x2.splat(0);
  let pilot = pilots;
  let sum = sums;
  for (let t: usize = 0; t < SYMBOLS; t++) {
    const offset = <usize>load<u32>(offsets + (t << 2));
    // The window's centre is taken out in place.
    let turn = ramp + (offset << 3);
    const end = pilot + (subbands << 3);
    for (let p = pilot; p < end; p += 8, turn += SUBBAND << 3) {
      const re = load<f32>(p);
      const im = load<f32>(p, 4);
      const exact = f64x2.promote_low_f32x4(v128.load64_zero(p));
      energy = f64x2.add(energy, f64x2.mul(exact, exact));
      const cos = load<f32>(turn);
      const sin = load<f32>(turn, 4);
      store<f32>(p, re * cos - im * sin);
      store<f32>(p, re * sin + im * cos, 4);
    }
    const rows = table + offset * subbands * rowBytes;
    let column: usize = 0;
    for (; column + 32 <= rowBytes; column += 32) {
      let re0 = f32x4.splat(0);
      let re1 = f32x4.splat(0);
      let im0 = f32x4.splat(0);
      let im1 = f32x4.splat(0);
      for (let p = pilot, row = rows + column; p < end; p += 8, row += rowBytes) {
        const re = v128.load32_splat(p);
        const im = v128.load32_splat(p, 4);
        const a = v128.load(row);
        const b = v128.load(row, 16);
        re0 = f32x4.add(re0, f32x4.mul(re, a));
        im0 = f32x4.add(im0, f32x4.mul(im, a));
        re1 = f32x4.add(re1, f32x4.mul(re, b));
        im1 = f32x4.add(im1, f32x4.mul(im, b));
      }
      v128.store(sum + column, re0);
      v128.store(sum + column, re1, 16);
      v128.store(sum + rowBytes + column, im0);
      v128.store(sum + rowBytes + column, im1, 16);
    }
    if (column < rowBytes) {
      let re0 = f32x4.splat(0);
      let im0 = f32x4.splat(0);
      for (let p = pilot, row = rows + column; p < end; p += 8, row += rowBytes) {
        const a = v128.load(row);
        re0 = f32x4.add(re0, f32x4.mul(v128.load32_splat(p), a));
        im0 = f32x4.add(im0, f32x4.mul(v128.load32_splat(p, 4), a));
      }
      v128.store(sum + column, re0);
      v128.store(sum + rowBytes + column, im0);
    }
    pilot = end;
    sum += rowBytes << 1;
  }
  for (let d: usize = 0; d < order; d++) {
    const weights = polynomials + (d << 2);
    const out = z + ((d * size) << 4);
    for (let column: usize = 0; column < rowBytes; column += 16) {
      let re = f32x4.splat(0);
      let im = f32x4.splat(0);
      let from = sums + column;
      for (let t: usize = 0; t < SYMBOLS; t++) {
        const w = v128.load32_splat(weights + t * 20);
        re = f32x4.add(re, f32x4.mul(w, v128.load(from)));
        im = f32x4.add(im, f32x4.mul(w, v128.load(from + rowBytes)));
        from += rowBytes << 1;
      }
      // What padding writes behind its block is overwritten by the next one.
      const low = v128.shuffle<f32>(re, im, 0, 4, 1, 5);
      const high = v128.shuffle<f32>(re, im, 2, 6, 3, 7);
      const to = out + (column << 2);
      v128.store(to, f64x2.promote_low_f32x4(low));
      v128.store(to, f64x2.promote_low_f32x4(v128.shuffle<f32>(low, low, 2, 3, 2, 3)), 16);
      v128.store(to, f64x2.promote_low_f32x4(high), 32);
      v128.store(to, f64x2.promote_low_f32x4(v128.shuffle<f32>(high, high, 2, 3, 2, 3)), 48);
    }
  }
  return f64x2.extract_lane(energy, 0) + f64x2.extract_lane(energy, 1);
}

/**
 * Right-hand side of several slots from their projections: z_d = sum over slots and p <= d of perSlot[slot][d][p] projected_p.
 * perSlot: f64 [slots][order][order]. projected: f64 [slots][..][re, im], `stride` bytes a slot, of each the first `order` blocks of
 * `block` bytes.
 */
export function gather(
  perSlot: usize,
  slots: usize,
  order: usize,
  projected: usize,
  stride: usize,
  block: usize,
  z: usize,
): void {
  const matrix = (order * order) << 3;
  for (let d: usize = 0; d < order; d++) {
    const row = perSlot + ((d * order) << 3);
    for (let i: usize = 0; i < block; i += 16, z += 16) {
      let sum = f64x2.splat(0);
      for (let slot: usize = 0, w = row, x = projected + i; slot < slots; slot++, w += matrix, x += stride) {
        for (let p: usize = 0, at = x; p <= d; p++, at += block) {
          sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(w + (p << 3)), v128.load(at)));
        }
      }
      v128.store(z, sum);
    }
  }
}

/** One point of the grid. */
function point(weights: usize, from: usize): v128 {
  let even = f64x2.mul(v128.load64_splat(weights), v128.load(from));
  let odd = f64x2.mul(v128.load64_splat(weights, 8), v128.load(from, 16));
  for (let w: usize = 16; w < 96; w += 16) {
    even = f64x2.add(even, f64x2.mul(v128.load64_splat(weights + w), v128.load(from + 2 * w)));
    odd = f64x2.add(odd, f64x2.mul(v128.load64_splat(weights + w, 8), v128.load(from + 2 * w, 16)));
  }
  return f64x2.add(even, odd);
}

/**
 * Right-hand side of a delay window from a grid over delay, f64 [order][..][re, im], `row` bytes a polynomial.
 * starts: u32 [size], bytes from a row's begin. weights: f64 [size][12].
 */
export function interpolate(
  starts: usize,
  weights: usize,
  size: usize,
  grid: usize,
  row: usize,
  order: usize,
  z: usize,
): void {
  const half = f64x2.splat(Math.SQRT1_2);
  const signs = f64x2(Math.SQRT1_2, -Math.SQRT1_2);
  for (let d: usize = 0; d < order; d++, grid += row) {
    v128.store(z, point(weights, grid + <usize>load<u32>(starts)));
    z += 16;
    for (let i: usize = 1; i < size; i += 2, z += 32) {
      const after = point(weights + i * 96, grid + <usize>load<u32>(starts + (i << 2)));
      const before = point(weights + i * 96 + 96, grid + <usize>load<u32>(starts + (i << 2), 4));
      v128.store(z, f64x2.mul(half, f64x2.add(after, before)));
      // (after - before) / i.
      const difference = f64x2.sub(after, before);
      v128.store(z, f64x2.mul(signs, v128.shuffle<f64>(difference, difference, 1, 0)), 16);
    }
  }
}

function sumOfSquares(x: v128): v128 {
  return f64x2.mul(x, x);
}

/**
 * theta = F' F z, F the inverse factor; returns |F z|^2 and the penalty.
 * factor: f64, for each block of four rows [column up to its last][row], zeros above the diagonal; z, theta: f64
 * [size rounded up to four][re, im]. penalty: f64 [order][order].
 */
export function solve(factor: usize, size: usize, z: usize, theta: usize, penalty: usize, order: usize): f64 {
  const padded = (size + 3) & ~3;
  for (let i = size; i < padded; i++) v128.store(z + (i << 4), f64x2.splat(0));
  for (let i: usize = 0; i < padded; i++) v128.store(theta + (i << 4), f64x2.splat(0));
  let explained = f64x2.splat(0);
  let block = factor;
  for (let row: usize = 0; row < padded; row += 4) {
    let y0 = f64x2.splat(0);
    let y1 = f64x2.splat(0);
    let y2 = f64x2.splat(0);
    let y3 = f64x2.splat(0);
    const end = z + ((row + 4) << 4);
    const begin = block;
    // Two columns a step: their number is even.
    for (let x = z; x < end; x += 32, block += 64) {
      const value = v128.load(x);
      y0 = f64x2.add(y0, f64x2.mul(value, v128.load64_splat(block)));
      y1 = f64x2.add(y1, f64x2.mul(value, v128.load64_splat(block, 8)));
      y2 = f64x2.add(y2, f64x2.mul(value, v128.load64_splat(block, 16)));
      y3 = f64x2.add(y3, f64x2.mul(value, v128.load64_splat(block, 24)));
      const next = v128.load(x, 16);
      y0 = f64x2.add(y0, f64x2.mul(next, v128.load64_splat(block, 32)));
      y1 = f64x2.add(y1, f64x2.mul(next, v128.load64_splat(block, 40)));
      y2 = f64x2.add(y2, f64x2.mul(next, v128.load64_splat(block, 48)));
      y3 = f64x2.add(y3, f64x2.mul(next, v128.load64_splat(block, 56)));
    }
    const first = f64x2.add(sumOfSquares(y0), sumOfSquares(y1));
    explained = f64x2.add(explained, f64x2.add(first, f64x2.add(sumOfSquares(y2), sumOfSquares(y3))));
    // The same rows once more, now as columns of F'.
    let from = begin;
    const last = theta + ((row + 4) << 4);
    for (let x = theta; x < last; x += 32, from += 64) {
      const a = f64x2.add(f64x2.mul(y0, v128.load64_splat(from)), f64x2.mul(y1, v128.load64_splat(from, 8)));
      const b = f64x2.add(f64x2.mul(y2, v128.load64_splat(from, 16)), f64x2.mul(y3, v128.load64_splat(from, 24)));
      const c = f64x2.add(f64x2.mul(y0, v128.load64_splat(from, 32)), f64x2.mul(y1, v128.load64_splat(from, 40)));
      const d = f64x2.add(f64x2.mul(y2, v128.load64_splat(from, 48)), f64x2.mul(y3, v128.load64_splat(from, 56)));
      v128.store(x, f64x2.add(v128.load(x), f64x2.add(a, b)));
      v128.store(x, f64x2.add(v128.load(x, 16), f64x2.add(c, d)), 16);
    }
  }
  let total = f64x2.extract_lane(explained, 0) + f64x2.extract_lane(explained, 1);
  const bytes = (size / order) << 4;
  for (let d: usize = 0; d < order; d++) {
    for (let e: usize = 0; e <= d; e++) {
      let dot = f64x2.splat(0);
      const first = theta + d * bytes;
      const second = theta + e * bytes;
      for (let i: usize = 0; i < bytes; i += 16) {
        dot = f64x2.add(dot, f64x2.mul(v128.load(first + i), v128.load(second + i)));
      }
      const weight = load<f64>(penalty + ((d * order + e) << 3)) * (d === e ? 1 : 2);
      total += weight * (f64x2.extract_lane(dot, 0) + f64x2.extract_lane(dot, 1));
    }
  }
  return total;
}

/**
 * theta, f64 [order][size][re, im], to nodes, f32 [order][carrier][re, im].
 * table: f32 [size][half the carriers], the functions above DC; below it the sines change their sign. ramp: f32 [carrier][re, im].
 * coefficients: f32 [size][re, im], scratch.
 */
export function expand(
  table: usize,
  size: usize,
  halfCarriers: usize,
  ramp: usize,
  theta: usize,
  order: usize,
  coefficients: usize,
  nodes: usize,
): void {
  const rowBytes = halfCarriers << 2;
  const middle = halfCarriers << 3;
  const end = coefficients + (size << 3);
  for (let d: usize = 0; d < order; d++) {
    for (let i: usize = 0; i < size; i++) {
      v128.store64_lane(coefficients + (i << 3), f32x4.demote_f64x2_zero(v128.load(theta + (i << 4))), 0);
    }
    for (let next: usize = 0; next < halfCarriers; next += 4) {
      // The last four carriers again rather than some beyond the band.
      const k = next + 4 <= halfCarriers ? next : halfCarriers - 4;
      let row = table + (k << 2);
      const constant = v128.load(row);
      let evenRe = f32x4.mul(v128.load32_splat(coefficients), constant);
      let evenIm = f32x4.mul(v128.load32_splat(coefficients, 4), constant);
      let oddRe = f32x4.splat(0);
      let oddIm = f32x4.splat(0);
      row += rowBytes;
      for (let c = coefficients + 8; c < end; c += 16, row += rowBytes << 1) {
        const cosine = v128.load(row);
        const sine = v128.load(row + rowBytes);
        evenRe = f32x4.add(evenRe, f32x4.mul(v128.load32_splat(c), cosine));
        evenIm = f32x4.add(evenIm, f32x4.mul(v128.load32_splat(c, 4), cosine));
        oddRe = f32x4.add(oddRe, f32x4.mul(v128.load32_splat(c, 8), sine));
        oddIm = f32x4.add(oddIm, f32x4.mul(v128.load32_splat(c, 12), sine));
      }
      const turn = ramp + middle + (k << 3);
      const t0 = v128.load(turn);
      const t1 = v128.load(turn, 16);
      const cos = v128.shuffle<f32>(t0, t1, 0, 2, 4, 6);
      const sin = v128.shuffle<f32>(t0, t1, 1, 3, 5, 7);
      let re = f32x4.add(evenRe, oddRe);
      let im = f32x4.add(evenIm, oddIm);
      let x = f32x4.add(f32x4.mul(re, cos), f32x4.mul(im, sin));
      let y = f32x4.sub(f32x4.mul(im, cos), f32x4.mul(re, sin));
      const upper = nodes + middle + (k << 3);
      v128.store(upper, v128.shuffle<f32>(x, y, 0, 4, 1, 5));
      v128.store(upper, v128.shuffle<f32>(x, y, 2, 6, 3, 7), 16);
      // Below DC the ramp is the conjugate, and the order of the carriers the opposite.
      re = f32x4.sub(evenRe, oddRe);
      im = f32x4.sub(evenIm, oddIm);
      x = f32x4.sub(f32x4.mul(re, cos), f32x4.mul(im, sin));
      y = f32x4.add(f32x4.mul(im, cos), f32x4.mul(re, sin));
      const lower = nodes + middle - (k << 3) - 32;
      v128.store(lower, v128.shuffle<f32>(x, y, 3, 7, 2, 6));
      v128.store(lower, v128.shuffle<f32>(x, y, 1, 5, 0, 4), 16);
    }
    theta += size << 4;
    nodes += middle << 1;
  }
}
