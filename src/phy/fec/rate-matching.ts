import { inRange, UsageError } from '../../common/errors.ts';
import type { LdpcCode } from './ldpc-code.ts';

export type RedundancyVersion = 0 | 1 | 2 | 3;

/** Numerators of k0 in units of Ncb / (66 Z) and Ncb / (50 Z) (TS 38.212 table 5.4.2.1-2). */
const START_1 = [0, 17, 33, 56];
const START_2 = [0, 13, 25, 43];

/** Most coded bits E of one block: bounds what a receiver allocates for lengths that came over the air. */
export const LARGEST_CODED_BITS = 1 << 24;

/**
 * The circular buffer of one code block (TS 38.212 §5.4.2.1): N coded bits, cut to Ncb with a limited buffer, read
 * from k0(rv) on, skipping the fillers [K' - 2Z, K - 2Z).
 */
export interface CircularBuffer {
  readonly code: LdpcCode;
  /** K' */
  readonly infoBits: number;
  /** Ncb */
  readonly size: number;
  /** Fillers inside the buffer: [fillerFrom, fillerTo). */
  readonly fillerFrom: number;
  readonly fillerTo: number;
  /** Bits one turn of the buffer sends. */
  readonly usable: number;
}

/** limit: Nref of limited-buffer rate matching (TS 38.212 §5.4.2.1), default none. */
export function circularBuffer(code: LdpcCode, infoBits: number, limit = code.n): CircularBuffer {
  inRange("information bits K'", infoBits, 1, code.k);
  const size = Math.min(code.n, inRange('limited buffer Nref', limit, 1, Number.MAX_SAFE_INTEGER, 'bits'));
  const fillerFrom = Math.min(size, Math.max(0, infoBits - 2 * code.z));
  const fillerTo = Math.min(size, code.k - 2 * code.z);
  const usable = size - (fillerTo - fillerFrom);
  if (usable < 1) throw new UsageError(`limited buffer of ${size} bits holds nothing but fillers`);
  return { code, infoBits, size, fillerFrom, fillerTo, usable };
}

/** k0 of TS 38.212 table 5.4.2.1-2. */
export function startPosition(buffer: CircularBuffer, rv: RedundancyVersion): number {
  inRange('redundancy version', rv, 0, 3);
  const { code, size } = buffer;
  const [numerator, columns] = code.baseGraph === 1 ? [START_1[rv], 66] : [START_2[rv], 50];
  return Math.floor((numerator * size) / (columns * code.z)) * code.z;
}

/**
 * Calls visit(position, length, done) for each unbroken run of the E bits sent from k0(rv) on; `done` bits came before.
 */
function eachRun(
  buffer: CircularBuffer,
  codedBits: number,
  rv: RedundancyVersion,
  visit: (position: number, length: number, done: number) => void,
): void {
  inRange('coded bits E', codedBits, 1, LARGEST_CODED_BITS);
  const { size, fillerFrom, fillerTo } = buffer;
  let position = startPosition(buffer, rv);
  let done = 0;
  while (done < codedBits) {
    if (position >= fillerFrom && position < fillerTo) position = fillerTo;
    if (position >= size) {
      position = 0;
      continue;
    }
    const end = position < fillerFrom ? fillerFrom : size;
    const length = Math.min(end - position, codedBits - done);
    visit(position, length, done);
    done += length;
    position += length;
  }
}

/**
 * Bit selection (TS 38.212 §5.4.2.1). codeword: Uint8Array [N]. out: receives E bits from element `at` on.
 */
export function selectBits(
  buffer: CircularBuffer,
  codeword: Uint8Array,
  codedBits: number,
  rv: RedundancyVersion,
  out: Uint8Array,
  at = 0,
): void {
  if (out.length - at < codedBits) throw new UsageError(`output has room for ${out.length - at} of ${codedBits} bits`);
  eachRun(buffer, codedBits, rv, (position, length, done) => {
    out.set(codeword.subarray(position, position + length), at + done);
  });
}

/**
 * The inverse: adds E received LLRs into the soft buffer, so that repeated bits and repeated transmissions combine.
 *
 * llr: Float32Array, E values from element `from` on, in the order of selectBits. soft: Float32Array [N]; `empty`: it holds zeros, so that what
 * comes first is only copied.
 */
export function combineLlrs(
  buffer: CircularBuffer,
  llr: Float32Array,
  codedBits: number,
  rv: RedundancyVersion,
  soft: Float32Array,
  from = 0,
  empty = false,
): void {
  if (llr.length - from < codedBits) throw new UsageError(`${llr.length - from} LLRs given, ${codedBits} needed`);
  if (soft.length < buffer.code.n) {
    throw new UsageError(`soft buffer has room for ${soft.length} LLRs, ${buffer.code.n} needed`);
  }
  eachRun(buffer, codedBits, rv, (position, length, done) => {
    const first = from + done;
    if (empty && done + length <= buffer.usable) soft.set(llr.subarray(first, first + length), position);
    else addRun(llr, first, length, soft, position);
  });
}

function addRun(llr: Float32Array, from: number, length: number, soft: Float32Array, at: number): void {
  for (let i = 0; i < length; i++) soft[at + i] += llr[from + i];
}

/** The soft buffer's elements from here on get nothing from a transmission of E bits from k0(rv) on. */
export function reachOf(buffer: CircularBuffer, codedBits: number, rv: RedundancyVersion): number {
  let last = 0;
  eachRun(buffer, Math.min(codedBits, buffer.usable), rv, (position, length) => {
    last = Math.max(last, position + length);
  });
  return last;
}

/** Base rows that a first transmission of E bits from k0(rv) reaches: what the encoder must compute (4..rows). */
export function rowsReached(buffer: CircularBuffer, codedBits: number, rv: RedundancyVersion): number {
  const { code } = buffer;
  const columns = Math.ceil(reachOf(buffer, codedBits, rv) / code.z) + 2;
  return Math.min(code.rows, Math.max(4, columns - code.graph.infoColumns));
}
