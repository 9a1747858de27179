import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../../src/sct/quality/psnr.ts';
import { ModelError, TensorError } from '../../../src/sct/semantics/model-error.ts';
import { paddedSize, UserCodec } from '../../../src/sct/semantics/user-codec.ts';
import { verifyUserCodec } from '../../../src/sct/semantics/verify-user-codec.ts';
import { syntheticSource } from '../quality/synthetic.ts';

const vector = (name: string) => fileURLToPath(new URL(`../../vectors/user-codec/${name}`, import.meta.url));
const PAIR = vector('pair');

function copyOf(t: { after(fn: () => void): void }, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sct-user-codec-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(vector(name), folder, { recursive: true });
  return folder;
}

function edit(folder: string, change: (json: Record<string, unknown>) => void): void {
  const path = join(folder, 'codec.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(path, JSON.stringify(json));
}

test('the fixture pair passes the sanity check: power 1, rate 3/16 symbols a pixel', async () => {
  const report = await verifyUserCodec(PAIR);
  assert.equal(report.ok, true, JSON.stringify(report.checks));
  assert.ok(report.bytes < 20_000);
  const [first, , odd] = report.probes;
  assert.deepEqual([first.symbols, first.symbolsPerPixel, first.cbr], [2304, 3 / 16, 1 / 16]);
  assert.equal(odd.symbols, (76 * 52 * 3) / 16); // 75x49 padded to multiples of 4; R counts the picture's own pixels
  assert.equal(odd.symbolsPerPixel, odd.symbols / (75 * 49));
  for (const probe of report.probes) assert.ok(Math.abs(probe.meanPower - 1) < 1e-4);
});

test('encode and decode: any size, cropped back; noise costs', async (t) => {
  const codec = await UserCodec.open(PAIR);
  t.after(() => codec.close());
  for (const [width, height] of [
    [1, 1],
    [17, 3],
    [96, 64],
  ]) {
    const image = flatImage(width, height, 110, 120, 130);
    const sent = await codec.encode(image, 10);
    const back = await codec.decode(sent, 10, { widthPx: width, heightPx: height });
    assert.deepEqual([back.width, back.height], [width, height]);
  }
  const image = syntheticSource(96, 64);
  const sent = await codec.encode(image, 10);
  const shape = { widthPx: 96, heightPx: 64 };
  const lost = await codec.decode(
    sent.map((v, i) => (i % 2 ? v : -v)),
    10,
    shape,
  );
  assert.ok(psnrDb(image, await codec.decode(sent, 10, shape)) > psnrDb(image, lost) + 3);
  await assert.rejects(codec.decode(sent.subarray(2), 10, shape), ModelError);
});

test('wrong power is found and said', async () => {
  const report = await verifyUserCodec(vector('loud'));
  assert.equal(report.ok, false);
  const [power, ...rest] = report.checks;
  assert.match(power.name, /mean power/);
  assert.equal(power.ok, false);
  assert.ok(rest.every((check) => check.ok));
});

test('tampered, truncated, swapped and missing files name file and hash', async (t) => {
  const changed = copyOf(t, 'pair');
  const bytes = readFileSync(join(changed, 'encoder.onnx'));
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(join(changed, 'encoder.onnx'), bytes);
  await assert.rejects(verifyUserCodec(changed), (error: ModelError) => {
    assert.ok(error instanceof ModelError);
    return /encoder\.onnx/.test(error.message) && error.message.includes(error.fault.expectedSha256!);
  });
  const cut = copyOf(t, 'pair');
  const half = readFileSync(join(cut, 'decoder.onnx')).subarray(0, 3000);
  writeFileSync(join(cut, 'decoder.onnx'), half);
  await assert.rejects(verifyUserCodec(cut), /decoder\.onnx: is not the file/);
  edit(cut, (json) => {
    json.decoder = { file: 'decoder.onnx', sha256: createHash('sha256').update(half).digest('hex') };
  });
  await assert.rejects(verifyUserCodec(cut), /decoder\.onnx: is no network that this runtime can load/);
  const swapped = copyOf(t, 'pair');
  edit(swapped, (json) => {
    [json.encoder, json.decoder] = [json.decoder, json.encoder];
  });
  await assert.rejects(verifyUserCodec(swapped), /inputs received, snrDb, size: asked for image, snrDb\?/);
  const without = copyOf(t, 'pair');
  rmSync(join(without, 'decoder.onnx'));
  await assert.rejects(verifyUserCodec(without), /decoder\.onnx: no such file/);
  await assert.rejects(verifyUserCodec(join(without, 'nowhere')), /codec\.json: no such file/);
});

test('a wrong multipleOf shows as wrong shapes, wrong fields are named', async (t) => {
  const folder = copyOf(t, 'pair');
  edit(folder, (json) => {
    json.multipleOf = 1;
  });
  await assert.rejects(verifyUserCodec(folder), ModelError); // 75x49 is no multiple of the network's 4
  for (const [field, value] of [
    ['multipleOf', 0],
    ['multipleOf', 1000],
    ['schema', 'other'],
    ['version', 1.5],
    ['encoder', { file: '../encoder.onnx', sha256: '0'.repeat(64) }],
    ['decoder', { file: 'decoder.onnx', sha256: 'x' }],
  ] as const) {
    const bad = copyOf(t, 'pair');
    edit(bad, (json) => {
      json[field] = value;
    });
    await assert.rejects(verifyUserCodec(bad), (e: Error) => e instanceof ModelError && e.message.includes(field));
  }
  const text = copyOf(t, 'pair');
  writeFileSync(join(text, 'codec.json'), '{');
  await assert.rejects(verifyUserCodec(text), /is no JSON/);
});

test('an encoder of another shape is refused', async (t) => {
  const folder = copyOf(t, 'pair');
  const loud = copyOf(t, 'loud');
  const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  cpSync(join(loud, 'encoder.onnx'), join(folder, 'other.onnx'));
  edit(folder, (json) => {
    json.encoder = { file: 'other.onnx', sha256: hash(join(folder, 'other.onnx')) };
  });
  // its 3 H W / 2 symbols do not fit the decoder's 3 H W / 16
  await assert.rejects(
    verifyUserCodec(folder),
    (e: Error) => e instanceof ModelError && /has shape \[8,3,96,128\], expected/.test(e.message),
  );
  assert.ok(TensorError.prototype instanceof ModelError);
  assert.deepEqual(paddedSize({ widthPx: 17, heightPx: 32 }, 16), { widthPx: 32, heightPx: 32 });
});
