import type {
  AnalyseHints,
  Codec,
  DecodedImage,
  DecodeOptions,
  ReceivedSource,
  SourcePlan,
} from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';

/**
 * A codec that looks at each picture once for each budget: the seeds and channels of a sweep that follow each other cost one analysis. A plan
 * may be encoded several times, for other grants, so nothing else changes.
 */
export class PlannedOnce implements Codec {
  readonly name: string;
  private readonly inner: Codec;
  /** The last plan of each picture that is still in use. */
  private readonly plans = new WeakMap<RgbImage, { readonly key: string; readonly plan: Promise<SourcePlan> }>();

  constructor(inner: Codec) {
    this.inner = inner;
    this.name = inner.name;
  }

  describe(): string {
    return this.inner.describe();
  }

  analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<SourcePlan> {
    const key = JSON.stringify(hints);
    const known = this.plans.get(image);
    if (known?.key === key) return known.plan;
    const plan = this.inner.analyse(image, hints);
    this.plans.set(image, { key, plan });
    plan.catch(() => this.plans.delete(image));
    return plan;
  }

  decode(received: ReceivedSource, options?: DecodeOptions): Promise<DecodedImage> {
    return this.inner.decode(received, options);
  }
}
