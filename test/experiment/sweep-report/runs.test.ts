import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { emptyMetrics } from '../../../src/experiment/metrics/metrics.ts';
import { startManifest } from '../../../src/experiment/run/manifest.ts';
import { makeSweepReport } from '../../../src/experiment/sweep-report/document.ts';
import { readSources } from '../../../src/experiment/sweep-report/read-sources.ts';

const nothing = () => Promise.resolve();
const program = { packageVersion: '0.1.0', packageLockSha256: null, git: { commit: 'c'.repeat(40), dirty: true } };

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-runs-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface FakeRun {
  readonly config?: object;
  readonly seed?: number;
  readonly picture?: string;
  readonly psnrDb?: number;
  readonly metrics?: object | null;
}

async function writeRun(path: string, run: FakeRun): Promise<string> {
  await mkdir(path, { recursive: true });
  const { seed = 1, config = {}, picture, psnrDb = 30, metrics } = run;
  const runId = `RUN${path.slice(-8).replaceAll('/', '-')}`;
  const common = { runId, argv: ['sct'], startedAt: new Date(0), program, seed };
  const manifest = startManifest({ ...common, config: { codec: 'classical', snrDb: 5, ...config, seed } });
  await writeFile(join(path, 'run.json'), JSON.stringify(manifest));
  if (picture !== undefined) await writeFile(join(path, 'source.png'), picture);
  const measured = { ...emptyMetrics('classical'), psnrDb, outage: 0 };
  if (metrics !== null) await writeFile(join(path, 'metrics.json'), JSON.stringify(metrics ?? measured));
  return path;
}

test('a folder of runs, two levels deep, is one source; the same photo is known by its samples', async (t) => {
  const folder = await scratch(t);
  await writeRun(join(folder, 'runs', 'a'), { picture: 'one', seed: 1 });
  await writeRun(join(folder, 'runs', 'b'), { picture: 'one', seed: 2 });
  await writeRun(join(folder, 'runs', 'more', 'c'), { picture: 'two', seed: 2 });
  await writeRun(join(folder, 'runs', 'lost'), { metrics: null });
  await writeRun(join(folder, 'runs', 'other'), { metrics: { schema: 'sct.video/1' } });
  const { sources, observations } = await readSources([join(folder, 'runs')], nothing);
  assert.equal(sources.length, 1);
  const [{ label, kind, planned, measured, notes, programs }] = sources;
  assert.deepEqual([label, kind, planned, measured], ['runs', 'runs', 5, 3]);
  assert.deepEqual(notes, ['1 left out: did not get as far as metrics', '1 left out: metrics of another kind']);
  assert.deepEqual(programs, ['sct 0.1.0, commit cccccccccc, changed']);
  assert.equal(new Set(observations.map((o) => o.photo)).size, 2);
  assert.deepEqual(
    observations.map((o) => o.seed),
    ['1', '2', '2'],
  );
});

test('runs of a version that did not count blocks are left out of the BLER, and said to be', async (t) => {
  const folder = await scratch(t);
  const { codeBlocks: _, codeBlockErrors: __, ...before } = { ...emptyMetrics('classical'), psnrDb: 30, bler: 0.5 };
  await writeRun(join(folder, 'r', 'old'), { picture: 'one', metrics: before });
  await writeRun(join(folder, 'r', 'new'), {
    picture: 'two',
    metrics: { ...before, bler: 0.25, codeBlocks: 8, codeBlockErrors: 2 },
  });
  const request = { paths: [join(folder, 'r')], where: [], gains: [], figures: null, limits: null };
  const { sources, statistics } = await makeSweepReport(request, nothing);
  assert.deepEqual(sources[0].notes, ['1 by a version that did not count blocks: not in the BLER']);
  assert.equal(statistics[0].figures.bler.value, 0.25);
  assert.equal(statistics[0].figures.bler.n, 1);
});

test('runs that are named one by one are one source together', async (t) => {
  const folder = await scratch(t);
  const a = await writeRun(join(folder, 'a'), { picture: 'one' });
  const b = await writeRun(join(folder, 'b'), { picture: 'one', seed: 2 });
  const { sources, observations } = await readSources([b, a], nothing);
  assert.equal(sources.length, 1);
  assert.equal(observations.length, 2);
});

test('over radios each run is a draw of its own; paths and ends of a run are no settings', async (t) => {
  const folder = await scratch(t);
  const config = { tx: 'hackrf:1', rx: 'hackrf:2', truth: '/x/labels.png', minPsnrDb: 20, channel: 'trace:/x/y/walk' };
  await writeRun(join(folder, 'r', 'a'), { config, picture: 'one' });
  await writeRun(join(folder, 'r', 'b'), { config, picture: 'one' });
  const { observations } = await readSources([join(folder, 'r')], nothing);
  assert.equal(new Set(observations.map((o) => o.seed)).size, 2);
  assert.deepEqual(observations[0].settings, { channel: 'trace:walk', codec: 'classical', modelSet: null, snrDb: 5 });
});
