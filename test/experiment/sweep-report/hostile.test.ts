// What a folder can hold that is no sweep and no run, or one that someone else made: an error of the contract, or a report without harm.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scratch, sctInside } from '../../cli/helpers.ts';
import { assertWellFormed, asXml } from '../report/xml.ts';
import { fakePoints, writeSweep } from './sweep-folder.ts';

const POINTS = fakePoints();

async function sweepWith(t: TestContext, change: (folder: string) => unknown): Promise<string> {
  const folder = await writeSweep(join(await scratch(t), 'night'), POINTS);
  await change(folder);
  return folder;
}

const replaced = (name: string, pattern: RegExp, by: string) => async (folder: string) => {
  const path = join(folder, name);
  await writeFile(path, (await readFile(path, 'utf8')).replace(pattern, by));
};

const CASES: readonly [name: string, change: (folder: string) => unknown, says: RegExp][] = [
  ['a pipe as results', (f) => pipeAt(join(f, 'results.jsonl')), /results\.jsonl: is not a file/],
  ['a pipe as plan', (f) => pipeAt(join(f, 'sweep.json')), /neither a sweep nor a run/],
  ['a folder as results', (f) => folderAt(join(f, 'results.jsonl')), /results\.jsonl: is not a file/],
  ['no points', (f) => rm(join(f, 'points.jsonl')), /points\.jsonl: not the points of sweep\.json/],
  ['a point too few', replaced('points.jsonl', /^.*\n/, ''), /points\.jsonl: not the points of sweep\.json/],
  ['no results', (f) => rm(join(f, 'results.jsonl')), /nothing was measured: sweep night: 0 of 144 points/],
  ['NaN', replaced('results.jsonl', /"psnrDb":[0-9.]+/, '"psnrDb":NaN'), /results\.jsonl:1: .*not JSON/],
  ['infinity', replaced('results.jsonl', /"psnrDb":[0-9.]+/, '"psnrDb":1e999'), /results\.jsonl:1: .*psnrDb/],
  ['a line of something else', replaced('results.jsonl', /\n/, '\ngarbage\n'), /results\.jsonl:2: /],
  ['brackets', (f) => writeFile(join(f, 'results.jsonl'), `${'['.repeat(1e5)}\n`), /nested/],
  ['a plan of another kind', replaced('sweep.json', /sct\.sweep-plan\/1/, 'other/1'), /neither a sweep nor a run/],
  ['a state of no sweep', replaced('sweep.json', /"done"/, '"<b>"'), /state/],
  ['one endless line, packed', (f) => packed(f, Buffer.alloc(2 ** 26)), /bytes in one line/],
  ['no gzip', (f) => rename(join(f, 'results.jsonl'), join(f, 'results.jsonl.gz')), /Z_DATA_ERROR/],
  ['gzip cut off', cutGzip, /Z_BUF_ERROR/],
];

function pipeAt(path: string) {
  execFileSync('rm', ['-f', path]);
  execFileSync('mkfifo', [path]);
}

async function folderAt(path: string) {
  await rm(path);
  await mkdir(path);
}

async function packed(folder: string, bytes: Buffer) {
  await rm(join(folder, 'results.jsonl'));
  await writeFile(join(folder, 'results.jsonl.gz'), gzipSync(bytes));
}

async function cutGzip(folder: string) {
  await packed(folder, await readFile(join(folder, 'results.jsonl')));
  await truncate(join(folder, 'results.jsonl.gz'), 1000);
}

for (const [name, change, says] of CASES) {
  test(`refused with exit code 2: ${name}`, { timeout: 60_000 }, async (t) => {
    const { code, stderr, hint } = await sctInside(['report', await sweepWith(t, change)]);
    assert.match(`${stderr} ${hint ?? ''}`, says);
    assert.equal(code, 2);
  });
}

test('a packed sweep gives the bytes of the plain one', async (t) => {
  const folder = await scratch(t);
  const plain = await writeSweep(join(folder, 'a', 'night'), POINTS);
  const zipped = join(folder, 'b', 'night');
  await cp(plain, zipped, { recursive: true });
  for (const name of ['points.jsonl', 'results.jsonl']) {
    await writeFile(join(zipped, `${name}.gz`), gzipSync(await readFile(join(zipped, name))));
    await rm(join(zipped, name));
  }
  const out = join(folder, 'out');
  assert.equal((await sctInside(['report', plain, '-o', out])).code, 0);
  const again = await sctInside(['report', zipped, '-o', out, '--check']);
  assert.equal(again.code, 0, again.stdout);
});

test('links: followed to sweeps and runs, and one that leads back ends', async (t) => {
  const folder = await scratch(t);
  const sweep = await writeSweep(join(folder, 'night'), POINTS);
  await symlink(sweep, join(folder, 'link'));
  assert.equal((await sctInside(['report', join(folder, 'link')])).code, 0);
  await symlink(join(folder, 'round'), join(folder, 'round'));
  assert.equal((await sctInside(['report', join(folder, 'round')])).code, 2);
  const back = join(folder, 'back');
  await mkdir(back);
  await symlink(back, join(back, 'again'));
  assert.equal((await sctInside(['report', back])).code, 2);
});

test('one picture, and measures that are null: said without an interval, drawn without harm', async (t) => {
  const folder = await scratch(t);
  const one = await writeSweep(join(folder, 'one'), POINTS, POINTS.slice(0, 1), { manifest: { state: 'interrupted' } });
  const text = await sctInside(['report', one]);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /1 of 144 points; 143 points not measured, sweep interrupted/);
  assert.doesNotMatch(text.stdout, /NaN|Infinity|undefined|null/);
  const out = join(folder, 'out');
  assert.equal((await sctInside(['report', one, '-o', out, '--figure', 'psnr-snr,outage-snr,sfv-lost-snr'])).code, 0);
  for (const name of await readdir(out)) {
    const file = await readFile(join(out, name), 'utf8');
    assert.doesNotMatch(file, /NaN|Infinity|undefined/, name);
    if (name.endsWith('.svg')) assertWellFormed(file);
  }
  const nothing = POINTS.map((p) => {
    const metrics = Object.fromEntries(
      Object.entries(p.result.metrics as object).map(([key, v]) => [key, typeof v === 'number' ? null : v]),
    );
    return { ...p, result: { ...p.result, metrics: { ...metrics, sfvs: [] } } };
  });
  const silent = await sctInside([
    'report',
    await writeSweep(join(folder, 'silent'), nothing),
    '-o',
    join(folder, 'x'),
  ]);
  assert.equal(silent.code, 0, silent.stderr);
});

test('names with markup and formulas: text in pages, harmless in tables', async (t) => {
  const folder = await scratch(t);
  const evil = ['=cmd|calc', '<img src=x onerror=alert(1)>&"', '@sum(1)', '-2+3'];
  const paths = await Promise.all(evil.map((name) => writeSweep(join(folder, name), POINTS)));
  const out = join(folder, 'out');
  assert.equal((await sctInside(['report', ...paths, '-o', out])).code, 0);
  for (const name of await readdir(out)) {
    const file = await readFile(join(out, name), 'utf8');
    if (name.endsWith('.svg')) assertWellFormed(file);
    if (name.endsWith('.html')) assertWellFormed(asXml(file));
    if (/\.(svg|html)$/.test(name)) assert.doesNotMatch(file, /<img|<script/);
    if (name.endsWith('.csv')) {
      for (const cell of file.split(/[,\n]/))
        assert.doesNotMatch(cell, /^"?[=@]|^"?[+-](?!\d)|^-2\+3/, `${name}: ${cell}`);
    }
  }
});
