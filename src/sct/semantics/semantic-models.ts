import type { RgbImage } from '../image/rgb-image.ts';
import type { ClassMap, FeatureMap, GridPlane, PictureShape } from './feature-map.ts';
import type { ModelSetInfo } from './model-set.ts';
import type { ModelTables } from './model-tables.ts';

/** What the label head says of a picture. Label maps are at a quarter of the padded picture's resolution. */
export interface LabelOutput {
  readonly maps: Float32Array; // [11][4 x rows][4 x columns], logits of the street classes
  readonly presence: Float32Array; // [11], logits: is the class anywhere in the picture
  readonly clusters: Float32Array; // [32][rows][columns], higher = nearer to the centroid
  /** Logit: is this a street scene (11 classes) or anything else (32 clusters). */
  readonly street: number;
}

export interface CorrectorInput {
  readonly yHat: FeatureMap;
  readonly quality: GridPlane;
  /** 0 = whole (the cell is returned bit-exact), 1 = lost. */
  readonly damage: GridPlane;
  /** 0..1: out = in + strength (restored - in) for yHat and quality; a lost cell (damage 1) is restored whole whatever it says. */
  readonly strength: GridPlane;
  readonly classMap: ClassMap;
  readonly labelMap: ClassMap;
  /** An earlier picture's feature map, and 1 in the cells for which it stands; both or neither. */
  readonly reference?: FeatureMap | undefined;
  readonly hasReference?: GridPlane | undefined;
}

/**
 * Quality (log10 of expected squared error) to give g_s in cells that the generator made: what the generator was trained with. At -1
 * seams show, well above 0.5 texture is smoothed away.
 */
export const GENERATED_QUALITY = 0.5;

/** What the generator makes up has GENERATED_QUALITY. */
export interface GeneratorInput {
  readonly yHat: FeatureMap;
  /** 1 in cells to make up, 0 elsewhere (returned bit-exact). */
  readonly missing: GridPlane;
  readonly labelMap: ClassMap;
  readonly noise: Float32Array; // [16][row][column], standard normal
}

/** The networks and tables of one model set. Sessions are made when first used and kept until close. */
export interface SemanticModels {
  readonly set: ModelSetInfo;
  readonly tables: ModelTables;
  /** g_a: picture to feature map; padded to whole cells by edge replication right and below. */
  analyse(image: RgbImage): Promise<FeatureMap>;
  /** g_s: feature map and quality (log10 of expected squared error) to the picture of y's size, 8 bit. */
  synthesise(y: FeatureMap, quality: GridPlane, options?: { perceptual?: boolean | undefined }): Promise<RgbImage>;
  labels(y: FeatureMap): Promise<LabelOutput>;
  /** J^T (dMaps, dPresence) of the label network at y: the gradient of any function of maps and presence. */
  labelsVjp(y: FeatureMap, dMaps: Float32Array, dPresence: Float32Array): Promise<FeatureMap>;
  /** Logits of saliency, [4 x rows][4 x columns]. */
  saliency(y: FeatureMap): Promise<Float32Array>;
  /** f_e: 192 complex symbols of each cell, most important first, [384][row][column] with re, im interleaved. */
  encodeSymbols(y: FeatureMap, classMap: ClassMap, symbols: GridPlane, snrDb: GridPlane): Promise<Float32Array>;
  /** f_d: received [384][row][column] with zeros for what was not sent; scale = power scale of the side information. */
  decodeSymbols(
    received: Float32Array,
    scale: number,
    classMap: ClassMap,
    symbols: GridPlane,
    snrDb: GridPlane,
    shape: PictureShape,
  ): Promise<{ yHat: FeatureMap; quality: GridPlane }>;
  correct(input: CorrectorInput): Promise<{ yHat: FeatureMap; quality: GridPlane }>;
  generate(input: GeneratorInput): Promise<FeatureMap>;
  /**
   * A received feature map as the heads expect one: yHat is an estimate of least squared error, in which what was not sent is zero, and
   * the heads divide every channel by its deviation. yHat itself where the set has no `features` network.
   */
  forHeads(yHat: FeatureMap, quality: GridPlane): Promise<FeatureMap>;
  /** Makes all sessions and runs each once on a small picture. */
  warm(): Promise<void>;
  close(): Promise<void>;
}
