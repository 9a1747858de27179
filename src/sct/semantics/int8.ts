import { RandomStream } from '../../common/random.ts';
import { type RgbImage, rgbImage } from '../image/rgb-image.ts';
import { CELL_PX, type FeatureMap, type GridShape } from './feature-map.ts';
import type { NetworkContract, NetworkRole } from './model-contract.ts';
import type { ModelFileInfo } from './model-set.ts';
import { CLASSES, K_MAX } from './model-tables.ts';
import type { SessionOptions } from './onnx-session.ts';
import { imageCells, imageFromCells } from './picture-cells.ts';
import { imageTensor } from './picture-tensor.ts';
import { type Lengths, NetworkSession, type TensorData, tensorLength } from './session.ts';

/**
 * How networks compute: as they were trained, or by the set's files for speed (`int8` in models.json): large convolutions in 8 bits, or other
 * operators.
 */
export const PRECISIONS = ['float', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/**
 * Most squared error of the 8-bit network on the probe, as a share of the variance of what the float network says. Ours have 1.2e-5
 * (analysis) and 1.2e-4 (synthesis, half of it from rounding to bytes, which the float network's answer is not). A processor without 8-bit dot
 * products may add pairs of products in 16 bits, which cuts large ones off.
 */
export const MOST_ERROR = 2.5e-4;

/** The probe: 128x128 pixels. */
export const PROBE_GRID: GridShape = { rows: 8, columns: 8 };

/** Ranges of what tells networks of their conditions; other inputs are noise. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  scale: [1, 1],
  symbols: [0, K_MAX],
  snrDb: [-8, 25],
  quality: [-3, 0],
  damage: [0, 1],
  strength: [0, 1],
  missing: [0, 1],
  hasReference: [0, 1],
};

/** Where the 8-bit file of a role is; undefined where the set has none. */
export function int8File(info: ModelFileInfo): ModelFileInfo | undefined {
  return info.int8 && { ...info, ...info.int8 };
}

/** Waves, and to the right more and more noise: cells of every class. */
function probePicture(): RgbImage {
  const random = new RandomStream('int8/probe');
  const side = CELL_PX * PROBE_GRID.columns;
  const data = new Uint8Array(3 * side * side);
  for (let i = 0; i < data.length; i++) {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    const [x, y] = [pixel % side, Math.floor(pixel / side)];
    const value = 128 + 70 * Math.sin(x / 29 + c) * Math.cos(y / 17) + ((40 * x) / side) * random.normal();
    data[i] = Math.min(255, Math.max(0, Math.round(value)));
  }
  return rgbImage(side, side, data);
}

/**
 * Squared error of one network against another of its role on the probe (a picture for the analysis, what the analysis makes of it for the
 * synthesis, noise for others), as a share of the variance of what the latter says.
 *
 * @param lengths of PROBE_GRID
 */
export async function errorOnProbe(
  [tried, sure]: readonly [NetworkSession, NetworkSession],
  analyse: (image: RgbImage) => Promise<FeatureMap>,
  lengths: Lengths,
): Promise<number> {
  const answer = await probe(sure, analyse, lengths);
  const [a, b] = [await answer(tried), await answer(sure)];
  const mean = b.reduce((sum, v) => sum + v, 0) / b.length;
  let [error, power] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    error += (a[i] - b[i]) ** 2;
    power += (b[i] - mean) ** 2;
  }
  return error / power;
}

/** What a network of a role says of the probe: features, samples 0..1, or all its outputs. */
async function probe(
  { role, contract }: NetworkSession,
  analyse: (image: RgbImage) => Promise<FeatureMap>,
  lengths: Lengths,
): Promise<(session: NetworkSession) => Promise<Float32Array>> {
  const image = probePicture();
  if (role === 'analysis') {
    return async (session) => {
      const feeds: Record<string, TensorData> =
        session.form === 'cells' ? { cells: imageCells(image) } : { image: imageTensor(image) };
      return (await session.run(feeds, lengths)).y;
    };
  }
  if (role !== 'synthesis') {
    const feeds = noiseFeeds(contract, lengths);
    return async (session) =>
      Float32Array.from(Object.values(await session.run(feeds, lengths)).flatMap((values) => [...values]));
  }
  const { data: yHat } = await analyse(image);
  const feeds = { yHat, quality: new Float32Array(PROBE_GRID.rows * PROBE_GRID.columns).fill(-1.5) };
  const shape = { widthPx: image.width, heightPx: image.height };
  return async (session) => {
    if (session.form === 'cells') {
      return imageTensor(imageFromCells((await session.run<Uint8Array>(feeds, lengths)).cells, shape));
    }
    return (await session.run(feeds, lengths)).image.map((v) => Math.min(1, Math.max(0, v)));
  };
}

/** Noise for each input of a network, conditions within their ranges. */
function noiseFeeds({ inputs }: NetworkContract, lengths: Lengths): Record<string, TensorData> {
  const random = new RandomStream('int8/feeds');
  const feeds: Record<string, TensorData> = {};
  for (const info of inputs) {
    const [low, high] = RANGES[info.name] ?? [];
    const value = () => (low === undefined ? random.normal() : random.between(low, high!));
    const length = tensorLength(info, lengths);
    if (info.type === 'int32')
      feeds[info.name] = Int32Array.from({ length }, () => Math.floor(random.between(0, CLASSES)));
    else feeds[info.name] = Float32Array.from({ length }, value);
  }
  return feeds;
}

/**
 * The network of a role for `int8`, where the set has one and this machine computes it as it was made: analysis and synthesis in 8 bits, others in
 * floats by other operators. Else the set's own network.
 *
 * @param read a file with its hash checked
 * @throws ModelError as NetworkSession.create
 */
export async function int8OrFloat(
  info: ModelFileInfo,
  role: NetworkRole,
  channels: number,
  read: (info: ModelFileInfo) => Promise<Uint8Array>,
  how: SessionOptions,
  probing: { readonly analyse: (image: RgbImage) => Promise<FeatureMap>; readonly lengths: Lengths },
): Promise<NetworkSession> {
  const file = int8File(info);
  const float = await NetworkSession.create(info, role, channels, await read(info), how);
  if (!file) return float;
  const small = await NetworkSession.create(file, role, channels, await read(file), how, 'cells');
  const agrees = (await errorOnProbe([small, float], probing.analyse, probing.lengths)) <= MOST_ERROR;
  await (agrees ? float : small).release();
  return agrees ? small : float;
}
