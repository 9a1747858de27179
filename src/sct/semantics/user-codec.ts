import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../common/errors.ts';
import { type RgbImage, rgbImage } from '../image/rgb-image.ts';
import type { PictureShape } from './feature-map.ts';
import { ForeignNetwork, type ForeignTensor } from './foreign-network.ts';
import { ModelError, TensorError } from './model-error.ts';
import { checked } from './model-tables.ts';

export const USER_CODEC_SCHEMA = 'sct-user-codec/1';

/** Most complex symbols a pixel that a user's encoder may make: R of the largest budget of the link. */
const MAX_SYMBOLS_PER_PIXEL = 64;
const MAX_MANIFEST_BYTES = 65536;

const fileSchema = z.object({
  file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, { error: 'is no plain file name' }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: 'is not 64 lower-case hexadecimal digits' }),
});
const gridSchema = z.object({
  /** Side of the pair's own cells; divides 16 and `multipleOf`. */
  cellPx: z.union([1, 2, 4, 8, 16].map((n) => z.literal(n))),
  /** Complex symbols of each cell. */
  symbols: z.number().int().min(1).max(4096),
  /** `planes`: symbol 0 of every cell, then symbol 1, ..; `cells`: all symbols of a cell, then of the next. Cells by rows. */
  order: z.enum(['planes', 'cells']),
});
const manifestSchema = z.object({
  schema: z.literal(USER_CODEC_SCHEMA),
  name: z.string().min(1).max(100),
  version: z.number().int().min(1).max(65535),
  /** Pictures are padded to a multiple of this, right and below, by repeating the edge. */
  multipleOf: z.number().int().min(1).max(256),
  encoder: fileSchema,
  decoder: fileSchema,
  /** Which part of the picture each symbol is of: SFVs can then be streams of their own. */
  grid: gridSchema.optional(),
});

/** What codec.json says. */
export type UserCodecInfo = z.infer<typeof manifestSchema>;

/**
 * A user's own encoder and decoder, `onnx:DIR` (docs/models.md): codec.json with names and hashes, encoder.onnx
 * image [1, 3, H, W] 0..1 and snrDb [1, 1] -> symbols [1, 2, N]; decoder.onnx received [1, 2, N], snrDb [1, 1] and
 * size int64 [2] = H, W -> image [1, 3, H, W]. H and W are multiples of `multipleOf`. snrDb and size may be absent.
 */
export class UserCodec {
  readonly directory: string;
  readonly info: UserCodecInfo;
  private readonly encoder: ForeignNetwork;
  private readonly decoder: ForeignNetwork;

  private constructor(directory: string, info: UserCodecInfo, encoder: ForeignNetwork, decoder: ForeignNetwork) {
    this.directory = directory;
    this.info = info;
    this.encoder = encoder;
    this.decoder = decoder;
  }

  /**
   * @throws UsageError when the folder or codec.json is not there; ModelError when codec.json is not as the schema says, or
   *   a file is missing, has another hash or other inputs and outputs
   */
  static async open(directory: string, options: { readonly threads?: number } = {}): Promise<UserCodec> {
    const info = await readUserCodecInfo(directory);
    if (info.grid && info.multipleOf % info.grid.cellPx !== 0) {
      const sides = `grid.cellPx ${info.grid.cellPx} does not divide multipleOf ${info.multipleOf}`;
      throw new ModelError({ file: join(directory, 'codec.json') }, sides);
    }
    const open = (file: UserCodecInfo['encoder'], inputs: string[], outputs: string[]) =>
      ForeignNetwork.open({ path: join(directory, file.file), sha256: file.sha256, inputs, outputs, ...options });
    const encoder = await open(info.encoder, ['image', 'snrDb?'], ['symbols']);
    const decoder = await open(info.decoder, ['received', 'snrDb?', 'size?'], ['image']);
    return new UserCodec(directory, info, encoder, decoder);
  }

  /**
   * @param snrDb what the transmitter believes of the channel, dB
   * @returns complex symbols as the network makes them, Float32Array [symbol][re, im]
   * @throws ModelError or TensorError when the network fails or gives another shape, NaN, or no or too many symbols
   */
  async encode(image: RgbImage, snrDb: number): Promise<Float32Array> {
    const padded = paddedSize({ widthPx: image.width, heightPx: image.height }, this.info.multipleOf);
    const { symbols } = await this.encoder.run({ image: planes(image, padded), snrDb: scalar(snrDb) });
    const [batch, parts, n] = symbols.shape;
    const most = MAX_SYMBOLS_PER_PIXEL * padded.widthPx * padded.heightPx;
    if (symbols.shape.length !== 3 || batch !== 1 || parts !== 2 || n < 1 || n > most) {
      throw this.fault(this.encoder, 'symbols', `has shape [${symbols.shape}]: allowed [1, 2, N], N = 1 to ${most}`);
    }
    const data = symbols.data as Float32Array;
    const out = new Float32Array(2 * n);
    for (let i = 0; i < n; i++) {
      out[2 * i] = data[i];
      out[2 * i + 1] = data[n + i];
    }
    return out;
  }

  /**
   * @param received equalised symbols, [symbol][re, im]
   * @param shape size of the picture that was sent
   * @throws ModelError or TensorError as `encode`
   */
  async decode(received: Float32Array, snrDb: number, shape: PictureShape): Promise<RgbImage> {
    const n = received.length / 2;
    const padded = paddedSize(shape, this.info.multipleOf);
    const data = new Float32Array(received.length);
    for (let i = 0; i < n; i++) {
      data[i] = received[2 * i];
      data[n + i] = received[2 * i + 1];
    }
    const { image } = await this.decoder.run({
      received: { type: 'float32', shape: [1, 2, n], data },
      snrDb: scalar(snrDb),
      size: { type: 'int64', shape: [2], data: BigInt64Array.of(BigInt(padded.heightPx), BigInt(padded.widthPx)) },
    });
    const expected = [1, 3, padded.heightPx, padded.widthPx];
    if (image.shape.length !== 4 || expected.some((v, i) => image.shape[i] !== v)) {
      throw this.fault(this.decoder, 'image', `has shape [${image.shape}], expected [${expected}]`);
    }
    return cropped(image.data as Float32Array, padded, shape);
  }

  /** Bytes of both networks. */
  get bytes(): number {
    return this.encoder.bytes + this.decoder.bytes;
  }

  async close(): Promise<void> {
    await this.encoder.close();
    await this.decoder.close();
  }

  private fault(network: ForeignNetwork, tensor: string, message: string): TensorError {
    return new TensorError({ file: network.path, expectedSha256: network.sha256 }, tensor, message);
  }
}

/** Sides rounded up to multiples of `multipleOf`. */
export function paddedSize(shape: PictureShape, multipleOf: number): PictureShape {
  const up = (v: number) => Math.ceil(v / multipleOf) * multipleOf;
  return { widthPx: up(shape.widthPx), heightPx: up(shape.heightPx) };
}

/** What codec.json says; throws as `UserCodec.open` does. */
export async function readUserCodecInfo(directory: string): Promise<UserCodecInfo> {
  const path = join(directory, 'codec.json');
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) {
    throw new UsageError(
      `${path}: no such file`,
      'onnx:DIR is a folder with codec.json, encoder and decoder (docs/models.md)',
    );
  }
  if (info.size > MAX_MANIFEST_BYTES) {
    throw new UsageError(`${path} has ${info.size} bytes: allowed up to ${MAX_MANIFEST_BYTES}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    throw new ModelError({ file: path }, 'is no JSON');
  }
  return checked(manifestSchema, json, { file: path });
}

function scalar(value: number): ForeignTensor {
  return { type: 'float32', shape: [1, 1], data: Float32Array.of(value) };
}

/** [1, 3, H, W] in 0..1, padded by repeating the last row and column. */
function planes({ width, height, data }: RgbImage, { widthPx, heightPx }: PictureShape): ForeignTensor {
  const out = new Float32Array(3 * widthPx * heightPx);
  for (let c = 0, i = 0; c < 3; c++) {
    for (let y = 0; y < heightPx; y++) {
      const row = Math.min(y, height - 1) * width;
      for (let x = 0; x < widthPx; x++, i++) out[i] = data[3 * (row + Math.min(x, width - 1)) + c] / 255;
    }
  }
  return { type: 'float32', shape: [1, 3, heightPx, widthPx], data: out };
}

function cropped(data: Float32Array, padded: PictureShape, { widthPx, heightPx }: PictureShape): RgbImage {
  const out = new Uint8Array(3 * widthPx * heightPx);
  const plane = padded.widthPx * padded.heightPx;
  for (let y = 0, i = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      for (let c = 0; c < 3; c++, i++) {
        out[i] = Math.round(255 * Math.min(1, Math.max(0, data[c * plane + y * padded.widthPx + x])));
      }
    }
  }
  return rgbImage(widthPx, heightPx, out);
}
