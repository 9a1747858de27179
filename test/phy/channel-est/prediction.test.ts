import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { FadingProcess } from '../../../src/phy/channel/fading.ts';
import { powerDelayProfile } from '../../../src/phy/channel/power-delay-profiles.ts';
import { estimateDoppler } from '../../../src/phy/channel-est/doppler-estimate.ts';
import { fadingPredictor, MOST_SNAPSHOTS, usableSnapshots } from '../../../src/phy/channel-est/fading-prediction.ts';
import { expectedSubbandSnrDb } from '../../../src/phy/channel-est/predicted-snr.ts';
import {
  aligned,
  alignSnapshots,
  bestAlignment,
  type DriftSearch,
  turn,
} from '../../../src/phy/channel-est/snapshot-alignment.ts';
import { numerology } from '../../../src/phy/numerology.ts';

const N = numerology(25);
const TIMES = [0, 0.02, 0.04, 0.06];
const AT = 0.087;
const ERROR = 0.003;
const DRIFT: DriftSearch = { frequencyHz: 15, delayPerS: [-160, 160] };
const fading = (dopplerHz = 5) =>
  fadingPredictor(
    TIMES,
    TIMES.map(() => ERROR),
    dopplerHz,
    AT,
  );

/** EVA at 5 Hz: its frequency response, and estimates of it whose errors lie in 14 samples of delay. */
function eva(seed: number, dopplerHz = 5) {
  const random = new RandomStream(seed).fork('prediction');
  const { delaysNs, powers } = powerDelayProfile('eva');
  const taps = delaysNs.map((ns, i) => ({
    process: new FadingProcess(dopplerHz, 0, random),
    gain: Math.sqrt(powers[i] / powers.reduce((a, b) => a + b)),
    samples: ns * 1e-9 * N.sampleRateHz,
  }));
  const add = (out: Float64Array, re: number, im: number, delay: number) => {
    const tap = new Float64Array(2 * N.nCarriers);
    for (let c = 0; c < tap.length; c += 2) tap.set([re, im], c);
    turn(N, tap, 0, -delay);
    for (let i = 0; i < out.length; i++) out[i] += tap[i];
  };
  const at = (timeS: number) => {
    const out = new Float64Array(2 * N.nCarriers);
    const h = new Float64Array(2);
    for (const { process, gain, samples } of taps) {
      process.at(timeS, h, 0);
      add(out, gain * h[0], gain * h[1], samples);
    }
    return out;
  };
  const estimates = TIMES.map((timeS) => {
    const out = at(timeS);
    const sigma = Math.sqrt(ERROR / 28);
    for (let d = -2; d < 12; d++) add(out, sigma * random.normal(), sigma * random.normal(), d);
    return out;
  });
  return { random, at, estimates };
}

const powerOf = (all: readonly Float64Array[]) =>
  all.reduce((sum, x) => sum + x.reduce((s, v) => s + v * v, 0), 0) / (all.length * N.nCarriers);

/** Mean square error of the prediction, but for its common phase, which no receiver knows. */
function errorOf(channels: readonly Float64Array[], weights: Float64Array, truth: Float64Array): number {
  const sum = new Float64Array(truth.length);
  for (const [k, x] of channels.entries()) for (let i = 0; i < sum.length; i++) sum[i] += weights[k] * x[i];
  let [re, im, power] = [0, 0, 0];
  for (let c = 0; c < sum.length; c += 2) {
    re += sum[c] * truth[c] + sum[c + 1] * truth[c + 1];
    im += sum[c] * truth[c + 1] - sum[c + 1] * truth[c];
    power += sum[c] ** 2 + sum[c + 1] ** 2 + truth[c] ** 2 + truth[c + 1] ** 2;
  }
  return (power - 2 * Math.hypot(re, im)) / N.nCarriers;
}

test('weights, residual and determinant are those of SciPy', () => {
  // t=np.array([0,.02,.04,.06]); e=np.array([.05,.02,.01,.03])
  // R=j0(10*np.pi*(t[:,None]-t))+np.diag(e); r=j0(10*np.pi*(.087-t)); w=np.linalg.solve(R,r); 1-r@w; slogdet(R); inv(R)[0]
  const p = fadingPredictor(TIMES, [0.05, 0.02, 0.01, 0.03], 5, AT);
  const near = (got: ArrayLike<number>, want: number[]) => {
    for (const [i, v] of want.entries())
      assert.ok(Math.abs(got[i] - v) < 2e-5 * (1 + Math.abs(v)), `${got[i]}, not ${v}`);
  };
  near(p.weights, [0.15189671, -0.62731417, -0.21766524, 1.34338164]);
  near([p.residual, p.logDeterminant], [0.12847072918214963, -6.043003196633893]);
  near(p.precision, [8.17160737, -10.87623743, 2.44409309, 2.33492892]);
});

test('over 400 channels the error of the prediction is its residual, and alignment costs less than 1 dB (steady), 4 dB (free)', () => {
  const { weights, residual, precision } = fading();
  const names = ['known', 'steady', 'free'] as const;
  const errors: Record<(typeof names)[number], number[]> = { known: [], steady: [], free: [] };
  const slopes: number[] = [];
  for (let seed = 1; seed <= 400; seed++) {
    const { random, at, estimates } = eva(seed);
    const truth = at(AT);
    let known = 0;
    for (let i = 0; i < truth.length; i++) {
      known += (estimates.reduce((sum, x, k) => sum + weights[k] * x[i], 0) - truth[i]) ** 2 / N.nCarriers;
    }
    errors.known.push(known);
    if (seed > 60) continue;
    const f = 8 * (random.uniform() - 0.5);
    const d = 200 * (random.uniform() - 0.5);
    for (const oscillator of ['steady', 'free'] as const) {
      const channels = estimates.map((x, k) => {
        const out = x.slice();
        const phase = oscillator === 'steady' ? 2 * Math.PI * f * TIMES[k] : 2 * Math.PI * random.uniform();
        turn(N, out, phase, -d * (TIMES[k] - TIMES[3]));
        return out;
      });
      const snapshots = { channels, timesS: TIMES, precision };
      const alignment = alignSnapshots(N, snapshots, oscillator, DRIFT);
      if (oscillator === 'steady') slopes.push(alignment.delayPerS - d);
      errors[oscillator].push(errorOf(aligned(N, snapshots, alignment), weights, truth));
    }
  }
  const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;
  const spread = Math.sqrt(mean(errors.known.map((e) => (e - mean(errors.known)) ** 2)) / 400);
  assert.ok(Math.abs(mean(errors.known) - residual) < 3 * spread, `${mean(errors.known)}, not ${residual}`);
  assert.ok(mean(errors.steady) < 10 ** 0.1 * residual, `steady: ${mean(errors.steady)}`);
  assert.ok(mean(errors.free) < 2.5 * residual, `free: ${mean(errors.free)}`);
  assert.ok(mean(errors.free) > mean(errors.steady), 'what is known of the oscillator helps');
  // 20 ppm are 154 samples a second here; 5 of them over the train are a third of a sample.
  assert.ok(Math.sqrt(mean(slopes.map((s) => s * s))) < 5, 'clock');
});

test('any phase, frequency and clock within the bounds come out of a channel that stands still', () => {
  const still = TIMES.map(() => eva(3).estimates[0]);
  const { precision } = fading(1);
  const drift = fc.record({
    f: fc.double({ min: -12, max: 12, noNaN: true }),
    d: fc.double({ min: -150, max: 150, noNaN: true }),
  });
  fc.assert(
    fc.property(drift, ({ f, d }) => {
      const channels = still.map((x, k) => {
        const out = x.slice();
        turn(N, out, 2 * Math.PI * f * TIMES[k], -d * TIMES[k]);
        return out;
      });
      const snapshots = { channels, timesS: TIMES, precision };
      const back = aligned(N, snapshots, alignSnapshots(N, snapshots, 'steady', DRIFT));
      for (const x of back) {
        const apart =
          x.reduce((sum, v, i) => sum + (v - channels[3][i]) ** 2, 0) / x.reduce((sum, v) => sum + v * v, 0);
        assert.ok(apart < 1e-3, `${f} Hz, ${d} samples/s: ${apart}`);
      }
    }),
    { numRuns: 25 },
  );
});

test('a noisy oscillator is told from a steady one; what no phases explain is not predicted from', () => {
  const { precision } = fading();
  for (let seed = 1; seed <= 10; seed++) {
    const { random, estimates } = eva(seed);
    const power = powerOf(estimates);
    const snapshots = { channels: estimates, timesS: TIMES, precision };
    const steady = bestAlignment(N, snapshots, DRIFT, power)!;
    assert.ok(Math.abs(steady.phases[0] - 3 * steady.phases[2]) < 1e-9, 'one frequency');
    const channels = estimates.map((x, k) => {
      const out = x.slice();
      turn(N, out, k === 2 ? 2 : 0, 0);
      return out;
    });
    const free = bestAlignment(N, { ...snapshots, channels }, DRIFT, power)!;
    assert.ok(Math.abs(free.phases[0] - 3 * free.phases[2]) > 0.5, 'phases of their own');
    const other = { ...snapshots, channels: TIMES.map(() => estimates[0].map(() => random.normal())) };
    assert.equal(bestAlignment(N, other, DRIFT, power), null);
  }
});

test('Doppler: none where nothing moves, within a factor of two where it does', () => {
  const errors = TIMES.map(() => ERROR);
  let right = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const still = eva(seed, 0).estimates;
    const power = powerOf(still);
    assert.equal(estimateDoppler(N, still, TIMES, errors, power, DRIFT), 0);
    const fd = estimateDoppler(N, eva(seed, 5).estimates, TIMES, errors, powerOf(eva(seed, 5).estimates), DRIFT);
    if (fd >= 2 && fd <= 8) right++;
  }
  assert.ok(right >= 10, `${right} of 12`);
});

test('how far back is looked: no gap over a quarter of a period, half a period in all, eight bursts', () => {
  assert.equal(usableSnapshots([], 5), 0);
  assert.equal(usableSnapshots([1], 5), 1);
  assert.equal(usableSnapshots(TIMES, 5), 4);
  assert.equal(usableSnapshots(TIMES, 0), 1);
  assert.equal(usableSnapshots(TIMES, Number.NaN), 1);
  assert.equal(usableSnapshots(TIMES, 50), 1);
  assert.equal(usableSnapshots([0, 0.05, 0.11, 0.12], 5), 2);
  assert.equal(usableSnapshots([0, 0.04, 0.08, 0.12], 5), 3);
  assert.equal(usableSnapshots([0, Number.NaN, 0.01, 0.02], 5), 2);
  assert.equal(
    usableSnapshots(
      Array.from({ length: 20 }, (_, i) => i / 1000),
      5,
    ),
    MOST_SNAPSHOTS,
  );
});

test('the expected SNR is the capacity of a Rice channel, as SciPy integrates it', () => {
  // quad(rice.pdf(r, a/sqrt(v/2), scale=sqrt(v/2)) * log2(1 + r*r/s))
  const cases = [
    { a: 1, v: 0.1, s: 0.3, bits: 2.1438639116790488 },
    { a: 0.2, v: 0.1, s: 0.3, bits: 0.4976229166588189 },
    { a: 0, v: 0.3, s: 0.1, bits: 1.6689183319992429 },
    { a: 1, v: 0.5, s: 0.05, bits: 4.515021826011603 },
    { a: 0.1, v: 0.02, s: 0.3, bits: 0.1326254714456357 },
    { a: 1, v: 0, s: 0.1, bits: Math.log2(11) },
  ];
  for (const { a, v, s, bits } of cases) {
    const h = Float64Array.from({ length: 2 * N.nCarriers }, (_, i) => (i % 2 ? 0.6 * a : 0.8 * a));
    const [db] = expectedSubbandSnrDb(N, h, v, new Float32Array(2 * N.nSubbands).fill(s));
    const got = Math.log2(1 + 10 ** (db / 10));
    assert.ok(Math.abs(got - bits) < 0.06 * bits + 1e-5, `${a}, ${v}, ${s}: ${got}, not ${bits}`);
  }
  // Interference on one subband in one of two slots is seen there and nowhere else.
  const noise = new Float32Array(2 * N.nSubbands).fill(0.1);
  noise[7] = 10;
  const flat = new Float64Array(2 * N.nCarriers).fill(Math.SQRT1_2);
  const snr = expectedSubbandSnrDb(N, flat, 0.01, noise);
  assert.ok(snr[7] < snr[6] - 4 && Math.abs(snr[6] - snr[8]) < 1e-4);
});
