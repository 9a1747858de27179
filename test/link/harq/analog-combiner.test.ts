import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { AnalogCombiner } from '../../../src/link/harq/analog-combiner.ts';
import { combined } from './combined.ts';

const SYMBOLS = 40_000;

/** Gaussian symbols of unit mean power, [n][re, im]. */
function source(random: RandomStream): Float32Array {
  const out = new Float32Array(2 * SYMBOLS);
  random.addComplexNoise(out, 1, 0, out.length);
  return out;
}

/** What an MMSE equaliser gives of the symbols over a channel whose SNR is snr[i]. */
function received(sent: Float32Array, snr: Float32Array, random: RandomStream): Float32Array {
  const out = new Float32Array(sent.length);
  const noise = new Float32Array(sent.length);
  random.addComplexNoise(noise, 1, 0, noise.length);
  for (let i = 0; i < snr.length; i++) {
    const s = snr[i];
    for (const k of [2 * i, 2 * i + 1]) out[k] = (s / (1 + s)) * (sent[k] + noise[k] / Math.sqrt(s));
  }
  return out;
}

/** SNR that the combined symbols really have, and what the combiner says, dB. */
function measured(sent: Float32Array, combiner: AnalogCombiner): { realDb: number; saidDb: number } {
  const { snr, mmse } = combined(combiner);
  let error = 0;
  let inverse = 0;
  for (let i = 0; i < snr.length; i++) {
    const unbias = (1 + snr[i]) / snr[i];
    error += (unbias * mmse[2 * i] - sent[2 * i]) ** 2 + (unbias * mmse[2 * i + 1] - sent[2 * i + 1]) ** 2;
    inverse += 1 / snr[i];
  }
  return { realDb: 10 * Math.log10(snr.length / error), saidDb: 10 * Math.log10(snr.length / inverse) };
}

// The error of a mean over n complex Gaussian squares is 10 / (ln 10 sqrt n) dB: 0.022 dB here; four times that allowed.
const TOLERANCE_DB = 0.09;

test('N equal repetitions gain 10 log10 N dB', () => {
  const random = new RandomStream('equal repetitions');
  const sent = source(random);
  for (const snrDb of [-5, 3, 15]) {
    const combiner = new AnalogCombiner(SYMBOLS);
    const snr = new Float32Array(SYMBOLS).fill(10 ** (snrDb / 10));
    for (let n = 1; n <= 4; n++) {
      combiner.add(received(sent, snr, random), snr);
      const { realDb, saidDb } = measured(sent, combiner);
      const expected = snrDb + 10 * Math.log10(n);
      assert.ok(Math.abs(saidDb - expected) < 1e-3, `${snrDb} dB x ${n}: says ${saidDb}`);
      assert.ok(Math.abs(realDb - expected) < TOLERANCE_DB, `${snrDb} dB x ${n}: has ${realDb}`);
    }
    assert.equal(combiner.receptions, 4);
  }
});

test('unequal repetitions add their SNRs; a weak one never harms', () => {
  const random = new RandomStream('unequal repetitions');
  const sent = source(random);
  const combiner = new AnalogCombiner(SYMBOLS);
  let total = 0;
  for (const snrDb of [10, -10, 4, 0]) {
    const s = 10 ** (snrDb / 10);
    total += s;
    const snr = new Float32Array(SYMBOLS).fill(s);
    combiner.add(received(sent, snr, random), snr);
    const { realDb } = measured(sent, combiner);
    assert.ok(Math.abs(realDb - 10 * Math.log10(total)) < TOLERANCE_DB, `${realDb}`);
  }
});

test('in Rayleigh fading each symbol has the sum of its own SNRs: of n branches the mean error is snr^-1 / (n - 1)', () => {
  const random = new RandomStream('fading repetitions');
  const sent = source(random);
  const mean = 10;
  const combiner = new AnalogCombiner(SYMBOLS);
  for (let n = 1; n <= 4; n++) {
    const fades = new Float32Array(2 * SYMBOLS);
    random.addComplexNoise(fades, 1, 0, fades.length);
    const snr = Float32Array.from({ length: SYMBOLS }, (_, i) => mean * (fades[2 * i] ** 2 + fades[2 * i + 1] ** 2));
    combiner.add(received(sent, snr, random), snr);
    if (n < 3) continue; // The mean of 1 / gamma exists from two branches on, its variance from three.
    const { realDb, saidDb } = measured(sent, combiner);
    const expected = 10 * Math.log10(mean * (n - 1));
    // Heavy tails: three standard errors of mean(1 / gamma) at n = 3 are about 0.15 dB.
    assert.ok(Math.abs(saidDb - expected) < 0.2, `${n}: says ${saidDb}, expected ${expected}`);
    assert.ok(Math.abs(realDb - expected) < 0.2, `${n}: has ${realDb}, expected ${expected}`);
  }
});

test('symbols that never came stay unknown; a shorter repetition helps the first ones; memory does not grow', () => {
  const combiner = new AnalogCombiner(4);
  const bytes = combiner.byteLength;
  assert.equal(bytes, 12 * 4);
  combiner.add(new Float32Array(8).fill(0.5), Float32Array.of(1, 0, Number.NaN, Number.POSITIVE_INFINITY));
  assert.deepEqual([...combined(combiner).snr], [1, 0, 0, 0]);
  assert.deepEqual([...combined(combiner).mmse], [0.5, 0.5, 0, 0, 0, 0, 0, 0]);
  for (let i = 0; i < 10; i++) combiner.add(new Float32Array(4).fill(0.5), Float32Array.of(1, 1));
  // By way of decibels in single precision.
  for (const [i, s] of [11, 10, 0, 0].entries()) assert.ok(Math.abs(combined(combiner).snr[i] - s) < 1e-5);
  assert.equal(combiner.byteLength, bytes);
  assert.throws(() => combiner.add(new Float32Array(10), new Float32Array(5)), UsageError);
  assert.throws(() => combiner.add(new Float32Array(4), new Float32Array(3)), UsageError);
});
