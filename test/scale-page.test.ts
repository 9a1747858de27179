import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { costsOf, limits, scaled } from '../bench/scale/model.ts';

const root = join(import.meta.dirname, '..');
const read = async (name: string) => JSON.parse(await readFile(join(root, 'bench/results', name), 'utf8'));

test('docs/scale.md says what the files in bench/results say', async () => {
  const args = ['--import', 'tsx', 'bench/scale-page.ts', '--check'];
  const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
  assert.equal(stderr, '');
});

test('at the radios where something is used up it is used up', async () => {
  const costs = costsOf(await read('sweep-nats.json'), await read('scale.json'));
  const found = limits(costs);
  const at = (what: RegExp) => found.find((limit) => what.test(limit.what))!.radios;
  const near = (value: number, due: number) => assert.ok(Math.abs(value / due - 1) < 1e-9, `${value}, not ${due}`);
  near(scaled(at(/samples of every receiver/), costs).rawOfStore, 1);
  near(scaled(at(/a disk of/), costs).runsTBADay, 20);
  near(scaled(at(/a dashboard of every radio/), costs).telemetryMBPerS, 125);
  near(scaled(at(/one core of the sweep/), costs).sweep.coordinatorCores, 1);
  near(scaled(at(/server, with points/), costs).sweep.serverCores, 1);
  near(scaled(at(/server, with ways back/), costs).feedback.cores, 1);
  near(scaled(at(/places that can wait/), costs).sweep.places, 8192);
  assert.deepEqual(
    found.map(({ radios }) => radios),
    found.map(({ radios }) => radios).sort((a, b) => a - b),
  );
});
