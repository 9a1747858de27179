import assert from 'node:assert/strict';
import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FormatError } from '../../../src/common/errors.ts';
import { exactLoss } from '../../../src/radio/radio.ts';
import { memorySource } from '../../../src/radio/sigmf/byte-source.ts';
import { captureInfo, validateCapture } from '../../../src/radio/sigmf/capture-info.ts';
import { CaptureReader } from '../../../src/radio/sigmf/capture-reader.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { listTar } from '../../../src/radio/sigmf/tar.ts';
import { noiseBlock, temporaryFolder } from '../helpers.ts';
import { tarOf } from './tar-builder.ts';

/** 8000 samples of a tone of amplitude 64/128 with 40 samples at the limit and a gap of 500. */
async function toneCapture(folder: string): Promise<string> {
  const path = join(folder, 'tone');
  const writer = await CaptureWriter.create(path, { format: 'ci8', rateHz: 8e6, frequencyHz: 915e6, hardware: 'hw' });
  const data = new Int8Array(8000);
  for (let i = 0; i < 4000; i++) data[2 * i + (i % 2)] = i % 4 < 2 ? 64 : -64;
  const block = { data, format: 'ci8', fullScale: 128, timestampNs: null } as const;
  await writer.write({ ...block, index: 0, lostBefore: null });
  const loud = data.slice();
  loud.fill(127, 0, 80);
  await writer.write({ ...block, data: loud, index: 4500, lostBefore: exactLoss(4000, 4500) });
  writer.annotate({ index: 100, count: 50, label: 'burst 1' });
  writer.annotate({ index: 300, count: 50, label: 'note' });
  await writer.close();
  return path;
}

test('info: levels of a known tone, clipped share, gaps, bursts', async (t) => {
  const info = await captureInfo(await toneCapture(await temporaryFolder(t)));
  assert.equal(info.samples, 8000);
  assert.equal(info.durationS, 1e-3);
  assert.equal(info.frequencyHz, 915e6);
  assert.equal(info.hardware, 'hw');
  // 7960 samples of power 64^2 and 40 of 2 x 127^2.
  const power = (7960 * 64 ** 2 + 40 * 2 * 127 ** 2) / 8000 / 128 ** 2;
  assert.ok(Math.abs(info.rmsDbfs! - 10 * Math.log10(power)) < 1e-9);
  assert.ok(Math.abs(info.peakDbfs! - 20 * Math.log10(127 / 128)) < 1e-9);
  assert.equal(info.clippedSamples, 40);
  assert.equal(info.clippedShare, 0.005);
  assert.deepEqual(info.gaps, [{ fileSample: 4000, index: 4500, lost: exactLoss(4000, 4500) }]);
  assert.deepEqual(info.lostSamples, { min: 500, max: 500 });
  assert.deepEqual(info.bursts, [{ fileSample: 100, samples: 50, label: 'burst 1' }]);
  assert.equal(JSON.stringify(info).includes('Infinity'), false);
});

test('validate: sound captures pass; a flipped bit, a cut, an added byte, missing files and NaN do not', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await toneCapture(folder);
  assert.deepEqual((await validateCapture(path)).problems, []);

  const handle = await open(`${path}.sigmf-data`, 'r+');
  await handle.write(Uint8Array.of(1), 0, 1, 5001);
  await handle.close();
  const flipped = await validateCapture(path);
  assert.equal(flipped.ok, false);
  assert.match(flipped.problems[0], /sha512/);

  await truncate(`${path}.sigmf-data`, 7001);
  const cut = await validateCapture(path);
  assert.match(cut.problems.join(), /inside a sample.*sct:sample_count.*captures.*sha512/);

  await writeFile(`${path}.sigmf-meta`, '{');
  assert.match((await validateCapture(path)).problems[0], /not UTF-8 JSON/);
  await rm(`${path}.sigmf-meta`);
  const missing = await validateCapture(path);
  assert.deepEqual([missing.ok, missing.info], [false, null]);

  const nan = await CaptureWriter.create(join(folder, 'nan'), { format: 'cf32_le', rateHz: 1e6 });
  await nan.write({
    ...noiseBlock('cf32_le', 0, 10),
    data: Float32Array.of(0, 0, Number.NaN, 0, Number.POSITIVE_INFINITY, 0),
  });
  await nan.close();
  const bad = await validateCapture(join(folder, 'nan'));
  assert.match(bad.problems[0], /2 samples are NaN/);
  assert.equal(bad.info?.rmsDbfs, null);
});

test('an archive is read in place and gives the same report', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await toneCapture(folder);
  const meta = await readFile(`${path}.sigmf-meta`);
  const data = await readFile(`${path}.sigmf-data`);
  const archive = join(folder, 'tone.sigmf');
  await writeFile(
    archive,
    tarOf([
      ['tone/readme', new Uint8Array(700)],
      ['tone/tone.sigmf-data', data],
      ['tone/tone.sigmf-meta', meta],
    ]),
  );
  const direct = await validateCapture(path);
  const packed = await validateCapture(archive);
  assert.deepEqual(packed.problems, []);
  assert.deepEqual({ ...packed.info, path }, direct.info);

  await writeFile(
    archive,
    tarOf([
      ['a.sigmf-meta', meta],
      ['b.sigmf-meta', meta],
    ]),
  );
  await assert.rejects(CaptureReader.open(archive), /holds 2 recordings \(a\.sigmf-meta, b\.sigmf-meta\)/);
  await writeFile(archive, meta);
  await assert.rejects(CaptureReader.open(archive), FormatError);
});

test('tar: long names by pax and GNU, sizes checked against the archive', async () => {
  const long = `${'d'.repeat(150)}/x.sigmf-meta`;
  const record = (key: string, value: string) => {
    let length = key.length + value.length + 3;
    length += String(length + String(length).length).length;
    return Buffer.from(`${length} ${key}=${value}\n`);
  };
  const content = Buffer.from('hello');
  const list = (files: Parameters<typeof tarOf>[0]) => listTar(memorySource(tarOf(files)));
  assert.deepEqual(
    (
      await list([
        ['p', record('path', long), 'x'],
        ['short', content],
      ])
    )[0].name,
    long,
  );
  assert.deepEqual(
    (
      await list([
        ['l', Buffer.from(`${long}\0`), 'L'],
        ['short', content],
      ])
    )[0].name,
    long,
  );
  await assert.rejects(
    list([
      ['p', record('size', '99999999'), 'x'],
      ['short', content],
    ]),
    FormatError,
  );
  await assert.rejects(
    list([
      ['l', new Uint8Array(70_000), 'L'],
      ['short', content],
    ]),
    FormatError,
  );
  const many = Array.from({ length: 1100 }, (_, i) => [`f${i}`, content] as const);
  await assert.rejects(list(many), FormatError);
});
