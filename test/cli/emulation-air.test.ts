import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AirModel } from '../../hardware/emulated/air-model.ts';
import { ManualAirClock } from '../../hardware/emulated/clock.ts';
import { airPaths } from '../../src/cli/emulation/air-paths.ts';
import { planEmulation } from '../../src/cli/emulation/emulation-options.ts';

const RATE_HZ = 2e5;
const STEP_S = 1e-3;
const STEPS = 3000;

/** What arrives of a carrier through the air of `sct emulate`, once a millisecond: [step][re, im], after the path's loss. */
function carrier(words: Parameters<typeof planEmulation>[1], heardOften: boolean, back = false): Float64Array {
  const plan = planEmulation(['hackrf'], { count: '2', pathLoss: '40', ...words });
  const names = plan.boards.map(({ serial }) => serial);
  const air = new AirModel(new ManualAirClock(), { paths: airPaths(plan, names), seed: plan.seed });
  const [a, b] = (back ? [...names].reverse() : names).map((name) => air.attach(name));
  const taken = new Float64Array(2 * STEPS);
  const samples = Math.round(STEP_S * RATE_HZ);
  for (let step = 0; step < STEPS; step++) {
    const startS = step * STEP_S;
    a.emit({
      rateHz: RATE_HZ,
      frequencyHz: 1e9,
      startS,
      reIm: Float32Array.from({ length: 2 * samples }, (_, i) => 1 - (i % 2)),
    });
    // All of it, or only the first samples of each millisecond, as one who listens now and then.
    const heard = b.hear({ rateHz: RATE_HZ, frequencyHz: 1e9, startS, samples: heardOften ? samples : 64 });
    taken[2 * step] = heard[126] * 100;
    taken[2 * step + 1] = heard[127] * 100;
  }
  return taken;
}

/** Mean of h(t) conj(h(t + lag)) over mean |h|^2, real part. */
function correlation(h: Float64Array, lag: number): number {
  let [sum, power] = [0, 0];
  for (let i = 0; i + lag < STEPS; i++) {
    sum += h[2 * i] * h[2 * (i + lag)] + h[2 * i + 1] * h[2 * (i + lag) + 1];
    power += h[2 * i] ** 2 + h[2 * i + 1] ** 2;
  }
  return sum / power;
}

test('sct emulate --channel: what is between two boards fades with the Doppler asked for, the same way back', () => {
  const h = carrier({ channel: 'epa', doppler: '50' }, true);
  const powers = Array.from({ length: STEPS }, (_, i) => h[2 * i] ** 2 + h[2 * i + 1] ** 2);
  const mean = powers.reduce((sum, p) => sum + p, 0) / STEPS;
  // 150 turns of the fastest path: the mean power over them is 1 within some 15 %.
  assert.ok(mean > 0.6 && mean < 1.5, `mean gain ${mean}`);
  assert.ok(Math.min(...powers) < 0.1 * mean && Math.max(...powers) > 2 * mean, 'it fades');
  // J0(2 pi f t): 0.904 at 2 ms, its first zero at 7.65 ms, -0.403 at 12.2 ms.
  for (const [lag, wanted] of [
    [2, 0.904],
    [12, -0.402],
  ]) {
    assert.ok(Math.abs(correlation(h, lag) - wanted) < 0.2, `correlation ${correlation(h, lag)} after ${lag} ms`);
  }
  assert.deepEqual(carrier({ channel: 'epa', doppler: '50' }, true, true), h, 'the same taps both ways');
  const rarely = carrier({ channel: 'epa', doppler: '50' }, false);
  assert.ok(
    rarely.every((v, i) => Math.abs(v - h[i]) < 0.02 * Math.sqrt(mean)),
    'it goes on while nobody listens',
  );
  assert.ok(carrier({ channel: 'epa', doppler: '50', seed: '2' }, true).some((v, i) => Math.abs(v - h[i]) > 0.5));
});

test('sct emulate without a channel: the loss alone', () => {
  assert.ok(carrier({}, false).every((v, i) => Math.abs(v - (i % 2 ? 0 : 1)) < 1e-4));
});
