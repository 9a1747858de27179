import type {
  AnalyseHints,
  Codec,
  DecodedImage,
  DecodeOptions,
  ReceivedSource,
  SourcePlan,
} from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { Kept } from './kept.ts';

/** Budgets and numbers of SFVs whose plans are kept of a picture: a channel that changes from seed to seed asks for a few. */
const MOST_PLANS = 4;

/**
 * A codec that looks at each picture once for each budget: the seeds and channels of a sweep that follow each other cost one analysis. A plan
 * may be encoded several times, for other grants, so nothing else changes.
 */
export class PlannedOnce implements Codec {
  readonly name: string;
  private readonly inner: Codec;
  /** The last plans of each picture that is still in use. */
  private readonly plans = new WeakMap<RgbImage, Kept<SourcePlan>>();

  constructor(inner: Codec) {
    this.inner = inner;
    this.name = inner.name;
  }

  describe(): string {
    return this.inner.describe();
  }

  analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<SourcePlan> {
    const known = this.plans.get(image) ?? new Kept<SourcePlan>(MOST_PLANS);
    this.plans.set(image, known);
    return known.get(JSON.stringify(hints), () => this.inner.analyse(image, hints));
  }

  decode(received: ReceivedSource, options?: DecodeOptions): Promise<DecodedImage> {
    return this.inner.decode(received, options);
  }
}
