import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { delaysOf } from '../../../src/phy/channel-est/delay-transform.ts';
import type { PilotObservations } from '../../../src/phy/channel-est/estimator.ts';
import { LmmseEstimator, SlotEstimator } from '../../../src/phy/channel-est/lmmse.ts';
import { estimateFromTraining } from '../../../src/phy/channel-est/training.ts';
import { fitStore } from '../../../src/phy/channel-est/window-solver.ts';
import { type Numerology, numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../../src/phy/numerology.ts';
import { resourceGrid } from '../../../src/phy/resource-grid.ts';

/** Path: delay in samples, amplitude, turns a symbol, first slot that it is there. */
type Path = readonly [delay: number, amplitude: number, turns: number, from: number];

/** Channel of paths at one RE. */
function response(n: Numerology, paths: readonly Path[], symbol: number, c: number): [number, number] {
  let re = 0;
  let im = 0;
  for (const [delay, amplitude, turns, from] of paths) {
    if (symbol < from * SLOT_SYMBOLS) continue;
    const angle = 2 * Math.PI * (turns * symbol - (n.carriers[c] * delay) / n.fftSize);
    re += amplitude * Math.cos(angle);
    im += amplitude * Math.sin(angle);
  }
  return [re, im];
}

function observe(
  n: Numerology,
  slots: number,
  paths: readonly Path[],
  sigma2: number,
  seed: string,
): PilotObservations {
  const random = new RandomStream(seed);
  const grid = resourceGrid(n);
  const pilots = new Float32Array(2 * n.nSubbands * slots * SLOT_SYMBOLS);
  for (let t = 0; t < slots * SLOT_SYMBOLS; t++) {
    for (let s = 0; s < n.nSubbands; s++) {
      const c = s * SUBBAND_CARRIERS + grid.pilotOffset(t % SLOT_SYMBOLS);
      pilots.set(response(n, paths, t, c), 2 * (t * n.nSubbands + s));
    }
  }
  random.addComplexNoise(pilots, sigma2);
  const training = new Float32Array(2 * n.nCarriers);
  for (let c = 0; c < n.nCarriers; c++) training.set(response(n, paths, 0, c), 2 * c);
  random.addComplexNoise(training, sigma2 / 2);
  const preamble = estimateFromTraining(n, training, sigma2, Math.max(1, n.cpLength >> 3));
  // The narrowest window, as if the preamble had said so.
  const window = delaysOf(n, preamble.backoff).windows[0];
  return { numerology: n, slots, pilots, noiseVariance: sigma2, preamble: { ...preamble, window } };
}

/** Mean squared error of the estimate over the noise. */
function errorOverNoise(observed: PilotObservations, paths: readonly Path[]): number {
  const { numerology: n, slots, noiseVariance } = observed;
  const channel = new LmmseEstimator().estimate(observed).channel.grid();
  let sum = 0;
  for (let t = 0; t < slots * SLOT_SYMBOLS; t++) {
    for (let c = 0; c < n.nCarriers; c++) {
      const [re, im] = response(n, paths, t, c);
      const at = 2 * (t * n.nCarriers + c);
      sum += (channel[at] - re) ** 2 + (channel[at + 1] - im) ** 2;
    }
  }
  return sum / (slots * SLOT_SYMBOLS * n.nCarriers * noiseVariance);
}

test('a path that comes after the preamble widens the delay window, in long bursts and short ones', () => {
  for (const subbands of [6, 25]) {
    const n = numerology(subbands);
    for (const slots of [4, 24]) {
      const late: Path[] = [
        [0.3, 0.9, 0, 0],
        [0.8 * n.cpLength, 0.4, 0, 1],
      ];
      const observed = observe(n, slots, late, 0.01, `late ${subbands} ${slots}`);
      const { summary } = new LmmseEstimator().estimate(observed);
      const width = Number(/window ([\d.]+)/.exec(summary)?.[1]);
      assert.ok(width > 0.8 * n.cpLength, summary);
    }
  }
});

test('on one path the window stays narrow, and the error is that of few coefficients', () => {
  for (const subbands of [6, 25, 50]) {
    const n = numerology(subbands);
    // In the window's centre, which its first function describes alone.
    const paths: Path[] = [[Math.max(1, n.cpLength >> 3), 1, 0, 0]];
    let narrow = 0;
    for (let k = 0; k < 8; k++) {
      const observed = observe(n, 24, paths, 0.01, `one ${subbands} ${k}`);
      const { summary, errorRatio } = new LmmseEstimator().estimate(observed);
      if (!/window 3\.0 samples, Doppler class 2 Hz over 8 slots/.test(summary)) continue;
      narrow++;
      // At most ten coefficients for 8 x 14 pilots a subband; one burst has few of them, so within a factor.
      assert.ok(errorRatio < 10 / (112 * subbands));
      const error = errorOverNoise(observed, paths);
      assert.ok(error < 2.5 * errorRatio && error > errorRatio / 10, `${error} ${errorRatio}`);
    }
    // Cross-validation takes noise for paths now and then.
    assert.ok(narrow >= 5, `${subbands} subbands: ${narrow} of 8`);
  }
});

test('an estimate depends on its own pilots alone, whatever came before and was forgotten since', () => {
  const n = numerology(6);
  const estimator = new LmmseEstimator();
  const bursts = [3, 20, 5].map((slots, i) => {
    const paths: Path[] = [
      [0.5, 0.8, 0.001 * i, 0],
      [3 * i, 0.4, 0.003, 0],
    ];
    return observe(n, slots, paths, 0.003 * (i + 1), `own ${i}`);
  });
  const fresh = bursts.map((observed) => new LmmseEstimator().estimate(observed).channel.grid());
  const out = new Float32Array(2 * n.nCarriers);
  const slot = { ...bursts[1], slots: 1, pilots: bursts[1].pilots.subarray(0, 28 * n.nSubbands) };
  new SlotEstimator().estimate(slot, out);
  const reference = out.slice();
  for (const i of [2, 0, 1, 1, 0, 2]) {
    // The kernel forgets everything now and then.
    if (i === 1) fitStore(n).forget();
    assert.deepEqual(estimator.estimate(bursts[i]).channel.grid(), fresh[i]);
    new SlotEstimator().estimate(slot, out);
    assert.deepEqual(out, reference);
  }
});
