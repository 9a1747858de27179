import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { decodeSfvScale, encodeSfvScale } from '../../../src/sct/codec/sfv-power.ts';
import { cellsOfSfvs, strideOf, symbolOrder } from '../../../src/sct/codec/symbol-order.ts';

const K_SET = [0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192];

test('every symbol has a place, none two, and what is left repeats the first ones', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...K_SET), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 300 }),
      (list, spare) => {
        const k = Uint8Array.from(list);
        const symbols = k.reduce((a, b) => a + b, 0);
        if (symbols === 0) return;
        const order = symbolOrder(k, new Uint8Array(k.length), symbols + spare);
        assert.equal(order.symbols, symbols);
        const count = new Map<number, number>();
        order.cell.forEach((cell, p) => {
          assert.ok(order.index[p] < k[cell]);
          const key = cell * 192 + order.index[p];
          count.set(key, (count.get(key) ?? 0) + 1);
        });
        assert.equal(count.size, symbols);
        const least = Math.floor((symbols + spare) / symbols);
        for (const n of count.values()) assert.ok(n === least || n === least + 1);
      },
    ),
    { numRuns: 200 },
  );
});

test('any stretch of 154 symbols has nearly the same mix of indices', () => {
  const random = new RandomStream(5);
  const k = Uint8Array.from({ length: 70 }, () => K_SET[3 + random.integer(6)]);
  const classes = Uint8Array.from(k, (v) => K_SET.indexOf(v));
  const symbols = k.reduce((a, b) => a + b, 0);
  const order = symbolOrder(k, classes, symbols);
  const mean = (from: number, to: number) => order.index.subarray(from, to).reduce((a, b) => a + b, 0) / (to - from);
  const all = mean(0, symbols);
  let worst = 0;
  for (let at = 0; at + 154 <= symbols; at += 7) worst = Math.max(worst, Math.abs(mean(at, at + 154) - all));
  // Drawn at random the mean of 154 would stray by 3 standard deviations, some 5; evenly taken by below 1.
  assert.ok(worst < 1, `${worst} of ${all}`);
});

test('the stride has no factor in common with the length', () => {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  for (let n = 1; n < 3000; n++) assert.equal(gcd(strideOf(n), n), 1);
  assert.deepEqual([1, 2, 10, 154, 1000].map(strideOf), [1, 1, 7, 95, 619]);
});

test('what cannot be ordered is refused; cells stand in row order', () => {
  assert.throws(() => symbolOrder(new Uint8Array(3), [0, 0, 0], 5), UsageError);
  assert.throws(() => symbolOrder(Uint8Array.of(8), [0], 7), UsageError);
  assert.throws(() => symbolOrder(Uint8Array.of(8), [0], 2 ** 20), UsageError);
  assert.deepEqual(cellsOfSfvs(Uint8Array.of(1, 0, 1, 1), 2), [Uint32Array.of(1), Uint32Array.of(0, 2, 3)]);
});

test('SFV scales: 127 codes, steps of 1/32 octave, ends kept', () => {
  for (let code = 1; code <= 127; code++) assert.equal(encodeSfvScale(decodeSfvScale(code)), code);
  assert.equal(decodeSfvScale(64), 1);
  assert.deepEqual([1e-9, 1e9].map(encodeSfvScale), [1, 127]);
  // Half a step of amplitude is 0.094 dB of power.
  for (let r = 0.3; r < 3.5; r *= 1.0037) {
    assert.ok(Math.abs(20 * Math.log10(r / decodeSfvScale(encodeSfvScale(r)))) < 0.095);
  }
  for (const bad of [0, -1, Number.NaN]) assert.throws(() => encodeSfvScale(bad), UsageError);
  for (const bad of [0, 128]) assert.throws(() => decodeSfvScale(bad), UsageError);
});
