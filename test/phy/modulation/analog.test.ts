import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { equalise } from '../../../src/phy/equalise.ts';
import { ANALOG_PEAK, demapAnalog, groupByRb, groupLevels, mapAnalog } from '../../../src/phy/modulation/analog.ts';
import '../../fixed-seed.js';

/** Laplacian symbols with some far outliers, [symbol][re, im]. */
function heavy(count: number, seed: number): Float32Array {
  const random = new RandomStream(seed);
  return Float32Array.from({ length: 2 * count }, () => {
    const u = random.uniform() - 0.5;
    const x = -0.5 * Math.sign(u) * Math.log(1 - 2 * Math.abs(u) + 1e-9);
    return random.uniform() < 0.01 ? 6 * x : x;
  });
}

/** A stream's places: some of the RE of some RBs, in any order. */
const places = fc
  .record({ rbs: fc.integer({ min: 1, max: 5 }), share: fc.double({ min: 0.02, max: 1, noNaN: true }), seed: fc.nat() })
  .map(({ rbs, share, seed }) => {
    const random = new RandomStream(seed);
    const all = random.shuffle(Int32Array.from({ length: rbs * 154 }, (_, i) => i));
    return { payloadRe: rbs * 154, re: all.slice(0, Math.max(1, Math.floor(share * all.length))), seed };
  });

test('every symbol is in one group, groups hold one RB each', () => {
  fc.assert(
    fc.property(places, ({ re }) => {
      const seen = new Uint8Array(re.length);
      for (const { rb, members } of groupByRb(re)) {
        for (const s of members) {
          assert.equal(Math.floor(re[s] / 154), rb);
          seen[s]++;
        }
      }
      assert.ok(seen.every((n) => n === 1));
    }),
  );
});

test('demapping undoes mapping without noise, with and without levels, where nothing is limited', () => {
  fc.assert(
    fc.property(places, fc.boolean(), ({ payloadRe, re, seed }, leveled) => {
      const random = new RandomStream(seed);
      const symbols = Float32Array.from({ length: 2 * re.length }, () => 0.5 * random.normal());
      const groups = groupByRb(re);
      const levels = leveled ? groupLevels(symbols, groups) : null;
      const payload = new Float32Array(2 * payloadRe);
      const { limitedRe, groupPower } = mapAnalog(symbols, re, groups, levels, payload);
      if (leveled) for (const p of groupPower) assert.ok(limitedRe > 0 || Math.abs(p - 1) < 1e-4);
      if (limitedRe > 0) return;
      const back = demapAnalog(payload, new Float32Array(payloadRe).fill(1e9), re, groups, levels);
      for (let i = 0; i < symbols.length; i++) assert.ok(Math.abs(back.symbols[i] - symbols[i]) < 2e-5);
    }),
  );
});

test('no RE is larger than 4, and only the stream’s RE are written', () => {
  fc.assert(
    fc.property(places, fc.double({ min: 0.1, max: 8, noNaN: true }), ({ payloadRe, re, seed }, scale) => {
      const symbols = heavy(re.length, seed).map((v) => scale * v);
      const payload = new Float32Array(2 * payloadRe).fill(7);
      const { limitedRe } = mapAnalog(symbols, re, groupByRb(re), null, payload);
      let most = 0;
      let atLimit = 0;
      for (const p of re) {
        const a = Math.hypot(payload[2 * p], payload[2 * p + 1]);
        most = Math.max(most, a);
        if (a > ANALOG_PEAK * (1 - 1e-5)) atLimit++;
        payload[2 * p] = payload[2 * p + 1] = 7;
      }
      assert.ok(most <= ANALOG_PEAK);
      assert.ok(limitedRe <= atLimit);
      assert.ok(payload.every((v) => v === 7));
    }),
  );
});

test('a whole RB of heavy-tailed symbols is hardly limited once it is spread', () => {
  const count = 154 * 60;
  const re = Int32Array.from({ length: count }, (_, i) => i);
  const symbols = heavy(count, 5);
  const groups = groupByRb(re);
  let over = 0;
  const levels = groupLevels(symbols, groups);
  groups.forEach(({ members }, g) => {
    for (const s of members) if (Math.hypot(symbols[2 * s], symbols[2 * s + 1]) > 4 * levels[g]) over++;
  });
  const { limitedRe } = mapAnalog(symbols, re, groups, levels, new Float32Array(2 * count));
  assert.ok(over > 30, `${over} symbols lie over 4 sigma as they are`);
  assert.ok(limitedRe <= 1, `${limitedRe} RE limited`);
});

test('SNR told for each symbol is the SNR it has, with unequal RE and levels', () => {
  const random = new RandomStream(9);
  const rbs = 2;
  const re = Int32Array.from({ length: rbs * 154 }, (_, i) => i);
  const groups = groupByRb(re);
  const levels = [0.5, 2];
  const h = Float64Array.from({ length: re.length }, (_, i) => 0.3 + 0.01 * (i % 154));
  const n0 = 0.1;
  const sums = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  let told: Float32Array = new Float32Array(0);
  for (let round = 0; round < 300; round++) {
    const symbols = Float32Array.from(
      { length: 2 * re.length },
      (_, i) => levels[Math.floor(i / 308)] * Math.SQRT1_2 * random.normal(),
    );
    const payload = new Float32Array(symbols.length);
    mapAnalog(symbols, re, groups, levels, payload);
    const seen = new Float32Array(payload.length);
    const snr = new Float32Array(re.length);
    for (let i = 0; i < re.length; i++) {
      const noise = () => Math.sqrt(n0 / 2) * random.normal();
      snr[i] = equalise(h[i] * payload[2 * i] + noise(), h[i] * payload[2 * i + 1] + noise(), h[i], 0, n0, seen, 2 * i);
    }
    const got = demapAnalog(seen, snr, re, groups, levels);
    told = got.snr;
    for (let i = 0; i < symbols.length; i++) {
      const s = told[i >> 1];
      // Undo the bias: what is left beside the symbol is noise of variance 1 / (2 snr) on each component.
      const z = got.symbols[i] * (1 + 1 / s);
      const sum = sums[Math.floor(i / 308)];
      sum[0] += (z - symbols[i]) ** 2;
      sum[1]++;
    }
  }
  sums.forEach(([error, count], g) => {
    const measured = count / (2 * error);
    // 92 400 values a group: the ratio's standard error is 0.5 %.
    assert.ok(Math.abs(measured / told[154 * g] - 1) < 0.03, `group ${g}: ${measured} measured, ${told[154 * g]} told`);
  });
});

test('lost RE and numbers that are none do not spread beyond their RB', () => {
  const re = Int32Array.from({ length: 308 }, (_, i) => i);
  const groups = groupByRb(re);
  const symbols = heavy(308, 2);
  const payload = new Float32Array(616);
  mapAnalog(symbols, re, groups, groupLevels(symbols, groups), payload);
  const snr = new Float32Array(308).fill(100);
  const levels = groupLevels(symbols, groups);
  const whole = demapAnalog(payload, snr, re, groups, levels);
  payload[11] = Number.NaN;
  payload[20] = Number.POSITIVE_INFINITY;
  snr[40] = Number.NaN;
  const hurt = demapAnalog(payload, snr, re, groups, levels);
  assert.ok(hurt.symbols.every(Number.isFinite) && hurt.snr.every(Number.isFinite));
  assert.deepEqual(hurt.symbols.subarray(308), whole.symbols.subarray(308));
  assert.ok(hurt.snr[0] < whole.snr[0] && hurt.snr[200] === whole.snr[200]);
  const lost = demapAnalog(payload, new Float32Array(308), re, groups, levels);
  assert.ok(lost.symbols.every((v) => v === 0) && lost.snr.every((v) => v === 0));
});

test('what does not fit is refused', () => {
  const re = [0, 1, 2];
  const groups = groupByRb(re);
  const symbols = new Float32Array(6).fill(1);
  const payload = new Float32Array(6);
  assert.throws(() => groupByRb([0, -1]), /allowed whole numbers from 0/);
  assert.throws(() => groupByRb(new Int32Array(155)), /more symbols/);
  assert.throws(() => mapAnalog(symbols.subarray(2), re, groups, null, payload), /do not fit/);
  assert.throws(() => mapAnalog(symbols, re, groups, null, payload.subarray(2)), /allowed 0 to 1/);
  assert.throws(() => mapAnalog(symbols, re, groups, [0], payload), /level 0 is out of range/);
  assert.throws(() => mapAnalog(symbols, re, groups, [1, 1], payload), /2 levels for 1 groups/);
  assert.throws(
    () =>
      mapAnalog(
        symbols.map(() => Number.NaN),
        re,
        groups,
        null,
        payload,
      ),
    /no finite numbers/,
  );
  assert.throws(
    () =>
      groupLevels(
        symbols.map(() => Number.NaN),
        groups,
      ),
    /no finite number/,
  );
});
