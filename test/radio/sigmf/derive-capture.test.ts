import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { exactLoss, type SampleBlock } from '../../../src/radio/radio.ts';
import { validateCapture } from '../../../src/radio/sigmf/capture-info.ts';
import { capturePaths } from '../../../src/radio/sigmf/capture-paths.ts';
import { CaptureReader } from '../../../src/radio/sigmf/capture-reader.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { type DeriveOptions, deriveCapture } from '../../../src/radio/sigmf/derive-capture.ts';
import { sctInside } from '../../cli/helpers.ts';
import { noiseBlock, temporaryFolder } from '../helpers.ts';

const SCHEMA = JSON.parse(
  readFileSync(new URL('../../vectors/sigmf/sigmf-schema-1.2.5.json', import.meta.url), 'utf8'),
);
// unicodeRegExp off: the schema's own datetime pattern is not a valid unicode-mode expression.
const ajv = new Ajv2020({ strict: false, unicodeRegExp: false });
addFormats.default(ajv);
const compiled = ajv.compile(SCHEMA);
const conforms = (meta: unknown): boolean => compiled(meta);

/** 3000 samples with an exact gap, a retune, an inexact gap, a gap of a radio that was sending; five marks. */
async function recording(folder: string, format: 'ci8' | 'ci16_le' = 'ci8'): Promise<string> {
  const path = join(folder, 'air');
  const writer = await CaptureWriter.create(path, {
    format,
    rateHz: 1e6,
    frequencyHz: 868e6,
    gainsDb: { lna: 16 },
    startTime: new Date('2026-01-02T03:04:05Z'),
    fields: { 'sct:clipped_samples': 0, 'sct:clock_ppm': 2 },
  });
  await writer.write(noiseBlock(format, 0, 1000));
  await writer.write(noiseBlock(format, 1100, 500, exactLoss(1000, 1100)));
  writer.retune(869e6, { lna: 24 });
  await writer.write(noiseBlock(format, 1600, 500));
  const loose = { min: 10, max: 40, exact: false, from: 1900, to: 2110 };
  await writer.write(noiseBlock(format, 2110, 500, loose));
  await writer.write(noiseBlock(format, 2700, 500, { ...exactLoss(2610, 2700), deaf: true }));
  for (const [index, count] of [
    [10, 20],
    [900, 400],
    [1650, 10],
    [2200, 300],
    [3100, 100],
  ] as const) {
    writer.annotate({ index, count, label: 'burst', fields: { 'sct:burst_id': index } });
  }
  await writer.close();
  return path;
}

async function blocksOf(path: string, from?: number, to?: number): Promise<SampleBlock[]> {
  const reader = await CaptureReader.open(path);
  const out: SampleBlock[] = [];
  for await (const block of reader.blocks({
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }))
    out.push(block);
  await reader.close();
  return out;
}

async function derive(source: string, target: string, options: Partial<DeriveOptions> = {}) {
  const reader = await CaptureReader.open(source);
  try {
    return await deriveCapture(reader, { from: 0, to: reader.sampleCount, files: capturePaths(target), ...options });
  } finally {
    await reader.close();
  }
}

const metaOf = async (path: string) => JSON.parse(await readFile(`${path}.sigmf-meta`, 'utf8'));

test('a cut reads as that part of the original, and a cut of a cut as a cut', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await recording(folder);
  const source = await metaOf(path);
  const places = fc.uniqueArray(fc.oneof(fc.nat(3000), fc.constantFrom(0, 1000, 1500, 2000, 2500, 3000)), {
    minLength: 4,
    maxLength: 4,
  });
  let n = 0;
  await fc.assert(
    fc.asyncProperty(places, async (drawn) => {
      const [a, b, c, d] = drawn.sort((x, y) => x - y);
      const [outer, inner, direct] = ['outer', 'inner', 'direct'].map((name) => join(folder, `${name}${n}`));
      n++;
      const made = await derive(path, outer, { from: a, to: d });
      assert.deepEqual(await blocksOf(outer), await blocksOf(path, a, d));
      const { ok, problems, info } = await validateCapture(outer);
      assert.deepEqual([ok, problems, info?.gaps.filter(({ lost }) => !lost.deaf).length], [true, [], made.gaps]);
      const meta = await metaOf(outer);
      assert.ok(conforms(meta), JSON.stringify(compiled.errors));
      // Every marked sample of the range is marked still, and no other.
      const marked = (m: typeof meta, shift: number) =>
        m.annotations.flatMap((x: Record<string, number>) => {
          const start = Math.max(a, x['core:sample_start'] + shift);
          const end = Math.min(d, x['core:sample_start'] + shift + x['core:sample_count']);
          return end > start ? [[x['sct:burst_id'], start, end]] : [];
        });
      assert.deepEqual(marked(meta, a), marked(source, 0));
      assert.equal(meta.global['sct:clock_ppm'], 2);
      await derive(outer, inner, { from: b - a, to: c - a });
      await derive(path, direct, { from: b, to: c });
      assert.deepEqual(await metaOf(inner), await metaOf(direct));
      assert.deepEqual(await readFile(`${inner}.sigmf-data`), await readFile(`${direct}.sigmf-data`));
    }),
    { numRuns: 40 },
  );
});

test('a conversion to more bits and back gives the same samples; to fewer, what is too loud is limited and counted', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await recording(folder);
  const at = (name: string) => join(folder, name);
  for (const format of ['ci16_le', 'cf32_le'] as const) {
    const there = await derive(path, at(format), { format });
    assert.deepEqual([there.fullScale, there.newlyClipped], [format === 'ci16_le' ? 32768 : 1, 0]);
    await derive(at(format), at(`${format}-back`), { format: 'ci8' });
    assert.deepEqual(await readFile(`${at(`${format}-back`)}.sigmf-data`), await readFile(`${path}.sigmf-data`));
    for (const name of [format, `${format}-back`]) {
      const meta = await metaOf(at(name));
      assert.ok(conforms(meta), JSON.stringify(compiled.errors));
      assert.deepEqual(meta.captures, (await metaOf(path)).captures);
      assert.equal((await validateCapture(at(name))).ok, true);
    }
  }
  // 1.5 and -1 are at or beyond the limit of 8 bits, 0.5 is not; NaN becomes 0.
  await writeFile(at('x.cf32'), new Uint8Array(Float32Array.of(1.5, 0, 0.5, -1, 0.25, 0.5, Number.NaN, 0).buffer));
  const words = ['capture', 'convert', '--raw', 'cf32_le', '--rate', '8M', '--freq', '868M', at('x.cf32')];
  const made = await sctInside([...words, '--to', 'ci8', '-o', at('x'), '--json']);
  assert.equal(made.code, 0, made.stderr);
  const { samples, newlyClipped, clippedSamples, nonFinite } = JSON.parse(made.stdout);
  assert.deepEqual([samples, newlyClipped, clippedSamples, nonFinite], [4, 1, 2, 1]);
  assert.deepEqual([...(await readFile(`${at('x')}.sigmf-data`))], [127, 0, 64, 128, 32, 64, 0, 0]);
  const { global, captures } = await metaOf(at('x'));
  assert.deepEqual([global['core:sample_rate'], captures[0]['core:frequency']], [8e6, 868e6]);
  const bare = await sctInside(['capture', 'convert', at('x'), '--to', 'ci16_le', '--raw-out', '-o', at('x.cs16')]);
  assert.match(bare.stdout, /x\.cs16: 4 samples of ci16_le \(full scale 32768\).* 0 samples clipped/);
  assert.equal((await stat(at('x.cs16'))).size, 16);
});

test('annotate puts a mark in its place; samples and hash stay', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await recording(folder);
  const before = await metaOf(path);
  const words = [
    'capture',
    'annotate',
    path,
    '--start',
    '1.5ms',
    '--end',
    '1.6ms',
    '--label',
    'radar',
    '--comment',
    'x',
  ];
  assert.equal((await sctInside(words)).code, 0);
  const { annotations, ...rest } = await metaOf(path);
  assert.deepEqual(rest, { global: before.global, captures: before.captures });
  assert.deepEqual(
    annotations.filter((a: Record<string, unknown>) => a['core:label'] !== 'radar'),
    before.annotations,
  );
  const made = annotations.find((a: Record<string, unknown>) => a['core:label'] === 'radar');
  assert.deepEqual([made['core:sample_start'], made['core:sample_count'], made['core:comment']], [1500, 100, 'x']);
  assert.deepEqual([made['core:freq_lower_edge'], made['core:freq_upper_edge']], [868.5e6, 869.5e6]);
  assert.equal((await validateCapture(path)).ok, true);
  assert.ok(conforms(await metaOf(path)));
});

test('wrong words and files end with their exit code and leave nothing behind', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await recording(folder);
  const out = join(folder, 'out');
  await writeFile(join(folder, 'text.sigmf-meta'), 'no json');
  const empty = await CaptureWriter.create(join(folder, 'empty'), { format: 'ci8', rateHz: 1e6 });
  await empty.close();
  const copy = join(folder, 'lone');
  await writeFile(`${copy}.sigmf-meta`, await readFile(`${path}.sigmf-meta`));
  const mark = (start: string, end: string, label = 'x') => [
    'annotate',
    path,
    '--start',
    start,
    '--end',
    end,
    '--label',
    label,
  ];
  const cases: [string[], number, RegExp][] = [
    [['cut', path, '--from', '2ms', '--to', '1ms', '-o', out], 2, /--to .*not after --from/],
    [['cut', path, '--to', '4ms', '-o', out], 2, /--to 0\.004 s is out of range: allowed 0 to 0\.003/],
    [['cut', path, '--from', '-1', '-o', out], 2, /--from -1 s is out of range/],
    [['cut', path, '--from-sample', '2999', '--samples', '2', '-o', out], 2, /--samples 2 .*allowed 1 to 1/],
    [['cut', path, '--from-sample', '1.5', '-o', out], 2, /not a whole number/],
    [['cut', path, '--from', '1ms', '--from-sample', '1', '-o', out], 2, /give one/],
    [['cut', path, '--stream-time', '--from-sample', '1', '-o', out], 2, /--stream-time is for --from and --to/],
    [['cut', path, '--stream-time', '--to', '3.3ms', '-o', out], 2, /--to .*out of range: allowed 0 to 0\.0032 s/],
    [['cut', path, '--stream-time', '--from', '1.01ms', '--to', '1.09ms', '-o', out], 2, /--to .*not after --from/],
    [['cut', path], 2, /-o PATH is missing/],
    [['cut', path, '-o', folder.concat('/.')], 2, /does not name a capture/],
    [['cut', join(folder, 'empty'), '-o', out], 2, /has no samples/],
    [['convert', join(folder, 'empty'), '--to', 'cf32_le', '-o', out], 2, /has no samples/],
    [['cut', path, '-o', path], 2, /exists already/],
    [['cut', copy, '-o', out], 3, /cannot open .*lone\.sigmf-data/],
    [['cut', join(folder, 'text'), '-o', out], 2, /cannot open|not UTF-8 JSON/],
    [['cut', path, '-o', join(`${path}.sigmf-data`, 'out')], 3, /cannot create/],
    [['convert', path, '-o', out], 2, /--to FORMAT is missing/],
    [['convert', path, '--to', 'cu8', '-o', out], 2, /"cu8" is not supported/],
    [['convert', path, '--to', 'ci8', '--full-scale', '129', '-o', out], 2, /full scale 129/],
    [['convert', '--raw', 'ci8', path, '--to', 'ci8', '-o', out], 2, /--raw needs --rate/],
    [['convert', path, '--rate', '1M', '--to', 'ci8', '-o', out], 2, /are for --raw/],
    [mark('2ms', '2ms'), 2, /--end .*not after --start/],
    [mark('2ms', '4ms'), 2, /--end 0\.004 s is out of range/],
    [mark('1ms', '2ms', ''), 2, /1 to 64 characters/],
    [['annotate', path, '--start', '1ms'], 2, /all needed/],
  ];
  await writeFile(join(folder, 'text.sigmf-data'), 'x');
  for (const [words, code, message] of cases) {
    const ended = await sctInside(['capture', ...words]);
    assert.equal(ended.code, code, `${words.join(' ')}: ${ended.stderr}`);
    assert.match(ended.stderr, message, words.join(' '));
    assert.equal(existsSync(`${out}.sigmf-data`), false, words.join(' '));
  }
  // Of data that end early the rest can be cut out, and the part is sound.
  await truncate(`${path}.sigmf-data`, 2501);
  assert.equal((await sctInside(['capture', 'cut', path, '-o', out])).code, 0);
  assert.deepEqual((await validateCapture(out)).problems, []);
  assert.equal((await metaOf(out)).global['sct:sample_count'], 1250);
});

test('times of the stream count what was lost, and go on in a cut', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await recording(folder);
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];
  // 1.05 ms lies in the gap from 1000 to 1100.
  const cut = (from: string, to: string) => ['--stream-time', '--from', from, '--to', to, '-o'];
  assert.equal((await sctInside(['capture', 'cut', path, ...cut('1.05ms', '1.3ms'), first])).code, 0);
  // Two bytes a sample.
  const bytes = (of: string) => readFile(`${of}.sigmf-data`);
  assert.deepEqual(await bytes(first), (await bytes(path)).subarray(2000, 2400));
  assert.equal((await sctInside(['capture', 'cut', first, ...cut('1.15ms', '1.2ms'), second])).code, 0);
  assert.deepEqual(await bytes(second), (await bytes(path)).subarray(2100, 2200));
});

test('a capture whose samples were changed is said to be so where all of it is read', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await recording(folder);
  const words = (name: string, ...more: string[]) => ['capture', ...more, '--json', '-o', join(folder, name)];
  const said = async (w: string[]) => JSON.parse((await sctInside(w)).stdout).changed as boolean;
  assert.equal(await said(words('a', 'convert', path, '--to', 'cf32_le')), false);
  assert.equal(await said(words('b', 'cut', path)), false);
  const bytes = await readFile(`${path}.sigmf-data`);
  bytes[1000] ^= 1;
  await writeFile(`${path}.sigmf-data`, bytes);
  assert.equal(await said(words('c', 'convert', path, '--to', 'cf32_le')), true);
  assert.equal(await said(words('d', 'cut', path)), true);
  assert.equal(await said(words('e', 'cut', path, '--to', '1ms')), false);
});

test('an interrupted cut leaves nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await recording(folder);
  await assert.rejects(derive(path, join(folder, 'no'), { signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(existsSync(join(folder, 'no.sigmf-data')), false);
});
