import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { searchLevel } from '../../../src/sct/codec/quality-search.ts';

/** Sizes that grow by 3 to 12 % a level, and an estimate that is off by a smooth 0.8 to 1.25. */
const codec = fc
  .record({
    steps: fc.array(fc.double({ min: 1.03, max: 1.12, noNaN: true }), { minLength: 1, maxLength: 63 }),
    tilt: fc.double({ min: 0.8, max: 1.25, noNaN: true }),
  })
  .map(({ steps, tilt }) => {
    const sizes = [200];
    for (const s of steps) sizes.push(Math.ceil(sizes[sizes.length - 1] * s) + 1);
    const estimates = sizes.map((s, i) => s * tilt ** (i / steps.length));
    return { sizes, estimates };
  });

test('bisection finds the finest level that fits; the next one does not', async () => {
  await fc.assert(
    fc.asyncProperty(codec, fc.integer({ min: 100, max: 60000 }), async ({ sizes }, budget) => {
      const r = await searchLevel(
        { levels: sizes.length, estimate: undefined, encode: async (l) => new Uint8Array(sizes[l]) },
        budget,
      );
      const expected = sizes.filter((s) => s <= budget).length - 1;
      assert.deepEqual(
        [r.fits, r.level, r.bytes.length],
        expected < 0 ? [false, 0, 200] : [true, expected, sizes[expected]],
      );
      assert.ok(r.encodes <= 7, `${r.encodes} encodes`);
    }),
  );
});

test('with an estimate: the same level in few encodes, or the next one lies within 2 % of the budget', async () => {
  let encodes = 0;
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(codec, fc.integer({ min: 100, max: 60000 }), async ({ sizes, estimates }, budget) => {
      const r = await searchLevel(
        { levels: sizes.length, estimate: async (l) => estimates[l], encode: async (l) => new Uint8Array(sizes[l]) },
        budget,
      );
      const expected = sizes.filter((s) => s <= budget).length - 1;
      assert.equal(r.fits, expected >= 0);
      assert.ok(r.fits ? r.bytes.length <= budget : r.bytes.length === 200);
      if (expected >= 0)
        assert.ok(r.level === expected || (r.level === expected - 1 && sizes[expected] > budget * 0.96));
      encodes += r.encodes;
      runs++;
    }),
  );
  assert.ok(encodes / runs < 2.5, `${encodes / runs} encodes on average`);
});
