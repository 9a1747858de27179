import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloatPool } from '../../../src/phy/burst/float-pool.ts';

test('an array given back is taken again by its length, once; others are fresh', () => {
  const pool = new FloatPool();
  const [a, b] = [pool.take(100), pool.take(200)];
  pool.give(a);
  pool.give(b);
  pool.give(a);
  assert.equal(pool.take(200), b);
  assert.notEqual(pool.take(200), b);
  assert.equal(pool.take(100), a);
  assert.notEqual(pool.take(100), a);
  assert.equal(pool.take(7).length, 7);
});

test('what has gone to another thread is not kept, nor more than sixteen arrays', () => {
  const pool = new FloatPool();
  const gone = pool.take(100);
  structuredClone(gone, { transfer: [gone.buffer as ArrayBuffer] });
  pool.give(gone);
  assert.equal(pool.take(100).length, 100);
  const many = Array.from({ length: 20 }, () => new Float32Array(5));
  for (const array of many) pool.give(array);
  const again = new Set(Array.from({ length: 20 }, () => pool.take(5)));
  assert.equal(many.filter((array) => again.has(array)).length, 16);
});
