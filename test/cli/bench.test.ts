import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch, sctInside } from './helpers.ts';

test('sct bench: one JSON object with what was asked for, the same in the folder; a peer that was not named is left out', async (t) => {
  const folder = await scratch(t);
  const before = process.env.SRSRAN_4G;
  t.after(() => {
    if (before === undefined) delete process.env.SRSRAN_4G;
    else process.env.SRSRAN_4G = before;
  });
  delete process.env.SRSRAN_4G;
  const ended = await sctInside(['bench', '--only', 'ldpc', '--json', '-o', folder]);
  assert.equal(ended.code, 0);
  const report = JSON.parse(ended.stdout);
  assert.equal(report.schema, 'sct.bench.speed/1');
  assert.equal(report.ok, true);
  assert.equal(report.command, 'sct bench --only ldpc --json -o OUT');
  assert.equal(report.ldpc.rows.length, 2);
  assert.match(report.ldpc.srsran.missing, /not asked for/);
  for (const part of ['modem', 'rbs', 'mcs', 'idle', 'fft', 'images']) assert.equal(report[part], null, part);
  const { ok, ...written } = report;
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'speed.json'), 'utf8')), written);
  assert.equal(ok, true);
});

test('sct bench: srsRAN_4G that is named and not there is exit 3 before anything is measured', async (t) => {
  const ended = await sctInside(['bench', '--srsran', '/nonexistent', '--only', 'ldpc', '--json']);
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /\/nonexistent is no source tree of srsRAN_4G/);
  assert.match(String(ended.hint), /SRSRAN_4G/);
  const empty = await scratch(t);
  await mkdir(join(empty, 'lib/src/phy/fec/ldpc'), { recursive: true });
  await writeFile(join(empty, 'lib/src/phy/fec/ldpc/base_graph.c'), 'int nothing;\n');
  const broken = await sctInside(['bench', '--srsran', empty, '--only', 'ldpc', '--json']);
  assert.equal(broken.code, 3);
  const report = JSON.parse(broken.stdout);
  assert.equal(report.ok, false);
  assert.match(report.ldpc.srsran.missing, /does not compile|no C compiler/);
});

test('sct bench --help lists speed as well as the checks, and each has its own help', async () => {
  const { stdout } = await sctInside(['bench', '--help']);
  for (const name of ['speed', 'ldpc', 'modem', 'models', 'semantics'])
    assert.match(stdout, new RegExp(`\\n  ${name} `));
  assert.match((await sctInside(['bench', 'speed', '--help'])).stdout, /--srsran <dir>/);
});
