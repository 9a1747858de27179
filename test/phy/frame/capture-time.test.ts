import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { captureTimeCode, sinceCaptureMs } from '../../../src/phy/frame/capture-time.ts';

test('the code is tenths of a millisecond since 1970, modulo 2^24', () => {
  assert.equal(captureTimeCode(0), 0);
  assert.equal(captureTimeCode(0.06), 1);
  assert.equal(captureTimeCode(1_677_721.6), 0);
  assert.equal(captureTimeCode(1_677_721.55), 0, 'rounded up to the wrap');
  // (17672256000001 mod 16777216) by hand in exact integers.
  const utcMs = Date.UTC(2026, 0, 1) + 0.1;
  assert.equal(captureTimeCode(utcMs), Number((BigInt(Date.UTC(2026, 0, 1)) * 10n + 1n) % (1n << 24n)));
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => captureTimeCode(bad), UsageError);
});

test('any latency below 838.8 s, also a negative one, comes back within 0.1 ms', () => {
  const day = fc.double({ min: 1.7e12, max: 4e12, noNaN: true });
  fc.assert(
    fc.property(day, fc.double({ min: -838_860, max: 838_860, noNaN: true }), (utcMs, latencyMs) => {
      const told = sinceCaptureMs(captureTimeCode(utcMs), utcMs + latencyMs);
      assert.ok(Math.abs(told - latencyMs) <= 0.051, `${told} for ${latencyMs}`);
    }),
  );
});
