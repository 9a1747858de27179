import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { type RgbImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';
import { type FeatureMap, flatPlane } from '../../../src/sct/semantics/feature-map.ts';
import { lengthsOf } from '../../../src/sct/semantics/loaded-models.ts';
import { readModelFile, shippedModelsDir } from '../../../src/sct/semantics/model-files.ts';
import { readModelSets } from '../../../src/sct/semantics/model-set.ts';
import { loadModels } from '../../../src/sct/semantics/models.ts';
import type { SemanticModels } from '../../../src/sct/semantics/semantic-models.ts';
import { NetworkSession, type TensorData } from '../../../src/sct/semantics/session.ts';

/** The networks that ship: the same numbers as PyTorch, and pictures of every shape go through. */

const dir = shippedModelsDir();
const skip = existsSync(join(dir, 'models.json')) ? false : 'SKIPPED: no models in this checkout';

interface Vectors {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly picture: string;
  readonly tensors: Record<string, { type: string; base64: string }>;
  readonly networks: {
    readonly role: string;
    readonly inputs: { name: string; tensor: string }[];
    readonly outputs: { name: string; length: number; peak: number; at: number[]; values: number[] }[];
  }[];
}

// PyTorch and onnxruntime sum the same float32 products in another order, and another processor in yet another: measured
// 1e-6 of the largest value on one machine; 1e-4 leaves room for others and is far below what one wrong weight does.
const TOLERANCE = 1e-4;

for (const name of ['base', 'live'] as const) {
  test(`${name}: every network gives PyTorch's numbers`, { skip }, async () => {
    const path = new URL(`../../vectors/models/${name}.json`, import.meta.url);
    const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors;
    const set = (await readModelSets(dir)).find((s) => s.name === name);
    assert.ok(set);
    const networks = set.files.filter((f) => f.role !== 'tables').map((f) => f.role);
    assert.deepEqual(vectors.networks.map((n) => n.role).sort(), [...networks].sort());
    const lengths = lengthsOf({ rows: vectors.heightPx / 16, columns: vectors.widthPx / 16 });
    for (const { role, inputs, outputs } of vectors.networks) {
      const info = set.files.find((f) => f.role === role)!;
      assert.ok(info.role !== 'tables');
      const session = await NetworkSession.create(info, info.role, set.channels, await readModelFile(dir, info), {
        threads: 1,
      });
      const feeds: Record<string, TensorData> =
        role === 'analysis'
          ? { image: planes(vectors) }
          : Object.fromEntries(inputs.map(({ name: key, tensor }) => [key, numbers(vectors.tensors[tensor])]));
      const results = await session.run(feeds, lengths);
      await session.release();
      for (const { name: output, length, peak, at, values } of outputs) {
        const got = results[output];
        assert.equal(got.length, length);
        const worst = Math.max(...at.map((i, j) => Math.abs(got[i] - values[j])));
        assert.ok(worst <= TOLERANCE * peak, `${name} ${role} ${output}: ${worst} of ${peak}`);
      }
    }
  });
}

function numbers({ type, base64 }: { type: string; base64: string }): TensorData {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
  return type === 'int32' ? new Int32Array(bytes) : new Float32Array(bytes);
}

function planes({ widthPx, heightPx, picture }: Vectors): Float32Array {
  const rgb = Buffer.from(picture, 'base64');
  const pixels = widthPx * heightPx;
  return Float32Array.from({ length: 3 * pixels }, (_, i) => rgb[(i % pixels) * 3 + Math.floor(i / pixels)] / 255);
}

const loaded = new Map<string, Promise<SemanticModels>>();
function models(size: 'base' | 'live'): Promise<SemanticModels> {
  if (!loaded.has(size)) loaded.set(size, loadModels({ size, threads: 1 }));
  return loaded.get(size)!;
}
after(async () => {
  for (const m of loaded.values()) await (await m).close();
});

const noise = new RandomStream('pictures');
const of = (width: number, height: number, value: (i: number) => number) =>
  rgbImage(
    width,
    height,
    Uint8Array.from({ length: width * height * 3 }, (_, i) => value(i)),
  );
const PICTURES: Record<string, RgbImage> = {
  '1x1': of(1, 1, () => 200),
  '17x3': of(17, 3, (i) => (i * 5) & 255),
  'all black 64x48': of(64, 48, () => 0),
  'all white 33x31': of(33, 31, () => 255),
  'noise 96x80': of(96, 80, () => noise.uint32() & 255),
  'stripes 50x8000': of(50, 8000, (i) => (i % 150 < 75 ? 0 : 255)),
  'ramp 8000x50': of(8000, 50, (i) => (i >> 6) & 255),
};

for (const [what, image] of Object.entries(PICTURES)) {
  for (const size of image.width * image.height > 100_000 ? (['live'] as const) : (['base', 'live'] as const)) {
    test(`${size}: ${what} goes through every network`, { skip }, async () => {
      const m = await models(size);
      const y = await m.analyse(image);
      const { rows, columns } = y;
      const cells = rows * columns;
      const out = await m.synthesise(y, flatPlane(y, -3.5));
      assert.deepEqual([out.width, out.height], [image.width, image.height]);
      const labels = await m.labels(y);
      assert.equal(labels.maps.length, 11 * 16 * cells);
      assert.equal(labels.clusters.length, 32 * cells);
      assert.ok(Number.isFinite(labels.street));
      assert.equal((await m.saliency(y)).length, 16 * cells);
      const classMap = { rows, columns, data: new Uint8Array(cells).fill(6) };
      const k = flatPlane(y, 32);
      const z = await m.encodeSymbols(y, classMap, k, flatPlane(y, 10));
      assert.ok(z.some((v) => v !== 0));
      const sent = z.map((v, i) => (Math.floor(i / cells) < 64 ? v : 0));
      const scale = Math.sqrt(sent.reduce((sum, v) => sum + v * v, 0) / (32 * cells)) || 1;
      const received = sent.map((v) => (v / scale) * (10 / 11));
      const { yHat, quality } = await m.decodeSymbols(received, scale, classMap, k, flatPlane(y, 10), y);
      const again = await m.synthesise(yHat, quality);
      assert.deepEqual([again.width, again.height], [image.width, image.height]);
      const gradient = await m.labelsVjp(y, labels.maps.fill(1 / cells), labels.presence);
      assert.equal(gradient.data.length, y.data.length);
      await identity(m, yHat, quality.data, classMap);
    });
  }
}

/** Corrector and generator leave cells without damage as they are, bit by bit. */
async function identity(m: SemanticModels, yHat: FeatureMap, quality: Float32Array, map: { data: Uint8Array }) {
  const { rows, columns } = yHat;
  const cells = rows * columns;
  const labelMap = { rows, columns, data: map.data.map((_, i) => i % 43) };
  const classMap = { rows, columns, data: map.data };
  const plane = (f: (i: number) => number) => ({
    rows,
    columns,
    data: Float32Array.from({ length: cells }, (_, i) => f(i)),
  });
  const damage = plane((i) => (i % 3 === 1 ? 0.5 : i % 3 === 2 ? 1 : 0));
  const input = { yHat, quality: { rows, columns, data: quality }, strength: plane(() => 1), classMap, labelMap };
  const fixed = await m.correct({ ...input, damage });
  const whole = (i: number) => damage.data[i % cells] === 0;
  assert.ok(yHat.data.every((v, i) => !whole(i) || Object.is(fixed.yHat.data[i], v)));
  assert.ok(quality.every((v, i) => !whole(i) || Object.is(fixed.quality.data[i], v)));
  if (!m.set.files.some((f) => f.role === 'generator')) return;
  const missing = plane((i) => (whole(i) ? 0 : 1));
  const stream = new RandomStream('generator');
  const noises = Float32Array.from({ length: 16 * cells }, () => stream.normal());
  const made = await m.generate({ yHat, missing, labelMap, noise: noises });
  assert.ok(yHat.data.every((v, i) => !whole(i) || Object.is(made.data[i], v)));
}
