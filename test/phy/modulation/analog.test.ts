import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { equalise } from '../../../src/phy/equalise.ts';
import { ANALOG_PEAK, demapAnalog, groupByRb, mapAnalog } from '../../../src/phy/modulation/analog.ts';
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

test('demapping undoes mapping without noise where nothing is limited', () => {
  fc.assert(
    fc.property(places, ({ re, seed }) => {
      const random = new RandomStream(seed);
      const symbols = Float32Array.from({ length: 2 * re.length }, () => 0.5 * random.normal());
      const groups = groupByRb(re);
      const { onRe, limitedRe, groupPower } = mapAnalog(symbols, groups);
      groups.forEach(({ members }, g) => {
        const power =
          members.reduce((sum, s) => sum + symbols[2 * s] ** 2 + symbols[2 * s + 1] ** 2, 0) / members.length;
        assert.ok(limitedRe > 0 || Math.abs(groupPower[g] / power - 1) < 1e-4);
      });
      if (limitedRe > 0) return;
      const back = demapAnalog(onRe, new Float32Array(re.length).fill(Number.POSITIVE_INFINITY), groups);
      for (let i = 0; i < symbols.length; i++) assert.ok(Math.abs(back.symbols[i] - symbols[i]) < 1e-5);
    }),
  );
});

test('no RE is larger than 4', () => {
  fc.assert(
    fc.property(places, fc.double({ min: 0.1, max: 8, noNaN: true }), ({ re, seed }, scale) => {
      const symbols = heavy(re.length, seed).map((v) => scale * v);
      const { onRe, limitedRe, groupPower } = mapAnalog(symbols, groupByRb(re));
      let atLimit = 0;
      for (let i = 0; i < onRe.length; i += 2) {
        const a = Math.hypot(onRe[i], onRe[i + 1]);
        assert.ok(a <= ANALOG_PEAK);
        if (a > ANALOG_PEAK * (1 - 1e-5)) atLimit++;
      }
      assert.ok(limitedRe <= atLimit && groupPower.every((p) => p <= ANALOG_PEAK ** 2 * (1 + 1e-9)));
    }),
  );
});

test('a whole RB of heavy-tailed symbols is hardly limited once it is spread', () => {
  const count = 154 * 60;
  const symbols = heavy(count, 5);
  const groups = groupByRb(Int32Array.from({ length: count }, (_, i) => i));
  let over = 0;
  for (const { members } of groups) {
    const power = members.reduce((sum, s) => sum + symbols[2 * s] ** 2 + symbols[2 * s + 1] ** 2, 0) / 154;
    for (const s of members) {
      symbols[2 * s] /= Math.sqrt(power);
      symbols[2 * s + 1] /= Math.sqrt(power);
      if (Math.hypot(symbols[2 * s], symbols[2 * s + 1]) > 4) over++;
    }
  }
  const { limitedRe, groupPower } = mapAnalog(symbols, groups);
  assert.ok(over > 30, `${over} symbols lie over 4 sigma as they are`);
  assert.ok(limitedRe <= 1, `${limitedRe} RE limited`);
  assert.ok(groupPower.every((p) => Math.abs(p - 1) < 0.02));
});

test('the SNR told for each symbol is the SNR it has over unequal RE', () => {
  const random = new RandomStream(9);
  const re = Int32Array.from({ length: 308 }, (_, i) => i);
  const groups = groupByRb(re);
  const h = Float64Array.from(re, (i) => (i < 154 ? 1 : 0.4) * (0.3 + 0.01 * (i % 154)));
  const n0 = 0.1;
  const error = [0, 0];
  let told: Float32Array = new Float32Array(0);
  const rounds = 300;
  for (let round = 0; round < rounds; round++) {
    const symbols = Float32Array.from({ length: 616 }, () => Math.SQRT1_2 * random.normal());
    const { onRe } = mapAnalog(symbols, groups);
    const seen = new Float32Array(616);
    const noise = () => Math.sqrt(n0 / 2) * random.normal();
    const snr = Float32Array.from(re, (i) =>
      equalise(h[i] * onRe[2 * i] + noise(), h[i] * onRe[2 * i + 1] + noise(), h[i], 0, n0, seen, 2 * i),
    );
    const got = demapAnalog(seen, snr, groups);
    told = got.snr;
    // Undo the bias: what is left beside the symbol is noise of variance 1 / snr.
    for (let i = 0; i < 616; i++) error[i < 308 ? 0 : 1] += (got.symbols[i] * (1 + 1 / told[i >> 1]) - symbols[i]) ** 2;
  }
  error.forEach((e, g) => {
    const measured = (rounds * 154) / e;
    // 92 400 values a group: the ratio's standard error is 0.5 %.
    assert.ok(Math.abs(measured / told[154 * g] - 1) < 0.03, `group ${g}: ${measured} measured, ${told[154 * g]} told`);
  });
});

test('lost RE and numbers that are none do not spread beyond their RB', () => {
  const groups = groupByRb(Int32Array.from({ length: 308 }, (_, i) => i));
  const { onRe } = mapAnalog(heavy(308, 2), groups);
  const snr = new Float32Array(308).fill(100);
  const whole = demapAnalog(onRe, snr, groups);
  onRe[11] = Number.NaN;
  onRe[20] = Number.POSITIVE_INFINITY;
  snr[40] = Number.NaN;
  const hurt = demapAnalog(onRe, snr, groups);
  assert.ok(hurt.symbols.every(Number.isFinite) && hurt.snr.every(Number.isFinite));
  assert.deepEqual(hurt.symbols.subarray(308), whole.symbols.subarray(308));
  assert.ok(hurt.snr[0] < whole.snr[0] && hurt.snr[200] === whole.snr[200]);
  const lost = demapAnalog(onRe, new Float32Array(308), groups);
  assert.ok(lost.symbols.every((v) => v === 0) && lost.snr.every((v) => v === 0));
});

test('what does not fit is refused', () => {
  const groups = groupByRb([0, 1, 2]);
  const symbols = new Float32Array(6).fill(1);
  assert.throws(() => groupByRb([0, -1]), /allowed whole numbers from 0/);
  assert.throws(() => groupByRb(new Int32Array(155)), /more symbols/);
  assert.throws(() => mapAnalog(symbols.subarray(2), groups), /allowed 0 to 1/);
  assert.throws(() => mapAnalog(new Float32Array(8), groups), /4 analog symbols do not fit groups of 3/);
  assert.throws(
    () =>
      mapAnalog(
        symbols.map(() => Number.NaN),
        groups,
      ),
    /no finite numbers/,
  );
  assert.throws(() => demapAnalog(symbols, new Float32Array(2), groups), /3 received symbols have 2 SNRs/);
});
