import assert from 'node:assert/strict';
import { test } from 'node:test';
import { row } from '../../../src/experiment/bench/modem-acquisition.ts';
import { genieReceive } from '../../../src/experiment/bench/modem-genie.ts';
import { lossRow } from '../../../src/experiment/bench/modem-quality.ts';
import { informationPerSlot, makeTrial } from '../../../src/experiment/bench/modem-trial.ts';
import { snrDbForInformation } from '../../../src/phy/modulation/mutual-information.ts';
import { numerology, RB_DATA_RE } from '../../../src/phy/numerology.ts';

test('a row is met, open or missed by its value and interval', () => {
  const head = { name: 'x', subbands: 6, unit: 'dB', limit: 1 };
  assert.equal(row(head, { value: 0.9, low: 0.5, high: 1.3, n: 5 }).state, 'met');
  assert.equal(row(head, { value: 1.1, low: 0.9, high: 1.3, n: 5 }).state, 'open');
  assert.equal(row(head, { value: 1.5, low: 1.2, high: 1.8, n: 5 }).state, 'missed');
  const share = { ...head, least: true };
  assert.equal(row(share, { value: 0.8, low: 0.7, high: 0.9, n: 5 }).state, 'missed');
  assert.equal(row(share, { value: 1, low: Number.NaN, high: 1, n: 1 }).low, null);
});

test('the genie carries on AWGN what theory says, whatever the offsets', () => {
  const n = numerology(25);
  for (const [snrDb, qm] of [
    [2, 2],
    [10, 4],
  ] as const) {
    const channel = { cfoHz: 17_000, phaseRad: 2, startDelaySamples: 3.3 };
    const signal = makeTrial({ numerology: n, seed: 'genie', slots: 6, snrDb, qm, channel });
    const genie = genieReceive(signal);
    const bits = informationPerSlot(signal, genie.payload, genie.payloadSnr, 6).reduce((a, b) => a + b, 0);
    const effective = snrDbForInformation(qm, bits / (6 * n.nSubbands * RB_DATA_RE));
    // 23100 symbols: standard error about 0.03 dB; max-log loses a little.
    assert.ok(Math.abs(effective - snrDb) < 0.1, `${effective} at ${snrDb} dB`);
  }
});

test('a loss row has an interval around a small loss', () => {
  const r = lossRow(numerology(25), 'awgn', 8, 4, 4);
  assert.equal(r.state, 'met');
  assert.ok(r.low !== null && r.high !== null && r.low <= r.value && r.value <= r.high);
  assert.equal(r.trials, 4);
});
