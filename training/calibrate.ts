/**
 * Ranges of the tensors around a set's convolutions, for quantise.py.
 *
 *     node --import tsx training/calibrate.ts MODELS SET PHOTOS TAPS OUT
 *
 * TAPS holds ROLE.onnx as `quantise.py taps` wrote them: float networks with more outputs. They run over crops of 256x256 of photographs of
 * the training set, at several rates and SNRs; OUT/ROLE.json gets, for each tensor, the range that holds all but 4e-5 of its values.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { RandomStream } from '../src/common/random.ts';
import { codePicture, receivedSymbols } from '../src/experiment/bench/models/models-awgn.ts';
import { blankLost } from '../src/sct/correction/repair.ts';
import { loadImage } from '../src/sct/image/load.ts';
import { type RgbImage, rgbImage } from '../src/sct/image/rgb-image.ts';
import { adoptPartition } from '../src/sct/partition/partition.ts';
import { flatPlane } from '../src/sct/semantics/feature-map.ts';
import { labelCells } from '../src/sct/semantics/label-map.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { imageTensor } from '../src/sct/semantics/picture-tensor.ts';

const SIDE = 256;
const CELLS = (SIDE / 16) ** 2;
const PHOTOS = 48;
const CONDITIONS = [
  { cbr: 1 / 6, snrDb: 10 },
  { cbr: 1 / 16, snrDb: 4 },
  { cbr: 1 / 16, snrDb: 13 },
  { cbr: 1 / 24, snrDb: 1 },
  { cbr: 1 / 16, snrDb: -4 },
  { cbr: 1 / 6, snrDb: 20 },
];
/** Share of the values on each side that may lie outside a range, of a sample of so many a tensor and run. */
const OUTSIDE = 2e-5;
const SAMPLE = 50_000;

const [modelsDir, setName, photosDir, tapsDir, outDir] = process.argv.slice(2);
const models = await loadModels({ dir: modelsDir, size: setName as 'live' | 'base', threads: 1 });
const taps = new Map<string, InferenceSession>();
for (const file of readdirSync(tapsDir).filter((f) => f.endsWith('.onnx'))) {
  taps.set(basename(file, '.onnx'), await InferenceSession.create(join(tapsDir, file), { intraOpNumThreads: 1 }));
}
const samples = new Map<string, Map<string, number[]>>();
const random = new RandomStream('calibrate');

const names = readdirSync(photosDir).sort();
for (let i = 0, n = 0; n < PHOTOS && i < names.length; i += Math.max(1, Math.floor(names.length / PHOTOS / 2))) {
  const photo = await loadImage(join(photosDir, names[i]));
  if (photo.width < SIDE || photo.height < SIDE) continue;
  await observe(crop(photo), n++);
}
for (const [role, tensors] of samples) {
  const ranges = Object.fromEntries([...tensors].map(([name, values]) => [name, rangeOf(values)]));
  writeFileSync(join(outDir, `${role}.json`), `${JSON.stringify(ranges, null, 1)}\n`);
}
await models.close();

/** One picture through both sides. */
async function observe(image: RgbImage, n: number): Promise<void> {
  const { cbr, snrDb } = CONDITIONS[n % CONDITIONS.length];
  await tap('analysis', { image: [imageTensor(image), [1, 3, SIDE, SIDE]] });
  const y = await models.analyse(image);
  const side = SIDE / 16;
  const map = [1, models.set.channels, side, side];
  const grid = [1, 1, side, side];
  const integers = [1, side, side];
  await tap('labels', { y: [y.data, map] });
  await tap('saliency', { y: [y.data, map] });
  const coded = codePicture(models, y, cbr, snrDb);
  const { classMap, symbols } = coded;
  const z = await models.encodeSymbols(y, classMap, symbols, flatPlane(y, snrDb));
  const { received, scale } = receivedSymbols(z, coded, snrDb, random.fork(`air/${n}`));
  const classes = Int32Array.from(classMap.data);
  await tap('symbol-decoder', {
    received: [received, [1, 384, side, side]],
    scale: [Float32Array.of(scale), [1, 1, 1, 1]],
    classMap: [classes, integers],
    symbols: [symbols.data, grid],
    snrDb: [flatPlane(y, snrDb).data, grid],
  });
  const whole = await models.decodeSymbols(received, scale, classMap, symbols, flatPlane(y, snrDb), y);
  await tap('synthesis', { yHat: [whole.yHat.data, map], quality: [whole.quality.data, grid] });
  await tap('features', { yHat: [whole.yHat.data, map], quality: [whole.quality.data, grid] });
  const damage = Float32Array.from({ length: CELLS }, () => (random.uniform() < 0.2 ? 1 : 0));
  const { yHat, quality } = blankLost(whole, damage, classMap, models.tables);
  const { clusterColours } = models.tables.labels;
  const { labels } = adoptPartition(labelCells(await models.labels(y), y).map, { clusterColours }).partition;
  const labelMap = { rows: side, columns: side, data: labels };
  const plane = { rows: side, columns: side, data: damage };
  const fixed = await models.correct({ yHat, quality, damage: plane, strength: plane, classMap, labelMap });
  await tap('synthesis', { yHat: [fixed.yHat.data, map], quality: [fixed.quality.data, grid] });
  await tap('features', { yHat: [fixed.yHat.data, map], quality: [fixed.quality.data, grid] });
  const hasReference = new Float32Array(CELLS).fill(n % 2);
  await tap('corrector', {
    yHat: [yHat.data, map],
    quality: [quality.data, grid],
    damage: [damage, grid],
    strength: [damage, grid],
    classMap: [classes, integers],
    labelMap: [Int32Array.from(labels), integers],
    reference: [y.data, map],
    hasReference: [hasReference, grid],
  });
}

async function tap(role: string, feeds: Record<string, [Float32Array | Int32Array, number[]]>): Promise<void> {
  const session = taps.get(role);
  if (!session) return;
  const tensors = Object.entries(feeds).map(([name, [data, dims]]) => [
    name,
    data instanceof Int32Array ? new Tensor('int32', data, dims) : new Tensor('float32', data, dims),
  ]);
  const given = Object.fromEntries(tensors) as Record<string, Tensor>;
  const seen = { ...(await session.run(given)), ...given };
  const of = samples.get(role) ?? new Map<string, number[]>();
  samples.set(role, of);
  for (const [name, { data }] of Object.entries(seen)) {
    if (!(data instanceof Float32Array)) continue;
    const list = of.get(name) ?? [];
    of.set(name, list);
    for (let i = 0; i < Math.min(SAMPLE, data.length); i++) {
      list.push(data.length <= SAMPLE ? data[i] : data[Math.floor(random.uniform() * data.length)]);
    }
  }
}

function rangeOf(values: number[]): [number, number] {
  const sorted = Float64Array.from(values).sort();
  const out = Math.floor(OUTSIDE * sorted.length);
  return [sorted[out], sorted[sorted.length - 1 - out]];
}

function crop({ width, height, data }: RgbImage): RgbImage {
  const [left, top] = [(width - SIDE) >> 1, (height - SIDE) >> 1];
  const out = new Uint8Array(3 * SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    const from = 3 * ((top + y) * width + left);
    out.set(data.subarray(from, from + 3 * SIDE), 3 * SIDE * y);
  }
  return rgbImage(SIDE, SIDE, out);
}
