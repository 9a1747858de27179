import { createHash } from 'node:crypto';
import { UsageError } from '../../common/errors.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import type { FeatureMap } from '../semantics/feature-map.ts';
import type { Precision } from '../semantics/int8.ts';
import type { ModelSetInfo } from '../semantics/model-set.ts';
import { openModelSet, type SemanticModels } from '../semantics/models.ts';
import { KnowledgeError, setList } from './agreement.ts';
import { type Knowledge, type KnownSet, MAX_KNOWN_SETS, MAX_REFERENCES } from './knowledge-message.ts';

/** Most pixels of all reference pictures together: 64 megapixels are 192 MB. */
export const MAX_REFERENCE_PIXELS = 64 * 2 ** 20;

/** Hash of a reference picture: sha256 over `sct-reference/1`, width and height in 4 bytes each, and the samples. */
export function referenceHash({ width, height, data }: RgbImage): string {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  return createHash('sha256').update('sct-reference/1').update(size).update(data).digest('hex');
}

/** A model set as it is told to the other end. */
export function knownSet({ name, version, files, sha256 }: ModelSetInfo): KnownSet {
  return { name, version, bytes: files.reduce((sum, f) => sum + f.bytes, 0), sha256 };
}

/** First 32 bits of a hash: what side information and headers carry. */
export function shortId(sha256: string): number {
  return Number.parseInt(sha256.slice(0, 8), 16);
}

/**
 * Local knowledge of one end: model sets it can load and reference pictures it holds [Dai22]. Bounded; what is too much is refused,
 * nothing is dropped silently, because the other end counts on what was announced.
 */
export class KnowledgeStore {
  private readonly sets: { readonly dir: string; readonly set: ModelSetInfo }[] = [];
  private readonly references = new Map<number, { readonly sha256: string; readonly image: RgbImage }>();
  /** Feature maps of references by hash, of the set that was used last: some 6 bytes a pixel. */
  private readonly features = new Map<string, Promise<FeatureMap>>();
  private featuresOfSet = '';
  private pixels = 0;

  /** Adds a set of a folder, as readModelSets gives it. UsageError beyond 16 sets, or where two share their first 32 bits. */
  addModelSet(dir: string, set: ModelSetInfo): void {
    if (this.sets.some((s) => s.set.sha256 === set.sha256)) return;
    const other = this.sets.find((s) => s.set.id === set.id);
    if (other) throw new UsageError(`model sets ${other.set.sha256} and ${set.sha256} share the id ${set.id}`);
    if (this.sets.length === MAX_KNOWN_SETS) throw new UsageError(`more than ${MAX_KNOWN_SETS} model sets`);
    this.sets.push({ dir, set });
  }

  /**
   * Adds a reference picture.
   *
   * @returns its hash
   * @throws UsageError beyond 16 pictures or 64 megapixels, or where two share the first 32 bits of their hashes
   */
  addReference(image: RgbImage): string {
    const sha256 = referenceHash(image);
    const id = shortId(sha256);
    const there = this.references.get(id);
    if (there?.sha256 === sha256) return sha256;
    if (there) throw new UsageError(`reference pictures ${there.sha256} and ${sha256} share their first 32 bits`);
    const pixels = image.width * image.height;
    if (this.references.size === MAX_REFERENCES || this.pixels + pixels > MAX_REFERENCE_PIXELS) {
      throw new UsageError(
        `reference picture of ${image.width}x${image.height} is too much: allowed ${MAX_REFERENCES} pictures of together ` +
          `${MAX_REFERENCE_PIXELS} pixels, there are ${this.references.size} of ${this.pixels}`,
      );
    }
    this.pixels += pixels;
    this.references.set(id, { sha256, image });
    return sha256;
  }

  /** What to tell the other end. */
  knowledge(): Knowledge {
    return {
      modelSets: this.sets.map(({ set }) => knownSet(set)),
      references: [...this.references.values()].map(({ sha256, image: { width, height } }) => ({
        sha256,
        width,
        height,
      })),
    };
  }

  /**
   * The set that a burst names by the first 32 bits of its hash.
   *
   * @throws KnowledgeError naming it and the sets that are here
   */
  modelSet(id: number): { readonly dir: string; readonly set: ModelSetInfo } {
    const found = this.sets.find((s) => shortId(s.set.sha256) === id);
    if (found) return found;
    throw new KnowledgeError(
      `the picture was sent with model set ${id.toString(16).padStart(8, '0')}; ` +
        `this receiver has ${setList(this.knowledge().modelSets)}`,
      'both ends need the same set: give its folder with --models DIR, or send with one that is here',
    );
  }

  /** The newest version of a set; of several with one version the one that was added first. UsageError where there is none. */
  newestOf(name: string): { readonly dir: string; readonly set: ModelSetInfo } {
    const versions = this.sets.filter((s) => s.set.name === name);
    if (versions.length === 0)
      throw new UsageError(`no model set "${name}": there is ${setList(this.knowledge().modelSets)}`);
    return versions.reduce((best, s) => (s.set.version > best.set.version ? s : best));
  }

  /** Folder of a set that `knowledge` names. */
  folderOf({ sha256 }: KnownSet): string | undefined {
    return this.sets.find((s) => s.set.sha256 === sha256)?.dir;
  }

  /** Loads the networks of that set; errors as `modelSet` and `loadModels`. */
  open(id: number, threads?: number, precision?: Precision): Promise<SemanticModels> {
    const { dir, set } = this.modelSet(id);
    return openModelSet(dir, set, threads, precision);
  }

  /**
   * Feature maps of reference pictures by the first 32 bits of their hash: `reference` of `DecodeOptions`. Kept until another set is
   * used.
   */
  referenceFeatures(models: Pick<SemanticModels, 'set' | 'analyse'>): (id: number) => Promise<FeatureMap | undefined> {
    return async (id) => {
      const found = this.references.get(id);
      if (!found) return undefined;
      if (this.featuresOfSet !== models.set.sha256) this.features.clear();
      this.featuresOfSet = models.set.sha256;
      const kept = this.features.get(found.sha256);
      if (kept) return kept;
      const features = models.analyse(found.image);
      this.features.set(found.sha256, features);
      features.catch(() => this.features.delete(found.sha256));
      return features;
    };
  }
}
