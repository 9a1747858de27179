import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PUBLISHED } from '../bench/results-sweeps/published.ts';
import { mean, sampleSd } from '../src/experiment/metrics/stats.ts';
import { compareMetrics } from '../src/experiment/run/compare-metrics.ts';
import type { PointResult } from '../src/experiment/sweep/point.ts';
import { visitSweep } from '../src/experiment/sweep/visit-sweep.ts';
import { readSources } from '../src/experiment/sweep-report/read-sources.ts';
import { sctInside } from './cli/helpers.ts';

const root = join(import.meta.dirname, '..');
const RESULTS = join(root, 'docs/results');

function regenerate(...words: string[]) {
  const args = ['--import', 'tsx', 'bench/results-sweeps.ts', ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}` };
}

test('docs/results is what the published sweeps say, byte for byte, and nothing else lies there', () => {
  const { status, text } = regenerate('--check');
  assert.equal(status, 0, text);
});

test('a changed byte, a missing file, a stranger: found', async (t) => {
  const copy = await mkdtemp(join(tmpdir(), 'sct-results-'));
  t.after(() => rm(copy, { recursive: true, force: true }));
  await cp(RESULTS, copy, { recursive: true });
  const csv = join(copy, 'rate/groups.csv');
  await writeFile(csv, (await readFile(csv, 'utf8')).replace('0', '1'));
  await rm(join(copy, 'mapping/report.json'));
  await writeFile(join(copy, 'quality/of-last-year.svg'), '<svg/>');
  await writeFile(join(copy, 'README.md'), '');
  const { status, text } = regenerate('--check', '--results', copy);
  assert.equal(status, 8, text);
  const found = Array.from(text.matchAll(/^differs: (.*)$/gm), ([, name]) => name).sort();
  assert.deepEqual(found, ['README.md', 'mapping/report.json', 'quality/of-last-year.svg', 'rate/groups.csv']);
  assert.equal(regenerate('--results', copy).status, 0);
  assert.equal(regenerate('--check', '--results', copy).status, 0);
});

test('the command that the index gives writes those bytes', async () => {
  const index = await readFile(join(RESULTS, 'README.md'), 'utf8');
  const commands = Array.from(index.matchAll(/^ {4}sct (report .*)$/gm), ([, words]) => words.split(' '));
  assert.equal(commands.length, PUBLISHED.length);
  for (const words of commands) {
    const here = words.map((word) => (/^(bench|docs)\//.test(word) ? join(root, word) : word));
    const { code, stdout, stderr } = await sctInside([...here, '--check']);
    assert.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`);
  }
});

test('links and pictures of the index lead somewhere', async () => {
  const index = await readFile(join(RESULTS, 'README.md'), 'utf8');
  const links = Array.from(index.matchAll(/\]\(([^)#\s]+)[^)]*\)/g), ([, to]) => to).filter((to) => to !== '');
  assert.ok(links.length > 20);
  for (const to of links) assert.ok(existsSync(join(RESULTS, to)), to);
  const headings = Array.from(index.matchAll(/^## (.+)$/gm), ([, h]) => h.toLowerCase().replaceAll(' ', '-'));
  for (const [, to] of index.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(headings.includes(to), to);
});

test('on AWGN seeds do little to all photos alike (ADR 0035)', async () => {
  const { observations } = await readSources([join(root, 'bench/sweeps/quality')], () => Promise.resolve());
  const flat = observations.filter((o) => o.flat);
  assert.equal(flat.length, 288);
  const groups = new Map<string, typeof flat>();
  for (const o of flat) {
    const key = JSON.stringify(o.settings);
    groups.set(key, [...(groups.get(key) ?? []), o]);
  }
  assert.equal(groups.size, 12);
  for (const [settings, group] of groups) {
    const of = (seed: string) => group.filter((o) => o.seed === seed).map((o) => o.figures.psnrDb!);
    assert.ok(Math.abs(mean(of('1')) - mean(of('2'))) <= 0.3, settings);
    assert.ok(sampleSd(of('1')) >= 1.5, settings);
  }
});

test('a point that two published sweeps have in common came out the same in both', async () => {
  const known = new Map<string, { sweep: string; result: PointResult }>();
  let shared = 0;
  for (const { name } of (await readdir(join(root, 'bench/sweeps'), { withFileTypes: true })).filter((e) =>
    e.isDirectory(),
  )) {
    const folder = join(root, 'bench/sweeps', name);
    // One that is being measured has its file alone.
    if (!existsSync(join(folder, 'sweep.json'))) continue;
    await visitSweep(folder, {
      result: (result) => {
        const before = known.get(result.id);
        known.set(result.id, { sweep: name, result });
        if (!before) return;
        shared++;
        const where = `${result.id} of ${before.sweep} and ${name}`;
        assert.deepEqual(compareMetrics(before.result.metrics, result.metrics), [], where);
      },
    });
  }
  // One photo with four seeds at four SNRs is in both quality and mapping, two seeds of five photos in both quality and rate.
  assert.ok(shared >= 16, `${shared} points`);
});
