import { UsageError } from '../../common/errors.ts';
import type {
  AnalyseHints,
  Codec,
  DecodedImage,
  DecodeOptions,
  ReceivedSource,
  SourcePlan,
} from '../../sct/codec/codec.ts';
import { UserPairCodec, type UserPairOptions } from '../../sct/codec/user-pair.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { ModelError } from '../../sct/semantics/model-error.ts';
import { UserCodec } from '../../sct/semantics/user-codec.ts';

const PREFIX = 'onnx:';

/** DIR of a codec `onnx:DIR`; null for another codec's name. */
export function userPairPath(codec: string): string | null {
  return codec.startsWith(PREFIX) ? codec.slice(PREFIX.length) : null;
}

/**
 * A user's own pair as a codec of a run. The pair is what the user gave, so what is wrong with it is wrong input (exit code 2): a
 * missing or changed file, other inputs and outputs, wrong mean power, number of symbols or shape.
 */
export class UserLinkCodec implements Codec {
  readonly name = 'user';
  /** First 32 bits of the hash over both networks, as the header carries them. */
  readonly pairId: number;
  private readonly codec: UserPairCodec;
  private readonly directory: string;

  private constructor(directory: string, codec: UserPairCodec) {
    this.directory = directory;
    this.codec = codec;
    this.pairId = codec.pairId;
  }

  /**
   * @param options of a pair with a grid, asked for only where it has one: models that divide the picture into SFVs
   * @throws UsageError
   */
  static async open(directory: string, options?: () => Promise<UserPairOptions>): Promise<UserLinkCodec> {
    const pair = await asUsage(directory, () => UserCodec.open(directory));
    const grid = pair.info.grid && options ? await options() : {};
    return new UserLinkCodec(directory, new UserPairCodec(pair, grid));
  }

  describe(): string {
    return this.codec.describe();
  }

  async analyse(image: RgbImage, hints?: AnalyseHints): Promise<SourcePlan> {
    const { directory } = this;
    const plan = await asUsage(directory, () => this.codec.analyse(image, hints));
    return { ...plan, encode: (grants) => asUsage(directory, () => plan.encode(grants)) };
  }

  decode(received: ReceivedSource, _options?: DecodeOptions): Promise<DecodedImage> {
    return this.codec.decode(received);
  }
}

async function asUsage<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new UsageError(
      `--codec ${PREFIX}${directory} cannot be used: ${error.message}`,
      `sct models verify ${PREFIX}${directory} checks a pair (docs/models.md)`,
    );
  }
}
