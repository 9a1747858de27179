import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { shippedModelsDir } from '../../src/sct/semantics/model-files.ts';
import { tinyFiles, writeManifest, writeTinySet } from '../sct/semantics/tiny-models.ts';
import { scratch, sctInside } from './helpers.ts';

const shipped = shippedModelsDir();
const skip = existsSync(join(shipped, 'models.json')) ? false : 'SKIPPED: no models in this checkout';

test('models list: sets, roles, sizes, hashes and shapes of the shipped models, within 40 MB', { skip }, async () => {
  const { code, stdout } = await sctInside(['models', 'list']);
  assert.equal(code, 0);
  for (const set of ['base', 'live'])
    assert.match(stdout, new RegExp(`^${set}, version \\d+, id [0-9a-f]{8}: \\d+ channels`, 'm'));
  assert.match(stdout, /analysis .* MB +[0-9a-f]{12} +13 +image\[1,3,H,W\] -> y\[1,384,h,w\]/);
  assert.ok(stdout.split('\n').every((line) => line.length < 260));
  const json = JSON.parse((await sctInside(['models', 'list', '--json'])).stdout);
  assert.deepEqual([json.schema, json.ok], ['sct.models/1', true]);
  const files = json.sets.flatMap((s: { files: { bytes: number; card: string; licence: string }[] }) => s.files);
  assert.ok(files.reduce((sum: number, f: { bytes: number }) => sum + f.bytes, 0) <= 40_000_000);
  for (const { card, licence } of files) {
    assert.match(readFileSync(join(shipped, card), 'utf8'), /## Limits/);
    assert.match(licence, /research and non-commercial use only.*code: MIT/);
  }
});

test('models verify: every shipped network passes', { skip }, async () => {
  const { code, stdout } = await sctInside(['models', 'verify', '--json']);
  const report = JSON.parse(stdout);
  assert.deepEqual(
    report.sets.flatMap((s: { checks: { ok: boolean }[] }) => s.checks).filter((c: { ok: boolean }) => !c.ok),
    [],
  );
  assert.deepEqual([code, report.schema, report.ok, report.failed], [0, 'sct.models-check/1', true, 0]);
  assert.equal(report.sets.length, 2);
});

test('models verify: a changed byte ends in exit 8 with file and both hashes; the other files are still looked at', {
  skip,
}, async (t) => {
  const dir = await scratch(t);
  await cp(shipped, dir, { recursive: true });
  const path = join(dir, 'live', 'saliency.onnx');
  const bytes = readFileSync(path);
  bytes[bytes.length - 1000] ^= 0x10;
  writeFileSync(path, bytes);
  const { code, stdout } = await sctInside(['models', 'verify', '--models', dir]);
  assert.equal(code, 8);
  assert.match(stdout, /^FAIL live {2}live\/saliency\.onnx: hash: .*sha256 expected [0-9a-f]{64}, found [0-9a-f]{64}/m);
  const report = JSON.parse((await sctInside(['models', 'verify', '--models', dir, '--json'])).stdout);
  const hashes = report.sets[1].checks.filter((c: { name: string }) => c.name === 'hash');
  assert.equal(hashes.filter((c: { ok: boolean }) => c.ok).length, hashes.length - 1);
  assert.equal(stdout.match(/^FAIL/gm)?.length, 1);
});

test('models verify: networks that hold together but do not do their work fail', async (t) => {
  const dir = await scratch(t);
  writeTinySet(dir);
  const { code, stdout } = await sctInside(['models', 'verify', '--models', dir]);
  assert.equal(code, 8);
  assert.match(
    stdout,
    /^FAIL tiny {2}tiny\/synthesis\.onnx: round trip: PSNR .* at least 25 \(sha256 [0-9a-f]{64}\)$/m,
  );
  assert.match(stdout, /^ok {3}tiny {2}tiny\/generator\.onnx: cells without damage/m);
});

test('models verify: faults of manifest and files are failed checks; a folder without models is a missing file', async (t) => {
  const dir = await scratch(t);
  const manifest = writeTinySet(dir, [{ role: 'analysis', bytes: Buffer.from('x') }, ...tinyFiles().slice(1)]);
  const broken = await sctInside(['models', 'verify', '--models', dir]);
  assert.equal(broken.code, 8);
  assert.match(broken.stdout, /FAIL tiny {2}tiny\/analysis\.onnx: run: .*is no ONNX file .*sha256 [0-9a-f]{64}/);
  manifest.sets[0].sha256 = '0'.repeat(64);
  writeManifest(dir, manifest);
  const wrong = await sctInside(['models', 'verify', '--models', dir, '--json']);
  assert.equal(wrong.code, 8);
  assert.match(
    JSON.parse(wrong.stdout).sets[0].checks[0].found,
    /models\.json: set tiny: its hash is not that of its files/,
  );
  assert.equal((await sctInside(['models', 'list', '--models', dir])).code, 3);
  for (const command of ['list', 'verify']) {
    const missing = await sctInside(['models', command, '--models', join(dir, 'nowhere')]);
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /cannot read .*nowhere.*models\.json/);
  }
  const word = await sctInside(['models', 'verify', 'nonsense']);
  assert.equal(word.code, 2);
  assert.match(word.stderr, /"nonsense" is no onnx:DIR/);
});
