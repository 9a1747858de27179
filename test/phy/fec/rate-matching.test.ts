import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import {
  bitsOfElements,
  deinterleaveLlrs,
  interleaveBits,
  interleaverOrder,
} from '../../../src/phy/fec/bit-interleaver.ts';
import { LIFTING_SIZES, ldpcCode } from '../../../src/phy/fec/ldpc-code.ts';
import {
  circularBuffer,
  combineLlrs,
  type RedundancyVersion,
  rowsReached,
  selectBits,
  startPosition,
} from '../../../src/phy/fec/rate-matching.ts';

/** Positions sent, written as the pseudo-code of TS 38.212 §5.4.2.1 (d_k = NULL for fillers). */
function specification(bg: 1 | 2, z: number, infoBits: number, ncb: number, e: number, rv: number): number[] {
  const kb = bg === 1 ? 22 : 10;
  const turns = bg === 1 ? 66 : 50;
  const numerator = (bg === 1 ? [0, 17, 33, 56] : [0, 13, 25, 43])[rv];
  const k0 = Math.floor((numerator * ncb) / (turns * z)) * z;
  const positions: number[] = [];
  for (let j = 0; positions.length < e; j++) {
    const at = (k0 + j) % ncb;
    const variable = at + 2 * z;
    if (variable < infoBits || variable >= kb * z) positions.push(at);
  }
  return positions;
}

const setting = fc.record({
  bg: fc.constantFrom<1 | 2>(1, 2),
  z: fc.constantFrom(...LIFTING_SIZES.filter((z) => z <= 48)),
  fill: fc.double({ min: 0.55, max: 1, noNaN: true }),
  buffer: fc.double({ min: 0.5, max: 1.2, noNaN: true }),
  turns: fc.double({ min: 0.05, max: 2.7, noNaN: true }),
  rv: fc.constantFrom<RedundancyVersion>(0, 1, 2, 3),
});

test('bit selection equals the pseudo-code of the standard for any fillers, limit, length and version', () => {
  fc.assert(
    fc.property(setting, ({ bg, z, fill, buffer, turns, rv }) => {
      const code = ldpcCode(bg, z);
      const infoBits = Math.max(1, Math.floor(code.k * fill));
      const ncb = Math.min(code.n, Math.floor(code.n * buffer));
      const e = Math.max(1, Math.floor(code.n * turns));
      const expected = specification(bg, z, infoBits, ncb, e, rv);
      const circular = circularBuffer(code, infoBits, Math.floor(code.n * buffer));
      // Codeword "bits" are position numbers modulo 251, enough to tell positions apart.
      const codeword = Uint8Array.from({ length: code.n }, (_, i) => i % 251);
      const out = new Uint8Array(e + 3);
      selectBits(circular, codeword, e, rv, out, 3);
      assert.deepEqual(
        [...out.subarray(3)],
        expected.map((p) => p % 251),
      );
      // Received LLRs add up where they came from.
      const llr = Float32Array.from({ length: e }, (_, i) => i + 1);
      const soft = new Float32Array(code.n);
      combineLlrs(circular, llr, e, rv, soft);
      const empty = new Float32Array(soft.length);
      combineLlrs(circular, llr, e, rv, empty, 0, true);
      assert.deepEqual(empty, soft);
      const sums = new Float32Array(code.n);
      expected.forEach((p, i) => {
        sums[p] += i + 1;
      });
      assert.deepEqual(soft, sums);
      const rows = rowsReached(circular, e, rv);
      assert.ok(Math.max(...expected) < code.k + (rows - 2) * z || rows === code.rows);
    }),
    { seed: 2, numRuns: 200 },
  );
});

test('start positions of table 5.4.2.1-2', () => {
  const full = circularBuffer(ldpcCode(1, 384), 8448);
  assert.deepEqual(
    [0, 1, 2, 3].map((rv) => startPosition(full, rv as RedundancyVersion) / 384),
    [0, 17, 33, 56],
  );
  const half = circularBuffer(ldpcCode(2, 10), 100, 333);
  assert.deepEqual(
    [0, 1, 2, 3].map((rv) => startPosition(half, rv as RedundancyVersion)),
    [0, 80, 160, 280],
  );
  assert.throws(() => startPosition(full, 4 as RedundancyVersion), /allowed 0 to 3/);
});

test('with one modulation the interleaver is that of TS 38.212 §5.4.2.2', () => {
  for (const qm of [2, 4, 6, 8]) {
    const e = 24 * qm;
    const order = interleaverOrder(new Uint8Array(24).fill(qm));
    const coded = Uint8Array.from({ length: e }, (_, i) => i);
    const out = new Uint8Array(e);
    interleaveBits(order, coded, out);
    for (let j = 0; j < e / qm; j++)
      for (let i = 0; i < qm; i++) assert.equal(out[i + j * qm], coded[i * (e / qm) + j]);
  }
});

test('with mixed modulations it is a permutation that fills level by level, and its inverse undoes it', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 2, 4, 6, 8), { minLength: 1, maxLength: 60 }), (orders) => {
      const qm = Uint8Array.from(orders);
      const order = interleaverOrder(qm);
      const total = bitsOfElements(qm);
      assert.equal(order.length, total);
      assert.equal(new Set(order).size, total);
      const expected: number[] = [];
      for (let i = 0; i < 8; i++) {
        orders.forEach((q, j) => {
          if (q > i) expected.push(orders.slice(0, j).reduce<number>((s, x) => s + x, 0) + i);
        });
      }
      assert.deepEqual([...order], expected);
      const random = new RandomStream('interleave');
      const coded = Uint8Array.from({ length: total }, () => random.integer(256));
      const sent = new Uint8Array(total);
      interleaveBits(order, coded, sent);
      const back = new Float32Array(total);
      deinterleaveLlrs(order, Float32Array.from(sent), back);
      assert.deepEqual([...back], [...coded]);
    }),
    { seed: 3 },
  );
});

test('short inputs are refused', () => {
  const buffer = circularBuffer(ldpcCode(2, 4), 40);
  assert.throws(() => selectBits(buffer, new Uint8Array(200), 10, 0, new Uint8Array(9)), /room for 9 of 10/);
  assert.throws(() => combineLlrs(buffer, new Float32Array(9), 10, 0, new Float32Array(200)), /10 needed/);
  assert.throws(() => combineLlrs(buffer, new Float32Array(10), 10, 0, new Float32Array(199)), /200 needed/);
  assert.throws(() => selectBits(buffer, new Uint8Array(200), 0, 0, new Uint8Array(9)), /out of range/);
  assert.throws(() => circularBuffer(ldpcCode(2, 4), 8, 30), /nothing but fillers/);
  assert.throws(() => interleaveBits(new Uint32Array(8), new Uint8Array(7), new Uint8Array(8)), /8 bits/);
});
