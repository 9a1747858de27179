import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { makeTrial, receiveTrial, rightBurst } from '../../../src/experiment/bench/modem/modem-trial.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { DftEstimator } from '../../../src/phy/channel-est/dft.ts';
import { ESTIMATORS, type PilotObservations } from '../../../src/phy/channel-est/estimator.ts';
import { LmmseEstimator } from '../../../src/phy/channel-est/lmmse.ts';
import { LsEstimator } from '../../../src/phy/channel-est/ls.ts';
import { estimateNoise } from '../../../src/phy/channel-est/noise.ts';
import { estimateFromTraining } from '../../../src/phy/channel-est/training.ts';
import {
  NUMEROLOGIES,
  type Numerology,
  numerology,
  SLOT_SYMBOLS,
  SUBBAND_CARRIERS,
} from '../../../src/phy/numerology.ts';
import { resourceGrid } from '../../../src/phy/resource-grid.ts';

/** Channel of paths [delay in samples, amplitude re, im, Doppler in turns a symbol], [symbols][nCarriers][re, im]. */
function pathChannel(n: Numerology, slots: number, paths: readonly (readonly [number, number, number, number])[]) {
  const out = new Float32Array(2 * n.nCarriers * slots * SLOT_SYMBOLS);
  for (let t = 0; t < slots * SLOT_SYMBOLS; t++) {
    for (let c = 0; c < n.nCarriers; c++) {
      for (const [delay, re, im, turns] of paths) {
        const angle = 2 * Math.PI * (turns * t - (n.carriers[c] * delay) / n.fftSize);
        const at = 2 * (t * n.nCarriers + c);
        out[at] += re * Math.cos(angle) - im * Math.sin(angle);
        out[at + 1] += re * Math.sin(angle) + im * Math.cos(angle);
      }
    }
  }
  return out;
}

function observe(
  n: Numerology,
  slots: number,
  channel: Float32Array,
  sigma2: number,
  seed: string,
  flip = false,
): PilotObservations {
  const random = new RandomStream(seed);
  const grid = resourceGrid(n);
  const pilots = new Float32Array(2 * n.nSubbands * slots * SLOT_SYMBOLS);
  for (let t = 0; t < slots * SLOT_SYMBOLS; t++) {
    for (let s = 0; s < n.nSubbands; s++) {
      const c = 2 * (t * n.nCarriers + s * SUBBAND_CARRIERS + grid.pilotOffset(t % SLOT_SYMBOLS));
      pilots[2 * (t * n.nSubbands + s)] = channel[c];
      pilots[2 * (t * n.nSubbands + s) + 1] = channel[c + 1];
    }
  }
  addNoise(random, pilots, sigma2, flip);
  const training = channel.slice(0, 2 * n.nCarriers);
  addNoise(random, training, sigma2 / 2, flip);
  const preamble = estimateFromTraining(n, training, sigma2, Math.max(1, n.cpLength >> 3));
  return { numerology: n, slots, pilots, noiseVariance: sigma2, preamble };
}

function addNoise(random: RandomStream, array: Float32Array, variance: number, flip: boolean): void {
  const noise = new Float32Array(array.length);
  random.addComplexNoise(noise, variance);
  for (let i = 0; i < array.length; i++) array[i] += flip ? -noise[i] : noise[i];
}

function meanPower(a: Float32Array): number {
  return squaredError(a, new Float32Array(a.length));
}

function squaredError(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / (a.length / 2);
}

/** Two paths a fraction of a sample off the grid, the first where the receiver puts it. */
function staticPaths(n: Numerology) {
  const first = Math.max(1, n.cpLength >> 3) + 0.37;
  return [
    [first, 0.8, 0.1, 0],
    [first + 0.6 * n.cpLength, -0.2, 0.5, 0],
  ] as const;
}

test('DFT truncation has the error variance it states, no bias, and leaves the noise estimate right', () => {
  for (const n of NUMEROLOGIES.filter((m) => m.nSubbands > 4)) {
    for (const slots of [1, 4]) {
      const channel = pathChannel(n, slots, staticPaths(n));
      // Without noise to speak of: what the cut at the prefix loses, and any bias of the leakage's correction.
      const clean = observe(n, slots, channel, 1e-7, 'clean');
      const bias = squaredError(new DftEstimator().estimate(clean).channel.grid(), channel);
      assert.ok(bias < 1e-5, `${n.nSubbands} subbands, ${slots} slots: ${bias} without noise`);
      const sigma2 = 0.01;
      const trials = Math.ceil(1500 / (n.nSubbands * slots));
      let error = 0;
      let noise = 0;
      let stated = 0;
      for (let k = 0; k < trials; k++) {
        const observed = observe(n, slots, channel, sigma2, `dft/${n.id}/${slots}/${k}`);
        const estimate = new DftEstimator().estimate(observed);
        error += squaredError(estimate.channel.grid(), channel) / trials;
        noise += estimateNoise(observed, estimate.channel, estimate.residualRatio!).mean / trials;
        stated = estimate.errorRatio * sigma2;
      }
      // About 1500 x 14 pilots with dof / carriers of 0.1 or so: 3 % standard error at most.
      assert.ok(error > 0.92 * stated && error < 1.08 * stated, `${n.nSubbands}/${slots}: ${error} against ${stated}`);
      assert.ok(Math.abs(noise / sigma2 - 1) < 0.05, `${n.nSubbands}/${slots}: noise ${noise / sigma2}`);
    }
  }
});

test('DFT truncation follows a channel that turns, and loses what lies beyond the prefix', () => {
  const n = numerology(25);
  const first = n.cpLength >> 3;
  // 70 Hz: 0.005 turns a symbol.
  const turning = pathChannel(n, 4, [
    [first, 0.7, 0, 0.005],
    [first + 20, 0, 0.7, -0.005],
  ]);
  const followed = new DftEstimator().estimate(observe(n, 4, turning, 1e-5, 'turning')).channel.grid();
  const inner = (a: Float32Array) => a.slice(2 * n.nCarriers * SLOT_SYMBOLS, 2 * n.nCarriers * 3 * SLOT_SYMBOLS);
  assert.ok(squaredError(inner(followed), inner(turning)) < 1e-3);
  const late = pathChannel(n, 4, [
    [first, 1, 0, 0],
    [first + 2 * n.cpLength, 0.3, 0, 0],
  ]);
  const cut = squaredError(new DftEstimator().estimate(observe(n, 4, late, 1e-5, 'late')).channel.grid(), late);
  assert.ok(cut > 0.5 * 0.09, `a path of power 0.09 beyond the prefix leaves ${cut}`);
});

test('the estimator is chosen by name in receiver and settings', () => {
  for (const name of ESTIMATORS) {
    assert.equal(resolveLinkConfig({ estimator: name }).estimator, name);
    const signal = makeTrial({
      numerology: numerology(25),
      seed: 'choice',
      slots: 1,
      snrDb: 15,
      receiver: { estimator: name },
    });
    const record = rightBurst(signal, receiveTrial(signal));
    assert.ok(record);
    assert.match(record.estimator.toLowerCase(), new RegExp(`^${name}`));
  }
  assert.throws(() => resolveLinkConfig({ estimator: 'fft' }), /not one of lmmse, dft, ls/);
});

test('an estimate less its power bias has the power of the channel, at low SNR too', () => {
  for (const [subbands, slots] of [
    [6, 1],
    [25, 4],
  ]) {
    const n = numerology(subbands);
    const trials = subbands === 6 ? 200 : 40;
    const estimators = [new LmmseEstimator(), new DftEstimator(), new LsEstimator()];
    const excess = estimators.map(() => 0);
    const stated = estimators.map(() => 0);
    const sigma2 = 1;
    for (let k = 0; k < trials; k++) {
      // Rayleigh taps over half the prefix, whose power in all is 1 on average.
      const random = new RandomStream(`power/${subbands}/${k}`);
      const first = Math.max(1, n.cpLength >> 3);
      const paths = Array.from({ length: 6 }, (_, i) => {
        const [re, im] = [random.normal(), random.normal()].map((v) => v * Math.sqrt(1 / 12));
        return [first + 0.1 * i * n.cpLength, re, im, 0] as const;
      });
      const channel = pathChannel(n, slots, paths);
      // The noise with either sign: its product with the channel cancels.
      for (const flip of [false, true]) {
        const observed = observe(n, slots, channel, sigma2, `power/${subbands}/${k}/noise`, flip);
        for (const [i, estimator] of estimators.entries()) {
          const estimate = estimator.estimate(observed);
          excess[i] += (meanPower(estimate.channel.grid()) - meanPower(channel)) / sigma2 / (2 * trials);
          stated[i] += estimate.powerBias / (2 * trials);
        }
      }
    }
    for (const [i, { name }] of estimators.entries()) {
      const error = `${name}, ${subbands} subbands: ${excess[i].toFixed(4)}, stated ${stated[i].toFixed(4)}`;
      // Stated: dof / n, negative where a prior shrinks; theory leaves out what is chosen on the data: window, prior power.
      assert.ok(Math.abs(excess[i] - stated[i]) < 0.5 * Math.abs(stated[i]), error);
    }
  }
});

test('a preamble in a fade does not flatten the channel of the burst behind it', () => {
  const n = numerology(6);
  const sigma2 = 1;
  const channel = pathChannel(n, 4, staticPaths(n));
  for (const estimator of [new LmmseEstimator(), new DftEstimator()]) {
    let kept = 0;
    const trials = 20;
    for (let k = 0; k < trials; k++) {
      const observed = observe(n, 4, channel, sigma2, `fade/${k}`);
      const faded = { ...observed, preamble: { ...observed.preamble, power: 0.005 } };
      const estimate = estimator.estimate(faded);
      kept += (meanPower(estimate.channel.grid()) - estimate.powerBias * sigma2) / meanPower(channel) / trials;
    }
    // With the preamble's power as prior, lambda would be 200 times too large and a tenth be kept.
    assert.ok(kept > 0.85 && kept < 1.15, `${estimator.name} keeps ${kept} of the power`);
  }
});
