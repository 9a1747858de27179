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
  private readonly gaps = new WeakMap<RgbImage, number>();
  private readonly parts = new WeakMap<RgbImage, SideParts>();

  constructor(inner: Codec) {
    this.inner = inner;
    this.name = inner.name;
  }

  describe(): string {
    return this.inner.describe();
  }

  /** How far the codings of a picture are from their grants, by the last of them; see `largestGap`. */
  gapOf(image: RgbImage): number | undefined {
    return this.gaps.get(image);
  }

  /** What the last plan of a picture was made of; undefined when there was none. */
  partsOf(image: RgbImage): SideParts | undefined {
    return this.parts.get(image);
  }

  async analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<BenchPlan> {
    const key = JSON.stringify(hints);
    const known = this.plans.get(image);
    const entry =
      known?.key === key
        ? known
        : { key, plan: this.inner.analyse(image, hints).then((plan) => this.remembering(plan, image)) };
    this.plans.set(image, entry);
    const plan: BenchPlan = await entry.plan;
    if (plan.parts) this.parts.set(image, plan.parts);
    return plan;
  }

  decode(received: ReceivedSource, options?: DecodeOptions): Promise<DecodedImage> {
    return this.inner.decode(received, options);
  }

  private remembering(plan: BenchPlan, image: RgbImage): BenchPlan {
    const codings = new Map<string, Promise<EncodedSource>>();
    return {
      ...plan,
      encode: async (grants: readonly StreamGrant[]) => {
        const key = JSON.stringify(grants);
        const coding = codings.get(key) ?? plan.encode(grants);
        if (codings.size >= MAX_CODINGS && !codings.has(key)) codings.delete(codings.keys().next().value!);
        codings.set(key, coding);
        const coded = await coding;
        this.gaps.set(image, largestGap(grants, coded));
        return coded;
      },
    };
  }
}

/** SFVs that got less are left out of `largestGap`: a byte is more than 2 % of them. */
const LEAST_BYTES = 50;

/**
 * Largest relative difference between what a stream was granted and what its codec made of it, over all streams that were granted
 * at least 50 bytes (any number of symbols); 0 where every one is filled. A granted stream that is missing counts as 1.
 */
export function largestGap(grants: readonly StreamGrant[], { streams }: EncodedSource): number {
  const sizes = new Map(streams.map((s) => [s.id, s.kind === 'bits' ? s.payload.length : s.symbolsReIm.length / 2]));
  const bits = streams.some((s) => s.kind === 'bits');
  const counted = grants.filter((g) => !bits || g.size >= LEAST_BYTES);
  return Math.max(0, ...counted.map((g) => Math.abs(g.size - (sizes.get(g.id) ?? 0)) / g.size));
}
