// A recording without a run, replayed from the page: the metrics of the command line; a part of it exported; once more with another estimator.
import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { sct } from '../cli/helpers.ts';
import { figures, opened } from './replaying.ts';

test('a recording is replayed, cut and replayed otherwise from the page', async (t) => {
  const { cwd, json, ask, of, ends, ended, replayed, replay } = await opened(t);
  await mkdir(join(cwd, 'captures'), { recursive: true });
  for (const end of ['meta', 'data']) {
    await copyFile(join(cwd, 'runs', 'first', `rx.sigmf-${end}`), join(cwd, 'captures', `air.sigmf-${end}`));
  }
  assert.equal((await sct(['replay', join('captures', 'air'), '-o', 'cli-air'], cwd)).code, 0);
  const plain = await replayed({ command: 'replay', source: 'captures/air' }, () => replay('speed', 100));
  assert.deepEqual(figures(plain.run.metrics), figures(await json('cli-air', 'metrics.json')));
  const lengthS = Number(of('replay')[0].lengthS);

  // The replay has ended; what it played can still be cut.
  const made = await ask({ do: 'export', value: [0, lengthS / 2] });
  assert.equal(made.ok, true, JSON.stringify(made));
  const { name, samples } = made.result as { name: string; samples: number };
  const { global } = await json('captures', `${name}.sigmf-meta`);
  assert.equal(samples, Math.round((lengthS / 2) * (global as { 'core:sample_rate': number })['core:sample_rate']));
  const outside = await ask({ do: 'export', value: [0, 2 * lengthS] });
  assert.match((outside.error as { message: string }).message, /--to .* is out of range/);

  const before = ends().length;
  assert.equal((await ask({ do: 'again', options: { estimator: 'ls' } })).ok, true);
  await replay('speed', 0);
  const { run } = await ended(before);
  assert.match(String(run.commandLine), /--estimator=ls/);
  assert.equal(
    ((await json('runs', String(run.directory), 'run.json')) as { config: { estimator: string } }).config.estimator,
    'ls',
  );
});
