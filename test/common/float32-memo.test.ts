import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Float32Memo } from '../../src/common/float32-memo.ts';
import { RandomStream } from '../../src/common/random.ts';

const POWER = (db: number) => (Number.isNaN(db) ? -1 : 10 ** (db / 10));

test('the same result as the function, whatever came before', () => {
  const random = new RandomStream('memo');
  const memo = new Float32Memo(POWER);
  const special = [0, -0, 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.4e-45];
  const few = Array.from({ length: 200 }, () => random.between(-30, 40));
  const xs = Float32Array.from({ length: 50_000 }, (_, i) => {
    if (i % 50 === 0) return special[random.integer(special.length)];
    // Few values, and then more than it remembers.
    return i < 25_000 ? few[random.integer(few.length)] : random.between(-30, 40);
  });
  for (const x of xs) assert.equal(memo.at(x), POWER(x));
});

test('few values are computed once each', () => {
  let calls = 0;
  const memo = new Float32Memo((x) => {
    calls++;
    return x * x;
  });
  const values = Float32Array.of(-3, 0.1, 7.5);
  for (let i = 0; i < 300; i++) assert.equal(memo.at(values[i % 3]), values[i % 3] ** 2);
  assert.equal(calls, 4, 'one for zero, and one for each');
});
