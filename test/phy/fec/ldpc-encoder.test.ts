import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { type LdpcCode, LIFTING_SIZES, ldpcCode } from '../../../src/phy/fec/ldpc-code.ts';
import { LdpcEncoder, ldpcEncoder } from '../../../src/phy/fec/ldpc-encoder.ts';
import { doubledWords, packDoubled, unpackBlock, xorRotated } from '../../../src/phy/fec/packed-blocks.ts';

function randomBits(seed: string, n: number): Uint8Array {
  const random = new RandomStream(seed);
  return Uint8Array.from({ length: n }, () => random.uint32() >>> 31);
}

/** Number of violated checks, straight from the definition: check z of row i meets bit (z + V mod Z) mod Z of column j. */
function violatedChecks(code: LdpcCode, info: Uint8Array, codeword: Uint8Array): number {
  const word = new Uint8Array(code.columns * code.z);
  word.set(info.subarray(0, 2 * code.z));
  word.set(codeword, 2 * code.z);
  let violated = 0;
  for (let row = 0; row < code.rows; row++) {
    for (let check = 0; check < code.z; check++) {
      let sum = 0;
      for (let e = code.rowStart[row]; e < code.rowStart[row + 1]; e++) {
        sum ^= word[code.edgeColumn[e] * code.z + ((check + code.edgeShift[e]) % code.z)];
      }
      violated += sum;
    }
  }
  return violated;
}

test('every codeword of all 102 codes is systematic and satisfies every check', () => {
  const digests = JSON.parse(readFileSync('test/vectors/ldpc/encoder-digests.json', 'utf8')).codewords;
  for (const id of [1, 2] as const) {
    for (const z of LIFTING_SIZES) {
      const code = ldpcCode(id, z);
      const info = randomBits(`ldpc/${id}/${z}`, code.k);
      const codeword = new Uint8Array(code.n).fill(9);
      ldpcEncoder(code).encode(info, codeword);
      assert.deepEqual(codeword.subarray(0, code.k - 2 * z), info.subarray(2 * z), `BG${id} Z=${z}`);
      assert.equal(violatedChecks(code, info, codeword), 0, `BG${id} Z=${z}`);
      const digest = createHash('sha256').update(codeword).digest('hex').slice(0, 16);
      assert.equal(digest, digests[`BG${id} Z=${z}`]);
    }
  }
});

test('a single flipped bit violates checks (the test above can fail)', () => {
  const code = ldpcCode(2, 22);
  const info = randomBits('flip', code.k);
  const codeword = new Uint8Array(code.n);
  ldpcEncoder(code).encode(info, codeword);
  codeword[77] ^= 1;
  assert.ok(violatedChecks(code, info, codeword) > 0);
});

test('fewer rows give the same bits as far as they go', () => {
  const code = ldpcCode(1, 30);
  const info = randomBits('rows', code.k);
  const whole = new Uint8Array(code.n);
  const part = new Uint8Array(code.n).fill(7);
  new LdpcEncoder(code).encode(info, whole);
  new LdpcEncoder(code).encode(info, part, 9);
  const end = code.k + (9 - 2) * code.z;
  assert.deepEqual(part.subarray(0, end), whole.subarray(0, end));
  assert.ok(part.subarray(end).every((b) => b === 7));
});

test('rotations of packed blocks equal rotations of bits for any length', () => {
  for (const z of [2, 3, 31, 32, 33, 63, 64, 65, 100, 384]) {
    const bits = randomBits(`rotate${z}`, z);
    const words = new Int32Array(doubledWords(z));
    packDoubled(bits, 0, z, words, 0);
    for (let shift = 0; shift < z; shift += Math.max(1, z >> 4)) {
      const n = (z + 31) >> 5;
      const target = new Int32Array(n);
      xorRotated(target, 0, words, 0, shift, n);
      const out = new Uint8Array(z);
      unpackBlock(target, 0, z, out, 0);
      assert.deepEqual(
        out,
        bits.map((_, j) => bits[(j + shift) % z]),
        `z ${z} shift ${shift}`,
      );
    }
  }
});

test('wrong lengths are refused', () => {
  const encoder = ldpcEncoder(ldpcCode(2, 8));
  assert.throws(() => encoder.encode(new Uint8Array(79), new Uint8Array(400)), /80 needed/);
  assert.throws(() => encoder.encode(new Uint8Array(80), new Uint8Array(399)), /400 needed/);
  assert.match(encoder.describe(), /BG2 Z=8/);
});
