import { ClassicalCodec } from '../../../sct/codec/classical.ts';
import type { ClassicalFormat } from '../../../sct/codec/classical-header.ts';
import type { Codec } from '../../../sct/codec/codec.ts';
import { IntegratedCodec } from '../../../sct/codec/integrated.ts';
import { ModularCodec } from '../../../sct/codec/modular.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import type { ModeOptions } from '../../../sct/modes/mode-choice.ts';
import { type SemanticOptions, semanticSettings } from '../../../sct/modes/semantic-options.ts';
import type { FeatureMap } from '../../../sct/semantics/feature-map.ts';
import type { SemanticModels } from '../../../sct/semantics/models.ts';
import type { BenchPicture } from './data.ts';
import { boxedByTruth, groundTruthModels, roiFirst, withModels } from './ground-truth.ts';
import { MemoCodec } from './memo-codec.ts';

export const SEMANTIC_KINDS = ['integrated', 'modular'] as const;
export type SemanticKind = (typeof SEMANTIC_KINDS)[number];

const CODECS = { integrated: IntegratedCodec, modular: ModularCodec } as const;

/**
 * Whose importance. `own`: the product's. `oracle`: objects, what is salient, and the order of placement by ground truth, amounts by
 * the product's rule from these. `oracle-order`: the same, but amounts by entropy alone. `entropy`: the product's objects, amounts and order by
 * entropy alone.
 */
export const IMPORTANCES = ['own', 'oracle', 'oracle-order', 'entropy'] as const;
export type Importance = (typeof IMPORTANCES)[number];

export interface SemanticVariant {
  readonly kind: SemanticKind;
  readonly importance?: Importance;
  /** As a user says it; absent words have the product's defaults. */
  readonly words?: Pick<SemanticOptions, 'mode' | 'task' | 'order'>;
  /** Selective mode that keeps the rectangle around the region of interest by ground truth. */
  readonly box?: boolean;
}

/** Variants whose plans are kept at once: each plan of a picture takes some megabytes. */
const KEPT = 2;

/** The codecs of the bench, made once, with what they know of pictures. */
export class CodecShelf {
  private readonly models: SemanticModels;
  private readonly truths = new WeakMap<RgbImage, BenchPicture>();
  private readonly variants = new Map<string, MemoCodec>();
  private readonly files = new Map<ClassicalFormat, ClassicalCodec>();

  constructor(models: SemanticModels) {
    const features = new WeakMap<RgbImage, Promise<FeatureMap>>();
    this.models = withModels(models, {
      analyse: (image) => {
        const y = features.get(image) ?? models.analyse(image);
        features.set(image, y);
        return y;
      },
    });
  }

  /** Ground truth of pictures, for the oracle alone. */
  know(pictures: readonly BenchPicture[]): void {
    for (const picture of pictures) this.truths.set(picture.image, picture);
  }

  /** The conventional codec; it remembers its codings of a picture. */
  classical(format: ClassicalFormat = 'avif'): ClassicalCodec {
    const codec = this.files.get(format) ?? new ClassicalCodec({ format });
    this.files.set(format, codec);
    return codec;
  }

  semantic(variant: SemanticVariant): MemoCodec {
    const key = JSON.stringify([variant.kind, variant.importance, variant.words, variant.box]);
    const codec = this.variants.get(key) ?? new MemoCodec(this.make(variant));
    this.variants.delete(key);
    this.variants.set(key, codec);
    if (this.variants.size > KEPT) this.variants.delete(this.variants.keys().next().value!);
    return codec;
  }

  private make({ kind, importance = 'own', words = {}, box = false }: SemanticVariant): Codec {
    const { analysis, mode } = semanticSettings(words, this.models.tables.labels.names);
    const byEntropy = importance === 'entropy' || importance === 'oracle-order';
    const weighed = byEntropy ? { ...analysis, weight: 0 } : analysis;
    const make = (models: SemanticModels, kept: ModeOptions) =>
      new CODECS[kind](models, { analysis: weighed, mode: kept });
    const truthOf = (image: RgbImage) => this.truths.get(image);
    if (box) return boxedByTruth((roi) => make(this.models, roi ? { mode: 'selective', roi } : mode), truthOf);
    if (importance === 'own' || importance === 'entropy') return make(this.models, mode);
    return roiFirst(make(groundTruthModels(this.models, truthOf), mode), truthOf);
  }
}
