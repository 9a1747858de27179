// AssemblyScript, not TypeScript: what the kernel of the channel fit (lmmse.ts) does with pilots besides projecting them: onto carriers,
// against a channel, and turned by phases. Single precision; arrays as in lmmse.ts.

const SYMBOLS: usize = 14;
const SUBBAND: usize = 12;

/**
 * Pilots of consecutive symbols to carriers, values, f32 [order][carrier][re, im]: of each carrier the sum of its pilots, weighted with
 * polynomial d. pilots: f32 [symbols][subband][re, im]. weights: f32 [symbols][order]. offsets: u32 [14]. sums: f32
 * [12 pilot offsets][subband][re, im], scratch.
 */
export function weigh(
  pilots: usize,
  subbands: usize,
  offsets: usize,
  weights: usize,
  order: usize,
  symbols: usize,
  sums: usize,
  values: usize,
): void {
  const rowBytes = subbands << 3;
  const even = rowBytes & ~15;
  const step = order << 2;
  for (let d: usize = 0; d < order; d++) {
    memory.fill(sums, 0, SUBBAND * rowBytes);
    let weight = weights + (d << 2);
    let p = pilots;
    for (let t: usize = 0; t < symbols; t += SYMBOLS) {
      for (let o = offsets; o < offsets + (SYMBOLS << 2); o += 4, weight += step) {
        const w = v128.load32_splat(weight);
        let sum = sums + <usize>load<u32>(o) * rowBytes;
        for (const end = p + even; p < end; p += 16, sum += 16) {
          v128.store(sum, f32x4.add(v128.load(sum), f32x4.mul(w, v128.load(p))));
        }
        if (even < rowBytes) {
          v128.store64_lane(sum, f32x4.add(v128.load64_zero(sum), f32x4.mul(w, v128.load64_zero(p))), 0);
          p += 8;
        }
      }
    }
    for (let o: usize = 0, sum = sums; o < SUBBAND; o++) {
      for (let to = values + (o << 3), end = sum + rowBytes; sum < end; sum += 8, to += SUBBAND << 3) {
        store<u64>(to, load<u64>(sum));
      }
    }
    values += SUBBAND * rowBytes;
  }
}

/**
 * What a channel leaves of the pilots: out, f64 [slot][subband], receives the sum of |p - sum_d w_d node_d|^2 over the symbols of each RB.
 * pilots: f32 [slot][14][subband][re, im]. sets: u32 [slot], bytes from nodes, f32 [order][carrier][re, im] each. weights: f32
 * [slot][14][order].
 */
export function residual(
  pilots: usize,
  slots: usize,
  subbands: usize,
  offsets: usize,
  sets: usize,
  nodes: usize,
  weights: usize,
  order: usize,
  out: usize,
): void {
  const rowBytes = subbands << 3;
  const nodeBytes = SUBBAND * rowBytes;
  const step = order << 2;
  for (let slot: usize = 0; slot < slots; slot++) {
    let column = nodes + <usize>load<u32>(sets + (slot << 2));
    for (let s: usize = 0; s < subbands; s++, column += SUBBAND << 3, out += 8) {
      let energy = f32x4.splat(0);
      let p = pilots + (s << 3);
      let weight = weights;
      // Two symbols a vector.
      for (let o = offsets; o < offsets + (SYMBOLS << 2); o += 8, p += rowBytes << 1) {
        let a = column + ((<usize>load<u32>(o)) << 3);
        let b = column + ((<usize>load<u32>(o, 4)) << 3);
        let rest = v128.load64_lane(p + rowBytes, v128.load64_zero(p), 1);
        for (const end = weight + step; weight < end; weight += 4, a += nodeBytes, b += nodeBytes) {
          const node = v128.load64_lane(b, v128.load64_zero(a), 1);
          const first = v128.load32_splat(weight);
          const second = v128.load32_splat(weight + step);
          rest = f32x4.sub(rest, f32x4.mul(node, v128.shuffle<f64>(first, second, 0, 2)));
        }
        weight += step;
        energy = f32x4.add(energy, f32x4.mul(rest, rest));
      }
      const pairs = f32x4.add(energy, v128.shuffle<f32>(energy, energy, 2, 3, 0, 1));
      store<f64>(out, <f64>(f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)));
    }
    pilots += SYMBOLS * rowBytes;
    weights += SYMBOLS * step;
  }
}

/**
 * Turns the pilots of every symbol by its phasor, in place; returns their energy. pilots: f32 [symbols][subband][re, im]. phasors: f32
 * [symbols][re, im].
 */
export function turn(pilots: usize, subbands: usize, phasors: usize, symbols: usize): f64 {
  const rowBytes = subbands << 3;
  const even = rowBytes & ~15;
  const signs = f32x4(-1, 1, -1, 1);
  let energy = f64x2.splat(0);
  let p = pilots;
  for (const last = phasors + (symbols << 3); phasors < last; phasors += 8) {
    const cos = v128.load32_splat(phasors);
    const sin = f32x4.mul(signs, v128.load32_splat(phasors, 4));
    let row = f32x4.splat(0);
    for (const end = p + even; p < end; p += 16) {
      const x = v128.load(p);
      row = f32x4.add(row, f32x4.mul(x, x));
      v128.store(p, f32x4.add(f32x4.mul(x, cos), f32x4.mul(v128.shuffle<f32>(x, x, 1, 0, 3, 2), sin)));
    }
    if (even < rowBytes) {
      const x = v128.load64_zero(p);
      row = f32x4.add(row, f32x4.mul(x, x));
      v128.store64_lane(p, f32x4.add(f32x4.mul(x, cos), f32x4.mul(v128.shuffle<f32>(x, x, 1, 0, 3, 2), sin)), 0);
      p += 8;
    }
    energy = f64x2.add(energy, f64x2.promote_low_f32x4(row));
    energy = f64x2.add(energy, f64x2.promote_low_f32x4(v128.shuffle<f32>(row, row, 2, 3, 2, 3)));
  }
  return f64x2.extract_lane(energy, 0) + f64x2.extract_lane(energy, 1);
}
