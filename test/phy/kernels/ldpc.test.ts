import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { type BaseGraphId, LIFTING_SIZES, ldpcCode } from '../../../src/phy/fec/ldpc-code.ts';
import { LdpcDecoder } from '../../../src/phy/fec/ldpc-decoder.ts';
import { ldpcEncoder } from '../../../src/phy/fec/ldpc-encoder.ts';
import { ldpcDecoderKernel } from '../../../src/phy/kernels/ldpc/ldpc.ts';
import { PlainLdpcKernel } from '../../../src/phy/kernels/ldpc/ldpc-plain.ts';
import { WasmLdpcKernel } from '../../../src/phy/kernels/ldpc/ldpc-wasm.ts';

const plain = new PlainLdpcKernel();
const wasm = new WasmLdpcKernel();

/** Soft buffer of a random codeword in noise: much or little, with erased, repeated, saturated and tied values in it. */
function softBuffer(id: BaseGraphId, z: number, infoBits: number, random: RandomStream): Float32Array {
  const code = ldpcCode(id, z);
  const info = Uint8Array.from({ length: code.k }, (_, i) => (i < infoBits ? random.uint32() >>> 31 : 0));
  const codeword = new Uint8Array(code.n);
  ldpcEncoder(code).encode(info, codeword);
  const amplitude = [0.3, 1, 3, 12][random.integer(4)];
  const sent = 8 * random.integer(Math.ceil(code.n / 8)) + 8;
  const steps = random.integer(2) === 0;
  return Float32Array.from(codeword, (bit, i) => {
    if (i >= sent) return 0;
    const kind = random.integer(40);
    if (kind === 0) return 0;
    if (kind === 1) return [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0][random.integer(4)];
    const llr = amplitude * (1 - 2 * bit) + 2 * random.normal();
    // Multiples of 1/8: every second one lies between two integers of the quantiser, and some a hair above or below.
    if (!steps) return llr;
    return (Math.round(8 * llr) / 8) * (1 + 2 ** -23 * (random.integer(3) - 1));
  });
}

function sameIterations(id: BaseGraphId, z: number, infoBits: number, random: RandomStream, iterations: number): void {
  const code = ldpcCode(id, z);
  const soft = softBuffer(id, z, infoBits, random);
  const rows = Uint8Array.from({ length: code.rows }, (_, r) => r).filter((r) => r < 4 || random.integer(3) > 0);
  const limits = Uint8Array.from({ length: code.columns }, () => [127, 63, 30, 61, 1][random.integer(5)]);
  // What a transmission of that length would reach; it may end within a column.
  const reach = 1 + soft.findLastIndex((v) => v !== 0);
  const label = `BG${id} Z=${z} K'=${infoBits}`;
  const results = [plain, wasm].map((kernel) => {
    const heard = new Uint8Array(code.columns);
    kernel.load(code, soft, heard, reach);
    kernel.start(infoBits, rows, rows.length, limits);
    const bits = new Uint8Array(code.columns * z + 1).fill(7);
    const trace: unknown[] = [heard];
    for (let i = 0; i < iterations; i++) {
      kernel.iterate();
      kernel.hardDecisions(bits, code.columns * z);
      trace.push(kernel.parityHolds(), bits.slice());
    }
    return trace;
  });
  assert.deepEqual(results[1], results[0], label);
  const [of, on] = [plain, wasm].map((kernel) => {
    const bits = new Uint8Array(code.k);
    return { bits, result: new LdpcDecoder(code, kernel).decode(soft, infoBits, bits, { maxIterations: 9 }) };
  });
  assert.deepEqual(on, of, label);
  const bits = new Uint8Array(code.k);
  const result = new LdpcDecoder(code, wasm).decode(soft, infoBits, bits, { maxIterations: 9, reach });
  assert.deepEqual({ bits, result }, of, `${label} reach ${reach}`);
}

test('WebAssembly decodes like plain TypeScript at all lifting sizes of both base graphs', () => {
  const random = new RandomStream('every size');
  for (const id of [1, 2] as const) {
    for (const z of LIFTING_SIZES) sameIterations(id, z, ldpcCode(id, z).k - random.integer(2 * z), random, 3);
  }
});

test('WebAssembly decodes like plain TypeScript whatever was received', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<BaseGraphId>(1, 2),
      fc.constantFrom(...LIFTING_SIZES),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      fc.integer(),
      (id, z, fill, seed) => {
        sameIterations(id, z, Math.ceil(fill * ldpcCode(id, z).k), new RandomStream(seed), 6);
      },
    ),
    { numRuns: 300 },
  );
});

test('the kernel of the product is the fast one', () => {
  assert.equal(ldpcDecoderKernel().name, process.env.SCT_KERNELS === 'js' ? 'typescript' : 'WebAssembly SIMD');
});
