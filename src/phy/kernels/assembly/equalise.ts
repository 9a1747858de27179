// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of equalisation, made into ../equalise-wasm-binary.ts by
// `npm run build:kernels`. ../equalise-kernel.ts says what it computes, ../equalise-wasm.ts calls it.
//
// Subband by subband, symbol by symbol, twelve carriers in three vectors. Each carrier's place among the eleven data RE of
// its symbol comes from a table; a pilot goes where the next symbol's first RE is written afterwards.

/** What each symbol needs. f32 [14][cos, sin of minus its phase] */
export const PHASES: usize = 1024;
/** Carrier of the pilot within each subband. u32 [14] */
export const PILOTS: usize = 1152;
/** Of each pilot carrier: ones where there is none. u32 [12][12] */
const MASKS: usize = 1216;
/** Of each pilot carrier: places of the twelve carriers, in bytes of a float. u32 [12][12] */
const PLACES: usize = 1792;
/** Of each pilot carrier: ones behind it. u32 [12][12] */
const BEHIND: usize = 3360;
/** f32 [subband][noise that weighs the equaliser, 1 over it, bias of |h|^2, 1 over the noise] */
export const NOISE: usize = 2560;
/** Product of 1 + SNR over the data RE. f64 [14][subband] */
export const PRODUCTS: usize = 4096;
/** f32 [14][carrier][re, im], at most 50 subbands */
export const ROWS: usize = 10240;
export const CHANNEL: usize = 77824;
/** f32 [subband][154][re, im], f32 [subband][154], and what the last pilot writes behind them */
export const PAYLOAD: usize = 145408;
export const SNR: usize = 207104;
/** Conjugate of the scrambling. f32 [64][data RE of the symbol] each */
export const TURNS_RE: usize = 238080;
export const TURNS_IM: usize = 378944;

const SYMBOLS: usize = 14;
const SUBBAND: usize = 12;
const SEQUENCE: usize = 64;

export function makeTables(): void {
  for (let pilot: usize = 0; pilot < SUBBAND; pilot++) {
    for (let c: usize = 0; c < SUBBAND; c++) {
      const at = (pilot * SUBBAND + c) << 2;
      store<u32>(MASKS + at, c === pilot ? 0 : 0xffffffff);
      store<u32>(BEHIND + at, c > pilot ? 0xffffffff : 0);
      store<u32>(PLACES + at, (c === pilot ? SUBBAND - 1 : c > pilot ? c - 1 : c) << 2);
    }
  }
}

/** Four carriers' results to their places, whose table entries stand at `place`. */
function scatter(place: usize, payload: usize, snrs: usize, re: v128, im: v128, snr: v128): void {
  const a = <usize>load<u32>(place);
  const b = <usize>load<u32>(place, 4);
  const c = <usize>load<u32>(place, 8);
  const d = <usize>load<u32>(place, 12);
  const low = v128.shuffle<f32>(re, im, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(re, im, 2, 6, 3, 7);
  v128.store64_lane(payload + 2 * a, low, 0);
  v128.store64_lane(payload + 2 * b, low, 1);
  v128.store64_lane(payload + 2 * c, high, 0);
  v128.store64_lane(payload + 2 * d, high, 1);
  v128.store32_lane(snrs + a, snr, 0);
  v128.store32_lane(snrs + b, snr, 1);
  v128.store32_lane(snrs + c, snr, 2);
  v128.store32_lane(snrs + d, snr, 3);
}

/** One slot, ROWS and CHANNEL to PAYLOAD, SNR and PRODUCTS; returns the sum of |h|^2 over the data RE. */
export function equaliseSlot(subbands: usize, firstSymbol: usize, mostSnr: f32): f64 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const most = f32x4.splat(mostSnr);
  const rowBytes = (SUBBAND * subbands) << 3;
  let payload = PAYLOAD;
  let snrs = SNR;
  let power: f64 = 0;
  for (let s: usize = 0; s < subbands; s++) {
    const noise = NOISE + (s << 4);
    const sigma = v128.load32_splat(noise);
    const perSigma = v128.load32_splat(noise, 4);
    const bias = v128.load32_splat(noise, 8);
    const perNoise = v128.load32_splat(noise, 12);
    const column = (SUBBAND * s) << 3;
    let sum = zero;
    for (let t: usize = 0; t < SYMBOLS; t++) {
      const cos = v128.load32_splat(PHASES + (t << 3));
      const sin = v128.load32_splat(PHASES + (t << 3), 4);
      const table = SUBBAND * <usize>load<u32>(PILOTS + (t << 2));
      let mask = MASKS + (table << 2);
      let place = PLACES + (table << 2);
      let behind = BEHIND + (table << 2);
      let turn = (((firstSymbol + t) & (SEQUENCE - 1)) * (SUBBAND - 1) * subbands + (SUBBAND - 1) * s) << 2;
      let y = ROWS + t * rowBytes + column;
      let h = CHANNEL + t * rowBytes + column;
      let product = f64x2.splat(1);
      for (const end = y + (SUBBAND << 3); y < end; y += 32) {
        const y0 = v128.load(y);
        const y1 = v128.load(y, 16);
        const h0 = v128.load(h);
        const h1 = v128.load(h, 16);
        const yr = v128.shuffle<f32>(y0, y1, 0, 2, 4, 6);
        const yi = v128.shuffle<f32>(y0, y1, 1, 3, 5, 7);
        const hr = v128.shuffle<f32>(h0, h1, 0, 2, 4, 6);
        const hi = v128.shuffle<f32>(h0, h1, 1, 3, 5, 7);
        const gain = f32x4.add(f32x4.mul(hr, hr), f32x4.mul(hi, hi));
        const scale = f32x4.div(one, f32x4.add(gain, sigma));
        const re = f32x4.mul(scale, f32x4.add(f32x4.mul(hr, yr), f32x4.mul(hi, yi)));
        const im = f32x4.mul(scale, f32x4.sub(f32x4.mul(hr, yi), f32x4.mul(hi, yr)));
        // Behind the pilot the data RE's number is one less than the carrier's.
        const late = v128.load(behind);
        const turnRe = v128.bitselect(v128.load(TURNS_RE - 4 + turn), v128.load(TURNS_RE + turn), late);
        const turnIm = v128.bitselect(v128.load(TURNS_IM - 4 + turn), v128.load(TURNS_IM + turn), late);
        const a = f32x4.sub(f32x4.mul(turnRe, cos), f32x4.mul(turnIm, sin));
        const b = f32x4.add(f32x4.mul(turnRe, sin), f32x4.mul(turnIm, cos));
        const outRe = f32x4.sub(f32x4.mul(re, a), f32x4.mul(im, b));
        const outIm = f32x4.add(f32x4.mul(re, b), f32x4.mul(im, a));
        scatter(place, payload, snrs, outRe, outIm, f32x4.mul(gain, perSigma));
        const data = v128.load(mask);
        sum = f32x4.add(sum, v128.and(gain, data));
        const snr = f32x4.min(most, f32x4.max(zero, f32x4.mul(f32x4.sub(gain, bias), perNoise)));
        const factor = f32x4.add(one, v128.and(snr, data));
        product = f64x2.mul(product, f64x2.promote_low_f32x4(factor));
        product = f64x2.mul(product, f64x2.promote_low_f32x4(v128.shuffle<f32>(factor, factor, 2, 3, 2, 3)));
        h += 32;
        turn += 16;
        behind += 16;
        mask += 16;
        place += 16;
      }
      store<f64>(PRODUCTS + ((t * subbands + s) << 3), f64x2.extract_lane(product, 0) * f64x2.extract_lane(product, 1));
      payload += (SUBBAND - 1) << 3;
      snrs += (SUBBAND - 1) << 2;
    }
    const pairs = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
    power += <f64>f32x4.extract_lane(pairs, 0) + <f64>f32x4.extract_lane(pairs, 1);
  }
  return power;
}
