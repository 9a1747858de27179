import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileRx } from '../../../src/radio/file/file-rx.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { noise, temporaryFolder } from '../helpers.ts';

/** A closed capture of these floats. */
async function capture(path: string, data: Float32Array): Promise<string> {
  const kind = { format: 'cf32_le', fullScale: 1 } as const;
  const writer = await CaptureWriter.create(path, { ...kind, rateHz: 1e6, frequencyHz: null, hardware: 'test' });
  await writer.write({ data, ...kind, index: 0, lostBefore: null, timestampNs: null });
  await writer.close({});
  return path;
}

async function readAll(path: string): Promise<FileRx> {
  const rx = await FileRx.open(path, {}, { blockSamples: 999 });
  for await (const block of rx) assert.ok(block.data.length > 0);
  return rx;
}

/** Changes a capture's metadata. */
async function edit(path: string, change: (global: Record<string, unknown>) => void): Promise<void> {
  const meta = JSON.parse(await readFile(`${path}.sigmf-meta`, 'utf8'));
  change(meta.global);
  await writeFile(`${path}.sigmf-meta`, JSON.stringify(meta));
}

test('data that are not those of the metadata are told at the end of reading, in one pass', async (t) => {
  const path = await capture(join(await temporaryFolder(t), 'x'), noise(3, 5000));
  const good = await readAll(path);
  assert.equal(good.ended, 'source-ended');
  assert.equal(good.warning, null);
  const data = await readFile(`${path}.sigmf-data`);
  data[20_001] ^= 1;
  await writeFile(`${path}.sigmf-data`, data);
  assert.match((await readAll(path)).warning ?? '', /core:sha512 does not match/);
  const stopped = await FileRx.open(path, {});
  for await (const _ of stopped) await stopped.close();
  assert.equal(stopped.warning, null, 'of a part nothing can be said');
  await edit(path, (global) => delete global['core:sha512']);
  assert.equal((await readAll(path)).warning, null);
});

test('floats at or beyond full scale are counted where the capture says what full scale is', async (t) => {
  const data = new Float32Array(2000);
  for (const [i, v] of [1, -1, 1.5, 0.999, -0.999].entries()) data[100 * i] = v;
  data[1] = -2; // the other component of the first
  const path = await capture(join(await temporaryFolder(t), 'x'), data);
  assert.equal((await readAll(path)).counters.clippedSamples, 3);
  await edit(path, (global) => delete global['sct:full_scale']);
  assert.equal((await readAll(path)).counters.clippedSamples, 0);
});
