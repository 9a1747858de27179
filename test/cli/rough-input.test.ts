import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { before, type TestContext } from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import { CaptureReader } from '../../src/radio/sigmf/capture-reader.ts';
import { CaptureWriter } from '../../src/radio/sigmf/capture-writer.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';
import { scratch, sctInside } from './helpers.ts';

const [WIDTH, HEIGHT] = [128, 96];
const CLASSICAL = ['--codec', 'classical', '--format', 'jpeg', '--cbr', '1/2'];
const SMALL = [...CLASSICAL, '--numerology', '6', '--harq', '0', '--json'];

/** A picture with an edge and some texture, the same every time. */
async function photo(path: string): Promise<void> {
  const random = new RandomStream(7);
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < data.length; i++) {
    const x = Math.floor(i / 3) % WIDTH;
    data[i] = 60 + (x > 50 ? 90 : 0) + 40 * Math.sin(i / 700) + 4 * random.uniform();
  }
  await writeFile(path, await encodePng(rgbImage(WIDTH, HEIGHT, data)));
}

interface Frame {
  readonly use: string;
  readonly startSample: number;
  readonly lengthSamples: number;
  readonly suspect: string | null;
}

async function frames(run: string): Promise<Frame[]> {
  const text = await readFile(join(run, 'frames.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** One good loopback run: its samples, and where its data burst lies. */
let samples: Float32Array;
let data: Frame;
let folder: string;
const cleanUp: (() => Promise<void>)[] = [];

before(async () => {
  folder = await scratch({ after: (fn) => void cleanUp.push(fn) });
  await photo(join(folder, 'photo.png'));
  const run = join(folder, 'good');
  const ended = await sctInside(['loopback', join(folder, 'photo.png'), ...SMALL, '-o', run]);
  assert.equal(ended.code, 0, ended.stderr);
  const reader = await CaptureReader.open(join(run, 'rx'));
  const count = reader.layout.sampleCount;
  samples = (await reader.readSamples(0, count)) as Float32Array;
  await reader.close();
  data = (await frames(run)).find((f) => f.use === 'data')!;
});
test.after(async () => {
  for (const fn of cleanUp) await fn();
});

/** Writes stretches of samples, [from, to, first index], as a capture; a jump of the index is a loss it knows of. */
async function capture(
  t: TestContext,
  source: Float32Array | Int8Array,
  stretches: readonly (readonly number[])[],
): Promise<string> {
  const path = join(await scratch(t), 'air');
  const native =
    source instanceof Int8Array
      ? ({ format: 'ci8', fullScale: 128 } as const)
      : ({ format: 'cf32_le', fullScale: 1 } as const);
  const writer = await CaptureWriter.create(path, {
    ...native,
    rateHz: 1.92e6,
    frequencyHz: null,
    hardware: 'test',
    fields: { 'sct:numerology': 6, 'sct:lo_offset_hz': 0 },
  });
  let end = 0;
  for (const [from, to, index] of stretches) {
    const lost = index - end;
    const lostBefore = lost > 0 ? { min: lost, max: lost, exact: true, from: end, to: index } : null;
    const piece = source.slice(2 * from, 2 * to);
    await writer.write({ data: piece, ...native, index, lostBefore, timestampNs: null });
    end = index + to - from;
  }
  await writer.close({});
  return path;
}

/** `sct receive` from a capture; the metrics where it printed any. */
async function receive(t: TestContext, path: string, more: readonly string[] = []) {
  const run = join(await scratch(t), 'run');
  const words = ['receive', '--from', `file:${path}`, '--numerology', '6', '--json', '-o', run, ...more];
  const ended = await sctInside(words);
  const metrics = ended.stdout === '' ? null : JSON.parse(ended.stdout);
  return { ...ended, run, metrics };
}

const total = () => samples.length / 2;
const inside = (share: number) => Math.round(data.startSample + share * data.lengthSamples);

test('the recording as it is: received, exit 0', async (t) => {
  const path = await capture(t, samples, [[0, total(), 0]]);
  const { code, metrics } = await receive(t, path);
  assert.equal(code, 0);
  assert.equal(metrics.ok, true);
  assert.equal(metrics.lostSamples, 0);
});

test('1 ms lost that the capture knows of: counted, the burst named; exit 5 where a block was lost', async (t) => {
  const from = inside(0.8);
  const path = await capture(t, samples, [
    [0, from, 0],
    [from + 1920, total(), from + 1920],
  ]);
  const { code, metrics, run } = await receive(t, path);
  assert.equal(metrics.lostSamples, 1920);
  assert.equal(code, metrics.ok ? 0 : 5);
  const hit = (await frames(run)).find((f) => f.use === 'data')!;
  assert.match(hit.suspect ?? '', /^1920 samples lost inside/);
  assert.ok((await readFile(join(run, 'report.html'), 'utf8')).includes('1920 samples lost inside'));
});

test('six losses inside one burst: the first are named one by one, the rest as a sum', async (t) => {
  const cuts = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8].map(inside);
  const ends = [...cuts, total()];
  const stretches = ends.map((end, i) => (i === 0 ? [0, end, 0] : [cuts[i - 1] + 10 * i, end, cuts[i - 1] + 10 * i]));
  const { metrics, run } = await receive(t, await capture(t, samples, stretches));
  assert.equal(metrics.lostSamples, 210);
  const hit = (await frames(run)).find((f) => f.use === 'data')!;
  const named = [10, 20, 30, 40].map((n) => `${n} samples lost inside; `).join('');
  assert.ok(hit.suspect?.startsWith(`${named}2 more losses inside, 210 samples in all`), hit.suspect ?? '');
});

test('two sendings heard one after another: --json has both, the terminal a table, -n 2 ends by count', async (t) => {
  const folder = await scratch(t);
  const again = join(folder, 'again');
  const from = join(folder, 'photo.png');
  await photo(from);
  const parts: Float32Array[] = [];
  for (const seed of ['1', '2']) {
    const air = join(folder, `air${seed}`);
    const words = ['send', from, '--to', `file:${air}`, ...SMALL.filter((w) => !['--harq', '0'].includes(w))];
    const sent = await sctInside([...words, '--seed', seed, '-o', join(folder, `tx${seed}`)]);
    assert.equal(sent.code, 0, sent.stderr);
    const reader = await CaptureReader.open(air);
    parts.push((await reader.readSamples(0, reader.layout.sampleCount)) as Float32Array);
    await reader.close();
  }
  const both = new Float32Array(parts[0].length + parts[1].length);
  both.set(parts[0]);
  both.set(parts[1], parts[0].length);
  const path = await capture(t, both, [[0, both.length / 2, 0]]);
  const { code, metrics, run } = await receive(t, path, ['-n', '2']);
  assert.equal(code, 0);
  assert.equal(metrics.ok, true);
  assert.equal(metrics.images.length, 2);
  assert.notEqual(metrics.images[0].session, metrics.images[1].session);
  assert.deepEqual(
    metrics.images.map((m: { files: { received: string } }) => m.files.received),
    [join(run, 'received-1.png'), join(run, 'received-2.png')],
  );
  const text = await sctInside(['receive', '--from', `file:${path}`, '--numerology', '6', '-o', again]);
  assert.match(text.stdout, /2 of 2 whole/);
});

test('lost between bursts: the picture is whole, and --max-drops decides (exit 6)', async (t) => {
  const from = Math.round(data.startSample) - 4000;
  const path = await capture(t, samples, [
    [0, from, 0],
    [from + 1920, total(), from + 1920],
  ]);
  const ok = await receive(t, path);
  assert.equal(ok.code, 0);
  assert.equal(ok.metrics.lostSamples, 1920);
  assert.equal((await receive(t, path, ['--max-drops', '1919'])).code, 6);
});

test('1 ms lost without a word: not ok, exit 5, and the report says how many and where', async (t) => {
  const from = inside(0.6);
  const cut = new Float32Array(samples.length - 2 * 1920);
  cut.set(samples.subarray(0, 2 * from));
  cut.set(samples.subarray(2 * (from + 1920)), 2 * from);
  const { code, metrics, run } = await receive(t, await capture(t, cut, [[0, cut.length / 2, 0]]));
  assert.equal(code, 5);
  assert.equal(metrics.ok, false);
  const hit = (await frames(run)).find((f) => f.use === 'data')!;
  assert.match(hit.suspect ?? '', /1920 samples missing in slot \d+, unknown to the source|disturbed|without signal/);
  assert.ok((await readFile(join(run, 'report.html'), 'utf8')).includes(hit.suspect!));
});

test('no numbers in the recording: counted in the report, no error', async (t) => {
  const broken = samples.slice();
  broken.fill(Number.NaN, 2 * 100, 2 * 160);
  broken[2 * inside(0.5)] = Number.POSITIVE_INFINITY;
  const { code, metrics, run } = await receive(t, await capture(t, broken, [[0, total(), 0]]));
  assert.equal(code, 0);
  assert.equal(metrics.ok, true);
  assert.ok((await readFile(join(run, 'report.html'), 'utf8')).includes('121 values were no numbers'));
});

test('nothing but zeros, full scale, or noise: exit 4, and the recording is kept', async (t) => {
  const random = new RandomStream('noise');
  const noise = new Float32Array(2 * 200_000);
  random.addComplexNoise(noise, 0.1);
  for (const signal of [new Float32Array(2 * 200_000), new Float32Array(2 * 200_000).fill(1), noise]) {
    const { code, hint, stderr } = await receive(t, await capture(t, signal, [[0, 200_000, 0]]));
    assert.equal(code, 4, stderr);
    assert.match(stderr, /no burst of 6 subbands was found/);
    assert.match(hint ?? '', /The recording is in/);
  }
});

test('8-bit samples 20 dB into the limiter: counted, and still received', async (t) => {
  const limited = Int8Array.from(samples, (v) => Math.max(-128, Math.min(127, Math.round(35 * 128 * v))));
  const { metrics, run } = await receive(t, await capture(t, limited, [[0, total(), 0]]));
  assert.ok(metrics.clippedSamples > 0.2 * data.lengthSamples, `${metrics.clippedSamples} at the limit`);
  assert.match(await readFile(join(run, 'report.html'), 'utf8'), /samples were limited by a converter/);
  assert.equal((await frames(run)).length, 2);
});

for (const [name, spec] of [
  ['in the band', 'tone:30,centre=200k'],
  ['in the middle', 'tone:30,centre=0'],
  ['beside it, with the image of an unbalanced mixer', 'tone:30,centre=900k'],
]) {
  test(`loopback with a carrier 30 dB above the signal ${name}: the picture arrives`, async (t) => {
    const run = join(await scratch(t), 'run');
    const faults = spec.endsWith('900k') ? ['--iq', '0.5,3'] : [];
    const words = ['loopback', join(folder, 'photo.png'), ...SMALL, '--jammer', spec, ...faults, '-o', run];
    const ended = await sctInside(words);
    assert.equal(ended.code, 0, ended.stderr);
    const metrics = JSON.parse(ended.stdout);
    assert.equal(metrics.ok, true);
    const median = metrics.rbSnrDb.slice().sort((a: number, b: number) => a - b)[3];
    assert.ok(Math.abs(median - 15) < 1.5, `${median} dB`);
    // Replayed from its recording it is the same again.
    const again = await sctInside(['replay', run, '--check', '--json', '-o', join(await scratch(t), 'again')]);
    assert.equal(again.code, 0, again.stderr);
  });
}
