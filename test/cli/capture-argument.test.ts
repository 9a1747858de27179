import assert from 'node:assert/strict';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch, sctInside } from './helpers.ts';

const SHIPPED = join(import.meta.dirname, '../../captures/emulated-clean/emulated-clean');

test('sct capture takes a recording by base name, by either file, by an archive name, and the only one of a folder', async (t) => {
  const folder = await scratch(t);
  const one = join(folder, 'one');
  await mkdir(one);
  for (const end of ['-meta', '-data']) {
    await cp(`${SHIPPED}.sigmf${end}`, join(one, `x.sigmf${end}`));
    await cp(`${SHIPPED}.sigmf${end}`, join(folder, `a.sigmf${end}`));
    await cp(`${SHIPPED}.sigmf${end}`, join(folder, `b.sigmf${end}`));
  }
  for (const [i, name] of ['x', 'x.sigmf-meta', 'x.sigmf-data', 'x.sigmf', ''].entries()) {
    const info = await sctInside(['capture', 'info', join(one, name), '--json']);
    assert.equal(info.code, 0, info.stderr);
    assert.equal(JSON.parse(info.stdout).rateHz, 8e6);
    const validated = await sctInside(['capture', 'validate', join(one, name)]);
    assert.equal(validated.code, 0, validated.stderr);
    const part = join(folder, `part${i}`);
    const cut = await sctInside(['capture', 'cut', join(one, name), '--to', '1ms', '-o', part]);
    assert.equal(cut.code, 0, cut.stderr);
  }
  const several = await sctInside(['capture', 'info', folder]);
  assert.equal(several.code, 2);
  assert.match(several.stderr, /is a folder with [0-9]+ recordings in it/);
  assert.match(String(several.hint), /name one: .*a, .*b/);
  await mkdir(join(folder, 'none'));
  const none = await sctInside([
    'capture',
    'annotate',
    join(folder, 'none'),
    '--start',
    '0',
    '--end',
    '1ms',
    '--label',
    'x',
  ]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /with no recording in it/);
  assert.match(
    (await sctInside(['capture', 'info', '--help'])).stdout.replace(/\s+/g, ' '),
    /with or without \.sigmf-meta or \.sigmf-data/,
  );
});
