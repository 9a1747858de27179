import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { BAND_WEIGHT_CODES, BANDS } from '../../../src/sct/speech/bands.ts';
import {
  chooseShare,
  differentCoefficients,
  type Estimate,
  estimateLinear,
  expectedDistortion,
  mapLinear,
  type RankedCoefficients,
  rankCoefficients,
} from '../../../src/sct/speech/linear-code.ts';

const FRAMES = 4;

function anyRanked(seed: string): RankedCoefficients {
  const random = new RandomStream(seed);
  const levels = Uint8Array.from({ length: FRAMES * BANDS }, () => 12 + random.integer(24));
  return rankCoefficients({ from: 0, frames: FRAMES }, levels);
}

/** Coefficients with the variances of the model. */
function draw({ address, variance }: RankedCoefficients, random: RandomStream): Float32Array {
  const out = new Float32Array(FRAMES * 320);
  address.forEach((at, r) => {
    out[at] = Math.sqrt(variance[r]) * random.normal();
  });
  return out;
}

/** Symbols with noise at an SNR, weighed as the link weighs them. */
function overAir(symbols: Float32Array, snrDb: number, random: RandomStream) {
  const snr = 10 ** (snrDb / 10);
  const noisy = symbols.slice();
  random.addComplexNoise(noisy, 1 / snr);
  const symbolsReIm = noisy.map((v) => (v * snr) / (1 + snr));
  return { symbolsReIm, snrDb: new Float32Array(symbols.length / 2).fill(snrDb) };
}

const blankEstimate = (): Estimate => ({ value: new Float32Array(FRAMES * 320), open: new Float32Array(FRAMES * 320) });

test('coefficients come once each, by weight x variance', () => {
  const ranked = anyRanked('order');
  assert.deepEqual(
    [...ranked.address].sort((a, b) => a - b),
    [...Array(FRAMES * 320).keys()],
  );
  for (let r = 1; r < ranked.address.length; r++) {
    const key = (i: number) => ranked.weight[i] * ranked.variance[i];
    assert.ok(key(r) <= key(r - 1) * (1 + 1e-9));
  }
  // Weight: importance a coefficient over the root of the variance.
  const last = ranked.address.length - 1;
  for (const r of [0, 300, last]) {
    const band = BAND_WEIGHT_CODES.findIndex(
      (code) => Math.abs(2 ** (code / 16) / Math.sqrt(ranked.variance[r]) - ranked.weight[r]) < 1e-12,
    );
    assert.ok(band >= 0);
  }
});

test('mean power is 1, and the weighed error is the one that the closed form says', () => {
  for (const [name, symbols, share, snrDb] of [
    ['few places', 120, 16, 5],
    ['copies', 400, 6, 0],
    ['all of them', 900, 16, 12],
  ] as const) {
    const ranked = anyRanked(name);
    const random = new RandomStream(name);
    let [power, error] = [0, 0];
    const rounds = 300;
    for (let i = 0; i < rounds; i++) {
      const coefficients = draw(ranked, random);
      const sent = new Float32Array(2 * symbols);
      mapLinear(ranked, coefficients, share, sent);
      power += sent.reduce((sum, v) => sum + v * v, 0) / symbols / rounds;
      const estimate = blankEstimate();
      const { arrived, bits } = estimateLinear(ranked, overAir(sent, snrDb, random), share, 1, estimate);
      assert.equal(arrived, symbols);
      assert.ok(Math.abs(bits - Math.log2(1 + 10 ** (snrDb / 10))) < 1e-6);
      ranked.address.forEach((at, r) => {
        error += (ranked.weight[r] * (estimate.value[at] - coefficients[at]) ** 2) / rounds;
      });
    }
    const different = differentCoefficients(share, 2 * symbols, ranked.address.length);
    const wanted = expectedDistortion(ranked, different, 2 * symbols, 10 ** (snrDb / 10));
    // 300 draws: standard error of a few parts in a thousand.
    assert.ok(Math.abs(power - 1) < 0.05, `${name}: power ${power}`);
    assert.ok(Math.abs(error / wanted - 1) < 0.03, `${name}: ${error} for ${wanted}`);
  }
});

test('the share with the least error is taken: few coefficients and copies where it is noisy, all where it is quiet', () => {
  const ranked = anyRanked('shares');
  const of = (snrDb: number) => chooseShare(ranked, 1200, 10 ** (snrDb / 10));
  assert.ok(of(-12) < of(0) && of(0) <= of(20), `${of(-12)}, ${of(0)}, ${of(20)}`);
  for (const snrDb of [-5, 5, 15]) {
    const snr = 10 ** (snrDb / 10);
    const at = (share: number) => expectedDistortion(ranked, differentCoefficients(share, 1200, 1280), 1200, snr);
    for (let share = 1; share <= 16; share++) assert.ok(at(of(snrDb)) <= at(share));
  }
});

test('what did not arrive leaves the variance open, and numbers that are none do no harm', () => {
  const ranked = anyRanked('lost');
  const random = new RandomStream('lost');
  const sent = new Float32Array(400);
  mapLinear(ranked, draw(ranked, random), 16, sent);
  const air = overAir(sent, 10, random);
  air.snrDb.fill(Number.NEGATIVE_INFINITY);
  air.symbolsReIm[3] = Number.NaN;
  const estimate = blankEstimate();
  assert.deepEqual(estimateLinear(ranked, air, 16, 1, estimate), { arrived: 0, bits: 0 });
  assert.ok(estimate.value.every((v) => v === 0));
  const most = differentCoefficients(16, 400, 1280);
  for (let r = 0; r < most; r++) {
    assert.ok(Math.abs(estimate.open[ranked.address[r]] / ranked.variance[r] - 1) < 1e-5);
  }
});
