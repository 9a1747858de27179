import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { genieReceive, responseOf } from '../../../src/experiment/bench/modem/modem-genie.ts';
import { informationPerSlot, makeTrial } from '../../../src/experiment/bench/modem/modem-trial.ts';
import { PairedBler } from '../../../src/experiment/bench/modem/paired-bler.ts';
import { absolute, poissonRate, row } from '../../../src/experiment/bench/modem/row.ts';
import { snrDbForInformation } from '../../../src/phy/modulation/mutual-information.ts';
import { numerology, RB_DATA_RE } from '../../../src/phy/numerology.ts';

const idle = { receive: () => [], step: async () => {} };

test('a row is met, open or missed by its value and interval', () => {
  const head = { part: 'dc' as const, name: 'x', subbands: 6, unit: 'dB', limit: 1, seeds: '0' };
  assert.equal(row(head, { value: 0.9, low: 0.5, high: 1.3, n: 5 }).state, 'met');
  assert.equal(row(head, { value: 1.1, low: 0.9, high: 1.3, n: 5 }).state, 'open');
  assert.equal(row(head, { value: 1.5, low: 1.2, high: 1.8, n: 5 }).state, 'missed');
  assert.equal(row(head, { value: Number.NaN, low: Number.NaN, high: Number.NaN, n: 5 }).state, 'open');
  const beyond = row(head, { value: Number.POSITIVE_INFINITY, low: Number.POSITIVE_INFINITY, high: Number.NaN, n: 5 });
  assert.deepEqual([beyond.state, beyond.value], ['missed', null]);
  const share = { ...head, least: true };
  assert.equal(row(share, { value: 0.8, low: 0.7, high: 0.9, n: 5 }).state, 'missed');
  assert.equal(row(share, { value: 1, low: Number.NaN, high: 1, n: 1 }).low, null);
});

test('absolute values and Poisson rates have the intervals of their definition', () => {
  assert.deepEqual(absolute({ value: -0.1, low: -0.3, high: 0.1, n: 3 }), { value: 0.1, low: 0, high: 0.3, n: 3 });
  assert.deepEqual(absolute({ value: -0.2, low: -0.3, high: -0.1, n: 3 }), { value: 0.2, low: 0.1, high: 0.3, n: 3 });
  // Exact Poisson limits for 0 and 3 counts: 3.689, and 0.619 to 8.767.
  assert.ok(Math.abs(poissonRate(0, 2, 9).high - 3.689 / 2) < 1e-3);
  const three = poissonRate(3, 1, 9);
  assert.ok(Math.abs(three.low - 0.619) < 1e-3 && Math.abs(three.high - 8.767) < 2e-3);
});

/** Two receivers on channels with normal critical SNRs (mean 10, sd 2 dB); the real one needs `lossDb` more. */
function syntheticPair(bursts: number, lossDb: number, foretold: { error: number } | null) {
  const random = new RandomStream('synthetic');
  const needs = Float64Array.from({ length: bursts }, () => 10 + 2 * random.normal());
  const told = Float64Array.from(needs, (v) => v + (foretold?.error ?? 0) * random.normal());
  let opened = 0;
  const curve = new PairedBler({
    bursts,
    checkEvery: 20,
    open: (seed) => {
      opened++;
      return (snrDb) => ({ genie: snrDb < needs[seed] ? 1 : 0, real: snrDb < needs[seed] + lossDb ? 1 : 0 });
    },
    ...(foretold
      ? {
          foretell: (seed: number, s: number) => (s > told[seed] + 1.2 ? 'right' : s < told[seed] - 1 ? 'wrong' : null),
        }
      : {}),
  });
  return { curve, opened: () => opened };
}

test('paired curves find a known loss, with and without foretelling', async () => {
  // Critical SNRs are normal: BLER 1e-1 and 1e-2 at 10 + 1.2816 x 2 and 10 + 2.3263 x 2 dB.
  for (const foretold of [null, { error: 0.1 }]) {
    const { curve, opened } = syntheticPair(20_000, 0.4, foretold);
    await curve.measure([12, 12.5, 13, 13.5, 14, 14.5, 15, 15.5], idle);
    assert.ok(Math.abs(curve.crossing('genie', 0.1) - 12.563) < 0.1);
    assert.ok(Math.abs(curve.crossing('genie', 0.01) - 14.653) < 0.15);
    for (const target of [0.1, 0.01]) {
      const loss = curve.loss(target);
      assert.ok(loss.low < 0.4 && 0.4 < loss.high, `${loss.low} to ${loss.high}`);
      assert.ok(loss.high - loss.low < 0.3);
    }
    if (foretold) assert.ok(opened() < 9000, `${opened()} of 20000 bursts were made`);
  }
});

test('foretelling that is wrong widens the interval and does not bend the estimate', async () => {
  // An error of 2 dB makes one foretelling in three wrong.
  const { curve } = syntheticPair(20_000, 0.4, { error: 2 });
  await curve.measure([12, 12.5, 13, 13.5], idle);
  assert.ok(curve.points.every((p) => p.exceptions > 10));
  assert.ok(Math.abs(curve.crossing('genie', 0.1) - 12.563) < 0.4);
});

test('a curve that never falls is beyond every limit', async () => {
  const flat = new PairedBler({
    bursts: 10,
    checkEvery: 5,
    open: () => (snrDb) => ({ genie: snrDb < 3 ? 1 : 0, real: 1 }),
  });
  await flat.measure([2, 4], idle);
  await flat.bracket([0.1], 1, idle);
  assert.equal(flat.crossing('real', 0.1), Number.POSITIVE_INFINITY);
  assert.equal(flat.loss(0.1).low, Number.POSITIVE_INFINITY);
});

test('the tabled response is the channel response', () => {
  const n = numerology(15);
  const options = { numerology: n, seed: 4, slots: 1, snrDb: 20, channel: { channel: 'tdl-b' }, unheard: true };
  const { channel } = makeTrial(options);
  const wanted = channel.frequencyResponse(
    12_345,
    Float64Array.from(n.carriers, (k) => 15_000 * k),
  );
  const got = responseOf(channel, n)(12_345);
  assert.ok(wanted.every((v, i) => Math.abs(v - got[i]) < 1e-9));
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
