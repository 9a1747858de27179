import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeviceError } from '../../../src/common/errors.ts';
import { CaptureReader, readerFromBytes } from '../../../src/radio/sigmf/capture-reader.ts';
import { metaBytes, smallMeta, temporaryFolder } from '../helpers.ts';

test('a 10 GB capture opens and reads anywhere without loading it', async (t) => {
  const path = join(await temporaryFolder(t), 'big');
  const samples = 5e9;
  // A sparse file: only the last two bytes take room.
  const handle = await open(`${path}.sigmf-data`, 'w');
  await handle.write(Int8Array.of(11, -22), 0, 2, 2 * samples - 2);
  await handle.close();
  await writeFile(`${path}.sigmf-meta`, metaBytes(smallMeta()));
  const reader = await CaptureReader.open(path);
  t.after(() => reader.close());
  assert.equal(reader.sampleCount, samples);
  assert.deepEqual([...(await reader.readSamples(samples - 1, 1))], [11, -22]);
  const blocks = [];
  for await (const block of reader.blocks({ from: samples - 10, blockSamples: 7 })) blocks.push(block);
  assert.deepEqual(
    blocks.map((b) => [b.index, b.data.length / 2]),
    [
      [samples - 10, 7],
      [samples - 3, 3],
    ],
  );
  const into = new Int8Array(64);
  const cut = await reader.readSamples(samples - 2, 2, into);
  assert.equal(cut.buffer, into.buffer);
  assert.deepEqual([...cut], [0, 0, 11, -22]);
});

test('a missing half of a capture is a device error that names the file', async (t) => {
  const path = join(await temporaryFolder(t), 'x');
  await assert.rejects(CaptureReader.open(path), (e) => e instanceof DeviceError && /x\.sigmf-meta/.test(e.message));
  await writeFile(`${path}.sigmf-meta`, metaBytes(smallMeta()));
  await assert.rejects(CaptureReader.open(path), (e) => e instanceof DeviceError && /x\.sigmf-data/.test(e.message));
});

test('segments carry time, frequency and gain on from the entry before', async () => {
  const meta = smallMeta({ 'core:sample_rate': 1000 });
  const unknown = { min: 1, max: 5, exact: false, from: 30, to: 31 };
  meta.captures = [
    {
      'core:sample_start': 0,
      'core:frequency': 1e9,
      'core:datetime': '2026-01-01T00:00:00.5Z',
      'sct:gains_db': { lna: 8 },
    },
    { 'core:sample_start': 20, 'core:frequency': 2e9 },
    { 'core:sample_start': 30, 'sct:lost_before': unknown },
  ];
  const reader = await readerFromBytes(metaBytes(meta), new Uint8Array(100));
  const start = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;
  assert.deepEqual(
    reader.layout.segments.map((s) => [s.index, s.frequencyHz, s.gainsDb, s.timestampNs]),
    [
      [0, 1e9, { lna: 8 }, start + 500_000_000n],
      [20, 2e9, { lna: 8 }, start + 520_000_000n],
      [31, 2e9, { lna: 8 }, null],
    ],
  );
  assert.equal((await reader.blockAt(25, 100)).timestampNs, start + 525_000_000n);
  assert.equal((await reader.blockAt(25, 100)).data.length, 10);
});
