import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import {
  deinterleave,
  deinterleaveLlrs,
  interleave,
  interleaveBits,
  interleaverOrder,
} from '../../../src/phy/fec/bit-interleaver.ts';
import { rateMatchKernel } from '../../../src/phy/kernels/rate-match/rate-match.ts';
import { PlainRateMatchKernel } from '../../../src/phy/kernels/rate-match/rate-match-plain.ts';
import { WasmRateMatchKernel } from '../../../src/phy/kernels/rate-match/rate-match-wasm.ts';
import { MODULATION_ORDERS } from '../../../src/phy/modulation/qam.ts';

const kernels = [new PlainRateMatchKernel(), new WasmRateMatchKernel()];
const counts = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 4000, max: 9000 }));

test('both kernels move every value to where the order of TS 38.212 has it, and touch nothing else', () => {
  fc.assert(
    fc.property(fc.constantFrom(...MODULATION_ORDERS), counts, fc.nat(9), fc.integer(), (qm, count, from, seed) => {
      const random = new RandomStream(seed);
      const bits = qm * count;
      const order = interleaverOrder(new Uint8Array(count).fill(qm));
      const llr = Float32Array.from({ length: from + bits + 3 }, () => random.normal());
      llr[from] = Number.NaN;
      const coded = Uint8Array.from({ length: from + bits + 3 }, () => random.uint32() & 0xff);
      const wantedLlr = new Float32Array(bits + 9).fill(7);
      deinterleaveLlrs(order, llr, wantedLlr, from, 4);
      const wantedBits = new Uint8Array(bits + 9).fill(7);
      interleaveBits(order, coded, wantedBits, 4, from);
      for (const kernel of kernels) {
        const gotLlr = new Float32Array(bits + 9).fill(7);
        kernel.deinterleave(llr, qm, count, gotLlr, from, 4);
        assert.deepEqual(gotLlr, wantedLlr, kernel.constructor.name);
        const gotBits = new Uint8Array(bits + 9).fill(7);
        kernel.interleave(coded, qm, count, gotBits, from, 4);
        assert.deepEqual(gotBits, wantedBits, kernel.constructor.name);
      }
    }),
    { numRuns: 100 },
  );
});

test('REs of any orders: the same bits as by the order list, and back', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(fc.constantFrom(0, 2, 4, 6, 8), { maxLength: 300 }),
        fc.tuple(fc.constantFrom(0, 2, 4, 6, 8), fc.nat(300)).map(([qm, n]) => new Array<number>(n).fill(qm)),
      ),
      (orders) => {
        const qm = Uint8Array.from(orders);
        const order = interleaverOrder(qm);
        const coded = Uint8Array.from(order, (_, i) => i % 251);
        const wanted = new Uint8Array(order.length);
        interleaveBits(order, coded, wanted);
        const got = new Uint8Array(order.length);
        interleave(qm, coded, got);
        assert.deepEqual(got, wanted);
        const back = new Float32Array(order.length);
        deinterleave(qm, Float32Array.from(got), back);
        assert.deepEqual(back, Float32Array.from(coded));
      },
    ),
  );
  const qm = new Uint8Array(100).fill(4);
  assert.throws(() => interleave(qm, new Uint8Array(399), new Uint8Array(400)), /interleaver of 400 bits/);
  assert.throws(() => deinterleave(qm, new Float32Array(400), new Float32Array(399)), /room for 399/);
});

test('the kernel of the product is the fast one', () => {
  const fast = process.env.SCT_KERNELS === 'js' ? PlainRateMatchKernel : WasmRateMatchKernel;
  assert.equal(rateMatchKernel().constructor, fast);
});
