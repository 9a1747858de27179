import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BudgetFacts, type BudgetReading, linkBudget } from '../../../src/experiment/telemetry/link-budget.ts';
import { loadProfile } from '../../../src/radio/profile.ts';

/** 180 carriers of 15 kHz. */
const BAND = { occupiedHz: 2.7e6, offsetHz: -1.66e6 };
const SILENT: BudgetReading = { loudDb: null, quietDb: null, burst: false, snrDb: null };

function hackrfs(change: Partial<BudgetFacts> = {}): BudgetFacts {
  const profile = loadProfile('hackrf');
  return {
    tx: { profile, settings: { gainsDb: { txvga: 47, txamp: 0 }, frequencyHz: 868e6 } },
    rx: { profile, settings: { gainsDb: { amp: 0, lna: 32, vga: 40 }, frequencyHz: 868e6 } },
    cabledDb: 60,
    askedSnrDb: null,
    ...BAND,
    ...change,
  };
}

function close(got: number | null, expected: number): void {
  assert.ok(got !== null && Math.abs(got - expected) < 0.05, `${got}, expected ${expected}`);
}

test('two HackRF One on 60 dB of cable, by hand', () => {
  // 15 dBm documented at full gain, 14 dB of amplifier taken back, a burst's RMS 11 dB below full scale: -10 dBm.
  // 0 dBFS is 15 dBm less 72 dB of gain = -57 dBm; the signal is what is loud without the noise in it: 10 log10(10^-1.3 - 10^-3.1) = -13.07 dBFS.
  // Noise: -174 dBm/Hz + 10 log10(2.7e6) = 64.31 dB + 22 dB without the amplifier = -87.69 dBm.
  const budget = linkBudget(hackrfs(), { loudDb: -13, quietDb: -31, burst: true, snrDb: 17.5 });
  assert.deepEqual([budget.basis, budget.pathLossFrom, budget.pathLossDb], ['typical', 'cable', 60]);
  close(budget.txDbm, -10);
  close(budget.rxDbfs, -13.07);
  close(budget.rxDbm, -70.07);
  close(budget.noiseDbfs, -31);
  close(budget.noiseDbm, -88);
  close(budget.predictedSnrDb, -10 - 60 + 87.69);
  assert.equal(budget.measuredSnrDb, 17.5);
});

test('over the air the path is what was sent less what came, by the full scale that was measured where it was', () => {
  const facts = hackrfs({ cabledDb: null });
  const heard = { loudDb: -20, quietDb: -50, burst: true, snrDb: 28 };
  const typical = linkBudget(facts, heard);
  assert.equal(typical.pathLossFrom, 'measured');
  close(typical.pathLossDb, -10 - (-20 - 57));
  const level = { fullScaleDbm: 12, atHz: 868e6 };
  const calibrated = linkBudget({ ...facts, rx: { ...facts.rx!, level } }, heard);
  assert.equal(calibrated.basis, 'calibrated');
  close(calibrated.rxDbm, -20 + 12 - 72);
  const alone = linkBudget({ ...facts, tx: null }, heard);
  assert.deepEqual([alone.txDbm, alone.pathLossDb, alone.pathLossFrom, alone.predictedSnrDb], [null, null, null, null]);
});

test('before anything was heard there is what is known, and nothing else', () => {
  const budget = linkBudget(hackrfs(), SILENT);
  assert.deepEqual([budget.rxDbm, budget.rxDbfs, budget.noiseDbfs, budget.measuredSnrDb], [null, null, null, null]);
  close(budget.noiseDbm, -87.69);
  assert.equal(linkBudget(hackrfs(), { ...SILENT, loudDb: -160, quietDb: -160 }).noiseDbfs, null, 'zeros are no noise');
  const gapless = linkBudget(hackrfs(), { loudDb: -13, quietDb: -13.5, burst: true, snrDb: 20 });
  assert.equal(gapless.noiseDbfs, null, 'no window without a burst');
});

test('a model has the SNR that was asked for, and no dBm', () => {
  const facts = { tx: null, rx: null, cabledDb: null, askedSnrDb: 17, ...BAND };
  const budget = linkBudget(facts, { loudDb: -11, quietDb: -28, burst: true, snrDb: 16.8 });
  assert.deepEqual(
    [budget.basis, budget.txDbm, budget.rxDbm, budget.noiseDbm, budget.pathLossDb],
    [null, null, null, null, null],
  );
  assert.deepEqual([budget.predictedSnrDb, budget.measuredSnrDb], [17, 16.8]);
});
