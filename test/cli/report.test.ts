import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { assertWellFormed } from '../experiment/report/xml.ts';
import { fakePoints, writeSweep } from '../experiment/sweep-report/sweep-folder.ts';
import { scratch, sctInside } from './helpers.ts';

test('report: text, JSON, files, and --check of every byte', async (t) => {
  const folder = await scratch(t);
  const sweep = await writeSweep(join(folder, 'night'), fakePoints());
  const text = await sctInside(['report', sweep]);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /144 of 144 points/);
  assert.match(text.stdout, /matched − uniform/);
  const { stdout } = await sctInside(['report', sweep, '--json']);
  const json = JSON.parse(stdout);
  assert.deepEqual([json.schema, json.ok, json.groups.length], ['sct.report/1', true, 12]);

  const out = join(folder, 'out');
  assert.equal((await sctInside(['report', sweep, '-o', out])).code, 0);
  const names = await readdir(out);
  for (const name of ['report.json', 'report.html', 'groups.csv', 'gains.csv', 'psnr-snr.svg']) {
    assert.ok(names.includes(name), name);
  }
  assert.equal((await sctInside(['report', sweep, '-o', out, '--check'])).code, 0);
  await writeFile(join(out, 'gains.csv'), 'other');
  const differs = await sctInside(['report', sweep, '-o', out, '--check', '--json']);
  assert.equal(differs.code, 8);
  assert.deepEqual(JSON.parse(differs.stdout).differing, ['gains.csv']);
  assert.equal(await readFile(join(out, 'gains.csv'), 'utf8'), 'other');
});

test('report --figure: one plot goes to stdout, several need a folder', async (t) => {
  const sweep = await writeSweep(join(await scratch(t), 'night'), fakePoints());
  const one = await sctInside(['report', sweep, '--figure', 'psnr-snr', '--where', 'codec=integrated']);
  assert.equal(one.code, 0, one.stderr);
  assertWellFormed(one.stdout.trim());
  const two = await sctInside(['report', sweep, '--figure', 'psnr-snr,outage-snr']);
  assert.equal(two.code, 2);
  assert.match(`${two.stderr} ${two.hint}`, /2 figures.*-o DIR/);
  const event = await sctInside([
    'report',
    sweep,
    '--figure',
    'event-joint-snr',
    '--ds',
    '0.45',
    '--dx',
    '0.002',
    '--json',
  ]);
  assert.equal(event.code, 0, event.stderr);
  assert.equal(JSON.parse(event.stdout).figures[0].name, 'event-joint-snr');
});

test('report refuses what it cannot use, with words', async (t) => {
  const folder = await scratch(t);
  const sweep = await writeSweep(join(folder, 'night'), fakePoints());
  for (const [args, pattern] of [
    [[join(folder, 'none')], /no such directory/],
    [[sweep, '--check'], /--check needs -o/],
    [[sweep, '--where', 'codec'], /not KEY=VALUE/],
    [[sweep, '--figure', 'nothing-snr'], /nothing here makes/],
    [[sweep, '--dx', '-1'], /Dx/],
    [[sweep, '--ds', 'inf'], /both inf/],
    [[sweep, '-o', ''], /-o "" is no folder/],
    [[sweep, '-o', join(folder, 'x/../night')], /night is what is reported on/],
    [[folder], /neither a sweep nor a run.*it holds sweeps/],
  ] as const) {
    const { code, stderr, hint } = await sctInside(['report', ...args]);
    assert.equal(code, 2, `${args.slice(1).join(' ')}: ${stderr}`);
    assert.match(`${stderr} ${hint ?? ''}`, pattern);
  }
});
