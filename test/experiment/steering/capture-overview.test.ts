import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { spreadOut, tellOverview } from '../../../src/experiment/steering/capture-overview.ts';
import type { OverviewEvent } from '../../../src/link/telemetry.ts';
import { exactLoss, type SampleBlock } from '../../../src/radio/radio.ts';
import { CaptureReader } from '../../../src/radio/sigmf/capture-reader.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { temporaryFolder } from '../../radio/helpers.ts';

const RATE = 1e6;

async function overviews(path: string, signal = new AbortController().signal): Promise<OverviewEvent[]> {
  const told: OverviewEvent[] = [];
  await tellOverview(path, signal, (event) => void told.push(event));
  return told;
}

/** Samples of one value each. */
function block(index: number, count: number, value: number): SampleBlock {
  const data = new Int8Array(2 * count).fill(value);
  const lostBefore = null;
  return { data, format: 'ci8', fullScale: 128, index, lostBefore, timestampNs: null };
}

test('levels, marks and losses stand at their times in the stream; what was never sampled has no level', async (t) => {
  const path = join(await temporaryFolder(t), 'air');
  const writer = await CaptureWriter.create(path, { format: 'ci8', rateHz: RATE });
  await writer.write(block(2_000_000, 250_000, 1));
  await writer.write(block(2_250_000, 250_000, 64));
  await writer.write({ ...block(2_750_000, 250_000, 0), lostBefore: exactLoss(2_500_000, 2_750_000) });
  writer.annotate({ index: 2_100_000, count: 1000, label: 'burst data' });
  writer.annotate({ index: 2_499_000, count: 1000, label: 'radar' });
  writer.annotate({ index: 2_800_000, count: 0, label: 'a'.repeat(60) });
  await writer.close();

  const told = await overviews(path);
  const { topic, startS, lengthS, bins, bursts, losses, left, rmsDbfs, peakDbfs } = told.at(-1)!;
  assert.deepEqual([topic, startS, lengthS, left], ['overview', 2, 3, 0]);
  assert.deepEqual(losses, [{ fromS: 2.5, toS: 2.75 }]);
  assert.deepEqual(
    bursts.map(({ startS: s, durationS: d, use }) => [s, +d.toFixed(9), use]),
    [
      [2.1, 0.001, 'data'],
      [2.499, 0.001, 'radar'],
      [2.8, 0, 'a'.repeat(32)],
    ],
  );
  // 1 of 128 in both components: 20 log10(sqrt(2)/128) and 20 log10(1/128) dB.
  for (let i = 0; i < bins; i++) {
    const at = i / bins;
    const [rms, peak] = at < 0.25 ? [-39.134, -42.144] : at < 0.5 ? [-3.01, -6.021] : [];
    if (rms !== undefined && peak !== undefined) {
      assert.ok(Math.abs(rmsDbfs[i] - rms) < 0.01 && Math.abs(peakDbfs[i] - peak) < 0.01, `${i}: ${rmsDbfs[i]}`);
    } else assert.ok(Object.is(rmsDbfs[i], at < 0.75 ? Number.NaN : Number.NEGATIVE_INFINITY), `${i}: ${rmsDbfs[i]}`);
  }
  // The first account has all that the metadata say, and no level.
  assert.deepEqual([told[0].bursts, told[0].losses], [bursts, losses]);
  assert.ok(told[0].rmsDbfs.every(Number.isNaN));
});

test('of a capture of 10 GB little is read; of many marks some are told', async (t) => {
  const path = join(await temporaryFolder(t), 'long');
  const samples = 5e9;
  const annotations = Array.from({ length: 30_000 }, (_, i) => ({
    'core:sample_start': i * 1e5,
    'core:sample_count': 10,
  }));
  const captures = Array.from({ length: 20_000 }, (_, i) => ({
    'core:sample_start': i * 1e5,
    'core:global_index': i * 1e5 + i,
  }));
  const global = { 'core:datatype': 'ci8', 'core:version': '1.2.5', 'core:sample_rate': RATE };
  await writeFile(`${path}.sigmf-meta`, JSON.stringify({ global, captures, annotations }));
  await writeFile(`${path}.sigmf-data`, '');
  await truncate(`${path}.sigmf-data`, 2 * samples);
  const read = t.mock.method(CaptureReader.prototype, 'readSamples');
  const { bursts, losses, left, lengthS } = (await overviews(path)).at(-1)!;
  const counts = read.mock.calls.map((call) => call.arguments[1]);
  assert.ok(counts.length <= 4096 && Math.max(...counts) <= 4096, `${counts.length} reads`);
  assert.equal(lengthS, (samples + 19_999) / RATE);
  assert.deepEqual([bursts.length, losses.length], [2000, 1000]);
  assert.equal(left, 30_000 - 2000 + 19_999 - 1000);
});

test('an overview that is not wanted any more ends; of a capture without samples there is none', async (t) => {
  const path = join(await temporaryFolder(t), 'none');
  const writer = await CaptureWriter.create(path, { format: 'ci8', rateHz: RATE });
  await writer.close();
  assert.deepEqual(await overviews(path), []);
  const other = join(await temporaryFolder(t), 'some');
  const filled = await CaptureWriter.create(other, { format: 'ci8', rateHz: RATE });
  await filled.write(block(0, 5000, 3));
  await filled.close();
  assert.equal((await overviews(other, AbortSignal.abort())).length, 1);
});

test('every part is looked at once, coarse before fine', () => {
  for (const n of [1, 2, 3, 1000]) {
    assert.deepEqual(
      [...spreadOut(n)].sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    );
  }
  assert.deepEqual([...spreadOut(8)], [0, 4, 2, 6, 1, 3, 5, 7]);
});
