import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { requiredMutualInformation } from '../../../src/phy/fec/required-mutual-information.ts';
import { snrDbForInformation } from '../../../src/phy/modulation/mutual-information.ts';
import type { ModulationOrder } from '../../../src/phy/modulation/qam.ts';

test('it foretells the Es/N0 at BLER 1e-2 of settings it was not measured with', () => {
  // K=8448, 20 iterations, own C reference of the same algorithm (+-0.05 dB each): rate, Qm, Es/N0 in dB.
  const published: [number, ModulationOrder, number][] = [
    [1 / 3, 2, -1.14],
    [1 / 2, 2, 1.14],
    [2 / 3, 2, 3.18],
    [8 / 9, 2, 6.29],
    [1 / 2, 4, 6.56],
    [3 / 4, 4, 10.21],
    [2 / 3, 6, 13.87],
    [3 / 4, 6, 15.42],
    [8 / 9, 6, 18.4],
  ];
  for (const [rate, qm, esN0Db] of published) {
    const foretold = snrDbForInformation(qm, qm * requiredMutualInformation(rate, 8448, 1e-2));
    // Max-log and unequal bits cost a few hundredths of a dB beyond what information says.
    assert.ok(Math.abs(foretold - esN0Db) < 0.2, `rate ${rate} Qm ${qm}: ${foretold} dB, published ${esN0Db}`);
  }
});

test('longer blocks and higher BLER need less, higher rates more, and never less than the rate', () => {
  const rate = fc.double({ min: 0.01, max: 0.94, noNaN: true });
  const bits = fc.integer({ min: 24, max: 8448 });
  const bler = fc.double({ min: 1e-3, max: 0.1, noNaN: true });
  fc.assert(
    fc.property(rate, bits, bler, (r, k, p) => {
      const need = requiredMutualInformation(r, k, p);
      assert.ok(need > r && need < 1);
      assert.ok(requiredMutualInformation(r + 0.01, k, p) > need);
      assert.ok(requiredMutualInformation(r, 2 * k, p) <= need + 0.002);
      assert.ok(requiredMutualInformation(r, k, Math.min(0.1, 1.5 * p)) <= need + 1e-12);
    }),
    { seed: 10 },
  );
  assert.throws(() => requiredMutualInformation(0.96, 500, 0.01), /allowed 0.001 to 0.95/);
  assert.throws(() => requiredMutualInformation(0.5, 500, 1e-4), /allowed 0.001 to 0.1/);
});
