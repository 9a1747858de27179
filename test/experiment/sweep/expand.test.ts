import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { UsageError } from '../../../src/common/errors.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { canonical } from '../../../src/experiment/run/canonical-json.ts';
import { expandSweep } from '../../../src/experiment/sweep/expand.ts';
import { rebasePoint } from '../../../src/experiment/sweep/inputs.ts';
import type { SweepPoint } from '../../../src/experiment/sweep/point.ts';
import { parsePoint } from '../../../src/experiment/sweep/point-format.ts';
import { parseSweepFile } from '../../../src/experiment/sweep/sweep-file.ts';
import { shippedModelsDir } from '../../../src/sct/semantics/model-files.ts';
import { photo, scratch } from '../link-helpers.ts';

async function pointsOf(text: string, folder = '.'): Promise<readonly SweepPoint[]> {
  return (await expandSweep(parseSweepFile(join(folder, 'a.yaml'), text))).points;
}

test('photos times settings times seeds, each as sct loopback would resolve it', async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'b.png'), 168, 160);
  await photo(join(at, 'a.png'), 176, 160);
  const text = 'photo: [., demo]\ncodec: classical\nchannel: [awgn, epa]\nsnr: [0, 10]\ncbr: 1/8\nseed: [7, 3, 9]\n';
  const points = await pointsOf(text, at);
  assert.equal(points.length, 3 * 2 * 2 * 3);
  assert.deepEqual([...new Set(points.map((p) => p.photo))], ['a.png', 'b.png', null]);
  assert.deepEqual(
    points.map(({ index }) => index),
    points.map((_, i) => i),
  );
  assert.equal(new Set(points.map(({ id }) => id)).size, points.length);
  assert.equal(new Set(points.map(({ group }) => group)).size, points.length / 3);
  assert.deepEqual(
    points.slice(0, 3).map(({ seedIndex, config }) => [seedIndex, config.seed]),
    [
      [0, 7],
      [1, 3],
      [2, 9],
    ],
  );
  const flags = { codec: 'classical', channel: 'awgn', snrDb: 10, cbr: 1 / 8, seed: 3 } as const;
  assert.deepEqual(points[4].config, resolveLinkConfig(flags));
});

test('an id is what is measured: not the order, the words or the place of files', async (t) => {
  const at = await scratch(t);
  for (const name of ['one', 'two']) await mkdir(join(at, name));
  await photo(join(at, 'one', 'a.png'), 168, 160);
  await copyFile(join(at, 'one', 'a.png'), join(at, 'two', 'z.png'));
  const [a] = await pointsOf('photo: a.png\ncodec: classical\nsnr: 5\nseed: 2\n', join(at, 'one'));
  const [b] = await pointsOf('seed: [2]\nsnr: [5 dB]\ncbr: 1/16\nphoto: z.png\ncodec: classical\n', join(at, 'two'));
  assert.equal(a.id, b.id, 'CBR 1/16 is the default');
  const [c] = await pointsOf('photo: z.png\ncodec: classical\nsnr: 5\nseed: 2\nharq: 0\n', join(at, 'two'));
  assert.notEqual(c.id, a.id);
  await photo(join(at, 'two', 'z.png'), 169, 160);
  const [d] = await pointsOf('photo: z.png\ncodec: classical\nsnr: 5\nseed: 2\n', join(at, 'two'));
  assert.notEqual(d.id, a.id, 'another picture under the old name');
});

test('settings that mean nothing to a codec or a channel make no points of their own', async () => {
  const text =
    'photo: demo\ncodec: [classical, integrated]\nmode: [overall, selective]\nkeep: car\nchannel: [awgn, epa]\ndoppler: [5, 70]\n';
  const { points, repeated } = await expandSweep(parseSweepFile('a.yaml', text));
  // classical: awgn, epa at 5 and 70; integrated: the same in both modes.
  assert.equal(points.length, 3 + 6);
  assert.equal(repeated, 16 - 9);
  assert.ok(points.every(({ config }) => config.codec !== 'classical' || config.mode === undefined));
  const models = points.find(({ config }) => config.codec === 'integrated')!.inputs;
  assert.deepEqual(
    models.map(({ use }) => use),
    ['models'],
  );
});

test('what selective mode keeps is left out of other modes; what a codec cannot do is refused before anything is measured', async () => {
  const points = await pointsOf('photo: demo\nsize: live\nmode: [overall, selective]\nkeep: car\n');
  assert.deepEqual(
    points.map(({ config }) => [config.mode, config.keep]),
    [
      ['overall', undefined],
      ['selective', 'car'],
    ],
  );
  await assert.rejects(pointsOf('photo: demo\nsize: live\nkeep: [car, cat]\n'), /a\.yaml: .*keep "cat".*"cat" is no/);
  const both = 'photo: demo\nsize: live\ntask: machine\ndistortion: pixel\n';
  await assert.rejects(pointsOf(both), /not allowed with --task machine/);
});

test('a pair that divides the picture by a grid reads a model set, one without does not', async (t) => {
  const at = await scratch(t);
  const pair = fileURLToPath(new URL('../../vectors/user-codec/pair', import.meta.url));
  await cp(pair, join(at, 'flat'), { recursive: true });
  await cp(pair, join(at, 'grid'), { recursive: true });
  const info = JSON.parse(await readFile(join(pair, 'codec.json'), 'utf8'));
  const { grid: _, ...flat } = info;
  await writeFile(join(at, 'flat', 'codec.json'), JSON.stringify(flat));
  const grid = { cellPx: 8, symbols: 4, order: 'planes' };
  await writeFile(join(at, 'grid', 'codec.json'), JSON.stringify({ ...flat, grid }));
  const points = await pointsOf(
    "photo: demo\ncodec: ['onnx:flat', 'onnx:grid']\nmodels: [MODELS]\n".replace('MODELS', shippedModelsDir()),
    at,
  );
  assert.deepEqual(
    points.map(({ inputs }) => inputs.map(({ use }) => use)),
    [['pair'], ['models', 'pair']],
  );
});

test('what cannot be is named as the file has it', async () => {
  const both = 'photo: demo\ncodec: classical\ncbr: 0.1\nsymbols-per-pixel: 0.3\n';
  await assert.rejects(pointsOf(both), /a\.yaml: codec "classical", cbr 0\.1, symbols-per-pixel 0\.3: .*same budget/);
  await assert.rejects(pointsOf('photo: nothere.png\n'), /nothere\.png: no such file/);
  await assert.rejects(pointsOf('photo: demo\nfeedback: burst\ncodec: classical\n'), /both ends are in this process/);
  const many = 'photo: demo\ncodec: classical\nseed: 1..9000\nsnr: 0..20\n';
  await assert.rejects(pointsOf(many), /189000 points: allowed 1 to 100000/);
});

test('photos and budgets that no channel can carry are refused by their headers', async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 96, 64);
  await writeFile(join(at, 'text.png'), 'no picture');
  await writeFile(join(at, 'empty.png'), '');
  const png = await readFile(join(at, 'a.png'));
  png.writeUInt32BE(20_000, 16);
  await writeFile(join(at, 'wide.png'), png);
  for (const [name, message] of [
    ['text.png', /text\.png cannot be decoded as a picture/],
    ['empty.png', /empty\.png/],
    ['wide.png', /wide\.png: .*allowed 1x1 to 8192x8192 pixels/],
  ] as const) {
    await assert.rejects(pointsOf(`photo: [a.png, ${name}]\ncodec: classical\ncbr: 1\n`, at), message);
  }
  const tooSmall =
    /a\.yaml: .*a budget of 614 symbols for 96x64 pixels is too small: control and one slot take \d+ or more/;
  const small = pointsOf('photo: a.png\ncodec: classical\nnumerology: 6\ncbr: 1/30\n', at);
  await assert.rejects(small, (e: UsageError) => tooSmall.test(e.message) && /--cbr 0\.\d+/.test(e.hint ?? ''));
  await assert.rejects(pointsOf('photo: demo\ncbr: 1/1000\n', at), /768x512 pixels is too small/);
});

test('a long expansion can be stopped, by many settings or by many seeds', async () => {
  for (const axes of ['snr: 0..99..0.1\ncfo: 0..9\nsfo: 0..4\n', 'snr: 0..9\nseed: 1..10000\n']) {
    const stop = new AbortController();
    const counts: number[] = [];
    const file = parseSweepFile('a.yaml', `photo: demo\ncodec: classical\n${axes}`);
    const expanding = expandSweep(file, stop.signal, (n) => void counts.push(n));
    // As a signal of the system comes: not before the event loop turns.
    setTimeout(() => stop.abort(), 1);
    await assert.rejects(expanding, { name: 'AbortError' });
    assert.ok(counts.every((n, i) => i === 0 || n > counts[i - 1]));
  }
});

test('points go through JSON and to other folders, with their ids', async (t) => {
  const at = await scratch(t);
  await photo(join(at, 'a.png'), 168, 160);
  await mkdir(join(at, 'truth'));
  await writeFile(join(at, 'truth', 'a.png'), 'labels');
  const text = 'photo: a.png\ntruth: truth\ncodec: [classical, modular]\nprofile: hackrf\nroi: 0,0,16,16\nseed: 1..2\n';
  for (const point of await pointsOf(text, at)) {
    assert.deepEqual(parsePoint(JSON.parse(JSON.stringify(canonical(point)))), point);
    assert.equal(point.config.truth, join(at, 'truth', 'a.png'));
    const moved = rebasePoint(point, ({ use }) => (use === 'models' ? null : `/elsewhere/${use}`));
    assert.equal(moved.id, point.id);
    assert.equal(moved.config.truth, '/elsewhere/truth');
    assert.equal(moved.inputs[0].path, '/elsewhere/photo');
    assert.equal(moved.config.modelsDir, undefined, 'the sets that ship stay those that ship');
  }
});
