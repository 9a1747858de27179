import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { equalise } from '../../../src/phy/equalise.ts';
import { ANALOG_PEAK, AnalogMapper } from '../../../src/phy/modulation/analog.ts';
import { dftSpreader } from '../../../src/phy/modulation/spreading.ts';
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

const mapper = new AnalogMapper();

/** RE 0, 1, 2 and so on. */
const firstRe = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);

/** What lies on the stream's RE, in its order; [symbol][re, im]. */
function mapped(symbols: Float32Array, re: Uint32Array): { onRe: Float32Array; limitedRe: number } {
  const payload = new Float32Array(2 * 154 * Math.ceil((Math.max(...re) + 1) / 154)).fill(Number.NaN);
  const limitedRe = mapper.map(symbols, re, payload);
  const onRe = Float32Array.from(symbols, (_, i) => payload[2 * re[i >> 1] + (i & 1)]);
  assert.equal(payload.filter(Number.isNaN).length, payload.length - onRe.length, 'no other RE is written');
  return { onRe, limitedRe };
}

/** Despread symbols and their SNRs. */
function demapped(received: Float32Array, snr: Float32Array, re: Uint32Array) {
  const out = { symbols: received.slice(), snr: snr.slice() };
  mapper.demap(out.symbols, out.snr, re);
  return out;
}

/** Mean power of a stream's symbols on each RB. */
function powerByRb(symbols: Float32Array, re: Uint32Array): Map<number, number> {
  const sums = new Map<number, [number, number]>();
  re.forEach((place, i) => {
    const [sum, count] = sums.get(Math.floor(place / 154)) ?? [0, 0];
    sums.set(Math.floor(place / 154), [sum + symbols[2 * i] ** 2 + symbols[2 * i + 1] ** 2, count + 1]);
  });
  return new Map([...sums].map(([rb, [sum, count]]) => [rb, sum / count]));
}

/** A stream's places: some of the RE of some RBs, in any order. */
const places = fc
  .record({ rbs: fc.integer({ min: 1, max: 5 }), share: fc.double({ min: 0.02, max: 1, noNaN: true }), seed: fc.nat() })
  .map(({ rbs, share, seed }) => {
    const random = new RandomStream(seed);
    const all = random.shuffle(Uint32Array.from({ length: rbs * 154 }, (_, i) => i));
    return { payloadRe: rbs * 154, re: all.slice(0, Math.max(1, Math.floor(share * all.length))), seed };
  });

test('demapping undoes mapping without noise where nothing is limited', () => {
  fc.assert(
    fc.property(places, ({ re, seed }) => {
      const random = new RandomStream(seed);
      const symbols = Float32Array.from({ length: 2 * re.length }, () => 0.5 * random.normal());
      const { onRe, limitedRe } = mapped(symbols, re);
      if (limitedRe > 0) return;
      const before = powerByRb(symbols, re);
      for (const [rb, power] of powerByRb(onRe, re)) assert.ok(Math.abs(power / before.get(rb)! - 1) < 1e-4);
      const back = demapped(onRe, new Float32Array(re.length).fill(Number.POSITIVE_INFINITY), re);
      for (let i = 0; i < symbols.length; i++) assert.ok(Math.abs(back.symbols[i] - symbols[i]) < 1e-5);
    }),
  );
});

test('each RB is spread on its own, whatever else the stream has and in whatever order: the formula, bit by bit', () => {
  fc.assert(
    fc.property(places, ({ re, seed }) => {
      const random = new RandomStream(seed);
      const symbols = Float32Array.from({ length: 2 * re.length }, () => 0.5 * random.normal());
      const { onRe, limitedRe } = mapped(symbols, re);
      if (limitedRe > 0) return;
      for (const rb of new Set(Array.from(re, (place) => Math.floor(place / 154)))) {
        const members = Array.from(re.keys()).filter((i) => Math.floor(re[i] / 154) === rb);
        const group = Float32Array.from(members.flatMap((i) => [symbols[2 * i], symbols[2 * i + 1]]));
        dftSpreader(members.length).spread(group);
        assert.deepEqual(
          members.flatMap((i) => [onRe[2 * i], onRe[2 * i + 1]]),
          [...group],
        );
      }
    }),
  );
});

test('no RE is larger than 4', () => {
  fc.assert(
    fc.property(places, fc.double({ min: 0.1, max: 8, noNaN: true }), ({ re, seed }, scale) => {
      const symbols = heavy(re.length, seed).map((v) => scale * v);
      const { onRe, limitedRe } = mapped(symbols, re);
      let atLimit = 0;
      for (let i = 0; i < onRe.length; i += 2) {
        const a = Math.hypot(onRe[i], onRe[i + 1]);
        assert.ok(a <= ANALOG_PEAK);
        if (a > ANALOG_PEAK * (1 - 1e-5)) atLimit++;
      }
      assert.ok(limitedRe <= atLimit);
    }),
  );
});

test('a whole RB of heavy-tailed symbols is hardly limited once it is spread', () => {
  const count = 154 * 60;
  const symbols = heavy(count, 5);
  const re = firstRe(count);
  const power = powerByRb(symbols, re);
  let over = 0;
  for (const s of re) {
    const scale = 1 / Math.sqrt(power.get(Math.floor(s / 154))!);
    symbols[2 * s] *= scale;
    symbols[2 * s + 1] *= scale;
    if (Math.hypot(symbols[2 * s], symbols[2 * s + 1]) > 4) over++;
  }
  const { onRe, limitedRe } = mapped(symbols, re);
  assert.ok(over > 30, `${over} symbols lie over 4 sigma as they are`);
  assert.ok(limitedRe <= 1, `${limitedRe} RE limited`);
  for (const p of powerByRb(onRe, re).values()) assert.ok(Math.abs(p - 1) < 0.02);
});

test('the SNR told for each symbol is the SNR it has over unequal RE', () => {
  const random = new RandomStream(9);
  const re = firstRe(308);
  const h = Float64Array.from(re, (i) => (i < 154 ? 1 : 0.4) * (0.3 + 0.01 * (i % 154)));
  const n0 = 0.1;
  const error = [0, 0];
  let told: Float32Array = new Float32Array(0);
  const rounds = 300;
  for (let round = 0; round < rounds; round++) {
    const symbols = Float32Array.from({ length: 616 }, () => Math.SQRT1_2 * random.normal());
    const { onRe } = mapped(symbols, re);
    const seen = new Float32Array(616);
    const noise = () => Math.sqrt(n0 / 2) * random.normal();
    const snr = Float32Array.from(re, (i) =>
      equalise(h[i] * onRe[2 * i] + noise(), h[i] * onRe[2 * i + 1] + noise(), h[i], 0, n0, seen, 2 * i),
    );
    const got = demapped(seen, snr, re);
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
  const re = firstRe(308);
  const { onRe } = mapped(heavy(308, 2), re);
  const snr = new Float32Array(308).fill(100);
  const whole = demapped(onRe, snr, re);
  onRe[11] = Number.NaN;
  onRe[20] = Number.POSITIVE_INFINITY;
  snr[40] = Number.NaN;
  const hurt = demapped(onRe, snr, re);
  assert.ok(hurt.symbols.every(Number.isFinite) && hurt.snr.every(Number.isFinite));
  assert.deepEqual(hurt.symbols.subarray(308), whole.symbols.subarray(308));
  assert.ok(hurt.snr[0] < whole.snr[0] && hurt.snr[200] === whole.snr[200]);
  const lost = demapped(onRe, new Float32Array(308), re);
  assert.ok(lost.symbols.every((v) => v === 0) && lost.snr.every((v) => v === 0));
});

test('what does not fit is refused, and leaves no trace in the memory that is used again', () => {
  const re = firstRe(3);
  const symbols = new Float32Array(6).fill(1);
  const payload = new Float32Array(2 * 154);
  const whole = mapped(symbols, re);
  assert.throws(
    () => mapper.map(symbols, Uint32Array.of(0, 1, 2 ** 31), payload),
    /symbol 2 is out of range: allowed 0 to/,
  );
  assert.throws(() => mapper.map(new Float32Array(310), new Uint32Array(155), payload), /RB 0 has 154 RE/);
  assert.throws(() => mapper.map(new Float32Array(8), re, payload), /4 analog symbols on 3 RE/);
  assert.throws(() => mapper.map(symbols.fill(Number.NaN), re, payload), /on RB 0 are no finite numbers/);
  assert.throws(() => mapper.demap(symbols, new Float32Array(2), re), /3 received symbols have 2 SNRs/);
  assert.deepEqual(mapped(symbols.fill(1), re), whole);
});
