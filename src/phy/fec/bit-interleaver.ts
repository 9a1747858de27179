import { UsageError } from '../../common/errors.ts';
import { rateMatchKernel } from '../kernels/rate-match/rate-match.ts';

/**
 * The bit interleaver of TS 38.212 §5.4.2.2, carried over to resource elements (RE) of different modulation orders.
 *
 * A code block owns an ordered list of REs, RE j carrying Qm_j bits. For level i = 0, 1, ... and each RE j with
 * Qm_j > i in turn, bit i of RE j takes the next coded bit, so that the first (systematic) bits lie on the strongest
 * bits of every constellation. With one Qm for all REs this is f[i + j Qm] = e[i E / Qm + j].
 */

/** Bits that a list of REs carries. qm: Uint8Array [RE], modulation order of each (0 = not used). */
export function bitsOfElements(qm: Uint8Array, from = 0, to = qm.length): number {
  let bits = 0;
  for (let j = from; j < to; j++) bits += qm[j];
  return bits;
}

/**
 * Where each coded bit goes: Uint32Array [E], element t is the place of e[t] among the bits of the REs, which stand one
 * after the other (bit i of RE j at Qm_0 + ... + Qm_(j-1) + i).
 */
export function interleaverOrder(qm: Uint8Array, from = 0, to = qm.length): Uint32Array {
  const order = new Uint32Array(bitsOfElements(qm, from, to));
  let highest = 0;
  let lowest = 255;
  for (let j = from; j < to; j++) {
    if (qm[j] > highest) highest = qm[j];
    if (qm[j] < lowest) lowest = qm[j];
  }
  let t = 0;
  if (highest === lowest) {
    for (let i = 0; i < highest; i++) for (let p = i; p < order.length; p += highest) order[t++] = p;
    return order;
  }
  for (let i = 0; i < highest; i++) {
    let place = 0;
    for (let j = from; j < to; j++) {
      if (qm[j] > i) order[t++] = place + i;
      place += qm[j];
    }
  }
  return order;
}

/** out[at + order[t]] = coded[codedFrom + t]: coded bits to the bits of the REs. */
export function interleaveBits(order: Uint32Array, coded: Uint8Array, out: Uint8Array, at = 0, codedFrom = 0): void {
  requireRoom(order, coded.length - codedFrom, out.length - at);
  for (let t = 0; t < order.length; t++) out[at + order[t]] = coded[codedFrom + t];
}

/** coded[codedFrom + t] = llr[from + order[t]]: LLRs of the REs back to the order of the coded bits. */
export function deinterleaveLlrs(
  order: Uint32Array,
  llr: Float32Array,
  coded: Float32Array,
  from = 0,
  codedFrom = 0,
): void {
  requireRoom(order, llr.length - from, coded.length - codedFrom);
  for (let t = 0; t < order.length; t++) coded[codedFrom + t] = llr[from + order[t]];
}

function requireRoom(order: Uint32Array, input: number, output: number): void {
  requireBits(order.length, input, output);
}

function requireBits(bits: number, input: number, output: number): void {
  if (input < bits || output < bits) {
    throw new UsageError(`interleaver of ${bits} bits was given ${input} in and room for ${output} out`);
  }
}

/** The modulation order that all REs have, or 0; bits of which come in pairs. */
function commonOrder(qm: Uint8Array): number {
  for (let j = 1; j < qm.length; j++) if (qm[j] !== qm[0]) return 0;
  return qm.length > 0 && qm[0] <= 8 && qm[0] % 2 === 0 ? qm[0] : 0;
}

/** The E coded bits of the REs of orders `qm` to the bits of the REs: `sent` and `coded` from their first element on. */
export function interleave(qm: Uint8Array, coded: Uint8Array, sent: Uint8Array): void {
  const order = commonOrder(qm);
  if (order === 0) interleaveBits(interleaverOrder(qm), coded, sent);
  else {
    requireBits(order * qm.length, coded.length, sent.length);
    rateMatchKernel().interleave(coded, order, qm.length, sent, 0, 0);
  }
}

/** LLRs of the REs of orders `qm` back to the order of the coded bits: `llr` and `coded` from their first element on. */
export function deinterleave(qm: Uint8Array, llr: Float32Array, coded: Float32Array): void {
  const order = commonOrder(qm);
  if (order === 0) deinterleaveLlrs(interleaverOrder(qm), llr, coded);
  else {
    requireBits(order * qm.length, llr.length, coded.length);
    rateMatchKernel().deinterleave(llr, order, qm.length, coded, 0, 0);
  }
}
