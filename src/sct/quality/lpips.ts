import { type RgbImage, requireSameSize } from '../image/rgb-image.ts';
import { ForeignNetwork, type ForeignTensor, parseNetworkName } from '../semantics/foreign-network.ts';
import { TensorError } from '../semantics/model-error.ts';

/** Smallest side that the usual LPIPS backbones take. */
export const LPIPS_MIN_SIDE_PX = 32;

/**
 * LPIPS [Zhang18] by a network that the user supplies: ONNX with inputs `a` and `b`, float32 [1, 3, H, W], sRGB scaled
 * to -1..1, and one output of a single number. Nothing of the kind ships with the program, and nothing else is ever
 * reported under this name.
 */
export class Lpips {
  private readonly network: ForeignNetwork;

  private constructor(network: ForeignNetwork) {
    this.network = network;
  }

  /**
   * @throws UsageError or ModelError when path, hash, names or file are not right, see ForeignNetwork
   */
  static async open(path: string, sha256: string): Promise<Lpips> {
    return new Lpips(await ForeignNetwork.open({ path, sha256, inputs: ['a', 'b'], outputs: 'one' }));
  }

  get sha256(): string {
    return this.network.sha256;
  }

  /**
   * Distance of two pictures of one size, 0 for identical ones.
   *
   * @returns null below 32 pixels a side
   * @throws UsageError when sizes differ; ModelError when the network fails, gives another shape, NaN, or less than 0
   */
  async measure(a: RgbImage, b: RgbImage): Promise<number | null> {
    requireSameSize(a, b);
    if (Math.min(a.width, a.height) < LPIPS_MIN_SIDE_PX) return null;
    const outputs = await this.network.run({ a: planes(a), b: planes(b) });
    const [name] = this.network.outputNames;
    const distance = outputs[name];
    const fault = { file: this.network.path, expectedSha256: this.network.sha256 };
    if (distance.data.length !== 1) {
      throw new TensorError(fault, name, `has shape [${distance.shape.join(', ')}], not one number`);
    }
    const value = Number(distance.data[0]);
    if (value < -1e-6) throw new TensorError(fault, name, `is ${value}: a distance is not negative`);
    return Math.max(0, value);
  }

  close(): Promise<void> {
    return this.network.close();
  }
}

/** `FILE:SHA256` of `--lpips`, see parseNetworkName. */
export function parseLpipsName(text: string): { path: string; sha256: string } {
  return parseNetworkName('--lpips', text);
}

/** [1, 3, H, W] in -1..1. */
function planes({ width, height, data }: RgbImage): ForeignTensor {
  const pixels = width * height;
  const out = new Float32Array(3 * pixels);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < 3; c++) out[c * pixels + p] = data[3 * p + c] / 127.5 - 1;
  }
  return { type: 'float32', shape: [1, 3, height, width], data: out };
}
