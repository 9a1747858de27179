import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { Lpips, parseLpipsName } from '../../../src/sct/quality/lpips.ts';
import { measureQuality } from '../../../src/sct/quality/report.ts';
import { ModelError, TensorError } from '../../../src/sct/semantics/model-error.ts';
import { distort, syntheticSource } from './synthetic.ts';

const vector = (name: string) => fileURLToPath(new URL(`../../vectors/quality/${name}`, import.meta.url));
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const TOY = vector('lpips-toy.onnx'); // mean |a - b|

test('a user network gets -1..1 planes and gives one number', async () => {
  const lpips = await Lpips.open(TOY, sha256(TOY).toUpperCase());
  const a = syntheticSource(48, 33);
  const b = distort(a, 'noise60');
  const expected = a.data.reduce((s, v, i) => s + Math.abs(v - b.data[i]), 0) / 127.5 / a.data.length;
  assert.ok(Math.abs((await lpips.measure(a, b))! - expected) < 1e-5);
  assert.equal(await lpips.measure(a, a), 0);
  assert.equal(await lpips.measure(flatImage(31, 40), flatImage(31, 40)), null);
  await assert.rejects(lpips.measure(a, flatImage(33, 48)), /differ in size/);
  await lpips.close();
  assert.equal(measureQuality({ reference: a, received: b, lpips: 0.25 }).lpips, 0.25);
  assert.equal(measureQuality({ reference: a, received: b }).lpips, null);
});

test('NaN is an error that names file, hash and tensor, never a figure', async () => {
  const path = vector('lpips-toy-nan.onnx');
  const lpips = await Lpips.open(path, sha256(path));
  const a = syntheticSource(40, 40);
  await assert.rejects(lpips.measure(a, a), (error: TensorError) => {
    assert.ok(error instanceof TensorError && error.tensor === 'distance');
    return error.message.includes(sha256(path)) && /NaN/.test(error.message);
  });
});

test('wrong hash, truncated file, other network, no file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sct-lpips-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await assert.rejects(Lpips.open(TOY, '0'.repeat(64)), (e: ModelError) => {
    return e instanceof ModelError && e.message.includes(sha256(TOY)) && e.message.includes('0'.repeat(64));
  });
  const cut = join(folder, 'cut.onnx');
  writeFileSync(cut, readFileSync(TOY).subarray(0, 100));
  await assert.rejects(Lpips.open(cut, sha256(cut)), /no network that this runtime can load/);
  const other = join(folder, 'other.onnx');
  const renamed = Buffer.from(readFileSync(TOY).toString('latin1').replaceAll('\x01a', '\x01c'), 'latin1');
  writeFileSync(other, renamed);
  await assert.rejects(Lpips.open(other, sha256(other)), /inputs c, b: asked for a, b/);
  copyFileSync(TOY, join(folder, 'copy.onnx'));
  await (await Lpips.open(join(folder, 'copy.onnx'), sha256(TOY))).close();
  await assert.rejects(Lpips.open(join(folder, 'none.onnx'), sha256(TOY)), /no such file/);
  await assert.rejects(Lpips.open(folder, sha256(TOY)), /is not a regular file/);
});

test('FILE:SHA256 on the command line', () => {
  const hash = 'AB'.repeat(32);
  assert.deepEqual(parseLpipsName(`C:/x/l.onnx:${hash}`), { path: 'C:/x/l.onnx', sha256: hash.toLowerCase() });
  for (const text of ['l.onnx', 'l.onnx:abc', `:${hash}`, '']) assert.throws(() => parseLpipsName(text), /FILE:SHA256/);
});
