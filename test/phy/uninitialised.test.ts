import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uninitialisedFloats } from '../../src/phy/uninitialised.ts';

test('arrays of any length have memory of their own, which can go to another thread', () => {
  for (const length of [0, 1, 32_767, 32_768, 100_000]) {
    const a = uninitialisedFloats(length).fill(1);
    const b = uninitialisedFloats(length).fill(2);
    assert.equal(a.length, length);
    // Not a slice of a pool.
    assert.equal(a.byteOffset, 0);
    assert.equal(a.buffer.byteLength, 4 * length);
    assert.ok(a.every((v) => v === 1) && b.every((v) => v === 2));
    assert.deepEqual(structuredClone(b, { transfer: [b.buffer as ArrayBuffer] }).length, length);
    assert.equal(b.length, 0);
  }
});
