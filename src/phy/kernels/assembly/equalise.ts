// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of equalisation, made into ../equalise-wasm-binary.ts by
// `npm run build:kernels`. ../equalise-kernel.ts says what it computes, ../equalise-wasm.ts calls it.
//
// Slot by slot, subband by subband, symbol by symbol, twelve carriers in three vectors. Where a vector holds the pilot it is
// moved to the end and the next vector written over it, so that the eleven data RE of a symbol lie together.

import {
  MASKS,
  MIDDLES,
  NODES,
  NOISE,
  ORDERS,
  PAYLOAD,
  PILOTS,
  PLACES,
  PRODUCTS,
  RAMP_BYTES,
  RAMPS,
  SETS,
  SNR,
  SPLIT,
  TURN_BYTES,
  TURNS,
  TURNS_NOW,
  WEIGHTS,
} from './equalise-memory.ts';
import { prepareTurns } from './equalise-turns.ts';

export { controlLlrs } from './equalise-control.ts';
export {
  CONTROL_PHASES,
  CONTROL_PILOTS,
  MIDDLES,
  NODES,
  NOISE,
  PAYLOAD,
  PILOTS,
  PRODUCTS,
  ROW_TURNS,
  ROWS,
  SETS,
  SNR,
  TURNS,
  WEIGHTS,
} from './equalise-memory.ts';

const SYMBOLS: usize = 14;
const MIDDLE: usize = 7;
const SUBBAND: usize = 12;
const SEQUENCE: usize = 64;

export function makeTables(): void {
  for (let pilot: usize = 0; pilot < SUBBAND; pilot++) {
    for (let c: usize = 0; c < SUBBAND; c++) {
      store<u32>(MASKS + ((pilot * SUBBAND + c) << 2), c === pilot ? 0 : 0xffffffff);
      // Lanes from the pilot's on take the next one.
      const lane = c & 3;
      const from = c >= pilot && c >> 2 === pilot >> 2 && lane < 3 ? lane + 1 : lane;
      for (let b: usize = 0; b < 4; b++) {
        store<u8>(ORDERS + ((pilot * SUBBAND + c) << 2) + b, <u8>((from << 2) + b));
      }
    }
    for (let g: usize = 0; g < 3; g++)
      store<u32>(PLACES + ((pilot << 2) + g) * 4, <u32>((g << 4) - (pilot < g << 2 ? 4 : 0)));
  }
}

/** Groups of four carriers by their number, half a size in bytes: a function is made for each, and so put in its place. */
type First = u8;
type Second = u16;
type Third = u32;

/**
 * Four carriers: a and b of the channel, y of the twelve carriers received, [re, im] each, and their ramp; `lanes`, where the bytes of a
 * vector without the pilot stand; `quarters`, bytes of turnsRe = [cos, sin, -cos, -sin] of the turn at the first carrier, and of turnsIm, the
 * same a quarter turn on; `place` of the group among the data RE. Returns |h|^2.
 */
function equaliseFour<Group>(
  a: v128,
  b: v128,
  y: usize,
  ramp: usize,
  lanes: usize,
  place: usize,
  quarters: usize,
  turnsRe: v128,
  turnsIm: v128,
  sigma: v128,
  perSigma: v128,
  payload: usize,
  snrs: usize,
): v128 {
  const group: usize = sizeof<Group>() >> 1;
  const y0 = v128.load(y + (group << 5));
  const y1 = v128.load(y + (group << 5), 16);
  const xr = v128.shuffle<f32>(y0, y1, 0, 2, 4, 6);
  const xi = v128.shuffle<f32>(y0, y1, 1, 3, 5, 7);
  const cos = v128.load(ramp + (group << 5));
  const sin = v128.load(ramp + (group << 5), 16);
  const yr = f32x4.sub(f32x4.mul(xr, cos), f32x4.mul(xi, sin));
  const yi = f32x4.add(f32x4.mul(xr, sin), f32x4.mul(xi, cos));
  const hr = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
  const hi = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
  const gain = f32x4.add(f32x4.mul(hr, hr), f32x4.mul(hi, hi));
  const scale = f32x4.div(f32x4.splat(1), f32x4.add(gain, sigma));
  const re = f32x4.mul(scale, f32x4.add(f32x4.mul(hr, yr), f32x4.mul(hi, yi)));
  const im = f32x4.mul(scale, f32x4.sub(f32x4.mul(hr, yi), f32x4.mul(hi, yr)));
  // Without the pilot from here on.
  const order = v128.load(lanes + (group << 4));
  const dataRe = i8x16.swizzle(re, order);
  const dataIm = i8x16.swizzle(im, order);
  const quarter = v128.load(quarters + place);
  const ur = i8x16.swizzle(turnsRe, quarter);
  const ui = i8x16.swizzle(turnsIm, quarter);
  const outRe = f32x4.sub(f32x4.mul(dataRe, ur), f32x4.mul(dataIm, ui));
  const outIm = f32x4.add(f32x4.mul(dataRe, ui), f32x4.mul(dataIm, ur));
  const out = payload + 2 * place;
  v128.store(out, v128.shuffle<f32>(outRe, outIm, 0, 4, 1, 5));
  v128.store(out, v128.shuffle<f32>(outRe, outIm, 2, 6, 3, 7), 16);
  v128.store(snrs + place, i8x16.swizzle(f32x4.mul(gain, perSigma), order));
  return gain;
}

/** (|h|^2 - bias) / noise, 0 to `most`. */
function snrOf(gain: v128, bias: v128, perNoise: v128, most: v128): v128 {
  return f32x4.pmin(most, f32x4.pmax(f32x4.splat(0), f32x4.mul(f32x4.sub(gain, bias), perNoise)));
}

/** `count` slots, rows and their turns at addresses and NODES to PAYLOAD, SNR and PRODUCTS; returns the sum of |h|^2 over the data RE. */
export function equaliseSlots(
  count: usize,
  subbands: usize,
  firstSymbol: usize,
  order: usize,
  mostSnr: f32,
  rows: usize,
  turns: usize,
): f64 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const most = f32x4.splat(mostSnr);
  const oneDouble = f64x2.splat(1);
  const mantissaBits = i64x2.splat(0x000fffffffffffff);
  const rowBytes = (SUBBAND * subbands) << 3;
  const weightBytes = order << 2;
  let payload = PAYLOAD;
  let snrs = SNR;
  let rb: usize = 0;
  let power: f64 = 0;
  for (let slot: usize = 0; slot < count; slot++) {
    const set = NODES + <usize>load<u32>(SETS + (slot << 2));
    prepareTurns(turns + ((slot * SYMBOLS) << 5), subbands);
    for (let s: usize = 0; s < subbands; s++, rb++) {
      const noise = NOISE + (rb << 4);
      const sigma = v128.load32_splat(noise);
      const perSigma = v128.load32_splat(noise, 4);
      const bias = v128.load32_splat(noise, 8);
      const perNoise = v128.load32_splat(noise, 12);
      const column = (SUBBAND * s) << 3;
      // DC lies behind the lower half, at an odd number of subbands in the middle of one.
      const middle = s === (subbands - 1) >> 1;
      const ramps = middle && subbands & 1 ? SPLIT : RAMPS;
      const onwards: usize = middle ? 48 : 16;
      let sum = zero;
      let mantissas = oneDouble;
      let exponents = i64x2.splat(0);
      for (let t: usize = 0; t < SYMBOLS; t++) {
        const symbol = slot * SYMBOLS + t;
        // The channel of the twelve carriers.
        let weight = WEIGHTS + symbol * weightBytes;
        let node = set + column;
        let w = v128.load32_splat(weight);
        let h0 = f32x4.mul(w, v128.load(node));
        let h1 = f32x4.mul(w, v128.load(node, 16));
        let h2 = f32x4.mul(w, v128.load(node, 32));
        let h3 = f32x4.mul(w, v128.load(node, 48));
        let h4 = f32x4.mul(w, v128.load(node, 64));
        let h5 = f32x4.mul(w, v128.load(node, 80));
        for (const end = weight + weightBytes - 4; weight < end; ) {
          weight += 4;
          node += rowBytes;
          w = v128.load32_splat(weight);
          h0 = f32x4.add(h0, f32x4.mul(w, v128.load(node)));
          h1 = f32x4.add(h1, f32x4.mul(w, v128.load(node, 16)));
          h2 = f32x4.add(h2, f32x4.mul(w, v128.load(node, 32)));
          h3 = f32x4.add(h3, f32x4.mul(w, v128.load(node, 48)));
          h4 = f32x4.add(h4, f32x4.mul(w, v128.load(node, 64)));
          h5 = f32x4.add(h5, f32x4.mul(w, v128.load(node, 80)));
        }
        if (t === MIDDLE) {
          const to = MIDDLES + slot * rowBytes + column;
          v128.store(to, h0);
          v128.store(to, h1, 16);
          v128.store(to, h2, 32);
          v128.store(to, h3, 48);
          v128.store(to, h4, 64);
          v128.store(to, h5, 80);
        }
        const pilot = <usize>load<u32>(PILOTS + (t << 2));
        const tables = MASKS + pilot * (SUBBAND << 2);
        const lanes = tables + (ORDERS - MASKS);
        const second = <usize>load<u32>(PLACES + (pilot << 4), 4);
        const third = <usize>load<u32>(PLACES + (pilot << 4), 8);
        const turn =
          TURNS + ((((firstSymbol + symbol) % SEQUENCE) * (SUBBAND - 1) * subbands + s * (SUBBAND - 1)) << 2);
        const base = TURNS_NOW + t * TURN_BYTES;
        const now = v128.load(base);
        const next = f64x2.add(
          f64x2.mul(v128.shuffle<f64>(now, now, 0, 0), v128.load(base + onwards)),
          f64x2.mul(v128.shuffle<f64>(now, now, 1, 1), v128.load(base + onwards, 16)),
        );
        v128.store(base, next);
        const phase = f32x4.demote_f64x2_zero(now);
        // [cos, sin, -cos, -sin]
        const turnsRe = v128.xor(v128.shuffle<f64>(phase, phase, 0, 0), i32x4(0, 0, 0x80000000, 0x80000000));
        const turnsIm = v128.shuffle<f32>(turnsRe, turnsRe, 1, 2, 3, 0);
        const received = rows + symbol * rowBytes + column;
        const ramp = ramps + t * RAMP_BYTES;
        const g0 = equaliseFour<First>(
          h0,
          h1,
          received,
          ramp,
          lanes,
          0,
          turn,
          turnsRe,
          turnsIm,
          sigma,
          perSigma,
          payload,
          snrs,
        );
        const g1 = equaliseFour<Second>(
          h2,
          h3,
          received,
          ramp,
          lanes,
          second,
          turn,
          turnsRe,
          turnsIm,
          sigma,
          perSigma,
          payload,
          snrs,
        );
        const g2 = equaliseFour<Third>(
          h4,
          h5,
          received,
          ramp,
          lanes,
          third,
          turn,
          turnsRe,
          turnsIm,
          sigma,
          perSigma,
          payload,
          snrs,
        );
        const d0 = v128.load(tables);
        const d1 = v128.load(tables, 16);
        const d2 = v128.load(tables, 32);
        sum = f32x4.add(sum, f32x4.add(v128.and(g0, d0), f32x4.add(v128.and(g1, d1), v128.and(g2, d2))));
        let factors = f32x4.add(one, v128.and(d0, snrOf(g0, bias, perNoise, most)));
        factors = f32x4.mul(factors, f32x4.add(one, v128.and(d1, snrOf(g1, bias, perNoise, most))));
        factors = f32x4.mul(factors, f32x4.add(one, v128.and(d2, snrOf(g2, bias, perNoise, most))));
        // Twelve factors up to 1e12 each, two lanes: four symbols stay within a double, whose exponent is then set aside.
        mantissas = f64x2.mul(mantissas, f64x2.promote_low_f32x4(factors));
        mantissas = f64x2.mul(mantissas, f64x2.promote_low_f32x4(v128.shuffle<f32>(factors, factors, 2, 3, 2, 3)));
        if ((t & 3) === 3 || t === SYMBOLS - 1) {
          exponents = i64x2.add(exponents, i64x2.sub(i64x2.shr_u(mantissas, 52), i64x2.splat(1023)));
          mantissas = v128.or(v128.and(mantissas, mantissaBits), oneDouble);
        }
        payload += (SUBBAND - 1) << 3;
        snrs += (SUBBAND - 1) << 2;
      }
      const product = PRODUCTS + (rb << 4);
      store<f64>(product, f64x2.extract_lane(mantissas, 0) * f64x2.extract_lane(mantissas, 1));
      store<f64>(product, <f64>(i64x2.extract_lane(exponents, 0) + i64x2.extract_lane(exponents, 1)), 8);
      const pairs = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
      power += <f64>f32x4.extract_lane(pairs, 0) + <f64>f32x4.extract_lane(pairs, 1);
    }
  }
  return power;
}
