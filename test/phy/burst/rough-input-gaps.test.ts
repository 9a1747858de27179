import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTrial, receiveTrial, rightBurst } from '../../../src/experiment/bench/modem/modem-trial.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { errorDb, ThreeBursts } from './rough.ts';

const SLOTS = 6;

for (const subbands of [6, 25]) {
  const n = numerology(subbands);
  const ms = n.sampleRateHz / 1000;

  test(`${subbands} subbands: samples missing inside a slot, unknown to the source, are found and counted`, () => {
    for (const count of [37, ms]) {
      for (const slot of [0.5, 2.5]) {
        const air = new ThreeBursts(n, SLOTS);
        const { burst, misses } = air.cut(air.slot(slot), count).receive();
        const hit = burst(2)!;
        const label = `${count} samples in slot ${slot}`;
        assert.match(hit.suspect ?? '', new RegExp(`^${count} samples missing in slot ${Math.floor(slot)},`), label);
        if (slot > 1) assert.ok(errorDb(n, hit, 0, Math.floor(slot)) < -12, `${label}: slots before it`);
        assert.ok(errorDb(n, burst(1)) < -13 && errorDb(n, burst(3)) < -13, `${label}: the others`);
        assert.ok(misses <= 2, label);
      }
    }
  });

  test(`${subbands} subbands: one sample missing moves the clock's line and is found by it`, () => {
    const air = new ThreeBursts(n, SLOTS);
    const { burst } = air.cut(air.slot(2.5), 1).receive();
    assert.match(burst(2)!.suspect ?? '', /^1 samples missing in slot 2 or 3,/);
    assert.ok(errorDb(n, burst(2), 4, SLOTS) < -12, 'and the slots behind it are read');
    assert.ok(errorDb(n, burst(3)) < -13);
  });

  test(`${subbands} subbands: gaps in preamble, training, header, and of 5 ms, cost one burst at most`, () => {
    for (const count of [1, 37, ms, Math.min(5 * ms, 0.9 * SLOTS * n.slotLength)]) {
      const places = [0.3 * n.preambleLength, n.preambleLength - 0.7 * n.fftSize, n.preambleLength + 50];
      for (const place of places) {
        const air = new ThreeBursts(n, SLOTS);
        // Never into burst 3.
        const { burst, misses, found } = air.cut(air.start(2) + Math.round(place), Math.round(count)).receive();
        const label = `${count} samples at ${place}`;
        assert.ok(errorDb(n, burst(1)) < -13 && errorDb(n, burst(3)) < -13, label);
        assert.ok(misses <= 4, `${label}: ${misses} misses`);
        assert.ok(found.length === 3 || misses > 0, `${label}: lost without a word`);
      }
    }
  });

  test(`${subbands} subbands: a burst that breaks off before the next one hides nothing`, () => {
    const air = new ThreeBursts(n, SLOTS);
    // 3 slots less: the next burst begins inside what the header promised.
    const { burst } = air.cut(air.slot(2.5), 3 * n.slotLength + 1000).receive();
    assert.ok(burst(2)?.suspect, 'named');
    assert.ok(errorDb(n, burst(3)) < -13);
  });

  test(`${subbands} subbands: zeros in place of samples are found and counted`, () => {
    for (const place of [0.5, 2.2]) {
      const air = new ThreeBursts(n, SLOTS);
      const from = air.slot(place);
      const { burst } = air.change(from, from + ms, () => 0).receive();
      const [, count] = /^about (\d+) samples of silence inside$/.exec(burst(2)?.suspect ?? '') ?? [];
      assert.ok(Math.abs(Number(count) - ms) <= 128, `${count} for ${ms}`);
      assert.ok(errorDb(n, burst(2), 4, SLOTS) < -12, 'slots behind it');
      assert.ok(errorDb(n, burst(3)) < -13);
    }
  });
}

test('nothing is suspected of bursts that only fade, drift and are noisy', () => {
  let suspects = 0;
  let received = 0;
  for (const channel of [undefined, 'epa', 'eva', 'tdl-c']) {
    for (const subbands of [6, 25]) {
      for (const snrDb of [0, 15]) {
        for (let seed = 0; seed < 3; seed++) {
          const offsets = { cfoHz: 9000, sfoPpm: seed % 2 ? 60 : -60 };
          const signal = makeTrial({
            numerology: numerology(subbands),
            seed: `calm ${seed}`,
            slots: 12,
            snrDb,
            channel: { ...(channel ? { channel } : {}), ...offsets },
          });
          const record = rightBurst(signal, receiveTrial(signal));
          if (!record) continue;
          received++;
          // A whole slot in a fade is said to be without signal, which is what it is.
          if (record.suspect && !record.suspect.endsWith('without signal')) suspects++;
        }
      }
    }
  }
  assert.ok(received >= 40, `${received} of 48 received`);
  assert.equal(suspects, 0);
});
