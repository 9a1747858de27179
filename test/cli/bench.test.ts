import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch, sctInside } from './helpers.ts';

test('sct bench: one JSON object with what was asked for, the same in the folder; a peer that is not there is said', async (t) => {
  const folder = await scratch(t);
  const before = process.env.SRSRAN_4G;
  t.after(() => {
    if (before === undefined) delete process.env.SRSRAN_4G;
    else process.env.SRSRAN_4G = before;
  });
  process.env.SRSRAN_4G = '/nonexistent';
  const ended = await sctInside(['bench', '--only', 'ldpc', '--json', '-o', folder]);
  assert.equal(ended.code, 0);
  const report = JSON.parse(ended.stdout);
  assert.equal(report.schema, 'sct.bench.speed/1');
  assert.equal(report.ok, true);
  assert.equal(report.command, 'sct bench --only ldpc --json -o OUT');
  assert.equal(report.ldpc.rows.length, 2);
  assert.match(report.ldpc.srsran.missing, /no source tree of srsRAN_4G/);
  for (const part of ['modem', 'rbs', 'mcs', 'idle', 'fft', 'images']) assert.equal(report[part], null, part);
  const { ok, ...written } = report;
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'speed.json'), 'utf8')), written);
  assert.equal(ok, true);
});

test('sct bench --help lists speed as well as the checks, and each has its own help', async () => {
  const { stdout } = await sctInside(['bench', '--help']);
  for (const name of ['speed', 'ldpc', 'modem', 'models', 'semantics'])
    assert.match(stdout, new RegExp(`\\n  ${name} `));
  assert.match((await sctInside(['bench', 'speed', '--help'])).stdout, /--srsran <dir>/);
});
