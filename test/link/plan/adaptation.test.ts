import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { chooseLoading, chooseOwnModulation, chooseUniformLoading } from '../../../src/link/plan/adaptation.ts';
import { requiredMutualInformation } from '../../../src/phy/fec/required-mutual-information.ts';
import { totalInformation } from '../../../src/phy/modulation/mutual-information.ts';

const flat = (snrDb: number) => new Array(25).fill(snrDb);

test('throughput never falls with SNR, and ends at 256-QAM with the highest rate', () => {
  let before = 0;
  for (let snrDb = -20; snrDb <= 45; snrDb += 0.5) {
    const { efficiency } = chooseLoading(flat(snrDb), 7000, 1e-3);
    assert.ok(efficiency >= before - 1e-9, `${snrDb} dB: ${efficiency} after ${before}`);
    before = efficiency;
  }
  const best = chooseLoading(flat(45), 7000, 1e-3);
  assert.deepEqual([...best.qm], flat(8));
  // Rate 0.92 of 8 bits, found by bisection to 2^-20.
  assert.ok(Math.abs(best.efficiency - 0.92 * 8) < 1e-3);
});

test('from 0 to 25 dB the loading lies 1.2 to 2.9 dB from Shannon capacity', () => {
  for (let snrDb = 0; snrDb <= 25; snrDb++) {
    const { efficiency } = chooseLoading(flat(snrDb), 7000, 1e-3);
    const gapDb = snrDb - 10 * Math.log10(2 ** efficiency - 1);
    // QAM instead of Gaussian symbols (up to 1.5 dB) and the decoder at BLER 1e-3 (about 1 dB); four orders only.
    assert.ok(gapDb > 1.1 && gapDb < 3, `${snrDb} dB: gap ${gapDb.toFixed(2)} dB`);
  }
});

test('the rate is what the decoder is good for at that information, no more', () => {
  const random = new RandomStream(5);
  for (let i = 0; i < 50; i++) {
    const snr = Array.from({ length: 25 }, () => random.between(-3, 30));
    const { qm, codeRate } = chooseLoading(snr, 7000, 1e-3);
    const { perCodedBit } = totalInformation(snr, qm);
    const spare = perCodedBit - requiredMutualInformation(codeRate, 7000, 1e-3);
    assert.ok(spare >= 0, `spare ${spare}`);
    assert.ok(spare < 1e-4 || codeRate > 0.919, `spare ${spare} at rate ${codeRate}`);
  }
});

test('unequal subbands are loaded unequally, and gain by it', () => {
  const snr = Array.from({ length: 25 }, (_, s) => (s < 10 ? 5 : 25));
  const loading = chooseLoading(snr, 7000, 1e-3);
  assert.ok(loading.qm[0] < loading.qm[20], `${loading.qm}`);
  assert.equal(new Set(loading.qm.slice(0, 10)).size, 1);
  const uniform = chooseUniformLoading(snr, 7000, 1e-3);
  assert.equal(new Set(uniform.qm).size, 1, 'the robust map has one modulation');
  assert.ok(loading.efficiency > 1.05 * uniform.efficiency, `${loading.efficiency} against ${uniform.efficiency}`);
});

test('where the signal is weak there are few bits a symbol, down to where nothing fits at all', () => {
  for (let snrDb = -20; snrDb <= -1; snrDb += 0.25) {
    assert.deepEqual([...chooseOwnModulation([snrDb], 7000, 1e-3)], [2], `${snrDb} dB`);
    assert.equal(chooseUniformLoading(flat(snrDb), 7000, 1e-3).qm[0], 2, `${snrDb} dB`);
  }
  const { efficiency, codeRate } = chooseUniformLoading(flat(-20), 7000, 1e-3);
  assert.deepEqual([efficiency, codeRate], [0, 0.1], 'a file can be made all the same');
});
