// AssemblyScript, not TypeScript: what the equaliser (equalise.ts) turns a slot's carriers by, made from the turns of its rows.
import { RAMP_BYTES, RAMPS, SPLIT, TURN_BYTES, TURNS_NOW } from './equalise-memory.ts';
import { timesIm, timesRe } from './turns.ts';

const SYMBOLS: usize = 14;

/** Of two symbols what turns are multiplied by: it, and i times it. */
function storeFactors(turn: usize, re: v128, im: v128): void {
  const minus = f64x2.neg(im);
  v128.store(turn, v128.shuffle<f64>(re, im, 0, 2));
  v128.store(turn, v128.shuffle<f64>(minus, re, 0, 2), 16);
  v128.store(turn + TURN_BYTES, v128.shuffle<f64>(re, im, 1, 3));
  v128.store(turn + TURN_BYTES, v128.shuffle<f64>(minus, re, 1, 3), 16);
}

/** Four carriers' turns times another one. */
function storeRamp(to: usize, re: v128, im: v128, a: v128, b: v128): void {
  v128.store(to, f32x4.sub(f32x4.mul(re, a), f32x4.mul(im, b)));
  v128.store(to, f32x4.add(f32x4.mul(re, b), f32x4.mul(im, a)), 16);
}

/** The same of two symbols. */
function storeRamps(ramp: usize, re: v128, im: v128, reAfter: v128, imAfter: v128, byRe: v128, byIm: v128): void {
  const a = f32x4.demote_f64x2_zero(byRe);
  const b = f32x4.demote_f64x2_zero(byIm);
  storeRamp(ramp, re, im, v128.shuffle<f32>(a, a, 0, 0, 0, 0), v128.shuffle<f32>(b, b, 0, 0, 0, 0));
  const next = ramp + RAMP_BYTES;
  storeRamp(next, reAfter, imAfter, v128.shuffle<f32>(a, a, 1, 1, 1, 1), v128.shuffle<f32>(b, b, 1, 1, 1, 1));
}

/** The carriers of a group below DC from RAMPS to SPLIT. */
function copyHalf(ramp: usize): void {
  v128.store64_lane(ramp + (SPLIT - RAMPS), v128.load(ramp), 0);
  v128.store64_lane(ramp + (SPLIT - RAMPS) + 16, v128.load(ramp, 16), 0);
}

/** RAMPS, SPLIT where DC splits a subband, and TURNS_NOW of a slot whose turns stand at an address; two symbols side by side. */
export function prepareTurns(from: usize, subbands: usize): void {
  const ones = f32x4.splat(1);
  const zeros = f32x4.splat(0);
  let ramp = RAMPS;
  let turn = TURNS_NOW;
  for (let t: usize = 0; t < SYMBOLS; t += 2, from += 64, ramp += 2 * RAMP_BYTES, turn += 2 * TURN_BYTES) {
    v128.store(turn, v128.load(from));
    v128.store(turn + TURN_BYTES, v128.load(from, 32));
    const step = v128.load(from, 16);
    const stepAfter = v128.load(from, 48);
    const re = v128.shuffle<f64>(step, stepAfter, 0, 2);
    const im = v128.shuffle<f64>(step, stepAfter, 1, 3);
    const twoRe = timesRe(re, im, re, im);
    const twoIm = timesIm(re, im, re, im);
    const threeRe = timesRe(twoRe, twoIm, re, im);
    const threeIm = timesIm(twoRe, twoIm, re, im);
    const fourRe = timesRe(twoRe, twoIm, twoRe, twoIm);
    const fourIm = timesIm(twoRe, twoIm, twoRe, twoIm);
    const eightRe = timesRe(fourRe, fourIm, fourRe, fourIm);
    const eightIm = timesIm(fourRe, fourIm, fourRe, fourIm);
    const allRe = timesRe(eightRe, eightIm, fourRe, fourIm);
    const allIm = timesIm(eightRe, eightIm, fourRe, fourIm);
    storeFactors(turn + 16, allRe, allIm);
    storeFactors(turn + 48, timesRe(allRe, allIm, re, im), timesIm(allRe, allIm, re, im));
    const firstRe = v128.shuffle<f32>(ones, f32x4.demote_f64x2_zero(re), 0, 4, 1, 5);
    const firstIm = v128.shuffle<f32>(zeros, f32x4.demote_f64x2_zero(im), 0, 4, 1, 5);
    const lastRe = v128.shuffle<f32>(f32x4.demote_f64x2_zero(twoRe), f32x4.demote_f64x2_zero(threeRe), 0, 4, 1, 5);
    const lastIm = v128.shuffle<f32>(f32x4.demote_f64x2_zero(twoIm), f32x4.demote_f64x2_zero(threeIm), 0, 4, 1, 5);
    const fineRe = v128.shuffle<f64>(firstRe, lastRe, 0, 2);
    const fineIm = v128.shuffle<f64>(firstIm, lastIm, 0, 2);
    const fineReAfter = v128.shuffle<f64>(firstRe, lastRe, 1, 3);
    const fineImAfter = v128.shuffle<f64>(firstIm, lastIm, 1, 3);
    v128.store(ramp, fineRe);
    v128.store(ramp, fineIm, 16);
    v128.store(ramp + RAMP_BYTES, fineReAfter);
    v128.store(ramp + RAMP_BYTES, fineImAfter, 16);
    storeRamps(ramp + 32, fineRe, fineIm, fineReAfter, fineImAfter, fourRe, fourIm);
    storeRamps(ramp + 64, fineRe, fineIm, fineReAfter, fineImAfter, eightRe, eightIm);
    if ((subbands & 1) === 0) continue;
    // The six carriers above DC are one step further on.
    const split = ramp + (SPLIT - RAMPS);
    v128.store(split, fineRe);
    v128.store(split, fineIm, 16);
    v128.store(split + RAMP_BYTES, fineReAfter);
    v128.store(split + RAMP_BYTES, fineImAfter, 16);
    const fiveRe = timesRe(fourRe, fourIm, re, im);
    const fiveIm = timesIm(fourRe, fourIm, re, im);
    storeRamps(split + 32, fineRe, fineIm, fineReAfter, fineImAfter, fiveRe, fiveIm);
    const nineRe = timesRe(eightRe, eightIm, re, im);
    const nineIm = timesIm(eightRe, eightIm, re, im);
    storeRamps(split + 64, fineRe, fineIm, fineReAfter, fineImAfter, nineRe, nineIm);
    copyHalf(ramp + 32);
    copyHalf(ramp + RAMP_BYTES + 32);
  }
}
