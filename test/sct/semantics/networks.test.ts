import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { type FeatureMap, flatPlane, gridOf } from '../../../src/sct/semantics/feature-map.ts';
import { ModelError, TensorError } from '../../../src/sct/semantics/model-error.ts';
import { loadModels } from '../../../src/sct/semantics/models.ts';
import { readOnnx } from '../../../src/sct/semantics/onnx-reader.ts';
import { imageFromTensor, MAX_NETWORK_PIXELS } from '../../../src/sct/semantics/picture-tensor.ts';
import type { SemanticModels } from '../../../src/sct/semantics/semantic-models.ts';
import { firstNonFinite } from '../../../src/sct/semantics/session.ts';
import { type ModelSpec, onnxModel } from './onnx-writer.ts';
import { TINY_CHANNELS, tinyFiles, tinyNetwork, tinyWeight, writeTinySet } from './tiny-models.ts';

async function tiny(t: { after(fn: () => Promise<void>): void }, change = {}): Promise<SemanticModels> {
  const dir = mkdtempSync(join(tmpdir(), 'sct-models-'));
  writeTinySet(dir, tinyFiles(change));
  const models = await loadModels({ dir, threads: 1 });
  t.after(async () => {
    await models.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return models;
}

/** A picture without any symmetry. */
function picture(width: number, height: number) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + (i >> 5) * 11) & 255);
  return rgbImage(width, height, data);
}

function features(widthPx: number, heightPx: number): FeatureMap {
  const grid = gridOf({ widthPx, heightPx });
  const length = TINY_CHANNELS * grid.rows * grid.columns;
  const data = Float32Array.from({ length }, (_, i) => Math.sin(i + 1));
  return { ...grid, channels: TINY_CHANNELS, widthPx, heightPx, data };
}

test('analysis: padding repeats the edge; layout is [channel][row][column]', async (t) => {
  const models = await tiny(t);
  for (const [width, height] of [
    [16, 16],
    [17, 3],
    [1, 1],
    [40, 35],
  ]) {
    const image = picture(width, height);
    const y = await models.analyse(image);
    assert.deepEqual([y.rows, y.columns, y.channels], [Math.ceil(height / 16), Math.ceil(width / 16), TINY_CHANNELS]);
    assert.deepEqual([y.widthPx, y.heightPx], [width, height]);
    for (let c = 0; c < TINY_CHANNELS; c++)
      for (let row = 0; row < y.rows; row++)
        for (let column = 0; column < y.columns; column++) {
          let sum = 0;
          for (let rgb = 0; rgb < 3; rgb++)
            for (let dy = 0; dy < 16; dy++)
              for (let dx = 0; dx < 16; dx++) {
                const at = Math.min(height - 1, row * 16 + dy) * width + Math.min(width - 1, column * 16 + dx);
                const weight = Math.fround(tinyWeight(((c * 3 + rgb) * 16 + dy) * 16 + dx, 1));
                sum += (weight * image.data[at * 3 + rgb]) / 255;
              }
          const got = y.data[(c * y.rows + row) * y.columns + column];
          assert.ok(Math.abs(got - sum) < 1e-5, `${width}x${height} ${c} ${row} ${column}: ${got} ${sum}`);
        }
  }
});

test('synthesis: the picture is cut to size, clamped and rounded half to even', async (t) => {
  const models = await tiny(t);
  const y = features(37, 20);
  const image = await models.synthesise(y, flatPlane(y, -2));
  assert.deepEqual([image.width, image.height], [37, 20]);
  for (const [x, row, rgb] of [
    [0, 0, 0],
    [36, 19, 2],
    [17, 15, 1],
  ]) {
    let sum = 0;
    for (let c = 0; c < TINY_CHANNELS; c++) {
      const at = ((c * 3 + rgb) * 16 + (row % 16)) * 16 + (x % 16);
      sum += y.data[(c * y.rows + (row >> 4)) * y.columns + (x >> 4)] * Math.fround(tinyWeight(at, 2));
    }
    assert.equal(image.data[(row * 37 + x) * 3 + rgb], Math.round(Math.min(1, Math.max(0, sum)) * 255));
  }
  const values = new Float32Array(3 * 256);
  values.set([0.5 / 255, 1.5 / 255, 2.5 / 255, -3, 7, 1, 254.6 / 255, 0.2 / 255]);
  const rounded = imageFromTensor(values, { widthPx: 16, heightPx: 16 });
  assert.deepEqual(
    Array.from({ length: 8 }, (_, i) => rounded.data[3 * i]),
    [0, 2, 2, 0, 255, 255, 255, 0],
  );
});

test('corrector and generator: cells without damage come back bit by bit; a reference needs its plane', async (t) => {
  const models = await tiny(t);
  const yHat = features(50, 30);
  const { rows, columns } = yHat;
  const damage = flatPlane(yHat, 0);
  damage.data[3] = 1;
  const labelMap = { rows, columns, data: new Uint8Array(rows * columns).fill(42) };
  const reference = { ...yHat, data: yHat.data.map((v) => v + 1) };
  const same = { yHat, quality: flatPlane(yHat, -2), strength: flatPlane(yHat, 1), classMap: labelMap, labelMap };
  const input = { ...same, classMap: { rows, columns, data: new Uint8Array(rows * columns).fill(15) }, damage };
  const out = await models.correct({ ...input, reference, hasReference: flatPlane(yHat, 1) });
  yHat.data.forEach((v, i) => {
    assert.equal(out.yHat.data[i], i % (rows * columns) === 3 ? reference.data[i] : v);
  });
  assert.equal((await models.correct(input)).yHat.data[3], 0, 'no reference is zeros');
  await assert.rejects(models.correct({ ...input, reference }), /needs the plane/);
  await assert.rejects(models.correct({ ...input, classMap: labelMap }), /42 in a map of numbers 0 to 15/);
  const noise = new Float32Array(16 * rows * columns);
  const made = await models.generate({ yHat, missing: damage, labelMap, noise });
  assert.equal(made.data[3], 0);
  assert.equal(made.data[4], yHat.data[4]);
});

test('features for the heads: made by the network of that name, or as they came where the set has none', async (t) => {
  const yHat = features(50, 30);
  const quality = flatPlane(yHat, -2);
  const old = await tiny(t);
  assert.equal(await old.forHeads(yHat, quality), yHat);
  const dir = mkdtempSync(join(tmpdir(), 'sct-models-'));
  writeTinySet(dir, [{ role: 'features', bytes: onnxModel(tinyNetwork('features')) }, ...tinyFiles()]);
  const models = await loadModels({ dir, threads: 1 });
  const made = await models.forHeads(yHat, quality);
  assert.deepEqual(made, { ...yHat, data: yHat.data.map((v) => Math.fround(v - 2)) });
  await models.warm();
  await assert.rejects(models.forHeads(yHat, flatPlane({ rows: 1, columns: 1 }, 0)), /does not fit a grid/);
  await models.close();
  rmSync(dir, { recursive: true, force: true });
});

test('a number that is none is refused with network and tensor, going in and coming out', async (t) => {
  const broken: ModelSpec = {
    ...tinyNetwork('saliency'),
    nodes: [
      ...tinyNetwork('saliency').nodes.map((n) => ({ ...n, outputs: ['m'] })),
      { op: 'Log', inputs: ['m'], outputs: ['map'] },
    ],
  };
  const models = await tiny(t, { saliency: broken });
  const y = features(32, 32);
  const bad = (value: number) => ({ ...y, data: y.data.map((v, i) => (i === 5 ? value : v)) });
  const is = (network: string, tensor: string) => (e: unknown) =>
    e instanceof TensorError && e.tensor === tensor && e.message.includes(`tiny/${network}.onnx`) && e.exitCode === 3;
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    await assert.rejects(models.labels(bad(value)), is('labels', 'y'));
    await assert.rejects(models.synthesise(bad(value), flatPlane(y, 0)), is('synthesis', 'yHat'));
    await assert.rejects(models.synthesise(y, flatPlane(y, value)), is('synthesis', 'quality'));
  }
  await assert.rejects(models.saliency(y), is('saliency', 'map'));
  await assert.rejects(models.labels({ ...y, data: y.data.subarray(1) }), /y: has 15 numbers, \[1,4,2,2\] needs 16/);
  await assert.rejects(models.synthesise(y, flatPlane({ rows: 1, columns: 4 }, 0)), /plane of 1x4 cells does not fit/);
  const cells = { rows: 2, columns: 2, data: new Uint8Array(4) };
  const decode = (scale: number, k = 4) =>
    models.decodeSymbols(new Float32Array(384 * 4), scale, cells, flatPlane(y, k), flatPlane(y, 0), y);
  await decode(1);
  for (const scale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    await assert.rejects(decode(scale), is('symbol-decoder', 'scale'));
  await assert.rejects(decode(1, 193), /193 symbols for a cell: allowed 0 to 192/);
});

test('a network that breaks off while it runs is a fault of its file', async (t) => {
  const whole = tinyNetwork('saliency');
  const narrow = { name: 'b', shape: [1, TINY_CHANNELS, 1, 1], data: new Float32Array(TINY_CHANNELS) };
  const nodes = [
    { ...whole.nodes[0], outputs: ['m'] },
    { op: 'Conv', inputs: ['y', 'b'], outputs: ['n'] },
    { op: 'Add', inputs: ['m', 'n'], outputs: ['map'] },
  ];
  const models = await tiny(t, { saliency: { ...whole, nodes, weights: [...whole.weights, narrow] } });
  await assert.rejects(
    models.saliency(features(32, 32)),
    (e) => e instanceof ModelError && /tiny\/saliency\.onnx: cannot be run .*sha256 [0-9a-f]{64}/.test(e.message),
  );
});

test('pictures beyond the bound are refused with the allowed range before anything is computed', async (t) => {
  const models = await tiny(t);
  const [width, height] = [8192, 4096];
  assert.ok(width * height > MAX_NETWORK_PIXELS);
  const image = { width, height, data: new Uint8Array(0) };
  await assert.rejects(
    models.analyse(image),
    (e) => e instanceof UsageError && /8192x4096 .*allowed 1x1 to 25/.test(e.message),
  );
  const y = { ...features(16, 16), widthPx: width, heightPx: height };
  await assert.rejects(models.synthesise(y, flatPlane(y, 0)), UsageError);
});

test('the search for numbers that are none finds the first', () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 1, maxLength: 50 }), (data) => {
      assert.equal(
        firstNonFinite(data),
        data.findIndex((v) => !Number.isFinite(v)),
      );
    }),
  );
  assert.equal(firstNonFinite(Float32Array.of(3e38, 3e38)), -1);
});

test('the reader of ONNX files ends on any bytes, and finds what was written', () => {
  const whole = onnxModel(tinyNetwork('symbol-decoder'));
  assert.deepEqual(readOnnx(whole), { opset: 13, nonFinite: null });
  const ends = (bytes: Uint8Array) => {
    try {
      readOnnx(bytes);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), ends), { numRuns: 500 });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
      const changed = Uint8Array.from(whole);
      changed[at] = value;
      ends(changed);
      ends(whole.subarray(0, length));
    }),
    { numRuns: 500 },
  );
});

test('gradient network: equal to torch.autograd (vector made by training/test_labels_vjp.py)', async () => {
  const folder = new URL('../../vectors/labels-vjp/', import.meta.url);
  const vector = JSON.parse(readFileSync(new URL('small-head.json', folder), 'utf8'));
  const bytes = readFileSync(new URL('small-head.onnx', folder));
  const { NetworkSession } = await import('../../../src/sct/semantics/session.ts');
  const { contractOf } = await import('../../../src/sct/semantics/model-contract.ts');
  const { lengthsOf } = await import('../../../src/sct/semantics/loaded-models.ts');
  const info = {
    name: 'small-head.onnx',
    role: 'labels-vjp' as const,
    path: 'small-head.onnx',
    bytes: bytes.length,
    sha256: '',
    opset: 13,
    ...contractOf('labels-vjp', vector.channels),
    parameters: 0,
    data: '',
    steps: 0,
    seed: 0,
    licence: '',
    quality: {},
    card: null,
  };
  const session = await NetworkSession.create(info, 'labels-vjp', vector.channels, bytes, { threads: 1 });
  const feeds = {
    y: Float32Array.from(vector.y),
    dMaps: Float32Array.from(vector.dMaps),
    dPresence: Float32Array.from(vector.dPresence),
  };
  const { dY } = await session.run(feeds, lengthsOf(vector));
  await session.release();
  const peak = Math.max(...vector.dY.map(Math.abs));
  // Two float32 programs that sum in another order: 1e-5 of the largest value, as asked; measured 2e-7.
  const worst = Math.max(...vector.dY.map((want: number, i: number) => Math.abs(dY[i] - want)));
  assert.ok(worst <= 1e-5 * peak, `differs by ${worst}`);
  assert.ok(peak > 0.1);
});
