import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { exactLoss } from '../../../src/radio/radio.ts';
import { capturePaths } from '../../../src/radio/sigmf/capture-paths.ts';
import { CaptureReader } from '../../../src/radio/sigmf/capture-reader.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { deriveCapture } from '../../../src/radio/sigmf/derive-capture.ts';
import { noiseBlock, temporaryFolder } from '../helpers.ts';

const schema = JSON.parse(
  readFileSync(new URL('../../vectors/sigmf/sigmf-schema-1.2.5.json', import.meta.url), 'utf8'),
);
// unicodeRegExp off: the schema's own datetime pattern is not a valid unicode-mode expression.
const ajv = new Ajv2020({ strict: false, unicodeRegExp: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

function assertOfficial(meta: unknown): void {
  assert.ok(validate(meta), JSON.stringify(validate.errors));
}

for (const [format, fullScale] of [
  ['ci8', 128],
  ['ci16_le', 2048],
  ['cf32_le', 1],
] as const) {
  test(`${format}: what is written is valid by the official schema, at the start and at the end, and reads back`, async (t) => {
    const path = join(await temporaryFolder(t), 'deep/er/x');
    const writer = await CaptureWriter.create(path, {
      format,
      rateHz: 7.68e6,
      frequencyHz: 915e6,
      gainsDb: { lna: 16 },
      hardware: 'test',
      description: 'äöü "quoted" \u0000',
      author: 'nobody',
      license: 'https://creativecommons.org/publicdomain/zero/1.0/',
      startTime: new Date('2026-11-21T19:16:25.125Z'),
      fields: { 'sct:role': 'rx', 'sct:run': 'r1' },
    });
    const atStart = JSON.parse(await readFile(`${path}.sigmf-meta`, 'utf8'));
    assertOfficial(atStart);
    assert.equal(atStart.global['sct:complete'], false);
    const first = noiseBlock(format, 1000, 5000);
    const second = noiseBlock(format, 6300, 700, exactLoss(6000, 6300));
    const third = noiseBlock(format, 7000, 100);
    await writer.write(first);
    await writer.write(second);
    writer.retune(916e6, { lna: 24 });
    await writer.write(third);
    writer.annotate({ index: 1010, count: 200, label: 'burst 7', fields: { 'sct:burst_id': 7 } });
    writer.annotate({
      index: 1000,
      count: 10,
      label: 'early',
      freqLowerEdgeHz: 914e6,
      freqUpperEdgeHz: 916e6,
      comment: 'c',
    });
    writer.annotate({ index: 5990, count: 400, label: 'over the gap' });
    writer.annotate({ index: 6100, count: 300, label: 'begins in the gap' });
    writer.annotate({ index: 99_999, count: 1, label: 'beyond the end' });
    const summary = await writer.close();
    assert.equal(await writer.close(), summary);
    assert.equal(summary.samples, 5800);
    assert.deepEqual([summary.lostMin, summary.lostMax, summary.gaps], [300, 300, 1]);

    const meta = JSON.parse(await readFile(`${path}.sigmf-meta`, 'utf8'));
    assertOfficial(meta);
    assert.deepEqual(meta.global['core:extensions'], [{ name: 'sct', version: '0.1.0', optional: true }]);
    assert.equal(meta.global['core:datatype'], format);
    assert.equal(meta.global['sct:full_scale'], fullScale);
    assert.ok(!('core:offset' in meta.global));
    assert.deepEqual(
      meta.captures.map((c: Record<string, unknown>) => [
        c['core:sample_start'],
        c['core:global_index'],
        c['core:frequency'],
      ]),
      [
        [0, 1000, 915e6],
        [5000, 6300, 915e6],
        [5700, 7000, 916e6],
      ],
    );
    assert.deepEqual(meta.captures[1]['sct:lost_before'], { min: 300, max: 300, exact: true, from: 6000, to: 6300 });
    assert.equal(meta.captures[0]['core:datetime'], '2026-11-21T19:16:25.125000000Z');
    // 5300 samples later: 5300 / 7.68 MHz = 690.104167 us
    assert.equal(meta.captures[1]['core:datetime'], '2026-11-21T19:16:25.125690104Z');
    assert.deepEqual(
      meta.annotations.map((a: Record<string, unknown>) => [
        a['core:label'],
        a['core:sample_start'],
        a['core:sample_count'],
      ]),
      [
        ['early', 0, 10],
        ['burst 7', 10, 200],
        ['over the gap', 4990, 100],
        ['begins in the gap', 5000, 100],
      ],
    );
    const data = await readFile(`${path}.sigmf-data`);
    assert.equal(meta.global['core:sha512'], createHash('sha512').update(data).digest('hex'));
    assert.deepEqual((await readdir(join(path, '..'))).sort(), ['x.sigmf-data', 'x.sigmf-meta']);

    const reader = await CaptureReader.open(`${path}.sigmf-meta`);
    t.after(() => reader.close());
    const got = [];
    for await (const block of reader.blocks({ blockSamples: 5000 })) got.push(block);
    assert.deepEqual(
      got.map((b) => b.data),
      [first.data, second.data, third.data],
    );
    assert.deepEqual(
      got.map((b) => b.index),
      [1000, 6300, 7000],
    );
    assert.deepEqual(
      got.map((b) => b.lostBefore),
      [null, exactLoss(6000, 6300), null],
    );
    assert.equal(got[1].timestampNs! - got[0].timestampNs!, 690_104n);
    assert.deepEqual(reader.layout.problems, []);
    assert.ok(reader.layout.complete);
  });
}

test('a jump of the index without a loss record still becomes a gap; going back is refused', async (t) => {
  const path = join(await temporaryFolder(t), 'x');
  const writer = await CaptureWriter.create(path, { format: 'ci8', rateHz: 8e6, startTime: null });
  await writer.write(noiseBlock('ci8', 0, 100));
  await writer.write(noiseBlock('ci8', 150, 100));
  await assert.rejects(writer.write(noiseBlock('ci8', 200, 10)), UsageError);
  await writer.write(noiseBlock('ci8', 260, 10, { min: 5, max: 5, exact: true, from: 250, to: 255 }));
  await writer.close();
  const reader = await CaptureReader.open(path);
  t.after(() => reader.close());
  assert.deepEqual(
    reader.layout.segments.map((s) => s.lostBefore),
    [null, exactLoss(100, 150), { min: 10, max: 10, exact: false, from: 250, to: 260 }],
  );
  assert.equal(reader.layout.segments[0].timestampNs, null);
});

test('an empty recording is valid', async (t) => {
  const path = join(await temporaryFolder(t), 'x');
  const writer = await CaptureWriter.create(path, { format: 'ci8', rateHz: 8e6, frequencyHz: 1e9 });
  await writer.close();
  const meta = JSON.parse(await readFile(`${path}.sigmf-meta`, 'utf8'));
  assertOfficial(meta);
  assert.equal(meta.captures[0]['core:frequency'], 1e9);
  const reader = await CaptureReader.open(path);
  assert.equal(reader.sampleCount, 0);
  await reader.close();
});

test('an existing recording is replaced only when told to; a wrong block and a wrong place are refused', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'x');
  const first = await CaptureWriter.create(path, { format: 'ci8', rateHz: 8e6 });
  await assert.rejects(first.write(noiseBlock('ci16_le', 0, 10)), UsageError);
  await first.write(noiseBlock('ci8', 0, 10));
  await first.close();
  await assert.rejects(first.write(noiseBlock('ci8', 10, 10)), UsageError);
  await assert.rejects(CaptureWriter.create(path, { format: 'ci8', rateHz: 8e6 }), UsageError);
  const second = await CaptureWriter.create(path, { format: 'ci8', rateHz: 8e6, overwrite: true });
  assert.equal((await second.close()).samples, 0);
  await assert.rejects(
    CaptureWriter.create(join(folder, 'x.sigmf-data/y'), { format: 'ci8', rateHz: 8e6 }),
    DeviceError,
  );
  await assert.rejects(CaptureWriter.create(join(folder, 'z'), { format: 'ci8', rateHz: 0 }), UsageError);
});

test('samples after a gap never reach the data file before the gap is in the metadata', async (t) => {
  const path = join(await temporaryFolder(t), 'x');
  const writer = await CaptureWriter.create(path, { format: 'ci8', rateHz: 8e6 });
  await writer.write(noiseBlock('ci8', 0, 100));
  await writer.flush();
  // The metadata cannot be replaced any more: a folder stands where its new version would be written.
  await mkdir(`${path}.sigmf-meta.part`);
  await writer.write(noiseBlock('ci8', 150, 100));
  await assert.rejects(writer.flush(), DeviceError);
  await assert.rejects(writer.close(), DeviceError);
  assert.equal((await readFile(`${path}.sigmf-data`)).length, 200);
  const reader = await CaptureReader.open(path);
  assert.equal(reader.sampleCount, 100);
  await reader.close();
});

test('a file system that takes no folders is a device error, at once', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const path = '/proc/sct-none/air';
  await assert.rejects(CaptureWriter.create(path, { format: 'ci8', rateHz: 1e6 }), DeviceError);
  const whole = join(await temporaryFolder(t), 'air');
  const writer = await CaptureWriter.create(whole, { format: 'ci8', rateHz: 1e6 });
  await writer.write(noiseBlock('ci8', 0, 100));
  await writer.close();
  const reader = await CaptureReader.open(whole);
  t.after(() => reader.close());
  await assert.rejects(deriveCapture(reader, { from: 0, to: 100, files: capturePaths(path) }), DeviceError);
});
