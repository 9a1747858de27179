import assert from 'node:assert/strict';
import test from 'node:test';
import { SignalMeter } from '../../../src/experiment/telemetry/signal-meter.ts';
import type { SampleBlock } from '../../../src/radio/radio.ts';

function tone(bin: number, amplitude: number, samples = 4096, bins = 1024): SampleBlock {
  const data = new Int16Array(2 * samples);
  for (let i = 0; i < samples; i++) {
    const angle = (2 * Math.PI * bin * i) / bins;
    data[2 * i] = Math.round(2048 * amplitude * Math.cos(angle));
    data[2 * i + 1] = Math.round(2048 * amplitude * Math.sin(angle));
  }
  return { data, format: 'ci16_le', fullScale: 2048, index: 0, lostBefore: null, timestampNs: null };
}

test('a tone on a bin reads its level there, and the level of the stream', () => {
  for (const [bin, amplitude] of [
    [100, 1],
    [-200, 0.1],
  ]) {
    const meter = new SignalMeter();
    meter.add(tone(bin, amplitude));
    const { meanDbfs, peakDbfs, rmsDbfs, peakSampleDbfs } = meter.read()!;
    const level = 20 * Math.log10(amplitude);
    const at = meanDbfs.indexOf(Math.max(...meanDbfs));
    assert.equal(at, 512 + bin);
    for (const value of [meanDbfs[at], peakDbfs[at], rmsDbfs, peakSampleDbfs]) {
      assert.ok(Math.abs(value - level) < 0.05, `${value} dBFS, expected ${level}`);
    }
  }
});

test('mean and peak differ where a tone came and went; a reading forgets the one before', () => {
  const meter = new SignalMeter();
  meter.add(tone(50, 1));
  meter.add(tone(50, 0));
  const first = meter.read()!;
  assert.ok(Math.abs(first.peakDbfs[562]) < 0.05 && Math.abs(first.meanDbfs[562] + 3.01) < 0.05);
  assert.equal(meter.read(), null);
  meter.add(tone(50, 0));
  assert.ok(meter.read()!.peakDbfs[562] < -100);
});

test('short blocks and values that are no numbers do no harm', () => {
  const meter = new SignalMeter();
  meter.add(tone(1, 1, 100));
  assert.equal(meter.read(), null);
  const data = new Float32Array(4096).fill(Number.NaN);
  meter.add({ data, format: 'cf32_le', fullScale: 1, index: 0, lostBefore: null, timestampNs: null });
  assert.ok(meter.read()!.meanDbfs.every(Number.isFinite));
});

test('the loudest and the quietest part of a stream, in the band of the signal alone', () => {
  // A tone of -20 dBFS in the band for one block of three, one of -40 dBFS for the others; beside it all the while one of full scale.
  const meter = new SignalMeter({ from: -0.25, to: 0.25 });
  const beside = tone(400, 1);
  for (const amplitude of [0.01, 0.1, 0.01]) {
    const { data } = tone(100, amplitude);
    meter.add({ ...beside, data: (beside.data as Int16Array).map((v, i) => (v >> 1) + data[i]) });
  }
  const { loudDbfs, quietDbfs } = meter.read()!;
  assert.ok(Math.abs(loudDbfs + 20) < 0.1, `${loudDbfs}`);
  assert.ok(Math.abs(quietDbfs + 40) < 0.5, `${quietDbfs}`);
});
