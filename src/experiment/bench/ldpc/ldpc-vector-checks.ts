import { createHash } from 'node:crypto';
import { CRC6, CRC11, CRC16, CRC24A, CRC24B, CRC24C, type CrcSpec, crcBits } from '../../../common/crc.ts';
import { FormatError } from '../../../common/errors.ts';
import { type BaseGraphId, baseGraph, ldpcCode, liftingSet } from '../../../phy/fec/ldpc-code.ts';
import { ldpcEncoder } from '../../../phy/fec/ldpc-encoder.ts';
import { circularBuffer, selectBits } from '../../../phy/fec/rate-matching.ts';
import { chooseBaseGraph, LARGEST_BLOCK_BITS, liftBlock } from '../../../phy/fec/segmentation.ts';
import type { NpyArray } from '../npy.ts';

/** One comparison with published numbers. */
export interface VectorCase {
  readonly file: string;
  readonly kind: 'codewords' | 'generator-matrix' | 'base-graph' | 'crc';
  readonly name: string;
  /** Codewords, matrix rows, graph edges or remainders compared. */
  readonly vectors: number;
  readonly ok: boolean;
  /** What differs first, or null. */
  readonly difference: string | null;
  /** SHA-256 of the file's codewords of this case, one a line; null for other kinds. */
  readonly sha256: string | null;
}

/**
 * Message and codeword pairs as text: "z N msgs", then messages; "z N cwds", then their codewords in the same order.
 * '-' is a filler. A message has K = 22 z or 10 z characters, which tells the base graph, a codeword N = 66 z or 50 z
 * (or, with the punctured first 2 z bits in front, 68 z or 52 z). One case a lifting size.
 */
export function checkCodewords(file: string, text: string): VectorCase[] {
  const messages = new Map<number, string[]>();
  const codewords = new Map<number, string[]>();
  let current: string[] | undefined;
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    const place = `${file} line ${index + 1}`;
    if (line === '' || line.startsWith('#')) return;
    const heading = /^z\s+(\d+)\s+(msgs|cwds)$/.exec(line);
    if (heading) {
      const z = Number(heading[1]);
      if (liftingSet(z) < 0) throw new FormatError(place, `lifting size ${heading[1]} does not exist`);
      const target = heading[2] === 'msgs' ? messages : codewords;
      current = target.get(z) ?? [];
      target.set(z, current);
    } else if (!current) {
      throw new FormatError(place, 'stands before the first "z N msgs" line');
    } else if (!/^[01-]+$/.test(line)) {
      throw new FormatError(place, `has characters other than 0, 1 and -: ${JSON.stringify(line.slice(0, 40))}`);
    } else current.push(line);
  });
  for (const z of [...messages.keys(), ...codewords.keys()]) {
    const [m, c] = [messages.get(z)?.length ?? 0, codewords.get(z)?.length ?? 0];
    if (m !== c) throw new FormatError(`${file} z ${z}`, `has ${m} messages but ${c} codewords`);
  }
  if (messages.size === 0) throw new FormatError(file, 'holds no "z N msgs" line');
  return [...messages.keys()].flatMap((z) => checkSize(file, z, messages.get(z)!, codewords.get(z)!));
}

function checkSize(file: string, z: number, messages: string[], codewords: string[]): VectorCase[] {
  if (messages.length === 0) throw new FormatError(`${file} z ${z}`, 'holds no message');
  const id: BaseGraphId | 0 = messages[0].length === 22 * z ? 1 : messages[0].length === 10 * z ? 2 : 0;
  if (id === 0) {
    throw new FormatError(
      `${file} z ${z} message 1`,
      `has ${messages[0].length} bits: allowed ${22 * z} (base graph 1) and ${10 * z} (base graph 2)`,
    );
  }
  const code = ldpcCode(id, z);
  const info = new Uint8Array(code.k);
  const codeword = new Uint8Array(code.n);
  let difference: string | null = null;
  messages.forEach((message, i) => {
    const place = `${file} z ${z}`;
    if (message.length !== code.k) {
      throw new FormatError(`${place} message ${i + 1}`, `has ${message.length} bits, the first one ${code.k}`);
    }
    const punctured = codewords[i].length === code.n + 2 * z ? 2 * z : 0;
    const expected = codewords[i].slice(punctured);
    if (expected.length !== code.n) {
      throw new FormatError(`${place} codeword ${i + 1}`, `has ${codewords[i].length} bits: allowed ${code.n}`);
    }
    for (let j = 0; j < code.k; j++) info[j] = message.charCodeAt(j) === 49 ? 1 : 0;
    ldpcEncoder(code).encode(info, codeword);
    for (let j = 0; j < code.n; j++) {
      const filler = j + 2 * z < code.k && message[j + 2 * z] === '-';
      if (expected[j] === '-' && !filler) {
        throw new FormatError(`${place} codeword ${i + 1}`, `bit ${j + 1} is '-' but no filler of the message`);
      }
      const bit = expected[j] === '1' ? 1 : 0;
      if (difference === null && bit !== codeword[j])
        difference = `codeword ${i + 1}, bit ${j + 1}: ${codeword[j]} is not ${bit}`;
    }
  });
  const sha256 = createHash('sha256').update(codewords.join('\n')).digest('hex');
  const name = `BG${id} Z=${z}`;
  return [{ file, kind: 'codewords', name, vectors: messages.length, ok: difference === null, difference, sha256 }];
}

/**
 * Generator matrix of encoder and rate matching together, as Sionna's LDPC5GEncoder(k, n) makes it: no CRC, base graph
 * by TS 38.212 §6.2.2 with A = k and R = k/n, redundancy version 0, no bit interleaver. The file lists the ones of the
 * k x n matrix: row 0 the message bit, row 1 the coded bit, both counted from 1. Every unit message is encoded, which
 * covers all messages because the code is linear.
 */
export function checkGeneratorMatrix(file: string, k: number, n: number, matrix: NpyArray): VectorCase {
  const { shape, values } = matrix;
  if (shape.length !== 2 || shape[0] !== 2) throw new FormatError(`${file} shape`, `(${shape}) is not (2, ones)`);
  if (k < 1 || n <= k || n > 1 << 20) throw new FormatError(`${file} name`, `k=${k}, n=${n} is no code`);
  const id = chooseBaseGraph(k, k / n);
  if (k > LARGEST_BLOCK_BITS[id])
    throw new FormatError(`${file} name`, `k=${k} is over ${LARGEST_BLOCK_BITS[id]} bits`);
  const ones = shape[1];
  // The coded bits that each message bit sets, grouped by counting.
  const start = new Uint32Array(k + 2);
  for (let i = 0; i < ones; i++) {
    const [row, column] = [values[i], values[ones + i]];
    if (!Number.isInteger(row) || row < 1 || row > k)
      throw new FormatError(`${file} entry ${i}`, `message bit ${row} is not in 1..${k}`);
    if (!Number.isInteger(column) || column < 1 || column > n) {
      throw new FormatError(`${file} entry ${i}`, `coded bit ${column} is not in 1..${n}`);
    }
    start[row + 1]++;
  }
  for (let row = 1; row <= k + 1; row++) start[row] += start[row - 1];
  const next = start.slice();
  const columns = new Uint32Array(ones);
  for (let i = 0; i < ones; i++) columns[next[values[i]]++] = values[ones + i] - 1;

  const { code } = liftBlock(id, k);
  const buffer = circularBuffer(code, k);
  const info = new Uint8Array(code.k);
  const codeword = new Uint8Array(code.n);
  const coded = new Uint8Array(n);
  const expected = new Uint8Array(n);
  let difference: string | null = null;
  for (let row = 0; row < k && difference === null; row++) {
    info.fill(0);
    info[row] = 1;
    ldpcEncoder(code).encode(info, codeword);
    selectBits(buffer, codeword, n, 0, coded);
    expected.fill(0);
    for (let i = start[row + 1]; i < start[row + 2]; i++) expected[columns[i]] ^= 1;
    const at = expected.findIndex((bit, j) => bit !== coded[j]);
    if (at >= 0) difference = `message bit ${row + 1}, coded bit ${at + 1}: ${coded[at]} is not ${expected[at]}`;
  }
  const name = `k=${k} n=${n} (BG${id} Z=${code.z})`;
  return { file, kind: 'generator-matrix', name, vectors: k, ok: difference === null, difference, sha256: null };
}

/** Base graph as "row;column;V0;...;V7" lines, the row left out where it does not change. */
export function checkBaseGraph(file: string, id: BaseGraphId, text: string): VectorCase {
  const graph = baseGraph(id);
  const lines = text
    .split('\n')
    .map((l) => l.trim().split(';'))
    .filter((f) => /^\d+$/.test(f[1] ?? ''));
  let row = -1;
  let difference: string | null =
    lines.length === graph.edges ? null : `${graph.edges} edges, the file has ${lines.length}`;
  lines.forEach((fields, e) => {
    if (fields[0] !== '') row = Number(fields[0]);
    if (fields.length < 10 || fields.slice(1, 10).some((f) => !/^\d+$/.test(f)) || !Number.isInteger(row)) {
      throw new FormatError(`${file} edge ${e + 1}`, 'is not row;column;V0;...;V7');
    }
    if (difference !== null) return;
    const same =
      e >= graph.rowStart[row] &&
      e < graph.rowStart[row + 1] &&
      graph.edgeColumn[e] === Number(fields[1]) &&
      fields.slice(2, 10).every((v, i) => graph.shifts[8 * e + i] === Number(v));
    if (!same) difference = `edge ${e + 1} (row ${row}, column ${fields[1]}) differs`;
  });
  return {
    file,
    kind: 'base-graph',
    name: `BG${id}`,
    vectors: lines.length,
    ok: difference === null,
    difference,
    sha256: null,
  };
}

const CRCS: readonly CrcSpec[] = [CRC6, CRC11, CRC16, CRC24A, CRC24B, CRC24C];

/** A message and its remainder, both as 0/1 arrays; the CRC by name, or by the remainder's length where unnamed. */
export function checkCrc(file: string, crcName: string, message: NpyArray, remainder: NpyArray): VectorCase {
  const expected = [...remainder.values];
  const spec = CRCS.find((c) => (crcName === '' ? c.length === expected.length : c.name === crcName));
  if (!spec) throw new FormatError(file, `CRC ${crcName || `of ${expected.length} bits`} is not known`);
  if ([...message.values, ...expected].some((v) => v !== 0 && v !== 1))
    throw new FormatError(file, 'holds values other than 0 and 1');
  const value = crcBits(spec, Uint8Array.from(message.values));
  const ours = Array.from({ length: spec.length }, (_, i) => (value >>> (spec.length - 1 - i)) & 1);
  const ok = ours.join('') === expected.join('');
  const difference = ok ? null : `${ours.join('')} is not ${expected.join('')}`;
  return { file, kind: 'crc', name: spec.name, vectors: 1, ok, difference, sha256: null };
}
