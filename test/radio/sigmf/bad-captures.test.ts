import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeviceError, FormatError, SctError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { memorySource } from '../../../src/radio/sigmf/byte-source.ts';
import {
  CaptureReader,
  MAX_READ_SAMPLES,
  readerFromArchive,
  readerFromBytes,
} from '../../../src/radio/sigmf/capture-reader.ts';
import { META_LIMITS } from '../../../src/radio/sigmf/meta.ts';
import { parseMeta } from '../../../src/radio/sigmf/parse-meta.ts';
import { metaBytes, smallMeta, temporaryFolder } from '../helpers.ts';
import { tarOf } from './tar-builder.ts';

function refused(meta: unknown, field: RegExp, data = new Uint8Array(200)): Promise<void> {
  return assert.rejects(
    readerFromBytes(meta instanceof Uint8Array ? meta : metaBytes(meta), data),
    (error) => error instanceof FormatError && field.test(error.field),
  );
}

const capture = (fields: Record<string, unknown>) => ({ 'core:sample_start': 0, ...fields });

test('metadata that breaks the format is refused, naming the field', async () => {
  await refused(smallMeta({ 'core:datatype': 'cu8' }), /^core:datatype$/);
  await refused(smallMeta({ 'core:datatype': 'ci16_be' }), /^core:datatype$/);
  await refused(smallMeta({ 'core:datatype': 7 }), /^global\.core:datatype$/);
  await refused(smallMeta({ 'core:version': 'new' }), /^global\.core:version$/);
  await refused(smallMeta({ 'core:sample_rate': undefined }), /^core:sample_rate$/);
  await refused(smallMeta({ 'core:sample_rate': 1e300 }), /^global\.core:sample_rate$/);
  await refused(smallMeta({ 'core:num_channels': 2 }), /^core:num_channels$/);
  await refused(smallMeta({ 'core:offset': 5 }), /^core:offset$/);
  await refused(smallMeta({ 'core:metadata_only': true }), /^core:metadata_only$/);
  await refused(smallMeta({ 'core:dataset': 'x.wav' }), /^core:dataset$/);
  await refused(smallMeta({ 'core:sha512': 'xyz' }), /^global\.core:sha512$/);
  await refused(smallMeta({ 'sct:full_scale': 1e9 }), /^sct:full_scale$/);
  await refused(
    smallMeta({ 'core:extensions': [{ name: 'alien', version: '1.0.0', optional: false }] }),
    /^core:extensions$/,
  );
  await refused({ ...smallMeta(), extra: 1 }, /sigmf-meta/);
  await refused(
    { ...smallMeta(), captures: [capture({ 'core:sample_start': -1 })] },
    /^captures\[0\]\.core:sample_start$/,
  );
  await refused(
    { ...smallMeta(), captures: [capture({ 'core:sample_start': 1.5 })] },
    /^captures\[0\]\.core:sample_start$/,
  );
  await refused(
    { ...smallMeta(), captures: [capture({ 'core:sample_start': 1e300 })] },
    /^captures\[0\]\.core:sample_start$/,
  );
  await refused(
    { ...smallMeta(), captures: [capture({ 'core:sample_start': 5 })] },
    /^captures\[0\]\.core:sample_start$/,
  );
  await refused(
    {
      ...smallMeta(),
      captures: [capture({}), capture({ 'core:sample_start': 9 }), capture({ 'core:sample_start': 8 })],
    },
    /^captures\[2\]\.core:sample_start$/,
  );
  await refused(
    { ...smallMeta(), captures: [capture({ 'core:header_bytes': 4 })] },
    /^captures\[0\]\.core:header_bytes$/,
  );
  await refused(
    { ...smallMeta(), captures: [capture({ 'core:datetime': 'yesterday' })] },
    /^captures\[0\]\.core:datetime$/,
  );
  await refused(
    { ...smallMeta(), captures: [capture({}), capture({ 'core:sample_start': 9, 'core:global_index': 3 })] },
    /^captures\[1\]\.core:global_index$/,
  );
  const lost = { min: 3, max: 2, exact: false, from: 0, to: 3 };
  await refused(
    { ...smallMeta(), captures: [capture({ 'sct:lost_before': lost })] },
    /^captures\[0\]\.sct:lost_before$/,
  );
  const elsewhere = { min: 3, max: 4, exact: false, from: 0, to: 3 };
  await refused(
    { ...smallMeta(), captures: [capture({}), capture({ 'core:sample_start': 9, 'sct:lost_before': elsewhere })] },
    /^captures\[1\]\.sct:lost_before\.to$/,
  );
  await refused(
    { ...smallMeta(), annotations: [{ 'core:sample_start': 0, 'core:sample_count': -4 }] },
    /^annotations\[0\]\.core:sample_count$/,
  );
});

test('a pipe in the place of a file is refused, not waited for', { skip: process.platform === 'win32' }, async (t) => {
  const folder = await temporaryFolder(t);
  for (const [name, pipe] of [
    ['data', 'data.sigmf-data'],
    ['meta', 'meta.sigmf-meta'],
  ]) {
    const other = pipe.endsWith('meta') ? 'data' : 'meta';
    execFileSync('mkfifo', [join(folder, pipe)]);
    const global = { 'core:datatype': 'ci8', 'core:version': '1.2.5', 'core:sample_rate': 1e6 };
    await writeFile(join(folder, `${name}.sigmf-${other}`), JSON.stringify({ global, captures: [], annotations: [] }));
    await assert.rejects(
      CaptureReader.open(join(folder, name)),
      (e) => e instanceof DeviceError && /regular/.test(e.message),
    );
  }
});

test('bombs are refused before they are parsed', async () => {
  const text = (s: string) => new TextEncoder().encode(s);
  await refused(text('['.repeat(100_000)), /sigmf-meta/);
  await refused(text(`{"global":${'{"a":'.repeat(50)}1${'}'.repeat(50)}}`), /sigmf-meta/);
  await refused(text(`[${'0,'.repeat(META_LIMITS.values + 1)}0]`), /sigmf-meta/);
  await refused(new Uint8Array(META_LIMITS.bytes + 1), /sigmf-meta/);
  await refused(text('{"global":'), /sigmf-meta/);
  await refused(text(''), /sigmf-meta/);
  await refused(Uint8Array.of(0xff, 0xfe, 0x00), /sigmf-meta/);
  await refused({ ...smallMeta(), captures: Array(META_LIMITS.captures + 1).fill(capture({})) }, /^captures$/);
  // Brackets inside strings do not count as nesting.
  parseMeta(metaBytes(smallMeta({ 'core:description': '[{"\\'.repeat(1000) })));
});

test('data shorter or longer than the metadata says is read as far as it goes, and reported', async () => {
  const closed = smallMeta({ 'sct:complete': true, 'sct:sample_count': 100 });
  const whole = await readerFromBytes(metaBytes(closed), new Uint8Array(200));
  assert.deepEqual(whole.layout.problems, []);
  const truncated = await readerFromBytes(metaBytes(closed), new Uint8Array(101));
  assert.equal(truncated.sampleCount, 50);
  assert.equal(truncated.layout.problems.length, 2);

  const killed = {
    ...smallMeta({ 'sct:complete': false }),
    captures: [capture({}), capture({ 'core:sample_start': 80 })],
  };
  const cut = await readerFromBytes(metaBytes(killed), new Uint8Array(101));
  assert.deepEqual(cut.layout.problems, []);
  assert.equal(cut.layout.notes.length, 3);
  assert.deepEqual(
    cut.layout.segments.map((s) => [s.fileStart, s.fileEnd]),
    [[0, 50]],
  );
  const blocks = [];
  for await (const block of cut.blocks()) blocks.push(block);
  assert.deepEqual(
    blocks.map((b) => b.data.length),
    [100],
  );
});

test('reads outside the capture are refused, and one read is bounded', async () => {
  const reader = await readerFromBytes(metaBytes(smallMeta()), new Uint8Array(200));
  await assert.rejects(reader.readSamples(-1, 5), SctError);
  await assert.rejects(reader.readSamples(90, 11), SctError);
  await assert.rejects(reader.readSamples(Number.NaN, 1), SctError);
  await assert.rejects(reader.readSamples(0, MAX_READ_SAMPLES + 1), SctError);
});

test('foreign captures: official global_index alone marks a gap; 16 bits use the whole container', async () => {
  const meta = {
    ...smallMeta({ 'core:datatype': 'ci16_le' }),
    captures: [capture({ 'core:global_index': 0 }), capture({ 'core:sample_start': 10, 'core:global_index': 25 })],
  };
  const reader = await readerFromBytes(metaBytes(meta), new Uint8Array(80));
  assert.equal(reader.layout.fullScale, 32768);
  assert.deepEqual(reader.layout.segments[1].lostBefore, { min: 15, max: 15, exact: true, from: 10, to: 25 });
  const none = await readerFromBytes(metaBytes({ ...smallMeta(), captures: [] }), new Uint8Array(20));
  assert.equal(none.layout.segments.length, 1);
});

test('20 000 mutated captures and archives: only our own errors, no read beyond the stated bound', async () => {
  const random = new RandomStream('sigmf fuzz');
  const gap = { min: 5, max: 9, exact: false, from: 30, to: 45 };
  const meta = {
    ...smallMeta({
      'sct:full_scale': 128,
      'sct:complete': true,
      'sct:sample_count': 100,
      'core:sha512': 'ab'.repeat(64),
    }),
    captures: [
      capture({ 'core:global_index': 0, 'core:datetime': '2026-11-21T19:16:25.125Z' }),
      { 'core:sample_start': 40, 'core:global_index': 45, 'sct:lost_before': gap, 'sct:gains_db': { lna: 16 } },
    ],
    annotations: [{ 'core:sample_start': 3, 'core:sample_count': 20, 'core:label': 'burst 1' }],
  };
  const text = JSON.stringify(meta);
  const words = [
    '-1',
    '1e308',
    '9007199254740993',
    'null',
    '{}',
    '[]',
    '""',
    'true',
    '0.5',
    '-0',
    '1e-400',
    '"__proto__":1',
    '[[[[',
    '}}',
    ',',
    '\\u0000',
  ];
  let opened = 0;
  let refusals = 0;
  for (let trial = 0; trial < 20_000; trial++) {
    const bytes = mutate(random, text, words);
    const data = random.bytes(random.integer(300));
    let largestRead = 0;
    const open = async () => {
      const archive = trial % 4 === 3;
      const source = memorySource(
        archive
          ? flip(
              random,
              tarOf([
                ['x.sigmf-meta', bytes],
                ['x.sigmf-data', data],
              ]),
            )
          : data,
      );
      const spy = {
        ...source,
        read: (offset: number, into: Uint8Array) => {
          largestRead = Math.max(largestRead, into.length);
          return source.read(offset, into);
        },
      };
      return archive ? readerFromArchive('fuzz', spy) : CaptureReader.fromSources('fuzz', bytes, spy);
    };
    try {
      const reader = await open();
      let samples = 0;
      for await (const block of reader.blocks({ blockSamples: 64 })) {
        samples += block.data.length / 2;
        assert.ok(Number.isSafeInteger(block.index) && block.index >= 0);
      }
      assert.equal(samples, reader.sampleCount);
      opened++;
    } catch (error) {
      assert.ok(
        error instanceof SctError,
        `trial ${trial}: ${(error as Error).stack}\n${new TextDecoder().decode(bytes)}`,
      );
      refusals++;
    }
    // Everything read here is smaller than a kilobyte, so no read may ask for more than the archive's header limit.
    assert.ok(largestRead <= 65_536, `trial ${trial} read ${largestRead} bytes at once`);
  }
  // The mutations must reach both sides of the check, else this test shows nothing.
  assert.ok(opened > 2000 && refusals > 2000, `${opened} opened, ${refusals} refused`);
});

function mutate(random: RandomStream, text: string, words: readonly string[]): Uint8Array {
  let s = text;
  for (let n = random.integer(4); n > 0; n--) {
    const at = random.integer(s.length);
    const kind = random.integer(5);
    if (kind === 0) s = s.slice(0, at) + words[random.integer(words.length)] + s.slice(at);
    else if (kind === 1) s = s.slice(0, at) + s.slice(at + 1 + random.integer(20));
    else if (kind === 2) {
      // Replace one number by another word: keeps the JSON intact most of the time.
      const numbers = [...s.matchAll(/(?<=[:[,])-?\d+(\.\d+)?/g)];
      const hit = numbers[random.integer(Math.max(1, numbers.length))];
      if (hit) s = s.slice(0, hit.index) + words[random.integer(words.length)] + s.slice(hit.index + hit[0].length);
    } else if (kind === 3) s = s.slice(0, at) + String.fromCharCode(random.integer(256)) + s.slice(at + 1);
    else s = s.replace(/\d/g, (d) => (random.integer(40) === 0 ? String(random.integer(10)) : d));
  }
  return new TextEncoder().encode(s);
}

function flip(random: RandomStream, bytes: Uint8Array): Uint8Array {
  for (let n = random.integer(3); n > 0; n--) bytes[random.integer(bytes.length)] = random.integer(256);
  return random.integer(5) === 0 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
}
