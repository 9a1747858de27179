import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { computeWaterfall, memorySource, waterfallPng } from '../../../src/experiment/report/waterfall.ts';

/** amplitude x exp(2 pi i f n) for n in [from, to) of `length` samples; f in cycles a sample. */
function tone(length: number, f: number, amplitude: number, from = 0, to = length): Float32Array {
  const x = new Float32Array(2 * length);
  for (let n = from; n < to; n++) {
    x[2 * n] = amplitude * Math.cos(2 * Math.PI * f * n);
    x[2 * n + 1] = amplitude * Math.sin(2 * Math.PI * f * n);
  }
  return x;
}

const level = (w: { levels: Uint8Array; rangeDb: readonly [number, number] }, i: number) =>
  w.rangeDb[0] + (w.levels[i] / 255) * (w.rangeDb[1] - w.rangeDb[0]);

test('a full-scale tone reads 0 dBFS in its own column and nowhere else beyond the Hann main lobe', async () => {
  const n = 64;
  const w = await computeWaterfall(memorySource(tone(n * 10, 8 / n, 1)), {
    rateHz: 1e6,
    columns: n,
    rangeDb: [-100, 10],
  });
  assert.equal(w.rows, 10);
  assert.equal(w.columns, n);
  assert.deepEqual(w.frequencyHz, [-5e5, 5e5]);
  assert.deepEqual(w.timeS, [0, 640e-6]);
  for (let row = 0; row < w.rows; row++) {
    const peak = row * n + n / 2 + 8;
    assert.ok(Math.abs(level(w, peak)) < 0.25, `${level(w, peak)} dBFS`); // half a step of 110 dB / 255
    assert.ok(Math.abs(level(w, peak - 1) + 6.02) < 0.25); // Hann: neighbours at half the amplitude
    assert.equal(w.levels[peak + 2], 0);
    assert.equal(w.levels[row * n], 0);
  }
});

test('max hold keeps a burst of one window that mean spreads; both cover the whole capture', async () => {
  const n = 16;
  const windows = 200;
  const x = tone(n * windows, 0.25, 1, n * 133, n * 134);
  const options = { rateHz: 1e6, columns: n, rows: 10, rangeDb: [-40, 0] as const };
  const held = await computeWaterfall(memorySource(x), options);
  const mean = await computeWaterfall(memorySource(x), { ...options, hold: 'mean' });
  const at = Math.floor(133 / 20) * n + n / 2 + 4;
  assert.equal(held.levels[at], 255);
  assert.ok(Math.abs(level(mean, at) + 10 * Math.log10(20)) < 0.1);
  assert.equal(
    held.levels.reduce((sum, v) => sum + (v > 0 ? 1 : 0), 0),
    3,
  );
});

test('a reader in pieces gives the same picture as memory, and never reads outside', async () => {
  const x = new Float32Array(2 * 5000);
  new RandomStream(5).addComplexNoise(x, 0.01);
  const memory = await computeWaterfall(memorySource(x), { rateHz: 1e6, columns: 32, rows: 20 });
  const file = await computeWaterfall(
    {
      length: 5000,
      read: async (start, count, out) => {
        assert.ok(start >= 0 && start + count <= 5000);
        out.set(x.subarray(2 * start, 2 * (start + count)));
      },
    },
    { rateHz: 1e6, columns: 32, rows: 20 },
  );
  assert.deepEqual(file, memory);
});

test('work and size are bounded, a capture shorter than a window is empty, bad sizes are refused', async () => {
  let reads = 0;
  const endless = { length: 1e9, read: () => void reads++ };
  const w = await computeWaterfall(endless, { rateHz: 1e6, rows: 100, columns: 16, maxTransforms: 1000 });
  assert.equal(reads, 1000);
  assert.equal(w.levels.length, 1600);
  const tiny = await computeWaterfall(memorySource(new Float32Array(6)), { rateHz: 1e6 });
  assert.equal(tiny.rows, 1);
  assert.ok(tiny.rangeDb[1] > tiny.rangeDb[0]);
  await assert.rejects(computeWaterfall(endless, { rateHz: 1e6, columns: 1 << 20 }), UsageError);
  await assert.rejects(computeWaterfall(endless, { rateHz: 1e6, columns: 100 }), RangeError);
  await assert.rejects(computeWaterfall(endless, { rateHz: Number.NaN }), UsageError);
});

test('the picture has time down, or across with the highest frequency on top', () => {
  const w = {
    rows: 3,
    columns: 2,
    levels: new Uint8Array(6),
    rangeDb: [-1, 0] as const,
    timeS: [0, 1] as const,
    frequencyHz: [0, 1] as const,
  };
  const size = (png: Buffer) => [png.readUInt32BE(16), png.readUInt32BE(20)];
  assert.deepEqual(size(waterfallPng(w)), [2, 3]);
  assert.deepEqual(size(waterfallPng(w, true)), [3, 2]);
});
