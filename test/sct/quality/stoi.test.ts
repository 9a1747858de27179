import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { segmentalSnrDb } from '../../../src/sct/quality/segmental-snr.ts';
import { stoi } from '../../../src/sct/quality/stoi.ts';
import { resample } from '../../../src/sct/speech/resample.ts';

interface Vectors {
  readonly rateHz: number;
  readonly count: number;
  readonly cases: readonly { readonly noise: number; readonly stoi: number }[];
}
const VECTORS = JSON.parse(readFileSync(new URL('../../vectors/stoi/stoi.json', import.meta.url), 'utf8')) as Vectors;

/** As test/vectors/stoi/make.py makes them. */
function noise(seed: number, count: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function clean({ count, rateHz }: Vectors): Float64Array {
  const floor = noise(7, count);
  return Float64Array.from({ length: count }, (_, n) => {
    const t = n / rateHz;
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 3.7 * t)) ** 2;
    let tone = 0;
    for (let h = 1; h < 33; h++) tone += Math.sin(2 * Math.PI * 125 * h * t + h * h) / h;
    return (t > 0.9 && t < 1.1 ? 0 : syllable * tone) + 0.02 * floor[n];
  });
}

test('STOI is what an independent program says', () => {
  const x = clean(VECTORS);
  const hiss = noise(1, VECTORS.count);
  for (const { noise: level, stoi: wanted } of VECTORS.cases) {
    const y = Float32Array.from(x, (v, i) => v + level * hiss[i]);
    const found = stoi(Float32Array.from(x), y, VECTORS.rateHz)!;
    // The signals have its rate already: resamplers differ, and move frames across the threshold of silence.
    assert.ok(Math.abs(found - wanted) < 1e-6, `noise ${level}: ${found} for ${wanted}`);
  }
});

test('at another rate it is nearly the same', () => {
  const x = Float32Array.from(clean(VECTORS));
  const hiss = noise(1, VECTORS.count);
  const y = x.map((v, i) => v + 0.5 * hiss[i]);
  const wanted = stoi(x, y, VECTORS.rateHz)!;
  const found = stoi(resample(x, 10_000, 16_000), resample(y, 10_000, 16_000), 16_000)!;
  assert.ok(Math.abs(found - wanted) < 0.02, `${found} for ${wanted}`);
});

test('STOI of the same signal is 1, of silence 0, and of too little nothing', () => {
  const x = Float32Array.from(clean(VECTORS));
  assert.ok(Math.abs(stoi(x, x, 10_000)! - 1) < 1e-9);
  assert.ok(Math.abs(stoi(x, new Float32Array(x.length), 10_000)!) < 1e-9);
  assert.ok(
    Math.abs(
      stoi(
        x,
        x.map((v) => 5 * v),
        10_000,
      )! - 1,
    ) < 1e-6,
    'level does not matter',
  );
  assert.equal(stoi(new Float32Array(x.length), x, 10_000), null, 'in silence there is nothing to understand');
  assert.equal(stoi(x.subarray(0, 1000), x.subarray(0, 1000), 10_000), null);
  assert.throws(() => stoi(x, x.subarray(1), 10_000), UsageError);
});

test('segmental SNR is the mean of limited frames with speech', () => {
  const x = new Float32Array(4 * 320).fill(0.5, 0, 960); // three frames, then silence
  const y = x.slice();
  y.fill(0.45, 320, 640); // 20 dB
  y.fill(-5, 640, 960); // far below -10 dB
  y.fill(1, 960); // not counted
  assert.ok(Math.abs(segmentalSnrDb(x, y, 16_000)! - (35 + 20 - 10) / 3) < 1e-4);
  assert.equal(segmentalSnrDb(new Float32Array(640), y.subarray(0, 640), 16_000), null);
  assert.throws(() => segmentalSnrDb(x, y.subarray(1), 16_000), UsageError);
});
