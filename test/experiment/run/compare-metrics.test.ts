import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emptyMetrics, METRIC_KEYS } from '../../../src/experiment/metrics/metrics.ts';
import { canonical, canonicalText } from '../../../src/experiment/run/canonical-json.ts';
import { compareMetrics } from '../../../src/experiment/run/compare-metrics.ts';

const base = () => ({
  ...emptyMetrics('classical'),
  ok: true,
  psnrDb: 32.123456,
  retransmissions: 2,
  rbSnrDb: [14.1, 15.2, null],
  timings: { totalMs: 1234 },
  files: { received: 'received.png' },
});

test('a run compared with itself reproduces, also through its file', () => {
  assert.deepEqual(compareMetrics(base(), base()), []);
  assert.deepEqual(compareMetrics(base(), JSON.parse(canonicalText(base(), METRIC_KEYS))), []);
});

test('timings and paths do not count, everything else does', () => {
  const other = { ...base(), timings: { totalMs: 9 }, files: {} };
  assert.deepEqual(compareMetrics(base(), other), []);
  assert.equal(compareMetrics(base(), other, { ignore: [] }).length, 2);
});

test('integers must be equal, floats within the stated tolerance', () => {
  assert.deepEqual(
    compareMetrics(base(), { ...base(), retransmissions: 3 }).map((d) => d.path),
    ['retransmissions'],
  );
  const ssim = 0.9123456;
  const at = (fields: object) => ({ ...base(), ssim, cfoHz: -0.01, ...fields });
  assert.deepEqual(compareMetrics(at({}), at({ ssim: ssim * (1 + 0.9e-5) })), []);
  const off = compareMetrics(at({}), at({ ssim: ssim * (1 + 1.1e-5) }));
  assert.deepEqual(
    off.map((d) => d.path),
    ['ssim'],
  );
  assert.match(off[0].reason, /differs by/);
  assert.equal(compareMetrics(at({}), at({ ssim: ssim * (1 + 0.9e-5) }), { relative: 1e-6 }).length, 1);
  // dB and Hz have an absolute tolerance of 1e-3 beside that.
  assert.deepEqual(compareMetrics(at({}), at({ cfoHz: -0.0109, psnrDb: 32.124, rbSnrDb: [14.101, 15.2, null] })), []);
  assert.deepEqual(
    compareMetrics(at({}), at({ cfoHz: -0.0111, psnrDb: 32.125, rbSnrDb: [14.102, 15.2, null] })).map((d) => d.path),
    ['cfoHz', 'psnrDb', 'rbSnrDb[0]'],
  );
});

test('a run recorded before a key was added is not held against it; one that lost it is', () => {
  const { codeBlocks: _, codeBlockErrors: __, ...before } = base();
  const now = { ...base(), codeBlocks: 12, codeBlockErrors: 1 };
  assert.deepEqual(compareMetrics(before, now), []);
  assert.deepEqual(compareMetrics({ ...before, images: [before] }, { ...now, images: [now] }), []);
  assert.deepEqual(
    compareMetrics(now, before).map((d) => d.path),
    ['codeBlockErrors', 'codeBlocks'],
  );
});

test('shape differences name their place', () => {
  const paths = (b: object) => compareMetrics(base(), b).map((d) => d.path);
  assert.deepEqual(paths({ ...base(), rbSnrDb: [14.1, 15.2] }), ['rbSnrDb']);
  assert.deepEqual(paths({ ...base(), rbSnrDb: [14.1, 15.3, null] }), ['rbSnrDb[1]']);
  assert.deepEqual(paths({ ...base(), rbSnrDb: [14.1, 15.2, 3] }), ['rbSnrDb[2]']);
  assert.deepEqual(paths({ ...base(), codec: 'modular' }), ['codec']);
  const { psnrDb: _, ...without } = base();
  assert.deepEqual(paths(without), ['psnrDb']);
  assert.deepEqual(paths({ ...base(), extra: 1 }), ['extra']);
});

test('canonical JSON has the contract order first, finite numbers only and no negative zero', () => {
  const text = canonicalText({ zeta: Number.NaN, psnrDb: -0, alpha: Float32Array.of(1, 2), schema: 's' }, METRIC_KEYS);
  assert.equal(text, '{\n  "schema": "s",\n  "psnrDb": 0,\n  "alpha": [\n    1,\n    2\n  ],\n  "zeta": null\n}\n');
  assert.throws(() => canonical({ png: new Uint8Array(3) }), TypeError);
  assert.deepEqual(METRIC_KEYS.slice(0, 4), ['schema', 'ok', 'codec', 'mode']);
  assert.equal(METRIC_KEYS.at(-1), 'sfvs');
});

test('canonical text does not depend on key order, and comparing is symmetric', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (o) => {
      const reversed = Object.fromEntries(Object.entries(o).reverse());
      assert.equal(canonicalText(o), canonicalText(reversed));
      assert.deepEqual(compareMetrics(o, reversed), []);
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (a, b) => {
      assert.equal(compareMetrics({ v: a }, { v: b }).length, compareMetrics({ v: b }, { v: a }).length);
    }),
    { numRuns: 200 },
  );
});
