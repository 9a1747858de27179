import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { LIFTING_SIZES, ldpcCode } from '../../../src/phy/fec/ldpc-code.ts';
import { LdpcEncoder } from '../../../src/phy/fec/ldpc-encoder.ts';
import { ldpcEncodeKernel } from '../../../src/phy/kernels/ldpc-encode/ldpc-encode.ts';
import { PlainLdpcEncodeKernel } from '../../../src/phy/kernels/ldpc-encode/ldpc-encode-plain.ts';
import { WasmLdpcEncodeKernel } from '../../../src/phy/kernels/ldpc-encode/ldpc-encode-wasm.ts';

const kernels = [new PlainLdpcEncodeKernel(), new WasmLdpcEncodeKernel()];

test('both kernels encode every lifting size of both base graphs alike, all checks hold, and later rows stay untouched', () => {
  const random = new RandomStream('encode');
  for (const id of [1, 2] as const) {
    for (const z of LIFTING_SIZES) {
      const code = ldpcCode(id, z);
      const info = Uint8Array.from({ length: code.k }, () => random.uint32() >>> 31);
      for (const rows of [code.rows, 4 + random.integer(code.rows - 3)]) {
        const [expected, got] = kernels.map((kernel) => {
          const codeword = new Uint8Array(code.n + 5).fill(7);
          new LdpcEncoder(code, kernel).encode(info, codeword, rows);
          return codeword;
        });
        assert.deepEqual(got, expected, `BG${id} Z=${z} rows ${rows}`);
        assert.ok(got.subarray(code.k - 2 * z + rows * z).every((v) => v === 7));
        const all = new Uint8Array(2 * z + code.n);
        all.set(info.subarray(0, 2 * z));
        all.set(got.subarray(0, code.n), 2 * z);
        for (let r = 0; r < rows; r++) {
          for (let i = 0; i < z; i++) {
            let sum = 0;
            for (let e = code.rowStart[r]; e < code.rowStart[r + 1]; e++)
              sum ^= all[code.edgeColumn[e] * z + ((i + code.edgeShift[e]) % z)];
            assert.equal(sum, 0, `BG${id} Z=${z} row ${r} check ${i}`);
          }
        }
      }
    }
  }
});

test('the kernel of the product is the fast one', () => {
  const fast = process.env.SCT_KERNELS === 'js' ? PlainLdpcEncodeKernel : WasmLdpcEncodeKernel;
  assert.equal(ldpcEncodeKernel().constructor, fast);
});
