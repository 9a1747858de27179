import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { BurstReceiver } from '../../../src/phy/burst/burst-receiver.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { errorDb, ThreeBursts } from './rough.ts';
import { burstSamples, bursts, onAir } from './stream.ts';

const n = numerology(6);

/** Bursts 1 and 3 whole, at most `misses` misses; returns what came of it. */
function othersWhole(air: ThreeBursts, label: string, misses = 2) {
  const got = air.receive();
  assert.ok(errorDb(air.n, got.burst(1)) < -13.5, `${label}: burst 1`);
  assert.ok(errorDb(air.n, got.burst(3)) < -13.5, `${label}: burst 3`);
  assert.ok(got.misses <= misses, `${label}: ${got.misses} misses`);
  return got;
}

test('samples at full scale in place of a burst: lost, nothing else', () => {
  const air = new ThreeBursts(n);
  const { burst } = othersWhole(
    air.change(air.start(2), air.at(1), () => 1),
    'full scale',
  );
  assert.equal(burst(2), undefined);
});

test('20 dB into the limiter every burst is still read, at the SNR that is left', () => {
  const air = new ThreeBursts(n);
  const { burst } = air.change(0, air.samples.length / 2, (v) => Math.max(-1, Math.min(1, 35 * v))).receive();
  for (const k of [1, 2, 3]) {
    assert.ok(errorDb(n, burst(k)) < -4.5, `burst ${k}`);
    // Estimated from the pilots' residuals, so it includes the distortion.
    assert.ok(Math.abs(burst(k)!.snrDb + errorDb(n, burst(k))) < 1, `burst ${k}: ${burst(k)!.snrDb} dB`);
  }
});

test('alternating and random rails inside a burst', () => {
  const random = new RandomStream('rails');
  const rails = [(_v: number, _c: number, i: number) => (i % 2 ? 1 : -1), () => (random.uniform() < 0.5 ? 1 : -1)];
  rails.forEach((rail, k) => {
    const air = new ThreeBursts(n);
    const { burst } = othersWhole(air.change(air.slot(0.5), air.slot(1.5), rail), `rails ${k}`);
    assert.ok(burst(2), 'its header was in order');
    // What alternates is a carrier outside the band; what is random is noise in it.
    if (k === 1) assert.match(burst(2)!.suspect ?? '', /disturbed/);
  });
});

test('gain steps of 30 dB up (into the limiter) and down, anywhere in a burst', () => {
  for (const db of [30, -30]) {
    const gain = 10 ** (db / 20);
    for (const share of [0.05, 0.15, 0.5]) {
      const air = new ThreeBursts(n);
      const limited = (v: number) => Math.max(-1, Math.min(1, gain * v));
      const { burst } = othersWhole(air.change(air.at(share), air.start(3) - 200, limited), `${db} dB at ${share}`);
      assert.ok(burst(2), 'known');
      // A lower gain takes the noise down with the signal: the last slot is as good as before.
      if (db < 0) assert.ok(errorDb(n, burst(2), 2, 3) < -13, `${db} dB at ${share}`);
    }
  }
});

test('a gain step for good', () => {
  for (const db of [30, -30]) {
    const air = new ThreeBursts(n);
    const gain = 10 ** (db / 20);
    othersWhole(
      air.change(air.at(0.5), air.samples.length / 2, (v) => gain * v),
      `${db} dB`,
    );
  }
});

test('samples that are no numbers are counted, and cost one burst at most', () => {
  const places = [0.02, 0.15, 0.2, 0.6];
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38]) {
    for (const share of places) {
      for (const count of [1, 300]) {
        const air = new ThreeBursts(n);
        air.change(air.at(share), air.at(share) + count, () => value);
        const label = `${count} of ${value} at ${share}`;
        const { burst, receiver } = othersWhole(air, label, 3);
        assert.equal(receiver.nonFiniteSamples, count, label);
        if (count === 1) assert.ok(errorDb(n, burst(2)) < -13, `${label}: the burst itself`);
        else if (burst(2)) assert.match(burst(2)!.suspect ?? '', /^about (192|256|320) samples of silence/, label);
      }
    }
    const air = new ThreeBursts(n);
    air.change(air.start(2) - 100, air.at(1.01), () => value);
    const { receiver } = othersWhole(air, `a burst of ${value}`, 6);
    assert.ok(receiver.nonFiniteSamples > air.length);
  }
});

test('single samples 60 dB above full scale', () => {
  for (const share of [-0.02, 0.5]) {
    const air = new ThreeBursts(n);
    othersWhole(
      air.change(air.at(share), air.at(share) + 1, () => 1e3),
      `at ${share}`,
      3,
    );
  }
});

test('silence of every kind: nothing is found in it, and a burst at its end is', () => {
  const wide = numerology(25);
  const kinds: readonly (readonly [string, (i: number) => number])[] = [
    ['zeros', () => 0],
    ['a constant', () => 0.5],
    ['denormal numbers', (i) => 1e-40 * (i % 3)],
  ];
  for (const [name, value] of kinds) {
    const receiver = new BurstReceiver(wide);
    const block = Float32Array.from({ length: 2 * 65_536 }, (_, i) => value(i));
    let records = 0;
    // Two thirds of a second at 7.68 Msps.
    for (let k = 0; k < 80; k++) records += receiver.push(block).length;
    assert.equal(receiver.state, 'search', name);
    // A constant is a carrier until it is taken out.
    assert.ok(records <= 8, `${name}: ${records} records`);
    const air = onAir(wide, 30_000, [[2500, burstSamples(wide, 9, 1)]], 15);
    for (let i = 0; i < air.length; i++) air[i] += name === 'a constant' ? 0.5 : 0;
    const found = bursts([...receiver.push(air), ...receiver.flush()]);
    assert.deepEqual(
      found.map((r) => r.header.burst),
      [9],
      name,
    );
    assert.ok(errorDb(wide, found[0]) < -13, name);
  }
});
