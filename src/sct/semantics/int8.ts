import { RandomStream } from '../../common/random.ts';
import { type RgbImage, rgbImage } from '../image/rgb-image.ts';
import { CELL_PX, type FeatureMap, type GridShape } from './feature-map.ts';
import type { NetworkRole } from './model-contract.ts';
import type { ModelFileInfo } from './model-set.ts';
import type { SessionOptions } from './onnx-session.ts';
import { imageTensor } from './picture-tensor.ts';
import { type Lengths, NetworkSession, type TensorData } from './session.ts';

/** How a network computes: as it was trained, or its large convolutions in 8 bits where the set has a file for that. */
export const PRECISIONS = ['float', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/**
 * Most squared error of the 8-bit network on the probe, as a share of the variance of what the float network says. Ours have below 1e-5
 * (analysis) and 3e-5 (synthesis). A processor without 8-bit dot products may add pairs of products in 16 bits, which cuts large ones off.
 */
export const MOST_ERROR = 2e-4;

/** The probe: 128x128 pixels. */
export const PROBE_GRID: GridShape = { rows: 8, columns: 8 };

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

/** A picture for the analysis, what the analysis makes of it for the synthesis; null for other roles. */
export async function probeFeeds(
  role: NetworkRole,
  analyse: (image: RgbImage) => Promise<FeatureMap>,
): Promise<Record<string, TensorData> | null> {
  const image = probePicture();
  if (role === 'analysis') return { image: imageTensor(image) };
  if (role !== 'synthesis') return null;
  const { data } = await analyse(image);
  return { yHat: data, quality: new Float32Array(PROBE_GRID.rows * PROBE_GRID.columns).fill(-1.5) };
}

/** Squared error of one network's outputs against another's on the same inputs, as a share of the variance of the latter's. */
export async function relativeError(
  [tried, sure]: readonly [NetworkSession, NetworkSession],
  feeds: Readonly<Record<string, TensorData>>,
  lengths: Lengths,
): Promise<number> {
  const [a, b] = [await tried.run(feeds, lengths), await sure.run(feeds, lengths)];
  let [error, power] = [0, 0];
  for (const [name, values] of Object.entries(b)) {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    for (let i = 0; i < values.length; i++) {
      error += (a[name][i] - values[i]) ** 2;
      power += (values[i] - mean) ** 2;
    }
  }
  return error / power;
}

/**
 * The 8-bit network of a role, where the set has one and this machine computes it as it was made; else the float network.
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
  probe: { readonly analyse: (image: RgbImage) => Promise<FeatureMap>; readonly lengths: Lengths },
): Promise<NetworkSession> {
  const float = await NetworkSession.create(info, role, channels, await read(info), how);
  const file = int8File(info);
  const feeds = file && (await probeFeeds(role, probe.analyse));
  if (!file || !feeds) return float;
  const small = await NetworkSession.create(file, role, channels, await read(file), how);
  const agrees = (await relativeError([small, float], feeds, probe.lengths)) <= MOST_ERROR;
  await (agrees ? float : small).release();
  return agrees ? small : float;
}
