import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import {
  BAND_EDGES,
  BAND_IMPORTANCE,
  BAND_OF,
  BAND_WEIGHT_CODES,
  BANDS,
  bandPowers,
  bandWidth,
} from '../../../src/sct/speech/bands.ts';
import { FRAME, frameCount, inverseMdct, mdct } from '../../../src/sct/speech/mdct.ts';
import { resample } from '../../../src/sct/speech/resample.ts';

const energyOf = (x: Float32Array) => x.reduce((sum, v) => sum + v * v, 0);

test('the MDCT gives back any signal, and keeps its energy', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1500 }), fc.integer(), (length, seed) => {
      const random = new RandomStream(seed);
      const x = Float32Array.from({ length }, () => random.normal());
      const coefficients = mdct(x);
      assert.equal(coefficients.length, frameCount(length) * FRAME);
      const back = inverseMdct(coefficients, length);
      assert.equal(back.length, length);
      back.forEach((v, i) => {
        assert.ok(Math.abs(v - x[i]) < 1e-4, `sample ${i}: ${v} for ${x[i]}`); // single precision
      });
      assert.ok(Math.abs(energyOf(coefficients) / energyOf(x) - 1) < 1e-4);
    }),
    { numRuns: 10 },
  );
});

test('a frame is the sum that defines it', () => {
  const random = new RandomStream('frame');
  const x = Float32Array.from({ length: 3 * FRAME }, () => random.normal());
  const coefficients = mdct(x);
  for (const k of [0, 1, 77, FRAME - 1]) {
    let sum = 0;
    for (let n = 0; n < 2 * FRAME; n++) {
      const window = Math.sin((Math.PI * (n + 0.5)) / (2 * FRAME));
      sum += window * x[n] * Math.cos((Math.PI / FRAME) * (n + 0.5 + FRAME / 2) * (k + 0.5));
    }
    assert.ok(Math.abs(coefficients[FRAME + k] - Math.sqrt(2 / FRAME) * sum) < 1e-4, `coefficient ${k}`);
  }
});

test('bands are those of ANSI S3.5: nominal edges, importance that adds up to 1, weights as whole numbers', () => {
  const nominal = [178, 224, 282, 355, 447, 562, 708, 891, 1122, 1413, 1778, 2239, 2818, 3548, 4467, 5623, 7079];
  nominal.forEach((hz, i) => {
    assert.ok(Math.abs(25 * BAND_EDGES[i + 1] - hz) <= 12.5, `edge ${i}`);
  });
  assert.equal(BAND_EDGES.length, BANDS + 1);
  assert.equal(BAND_EDGES[BANDS], FRAME);
  assert.ok(Math.abs(BAND_IMPORTANCE.reduce((a, b) => a + b, 0) - 1) < 1e-9);
  BAND_IMPORTANCE.forEach((importance, b) => {
    assert.equal(BAND_WEIGHT_CODES[b], Math.round(16 * Math.log2(importance / bandWidth(b))), `band ${b}`);
    assert.equal(BAND_OF[BAND_EDGES[b]], b);
    assert.equal(BAND_OF[BAND_EDGES[b + 1] - 1], b);
  });
});

test('power of white noise is the same in every band', () => {
  const random = new RandomStream('white');
  const powers = bandPowers(mdct(Float32Array.from({ length: 60 * FRAME }, () => random.normal())));
  for (let b = 0; b < BANDS; b++) {
    let mean = 0;
    for (let t = 1; t < 59; t++) mean += powers[t * BANDS + b] / 58;
    // 58 frames of at least 2 coefficients: standard error 13 %.
    assert.ok(Math.abs(mean - 1) < 0.5, `band ${b}: ${mean}`);
  }
});

test('resampling keeps tones of the pass band and takes away what would be mirrored', () => {
  const tone = (hz: number, rate: number, count: number) =>
    Float32Array.from({ length: count }, (_, n) => Math.sin((2 * Math.PI * hz * n) / rate));
  for (const [from, to] of [
    [48_000, 16_000],
    [8000, 16_000],
    [16_000, 10_000],
    [44_100, 16_000],
  ]) {
    const hz = 0.35 * Math.min(from, to);
    const out = resample(tone(hz, from, from / 5), from, to);
    assert.equal(out.length, Math.round(to / 5));
    const wanted = tone(hz, to, out.length);
    for (let i = 200; i < out.length - 200; i++) {
      assert.ok(Math.abs(out[i] - wanted[i]) < 2e-3, `${from} to ${to}, sample ${i}: ${out[i]} for ${wanted[i]}`);
    }
  }
  const mirrored = resample(tone(9000, 48_000, 9600), 48_000, 16_000).slice(300, -300);
  assert.ok(energyOf(mirrored) / mirrored.length < 0.5 * 10 ** -6, '60 dB below the tone');
});
