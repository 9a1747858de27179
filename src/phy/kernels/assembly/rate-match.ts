// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the bit interleaver, made into ../rate-match-wasm-binary.ts by
// `npm run build:kernels`. ../rate-match-kernel.ts says what it computes, ../rate-match-wasm.ts calls it.
//
// Bits of a symbol come in pairs, one of each axis, and go as pairs through the vectors. A call takes at most 4096 symbols.

/** By symbol: f32 or u8 [symbol][bit], and a vector more */
export const SYMBOLS: usize = 1024;
/** By level: f32 or u8 [bit][symbol], rows of `stride` elements, and a vector more */
export const LEVELS: usize = 132128;

/** Elements from one level to the next: whole vectors. */
export function stride(symbols: usize): usize {
  return (symbols + 15) & ~15;
}

/** SYMBOLS to LEVELS, floats. */
export function separate(qm: usize, symbols: usize): void {
  const step = qm << 2;
  const row = stride(symbols) << 2;
  for (let pair: usize = 0; pair < qm; pair += 2) {
    let from = SYMBOLS + 4 * pair;
    let to = LEVELS + row * pair;
    for (const end = to + 4 * symbols; to < end; to += 16, from += 4 * step) {
      const low = v128.load64_lane(from + step, v128.load64_zero(from), 1);
      const high = v128.load64_lane(from + 3 * step, v128.load64_zero(from + 2 * step), 1);
      v128.store(to, v128.shuffle<f32>(low, high, 0, 2, 4, 6));
      v128.store(to + row, v128.shuffle<f32>(low, high, 1, 3, 5, 7));
    }
  }
}

/** Eight pairs of bytes to where they belong, `step` bytes apart. */
function storePairs(to: usize, pairs: v128, step: usize): void {
  v128.store16_lane(to, pairs, 0);
  v128.store16_lane(to + step, pairs, 1);
  v128.store16_lane(to + 2 * step, pairs, 2);
  v128.store16_lane(to + 3 * step, pairs, 3);
  const next = to + 4 * step;
  v128.store16_lane(next, pairs, 4);
  v128.store16_lane(next + step, pairs, 5);
  v128.store16_lane(next + 2 * step, pairs, 6);
  v128.store16_lane(next + 3 * step, pairs, 7);
}

/** LEVELS to SYMBOLS, bytes. */
export function join(qm: usize, symbols: usize): void {
  const row = stride(symbols);
  for (let pair: usize = 0; pair < qm; pair += 2) {
    let from = LEVELS + row * pair;
    let to = SYMBOLS + pair;
    for (const end = from + symbols; from < end; from += 16, to += 16 * qm) {
      const a = v128.load(from);
      const b = v128.load(from + row);
      storePairs(to, v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), qm);
      storePairs(to + 8 * qm, v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), qm);
    }
  }
}
