import type {
  AnalyseHints,
  Codec,
  DecodedImage,
  DecodeOptions,
  EncodedSource,
  ReceivedSource,
  SourcePlan,
  StreamGrant,
} from '../../../sct/codec/codec.ts';
import type { SideParts } from '../../../sct/codec/side-budget.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';

/** A plan of a semantic codec says what it was made of; the bench reads partition and ranking. */
export type BenchPlan = SourcePlan & { readonly parts?: SideParts | undefined };

/** Codings remembered for each plan: as many as one condition has mappings or repetitions of grants. */
const MAX_CODINGS = 4;

/**
 * A codec that looks at each picture once and codes the same grants once: mappings that place identical symbols elsewhere, or
 * many seeds of one condition, cost one coding. Changes nothing else.
 */
export class MemoCodec implements Codec {
  readonly name: string;
  private readonly inner: Codec;
  /** The last plan of each picture: another budget makes another. */
  private readonly plans = new WeakMap<RgbImage, { readonly key: string; readonly plan: Promise<BenchPlan> }>();
  private readonly parts = new WeakMap<RgbImage, SideParts>();

  constructor(inner: Codec) {
    this.inner = inner;
    this.name = inner.name;
  }

  describe(): string {
    return this.inner.describe();
  }

  /** What the last plan of a picture was made of; undefined when there was none. */
  partsOf(image: RgbImage): SideParts | undefined {
    return this.parts.get(image);
  }

  async analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<BenchPlan> {
    const key = String(hints.symbols);
    const known = this.plans.get(image);
    const entry = known?.key === key ? known : { key, plan: this.inner.analyse(image, hints).then(remembering) };
    this.plans.set(image, entry);
    const plan: BenchPlan = await entry.plan;
    if (plan.parts) this.parts.set(image, plan.parts);
    return plan;
  }

  decode(received: ReceivedSource, options?: DecodeOptions): Promise<DecodedImage> {
    return this.inner.decode(received, options);
  }
}

function remembering(plan: BenchPlan): BenchPlan {
  const codings = new Map<string, Promise<EncodedSource>>();
  return {
    ...plan,
    encode: (grants: readonly StreamGrant[]) => {
      const key = JSON.stringify(grants);
      const known = codings.get(key) ?? plan.encode(grants);
      if (codings.size >= MAX_CODINGS && !codings.has(key)) codings.delete(codings.keys().next().value!);
      codings.set(key, known);
      return known;
    },
  };
}
