import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { savePng } from '../../src/sct/image/save.ts';
import { samplePhoto } from '../experiment/analyze/sample.ts';
import { scratch, sctInside } from './helpers.ts';

const shipped = existsSync(fileURLToPath(new URL('../../models/models.json', import.meta.url)));

test('analyze: wrong words and values are named with what is allowed', async (t) => {
  const folder = await scratch(t);
  const photo = join(folder, 'photo.png');
  await savePng(photo, samplePhoto(20, 20));
  for (const [args, message] of [
    [[], /no picture given/],
    [[folder], /is a folder/],
    [[join(folder, 'none.png')], /no such file/],
    [[photo, '--task', 'dog'], /--task "dog" is not one of human, machine/],
    [[photo, '--order', 'size'], /--order "size" is not one of sum, density/],
    [[photo, '--labels', 'words'], /not one of auto, street, codebook/],
    [[photo, '--weight', '2'], /--weight 2 is out of range: allowed 0 to 1/],
    [[photo, '--max-sfvs', '256'], /allowed 1 to 255/],
  ] as [string[], RegExp][]) {
    const { code, stderr } = await sctInside(['analyze', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

test('analyze: a missing or broken model folder is said, with its name', async (t) => {
  const folder = await scratch(t);
  const photo = join(folder, 'photo.png');
  await savePng(photo, samplePhoto(20, 20));
  const { code, stderr } = await sctInside(['analyze', photo, '--models', folder]);
  assert.notEqual(code, 0);
  assert.ok(stderr.includes(folder), stderr);
});

test('analyze: a folder that cannot be written to is said before anything is computed', async (t) => {
  const folder = await scratch(t);
  const photo = join(folder, 'photo.png');
  await savePng(photo, samplePhoto(20, 20));
  await mkdir(join(folder, 'taken', 'analysis.html'), { recursive: true });
  for (const out of [photo, join(photo, 'below'), join(folder, 'taken')]) {
    const { code, stderr } = await sctInside(['analyze', photo, '-o', out]);
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(out), stderr);
  }
});

test('analyze with the models that ship: files, JSON, an unknown class', { skip: !shipped }, async (t) => {
  const folder = await scratch(t);
  const photo = join(folder, 'photo.png');
  const out = join(folder, 'out');
  await savePng(photo, samplePhoto(100, 40));
  const { code, stdout, stderr } = await sctInside(['analyze', photo, '--size', 'live', '--json', '-o', out]);
  assert.equal(code, 0, stderr);
  const record = JSON.parse(stdout);
  assert.equal(record.schema, 'sct-analysis/1');
  assert.deepEqual(record.grid, { rows: 3, columns: 7, cellPx: 16 });
  assert.deepEqual(JSON.parse(await readFile(join(out, 'analysis.json'), 'utf8')), record);
  assert.deepEqual((await readdir(out)).sort(), Object.values(record.files).sort());
  const wrong = await sctInside(['analyze', photo, '--size', 'live', '--task-classes', 'cow']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /"cow" is not known: allowed .*car/);
});
