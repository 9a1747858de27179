import { UsageError } from '../../common/errors.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import { CELL_PX, gridOf } from '../semantics/feature-map.ts';
import { ForeignNetwork, parseNetworkName } from '../semantics/foreign-network.ts';
import { TensorError } from '../semantics/model-error.ts';
import { imageTensor } from '../semantics/picture-tensor.ts';
import { ConfusionMatrix, type IouReport } from './confusion.ts';

/** CamVid's classes without void. */
const CLASSES = 11;
/** Logits may be this many times coarser than the picture, per side. */
const STRIDES: readonly number[] = [1, 2, 4, 8, 16];

/**
 * A segmentation network that the user supplies and that looks at received pictures as anybody would, whatever codec they came by: ONNX with the input
 * `image`, float32 [1, 3, H, W], sRGB scaled to 0..1, H and W multiples of 16, and one output of logits, [1, 11, H/s, W/s], s one of 1, 2, 4, 8, 16,
 * in CamVid's order of classes. The program ships none: what judges a codec must have no part in it.
 */
export class StreetJudge {
  private readonly network: ForeignNetwork;

  private constructor(network: ForeignNetwork) {
    this.network = network;
  }

  /** @throws UsageError or ModelError when path, hash, names or file are not right, see ForeignNetwork */
  static async open(path: string, sha256: string): Promise<StreetJudge> {
    return new StreetJudge(await ForeignNetwork.open({ path, sha256, inputs: ['image'], outputs: 'one' }));
  }

  /**
   * How far the network's classes of a picture are those of the ground truth, pixel by pixel; void is not counted.
   *
   * @param truth label of every pixel, [y][x], void above 10
   * @throws UsageError for a map of another size or a picture too large; ModelError when the network fails or gives another shape or NaN
   */
  async judge(picture: RgbImage, truth: Uint8Array): Promise<IouReport> {
    if (truth.length !== picture.width * picture.height) {
      throw new UsageError(`the label map has ${truth.length} pixels, the picture ${picture.width * picture.height}`);
    }
    const matrix = new ConfusionMatrix(CLASSES);
    matrix.add(await this.labels(picture), truth);
    return matrix.report();
  }

  /** The class of every pixel, [y][x]. */
  async labels(picture: RgbImage): Promise<Uint8Array> {
    const grid = gridOf({ widthPx: picture.width, heightPx: picture.height });
    const [height, width] = [grid.rows * CELL_PX, grid.columns * CELL_PX];
    const image = { type: 'float32', shape: [1, 3, height, width], data: imageTensor(picture) } as const;
    const outputs = await this.network.run({ image });
    const [name] = this.network.outputNames;
    const { shape, data } = outputs[name];
    const stride = shape.length === 4 ? height / shape[2] : 0;
    const fits = shape[0] === 1 && shape[1] === CLASSES && shape[3] * stride === width && STRIDES.includes(stride);
    if (!fits || data.length !== (CLASSES * height * width) / stride ** 2) {
      const fault = { file: this.network.path, expectedSha256: this.network.sha256 };
      const asked = `[1, ${CLASSES}, H/s, W/s] with s of ${STRIDES.join(', ')} for ${width}x${height}`;
      throw new TensorError(fault, name, `has shape [${shape.join(', ')}], not ${asked}`);
    }
    return likeliest(data as Float32Array, shape[2], shape[3], stride, picture);
  }

  close(): Promise<void> {
    return this.network.close();
  }
}

/** `FILE:SHA256` of `--judge`, see parseNetworkName. */
export function parseJudgeName(text: string): { path: string; sha256: string } {
  return parseNetworkName('--judge', text);
}

/** Per pixel the class of the largest logit after bilinear interpolation between the centres of the coarse pixels (align_corners = false). */
function likeliest(
  logits: Float32Array, // [class][row][column]
  rows: number,
  columns: number,
  stride: number,
  { width, height }: { width: number; height: number },
): Uint8Array {
  const across = taps(width, columns, stride);
  const down = taps(height, rows, stride);
  const out = new Uint8Array(width * height);
  const best = new Float32Array(width * height).fill(Number.NEGATIVE_INFINITY);
  const line = new Float32Array(columns);
  for (let c = 0; c < CLASSES; c++) {
    const plane = c * rows * columns;
    for (let y = 0, p = 0; y < height; y++) {
      const [upper, lower] = [plane + down.from[y] * columns, plane + down.to[y] * columns];
      for (let x = 0; x < columns; x++) {
        line[x] = logits[upper + x] + down.weight[y] * (logits[lower + x] - logits[upper + x]);
      }
      for (let x = 0; x < width; x++, p++) {
        const left = line[across.from[x]];
        const value = left + across.weight[x] * (line[across.to[x]] - left);
        if (value > best[p]) {
          best[p] = value;
          out[p] = c;
        }
      }
    }
  }
  return out;
}

/** Between which coarse pixels each fine one lies, and how near the second; the first and last are repeated beyond the edge. */
function taps(fine: number, coarse: number, stride: number) {
  const from = new Int32Array(fine);
  const to = new Int32Array(fine);
  const weight = new Float32Array(fine);
  for (let i = 0; i < fine; i++) {
    const at = Math.max(0, (i + 0.5) / stride - 0.5);
    from[i] = Math.min(coarse - 1, Math.floor(at));
    to[i] = Math.min(coarse - 1, from[i] + 1);
    weight[i] = at - from[i];
  }
  return { from, to, weight };
}
