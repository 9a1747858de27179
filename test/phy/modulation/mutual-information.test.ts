import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  effectiveSnrDb,
  mutualInformation,
  snrDbForInformation,
  totalInformation,
} from '../../../src/phy/modulation/mutual-information.ts';
import { integrateMutualInformation } from '../../../src/phy/modulation/mutual-information-integral.ts';
import { INFORMATION_TABLES } from '../../../src/phy/modulation/mutual-information-table.ts';
import { MODULATION_ORDERS, type ModulationOrder } from '../../../src/phy/modulation/qam.ts';

test('QPSK meets the published Shannon limits of binary-input AWGN', () => {
  // Eb/N0 limits in dB at rate R [Richardson & Urbanke 2008]; Es/N0 of QPSK = Eb/N0 x 2R and it must carry 2R bits.
  for (const [rate, ebN0Db] of [
    [1 / 2, 0.187],
    [1 / 3, -0.495],
    [2 / 3, 1.059],
    [3 / 4, 1.626],
  ]) {
    const esN0Db = ebN0Db + 10 * Math.log10(2 * rate);
    // The limits are given to 0.001 dB, which is 0.0002 bit.
    assert.ok(Math.abs(integrateMutualInformation(2, esN0Db) - 2 * rate) < 5e-4, `rate ${rate}`);
  }
});

test('16-QAM with Gray labels loses 0.97 dB of capacity at low SNR, as published', () => {
  // [Martinez et al. 2008]: the low-SNR slope of BICM with Gray 16-QAM is 0.8 of capacity.
  const snrDb = -30;
  const capacity = Math.log2(1 + 10 ** (snrDb / 10));
  assert.ok(Math.abs(integrateMutualInformation(4, snrDb) / capacity - 0.8) < 0.005);
});

test('the committed table is the integral, rises, and stays below capacity', () => {
  for (const qm of MODULATION_ORDERS) {
    const table = INFORMATION_TABLES[qm];
    assert.equal(table.length, 241);
    for (let i = 0; i < table.length; i += 16) {
      // Rounding to 1e-6, and one unit for another machine's exp.
      assert.ok(
        Math.abs(table[i] - 1e6 * integrateMutualInformation(qm, -20 + 0.25 * i)) <= 1.5,
        `Qm ${qm} entry ${i}`,
      );
    }
    for (let i = 1; i < table.length; i++) {
      assert.ok(table[i] >= table[i - 1]);
      assert.ok(table[i] < 1e6 * Math.log2(1 + 10 ** ((-20 + 0.25 * i) / 10)) + 1);
    }
  }
});

test('between the entries the error is below 1e-3 bit, and the inverse undoes it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...MODULATION_ORDERS), fc.double({ min: -40, max: 35, noNaN: true }), (qm, snrDb) => {
      const bits = mutualInformation(qm, snrDb);
      assert.ok(Math.abs(bits - integrateMutualInformation(qm, snrDb)) < 1e-3);
      // Near saturation the function is flat and has no stable inverse.
      if (bits < 0.999 * qm) assert.ok(Math.abs(snrDbForInformation(qm, bits) - snrDb) < 1e-6);
    }),
    { seed: 7, numRuns: 60 },
  );
  assert.equal(mutualInformation(4, Number.NEGATIVE_INFINITY), 0);
  assert.equal(mutualInformation(4, Number.POSITIVE_INFINITY), 4);
  assert.equal(snrDbForInformation(4, 0), Number.NEGATIVE_INFINITY);
  assert.ok(snrDbForInformation(4, 9) < 40);
  assert.throws(() => mutualInformation(2, Number.NaN), /not a number/);
});

test('effective SNR: alike symbols keep theirs, others lie between, weights repeat', () => {
  assert.ok(Math.abs(effectiveSnrDb([7, 7, 7], [4, 2, 6]) - 7) < 1e-4);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: -15, max: 25, noNaN: true }), fc.constantFrom<ModulationOrder>(2, 4, 6, 8)), {
        minLength: 1,
        maxLength: 20,
      }),
      (list) => {
        const snr = list.map(([s]) => s);
        const qm = list.map(([, q]) => q);
        const effective = effectiveSnrDb(snr, qm);
        // Saturated orders cannot tell SNRs apart, so the upper side has no bound there.
        assert.ok(effective >= Math.min(...snr) - 1e-3 || totalInformation(snr, qm).perCodedBit > 0.999);
        assert.ok(effective <= Math.max(...snr) + 1e-3);
        const twice = effectiveSnrDb(
          snr,
          qm,
          qm.map(() => 2),
        );
        assert.ok(Math.abs(twice - effective) < 1e-4);
      },
    ),
    { seed: 8 },
  );
  const { bits, codedBits, perCodedBit } = totalInformation([100, -200], [4, 0]);
  assert.deepEqual([bits, codedBits, perCodedBit], [4, 4, 1]);
  assert.equal(effectiveSnrDb([5], [0]), Number.NEGATIVE_INFINITY);
  assert.throws(() => totalInformation([1, 2], [2]), /do not match/);
});
