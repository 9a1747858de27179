import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { shippedModelsDir } from '../../../src/sct/semantics/model-files.ts';

const python = ['/usr/bin/python3', 'python3'].find(
  (path) => spawnSync(path, ['-c', 'import numpy, onnx']).status === 0,
);

test('training/lay_out.py makes the 8-bit files that ship', {
  skip: python ? false : 'SKIPPED: no python3 with numpy and onnx on this machine, the 8-bit files were not made again',
}, (t) => {
  const models = join(shippedModelsDir(), 'live');
  const training = join(shippedModelsDir(), '..', 'training');
  const out = mkdtempSync(join(tmpdir(), 'sct-int8-'));
  t.after(() => rmSync(out, { recursive: true }));
  for (const role of ['analysis', 'synthesis', 'saliency', 'symbol-encoder', 'symbol-decoder', 'corrector']) {
    const made = join(out, `${role}.onnx`);
    const from = join(models, `${role}.onnx`);
    const in8Bits = role === 'analysis' || role === 'synthesis';
    const words = in8Bits ? [role, from, join(training, 'configs', 'live-int8.json'), made] : ['floats', from, made];
    const run = spawnSync(python!, ['-B', join(training, 'lay_out.py'), ...words], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.ok(readFileSync(made).equals(readFileSync(join(models, 'int8', `${role}.onnx`))), `${role} differs`);
  }
});
