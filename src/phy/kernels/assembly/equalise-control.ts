// AssemblyScript, not TypeScript: soft bits of the control part, beside the equaliser (equalise.ts), whose tables and rooms it uses.
import { CONTROL_PHASES, CONTROL_PILOTS, NODES, ORDERS, PAYLOAD, PLACES, ROWS, SNR, TURNS } from './equalise-memory.ts';
import { turnsOf } from './turns.ts';

const SUBBAND: usize = 12;
const SEQUENCE: usize = 64;

/** Four carriers of weights and rows, as equaliseFour of equalise.ts has them, to soft bits. */
function controlFour(w: usize, y: usize, order: v128, quarter: v128, turnsRe: v128, turnsIm: v128, out: usize): void {
  const w0 = v128.load(w);
  const w1 = v128.load(w, 16);
  const y0 = v128.load(y);
  const y1 = v128.load(y, 16);
  const wr = v128.shuffle<f32>(w0, w1, 0, 2, 4, 6);
  const wi = v128.shuffle<f32>(w0, w1, 1, 3, 5, 7);
  const yr = v128.shuffle<f32>(y0, y1, 0, 2, 4, 6);
  const yi = v128.shuffle<f32>(y0, y1, 1, 3, 5, 7);
  // Without the pilot from here on.
  const re = i8x16.swizzle(f32x4.sub(f32x4.mul(wr, yr), f32x4.mul(wi, yi)), order);
  const im = i8x16.swizzle(f32x4.add(f32x4.mul(wr, yi), f32x4.mul(wi, yr)), order);
  const ur = i8x16.swizzle(turnsRe, quarter);
  const ui = i8x16.swizzle(turnsIm, quarter);
  const outRe = f32x4.sub(f32x4.mul(re, ur), f32x4.mul(im, ui));
  const outIm = f32x4.add(f32x4.mul(re, ui), f32x4.mul(im, ur));
  v128.store(out, v128.shuffle<f32>(outRe, outIm, 0, 4, 1, 5));
  v128.store(out, v128.shuffle<f32>(outRe, outIm, 2, 6, 3, 7), 16);
}

/**
 * Soft bits of `count` control symbols, the first of them number `symbol` of the scrambling: rows of ROWS times the weights of NODES, f32
 * [carrier][re, im] (those of each symbol `weightBytes` behind the one before), to PAYLOAD, f32 [symbol][data RE][re, im].
 */
export function controlLlrs(count: usize, subbands: usize, symbol: usize, weightBytes: usize): void {
  let y = ROWS;
  let to = PAYLOAD;
  for (let t: usize = 0; t < count; t++) {
    const pilot = <usize>load<u32>(CONTROL_PILOTS + (t << 2));
    const lanes = ORDERS + pilot * (SUBBAND << 2);
    const first = v128.load(lanes);
    const second = v128.load(lanes, 16);
    const third = v128.load(lanes, 32);
    const secondAt = <usize>load<u32>(PLACES + (pilot << 4), 4);
    const thirdAt = <usize>load<u32>(PLACES + (pilot << 4), 8);
    // Of two symbols at once; the SNRs' room is free.
    if ((t & 1) === 0) turnsOf(f64x2.neg(v128.load(CONTROL_PHASES + (t << 3))), SNR);
    const lane = SNR + ((t & 1) << 3);
    const phase = f32x4.demote_f64x2_zero(f64x2(load<f64>(lane), load<f64>(lane, 16)));
    // [cos, sin, -cos, -sin], and a quarter turn on.
    const turnsRe = v128.xor(v128.shuffle<f64>(phase, phase, 0, 0), i32x4(0, 0, 0x80000000, 0x80000000));
    const turnsIm = v128.shuffle<f32>(turnsRe, turnsRe, 1, 2, 3, 0);
    let turn = TURNS + ((((symbol + t) % SEQUENCE) * (SUBBAND - 1) * subbands) << 2);
    let w = NODES + t * weightBytes;
    for (const end = y + ((SUBBAND * subbands) << 3); y < end; y += SUBBAND << 3, w += SUBBAND << 3) {
      controlFour(w, y, first, v128.load(turn), turnsRe, turnsIm, to);
      controlFour(w + 32, y + 32, second, v128.load(turn + secondAt), turnsRe, turnsIm, to + 2 * secondAt);
      controlFour(w + 64, y + 64, third, v128.load(turn + thirdAt), turnsRe, turnsIm, to + 2 * thirdAt);
      turn += (SUBBAND - 1) << 2;
      to += (SUBBAND - 1) << 3;
    }
  }
}
