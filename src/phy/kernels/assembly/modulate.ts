// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of the transmitter, made into ../modulate-wasm-binary.ts by
// `npm run build:kernels`. ../modulate-kernel.ts says what it computes, ../modulate-wasm.ts calls it.
//
// An instance serves one numerology: bins without a carrier are set to 0 once and stay so, since the transform leaves its
// source as it is. It writes its result where the samples are wanted, and the cyclic prefix is a copy of that.
import { inverse, SOURCE } from './fft.ts';

export { FACTORS } from './fft.ts';

/** Quarter turns that scramble each data RE, u8 [64][11 subbands' x nSubbands] */
export const TURNS: usize = 165888;
/** Pilots, f32 [64][nSubbands][re, im] */
export const PILOTS: usize = 201088;
/** Carrier of the pilot in each subband, by symbol of a slot. u8 [14], padded */
export const OFFSETS: usize = 226688;
/** Payload of a slot, f32 [nSubbands][14 x 11][re, im] */
export const PAYLOAD: usize = 226752;
/** Carriers of up to 14 symbols, f32 [14][nCarriers][re, im] */
export const ROWS: usize = 288384;
/** Samples of up to 14 symbols, f32 [14][symbolLength][re, im] */
export const SAMPLES: usize = 355584;

/** Bits that a number (re in the low half, im in the high one) changes when it is turned, behind the exchange of both. u64 [4] */
const SIGNS: usize = 256;

export function setUp(size: usize): void {
  memory.fill(SOURCE, 0, size << 3);
  // 1: (-im, re); 2: (-re, -im); 3: (im, -re).
  store<u64>(SIGNS, 0);
  store<u64>(SIGNS, 0x80000000, 8);
  store<u64>(SIGNS, 0x8000000080000000, 16);
  store<u64>(SIGNS, 0x8000000000000000, 24);
}

/** Lays the payload and the pilots of a slot on ROWS; `symbol`: number of its first one in the burst. */
export function placeSlot(subbands: usize, symbol: usize): void {
  let row = ROWS;
  for (let t: usize = 0; t < 14; t++) {
    const known = (symbol + t) & 63;
    const pilotAt = (<usize>load<u8>(OFFSETS + t)) << 3;
    let turn = TURNS + known * subbands * 11;
    let pilot = PILOTS + ((known * subbands) << 3);
    let payload = PAYLOAD + t * 88;
    for (let s: usize = 0; s < subbands; s++) {
      const marked = row + pilotAt;
      let from = payload;
      for (const end = row + 96; row < end; row += 8) {
        if (row === marked) continue;
        const quarters = load<u8>(turn++);
        const turned =
          rotl<u64>(load<u64>(from), (<u64>(quarters & 1)) << 5) ^ load<u64>(SIGNS + ((<usize>quarters) << 3));
        store<u64>(row, turned);
        from += 8;
      }
      store<u64>(marked, load<u64>(pilot));
      pilot += 8;
      payload += 154 * 8;
    }
  }
}

/** `count` vectors, of two carriers each, times a number. */
function scaled(from: usize, to: usize, count: usize, by: v128): void {
  for (const end = from + (count << 4); from < end; from += 16, to += 16)
    v128.store(to, f32x4.mul(v128.load(from), by));
}

/** ROWS to SAMPLES: symbols of `size` points behind `prefix` samples; carriers from bin `lower` and, above DC, from bin 1 on. */
export function modulate(
  size: usize,
  prefix: usize,
  carriers: usize,
  lower: usize,
  symbols: usize,
  scale: f32,
  factors: usize,
): void {
  const by = f32x4.splat(scale);
  let row = ROWS;
  let out = SAMPLES;
  const half = carriers << 2;
  const head = prefix << 3;
  const body = size << 3;
  for (let t: usize = 0; t < symbols; t++) {
    scaled(row, SOURCE + (lower << 3), carriers >> 2, by);
    scaled(row + half, SOURCE + 8, carriers >> 2, by);
    inverse(size, SOURCE, out + head, factors);
    memory.copy(out, out + body, head);
    row += carriers << 3;
    out += head + body;
  }
}
