import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitsPerRe, equaliseWith, frontEnd, Observed, read, trueRbSnrDb } from '../../bench/estimators/evaluate.ts';
import { GAP_WINDOWS, idealBurst, receivedAt } from '../../bench/estimators/ideal-burst.ts';
import { lostDb } from '../../bench/estimators/measure.ts';
import {
  falseNoise,
  gapNoise,
  knownSymbolNoise,
  nullCarrierNoise,
  pooled,
  trainingDifference,
} from '../../bench/estimators/noise-estimators.ts';
import { RandomStream } from '../../src/common/random.ts';
import { meanInterval, sampleSd } from '../../src/experiment/metrics/stats.ts';
import { DftEstimator } from '../../src/phy/channel-est/dft.ts';
import { LmmseEstimator } from '../../src/phy/channel-est/lmmse.ts';
import { mutualInformation } from '../../src/phy/modulation/mutual-information.ts';
import { numerology } from '../../src/phy/numerology.ts';

/** Training symbols of amplitude 1, the second turned by `turns`, with noise. */
function trainingPair(nCarriers: number, sigma2: number, turns: number, seed: string): Float32Array {
  const out = new Float32Array(4 * nCarriers);
  for (let i = 0; i < 2 * nCarriers; i += 2) {
    out[i] = 1;
    out[2 * nCarriers + i] = Math.cos(2 * Math.PI * turns);
    out[2 * nCarriers + i + 1] = Math.sin(2 * Math.PI * turns);
  }
  new RandomStream(seed).addComplexNoise(out, sigma2);
  return out;
}

test('difference of two training symbols: no bias, variance sigma^4 / 12 a subband, ceiling of a frequency offset', () => {
  const noise: number[] = [];
  const signal: number[] = [];
  for (let k = 0; k < 200; k++) {
    const found = trainingDifference(trainingPair(300, 0.5, 0, `difference/${k}`));
    noise.push(...found.noise);
    signal.push(...found.signal);
  }
  // 5000 subbands: standard error 0.4 % of the mean, 1 % of the deviation.
  assert.ok(Math.abs(meanInterval(noise).value / 0.5 - 1) < 0.02);
  assert.ok(Math.abs(sampleSd(noise) / (0.5 / Math.sqrt(12)) - 1) < 0.05);
  assert.ok(Math.abs(meanInterval(signal).value - 1) < 0.02);
  const cfo = 0.02;
  const turned: number[] = [];
  for (let k = 0; k < 50; k++) turned.push(...trainingDifference(trainingPair(300, 1e-4, cfo, `turned/${k}`)).noise);
  assert.ok(Math.abs(meanInterval(turned).value / (1e-4 + falseNoise(cfo)) - 1) < 0.02);
  // The ceiling in dB as commonly written: -20 log10(2 pi cfo) + 3.
  assert.ok(Math.abs(-10 * Math.log10(falseNoise(cfo)) - (-20 * Math.log10(2 * Math.PI * cfo) + 3.01)) < 0.02);
});

test('every noise estimator finds white noise without bias; each sees what it can of an interferer', () => {
  const n = numerology(25);
  const interferer = { subbands: [10], overSignalDb: 10, fromSlot: 0 };
  const late = { ...interferer, fromSlot: 2 };
  const found = { guards: [] as number[], gap: [] as number[], known: [] as number[], pilots: [] as number[] };
  let [always, hidden, halfway] = [0, 0, 0];
  const trials = 6;
  for (let k = 0; k < trials; k++) {
    const burst = idealBurst({ n, slots: 4, channel: 'eva', seed: `test/${k}` });
    const white = receivedAt(burst, 10);
    const sigma2 = white.variance[0];
    const known = (received: typeof white) => {
      const got = read(received, frontEnd(received), new LmmseEstimator());
      return { got, noise: knownSymbolNoise(got.payload, got.payloadSnr, burst.signal.payload, got.rbNoise) };
    };
    const { got, noise } = known(white);
    found.guards.push(nullCarrierNoise(white.guards) / sigma2);
    found.gap.push(gapNoise(white.gap, GAP_WINDOWS).reduce((sum, v) => sum + v / n.nSubbands, 0) / sigma2);
    found.known.push(pooled(noise, n.nSubbands, 154).mean / sigma2);
    found.pilots.push(got.noiseVariance / sigma2);
    const jammed = receivedAt(burst, 10, interferer);
    const own = jammed.variance[10];
    always += gapNoise(jammed.gap, GAP_WINDOWS)[10] / own / trials;
    hidden += nullCarrierNoise(jammed.guards) / own / trials;
    const later = receivedAt(burst, 10, late);
    assert.equal(later.variance[n.nSubbands + 10], sigma2);
    const lateNoise = known(later).noise;
    halfway += lateNoise[2 * n.nSubbands + 10] / own / trials;
    // Half a burst later the pause knows nothing of it.
    assert.ok(gapNoise(later.gap, GAP_WINDOWS)[10] < 0.05 * own);
  }
  for (const [name, values] of Object.entries(found)) {
    const m = meanInterval(values);
    assert.ok(Math.abs(m.value - 1) < 0.06, `${name}: ${m.value} of the noise`);
  }
  assert.ok(Math.abs(always - 1) < 0.15, `pause ${always}`);
  assert.ok(hidden < 0.05, `guards ${hidden}`);
  assert.ok(Math.abs(halfway - 1) < 0.15, `known symbols ${halfway}`);
});

test('SNR lost is the shift of the information curve, and no figure where all bits are carried', () => {
  const bits = (snrDb: number) => mutualInformation(6, snrDb);
  const lost = lostDb([bits(10), bits(10), bits(10)], [bits(9), bits(9), bits(9)]);
  assert.ok(Math.abs(lost.value - 1) < 0.02, `${lost.value} dB`);
  assert.ok(Number.isNaN(lostDb([5.99, 5.99], [5.9, 5.9]).value));
});

test('interference on single subbands is seen and weighed, also where it begins inside the burst', () => {
  const n = numerology(25);
  const trials = 4;
  for (const fromSlot of [0, 2]) {
    const interferer = { subbands: [10, 11], overSignalDb: 10, fromSlot };
    for (const inner of [new LmmseEstimator(), new DftEstimator()]) {
      const estimator = new Observed(inner);
      let [hit, hits, other, others, gained] = [0, 0, 0, 0, 0];
      for (let k = 0; k < trials; k++) {
        const received = receivedAt(idealBurst({ n, slots: 4, channel: 'awgn', seed: `hit/${k}` }), 15, interferer);
        const truth = trueRbSnrDb(received, equaliseWith(received, received.burst.truth, received.variance).payloadSnr);
        const got = read(received, frontEnd(received), estimator);
        for (let rb = 0; rb < truth.length; rb++) {
          const square = (got.rbSnrDb[rb] - truth[rb]) ** 2;
          if (received.variance[rb] > received.variance[0] * 2) {
            hit += square;
            hits++;
          } else {
            other += square;
            others++;
          }
        }
        const mean = new Float64Array(truth.length).fill(got.noiseVariance);
        const weighed = bitsPerRe(received, got);
        gained += weighed - bitsPerRe(received, equaliseWith(received, estimator.last!.channel.grid(), mean));
      }
      const what = `${inner.name} from slot ${fromSlot}`;
      assert.equal(hits, trials * 2 * (4 - fromSlot), what);
      // 14 pilots an RB alone: 1.2 dB. DFT truncation leaves more of the interferer in its neighbours' estimate.
      assert.ok(
        Math.sqrt(hit / hits) < (inner.name === 'dft' ? 2 : 1),
        `${what}: RMS ${Math.sqrt(hit / hits)} where it is hit`,
      );
      assert.ok(
        Math.sqrt(other / others) < (inner.name === 'dft' ? 1.8 : 0.5),
        `${what}: RMS ${Math.sqrt(other / others)} elsewhere`,
      );
      assert.ok(gained / trials > 0.3, `${what}: weighing gains ${gained / trials} bit a RE`);
    }
  }
});
