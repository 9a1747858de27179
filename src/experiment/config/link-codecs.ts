import { UsageError } from '../../common/errors.ts';
import type { CodecFinder } from '../../link/receiver.ts';
import { CODEC_IDS, type CodecId } from '../../phy/frame/extension.ts';
import { ClassicalCodec } from '../../sct/codec/classical.ts';
import type { Codec, DecodeOptions } from '../../sct/codec/codec.ts';
import { IntegratedCodec } from '../../sct/codec/integrated.ts';
import { MixedReceiver, SpeechLinkCodec } from '../../sct/codec/mixed.ts';
import { ModularCodec } from '../../sct/codec/modular.ts';
import type { SemanticCodecOptions } from '../../sct/codec/picture-parts.ts';
import type { UserPairOptions } from '../../sct/codec/user-pair.ts';
import type { KnownSet } from '../../sct/knowledge/knowledge-message.ts';
import { type KnowledgeStore, knownSet, shortId } from '../../sct/knowledge/knowledge-store.ts';
import { semanticSettings } from '../../sct/modes/semantic-options.ts';
import type { Precision } from '../../sct/semantics/int8.ts';
import { shippedModelsDir } from '../../sct/semantics/model-files.ts';
import { chooseSet, type ModelSetInfo, readModelSets } from '../../sct/semantics/model-set.ts';
import { openModelSet, type SemanticModels } from '../../sct/semantics/models.ts';
import type { LinkKnowledge } from '../loopback/session-knowledge.ts';
import type { SemanticData } from '../report/semantic-data.ts';
import { LINK_FLAGS, type LinkConfig } from './link-config.ts';
import { readLocalKnowledge } from './local-knowledge.ts';
import { UserLinkCodec, userPairPath } from './user-link-codec.ts';

type Words = Pick<
  LinkConfig,
  | 'codec'
  | 'format'
  | 'size'
  | 'modelsDir'
  | 'rxModelsDir'
  | 'known'
  | 'pushedDir'
  | 'mode'
  | 'task'
  | 'order'
  | 'keep'
  | 'roi'
  | 'distortion'
  | 'correction'
  | 'perceptual'
>;

/** Codecs that are made from a model set. */
const SEMANTIC = {
  integrated: (models: SemanticModels, options: SemanticCodecOptions) => new IntegratedCodec(models, options),
  modular: (models: SemanticModels, options: SemanticCodecOptions) => new ModularCodec(models, options),
} as const;
export type SemanticCodecName = keyof typeof SEMANTIC;

export function isSemantic(name: string): name is SemanticCodecName {
  return Object.hasOwn(SEMANTIC, name);
}

/** A sender's codec and what goes with it. */
export interface LinkCodec {
  readonly codec: Codec;
  /** First 32 bits of the model set's hash, as the header carries them; 0 where none is needed. */
  readonly modelSet: number;
  /** Labels of the model set; null for a codec without. */
  readonly labels: SemanticData['labels'] | null;
  /** Its networks, for what is measured beside the link. */
  readonly models?: SemanticModels;
  /** What the ends hold; null for a codec without a model set. */
  readonly knowledge: LinkKnowledge | null;
  /** Most SFVs of what is sent, where that is not for the configuration to say. */
  readonly maxSfvs?: number;
  /** The receiver's codecs in a loopback whose ends hold different sets. */
  readonly receiver?: CodecFinder;
}

/** Opens the networks of a set that lies in a folder. */
export type OpenModels = (dir: string, set: ModelSetInfo) => Promise<SemanticModels>;

/**
 * The codec that a configuration names, with its model set.
 *
 * @param precision of its networks; the other end need not know
 * @param open for whom codecs share networks; default: each has its own
 * @throws UsageError for a word or a set that does not exist; DeviceError and ModelError where the set cannot be read
 */
export async function senderCodec(
  config: Words,
  precision: Precision = 'float',
  open: OpenModels = (dir, set) => openModelSet(dir, set, undefined, precision),
): Promise<LinkCodec> {
  const own = userPairPath(config.codec);
  const held = (['known', 'rxModelsDir', 'pushedDir'] as const).filter((key) => config[key] !== undefined);
  if (held.length > 0 && !isSemantic(config.codec)) {
    const flags = held.map((key) => LINK_FLAGS[key]).join(', ');
    throw new UsageError(`${flags}: only a codec with a model set uses what both ends hold`, 'give --codec integrated');
  }
  if (own !== null) {
    const codec = await UserLinkCodec.open(own, () => dividedBy(config));
    return { codec, modelSet: codec.pairId, labels: null, knowledge: null };
  }
  if (!isSemantic(config.codec)) {
    return { codec: new ClassicalCodec({ format: config.format }), modelSet: 0, labels: null, knowledge: null };
  }
  const named = config.modelsDir ?? shippedModelsDir();
  const asked = chooseSet(await readModelSets(named), config.size);
  const store = await readLocalKnowledge(config);
  // Who names a folder means its set; who names a size, or nothing, the newest version of it that both ends hold.
  const free = config.modelsDir === undefined && config.pushedDir !== undefined;
  const { dir, set } = free ? store.newestOf(asked.name) : { dir: named, set: asked };
  const models = await open(dir, set);
  const make = SEMANTIC[config.codec];
  const codecOn = (on: SemanticModels) => {
    const { analysis, mode } = semanticSettings(config, on.tables.labels.names);
    const codec = make(on, { analysis, mode, references: store.referenceFeatures(on) });
    return { codec, modelSet: modelSetNumber(on.set.id) };
  };
  const using = knownSet(models.set);
  const reopen = async (other: KnownSet) => {
    const found = store.modelSet(shortId(other.sha256));
    return codecOn(await open(found.dir, found.set));
  };
  const agreeing: Pick<LinkKnowledge, 'reopen'> = free ? { reopen } : {};
  const coding = {
    ...codecOn(models),
    labels: models.tables.labels,
    models,
  };
  if (config.rxModelsDir === undefined) {
    return { ...coding, knowledge: { using, transmitter: store, receiver: store.knowledge(), ...agreeing } };
  }
  const there = await readLocalKnowledge({ ...config, modelsDir: config.rxModelsDir }, true);
  const receiver = new ReceiverCodecs(config, there);
  return { ...coding, receiver, knowledge: { using, transmitter: store, receiver: there.knowledge(), ...agreeing } };
}

/** What divides the picture of a user's pair with a grid. */
async function dividedBy(config: Words): Promise<UserPairOptions> {
  const dir = config.modelsDir ?? shippedModelsDir();
  const models = await openModelSet(dir, chooseSet(await readModelSets(dir), config.size));
  return { models, analysis: semanticSettings(config, models.tables.labels.names).analysis };
}

/**
 * Milliseconds of a codec's steps as `timings` names them; `machine`: from features to labels and classes. A codec's own step `heads` is
 * that and its bookkeeping, so it is left out.
 */
export function codecTimings(
  { heads, ...timingsMs }: Readonly<Record<string, number>>,
  task?: { readonly latencyMs: number },
): Record<string, number> {
  const steps = { ...timingsMs, ...(task ? { machine: task.latencyMs } : {}) };
  return Object.fromEntries(Object.entries(steps).map(([step, ms]) => [`${step}Ms`, Math.round(ms)]));
}

/** The codec of a picture with speech beside it. @throws UsageError for a number that is no picture's */
function pictureCodec(id: number): CodecId {
  const name = CODEC_IDS[id];
  if (name !== undefined && name !== 'none' && name !== 'speech' && name !== 'mixed') return name;
  throw new UsageError(`codec ${id} of the picture beside speech: allowed are 1 to 4`);
}

/** A set's id, 8 hexadecimal digits, as the header's 32-bit number, and back. */
export function modelSetNumber(id: string): number {
  return Number.parseInt(id, 16);
}
export function modelSetId(number: number): string {
  return number.toString(16).padStart(8, '0');
}

/** The receiver's own choices by the same words; reports show the picture before and after correction. */
export function decodeOptions(config: Words): DecodeOptions {
  const { correction, perceptual } = config;
  // Class names are checked by the codec; what is looked at does not depend on them.
  const { view } = semanticSettings({ task: config.task, distortion: config.distortion }, []);
  return { correction, perceptual, uncorrected: true, view };
}

/**
 * The codecs of a receiver. A model set is read only when a burst names one, and it is the one that the burst names, whatever
 * the configuration says, if it is there: pictures of an older set still decode where that is kept.
 */
export class ReceiverCodecs implements CodecFinder {
  private readonly config: Words;
  private readonly precision: Precision;
  private readonly opened = new Map<string, Promise<SemanticModels>>();
  private pair: Promise<UserLinkCodec> | null = null;
  private store: Promise<KnowledgeStore> | null;
  /** Labels of the set that was used last. */
  labels: SemanticData['labels'] | null = null;
  /** Networks of that set. */
  models: SemanticModels | undefined;

  /**
   * @param store what this end holds; default what the configuration says, read when a burst first needs it
   * @param precision of the networks
   */
  constructor(config: Words, store: KnowledgeStore | null = null, precision: Precision = 'float') {
    this.config = config;
    this.precision = precision;
    this.store = store && Promise.resolve(store);
  }

  /** What this end holds, where a burst has asked for it so far. */
  async held(): Promise<KnowledgeStore | null> {
    return this.store;
  }

  /** @throws UsageError naming the sender's set and those that are here, or the codec that this receiver lacks */
  async find(name: CodecId, modelSet: number): Promise<Codec> {
    if (name === 'classical') return new ClassicalCodec();
    if (name === 'user') return this.userPair(modelSet);
    if (name === 'speech') return new SpeechLinkCodec();
    if (name === 'mixed') return new MixedReceiver((id) => this.find(pictureCodec(id), modelSet));
    if (!isSemantic(name)) {
      const known = ['classical', ...Object.keys(SEMANTIC), 'speech', 'mixed'].join(', ');
      throw new UsageError(`the picture was sent with codec ${name}, which this receiver lacks; it has ${known}`);
    }
    this.store ??= readLocalKnowledge(this.config);
    const store = await this.store;
    const models = await this.open(store, modelSet);
    this.labels = models.tables.labels;
    this.models = models;
    const { analysis, mode } = semanticSettings(this.config, models.tables.labels.names);
    return SEMANTIC[name](models, { analysis, mode, references: store.referenceFeatures(models) });
  }

  /** The pair of the configuration, if it is the one that a burst names by its hash. */
  private async userPair(id: number): Promise<Codec> {
    const wanted = modelSetId(id);
    const dir = userPairPath(this.config.codec);
    const hint = 'both ends need the same encoder and decoder: give its folder with --codec onnx:DIR';
    if (dir === null) {
      throw new UsageError(
        `the picture was sent with a pair of the sender's own, ${wanted}; this receiver has none`,
        hint,
      );
    }
    this.pair ??= UserLinkCodec.open(dir);
    const codec = await this.pair;
    if (codec.pairId === id) return codec;
    const here = modelSetId(codec.pairId);
    throw new UsageError(`the picture was sent with the pair ${wanted}; this receiver has ${here} in ${dir}`, hint);
  }

  /** The networks of the set that a burst names, made once. */
  private open(store: KnowledgeStore, id: number): Promise<SemanticModels> {
    const { sha256 } = store.modelSet(id).set;
    const models = this.opened.get(sha256) ?? store.open(id, undefined, this.precision);
    this.opened.set(sha256, models);
    return models;
  }
}
