import { RandomStream } from '../../../common/random.ts';
import type { ReceivedSource, SourcePlan, StreamGrant } from '../../../sct/codec/codec.ts';
import { IntegratedCodec } from '../../../sct/codec/integrated.ts';
import { type RgbImage, rgbImage } from '../../../sct/image/rgb-image.ts';
import { loadModels, type SemanticModels } from '../../../sct/semantics/models.ts';

/** Sizes of pictures whose cost is measured, [width, height]. */
export const IMAGE_SIZES = [
  [128, 128],
  [256, 256],
  [512, 512],
  [768, 512],
] as const;

export interface ImageShape {
  readonly set: 'live' | 'base';
  /** int8: as `sct stream` and `sct watch` run the set. */
  readonly precision: 'float' | 'int8';
  readonly width: number;
  readonly height: number;
}

/** Milliseconds of CPU time of all threads of the process, the networks with one thread. */
export interface ImageCosts {
  /** Picture to symbols and side information: networks, division into SFVs, entropy code. */
  readonly encode: number;
  /** Symbols and side information to the picture. */
  readonly decode: number;
}

/** R: complex symbols a pixel; CBR 1/16. */
const SYMBOLS_PER_PIXEL = 3 / 16;
const SNR_DB = 10;
const PASSES = 2;

/** The integrated codec on pictures of one size, symbols through noise of 10 dB in between. */
export class ImageCodecSpeed {
  private readonly shape: ImageShape;
  private readonly models: SemanticModels;
  private readonly codec: IntegratedCodec;
  private round = 0;

  private constructor(shape: ImageShape, models: SemanticModels) {
    this.shape = shape;
    this.models = models;
    this.codec = new IntegratedCodec(models);
  }

  static async open(shape: ImageShape, dir?: string): Promise<ImageCodecSpeed> {
    const { set: size, precision } = shape;
    const models = await loadModels({ size, precision, threads: 1, ...(dir === undefined ? {} : { dir }) });
    await models.warm();
    return new ImageCodecSpeed(shape, models);
  }

  /** One round: the best of a few pictures there and back. Throws when one does not come out. */
  async measure(): Promise<ImageCosts> {
    let [encode, decode] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let pass = 0; pass < PASSES; pass++) {
      const costs = await this.thereAndBack();
      encode = Math.min(encode, costs.encode);
      decode = Math.min(decode, costs.decode);
    }
    return { encode, decode };
  }

  private async thereAndBack(): Promise<ImageCosts> {
    const { width, height } = this.shape;
    const image = testPicture(width, height, this.round++);
    const symbols = Math.round(SYMBOLS_PER_PIXEL * width * height);
    const sent = await cpuMs(async () => {
      const plan = await this.codec.analyse(image, { symbols });
      return plan.encode(grantsOf(plan, 0.9 * symbols));
    });
    const random = new RandomStream(`image speed/${this.round}`);
    const received: ReceivedSource = {
      sideInfo: sent.value.sideInfo,
      streams: sent.value.streams.map((s) => {
        if (s.kind !== 'analog') throw new Error('the integrated codec sends symbols');
        const symbolsReIm = s.symbolsReIm.slice();
        random.addComplexNoise(symbolsReIm, 10 ** (-SNR_DB / 10));
        const weight = 1 / (1 + 10 ** (-SNR_DB / 10));
        for (let i = 0; i < symbolsReIm.length; i++) symbolsReIm[i] *= weight;
        return { id: s.id, kind: 'analog', symbolsReIm, snrDb: new Float32Array(symbolsReIm.length / 2).fill(SNR_DB) };
      }),
    };
    const shown = await cpuMs(() => this.codec.decode(received));
    if (!shown.value.image) throw new Error(`the picture did not come out: ${shown.value.note}`);
    return { encode: sent.ms, decode: shown.ms };
  }

  async close(): Promise<void> {
    await this.models.close();
  }
}

/** Symbols by importance, each stream at least what it needs. */
function grantsOf({ streams }: SourcePlan, symbols: number): StreamGrant[] {
  const scores = streams.reduce((sum, s) => sum + Math.max(1, s.score), 0);
  return streams.map(({ id, score, minSize }) => {
    const size = Math.max(minSize, Math.floor((symbols * Math.max(1, score)) / scores));
    return { id, size, snrDb: SNR_DB };
  });
}

async function cpuMs<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: (user + system) / 1000 };
}

/** Something between a photograph and noise, another one each time: networks that saw a picture before keep its features. */
function testPicture(width: number, height: number, round: number): RgbImage {
  const random = new RandomStream(`image speed/picture ${round}`);
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const busy = (60 * x) / width;
      for (let c = 0; c < 3; c++, i++) {
        data[i] = 128 + 60 * Math.sin((x + round) / 37 + c) * Math.cos(y / (19 + c)) + random.between(-busy, busy);
      }
    }
  }
  return rgbImage(width, height, data);
}
