import { join } from 'node:path';
import { FormatError, SctError } from '../../common/errors.ts';
import { decodeImage } from '../image/load.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import { ModelError } from '../semantics/model-error.ts';
import { readModelFile } from '../semantics/model-files.ts';
import { MANIFEST, type ModelSetInfo, readModelSets } from '../semantics/model-set.ts';
import { openModelSet } from '../semantics/models.ts';
import { checkNetwork } from '../semantics/session.ts';
import { PICTURE } from './arrival.ts';
import { type KnowledgeStore, referenceHash } from './knowledge-store.ts';
import type { PushedObject, PushedStore } from './pushed-store.ts';

/** Something that was pushed, allowed and found to be what its hash says. */
export type OpenedObject =
  | { readonly kind: 'set'; readonly dir: string; readonly set: ModelSetInfo }
  | { readonly kind: 'picture'; readonly image: RgbImage };

/**
 * Checks something that was pushed by the hash that it is known by: of a set every file, its tables, and that its networks are some (none is
 * run, or given to the runtime); of a picture its samples. Only for what someone has allowed, or is about to: here it is parsed for the first time.
 *
 * @throws ModelError and FormatError where it is not what its hash says; UsageError for a picture that cannot be decoded
 */
export async function openPushed({ offer, dir }: PushedObject): Promise<OpenedObject> {
  if (offer.kind === 'set') {
    const sets = await readModelSets(dir);
    const set = sets[0];
    if (sets.length !== 1 || set.sha256 !== offer.sha256) {
      throw new ModelError({ file: MANIFEST }, `is not that of set ${offer.sha256}`);
    }
    const models = await openModelSet(dir, set, 1);
    await models.close();
    for (const file of set.files) {
      if (file.role !== 'tables') checkNetwork(file, file.role, set.channels, await readModelFile(dir, file));
    }
    return { kind: 'set', dir, set };
  }
  const claim = { path: PICTURE, bytes: offer.firstBytes, sha256: offer.firstSha256 };
  const image = await decodeImage(await readModelFile(dir, claim), join(dir, PICTURE));
  const { width, height } = image;
  if (width !== offer.width || height !== offer.height) {
    throw new FormatError('picture', `is ${width}x${height}, pushed as ${offer.width}x${offer.height}`);
  }
  const sha256 = referenceHash(image);
  if (sha256 !== offer.sha256) throw new FormatError('picture', `has the hash ${sha256}, pushed as ${offer.sha256}`);
  return { kind: 'picture', image };
}

/**
 * What becomes known of pushes while a receiver runs. Reading and checking takes time and happens beside the link (`refresh`); use begins all
 * at once where the caller says that no burst and no picture is under way (`activate`): at the first report of a new session.
 */
export class PushedKnowledge {
  private readonly store: PushedStore;
  private readonly note: (text: string) => void;
  private readonly seen: Set<string>;
  private ready: { readonly object: PushedObject; readonly opened: OpenedObject }[] = [];
  private state = '';
  private reading: Promise<void> | null = null;

  /** @param held hashes of what is in use already */
  constructor(store: PushedStore, note: (text: string) => void = () => undefined, held: Iterable<string> = []) {
    this.seen = new Set(held);
    this.store = store;
    this.note = note;
  }

  /** Checks what is allowed by now and was not before. Cheap where nothing has changed; one that is wrong is noted and left out. */
  refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  /** How much waits for the next activation. */
  get waiting(): number {
    return this.ready.length;
  }

  /** Puts what is ready into use; what finds no room there is noted and left out. Returns what is new. */
  activate(known: KnowledgeStore): readonly PushedObject[] {
    const out: PushedObject[] = [];
    for (const { object, opened } of this.ready.splice(0)) {
      try {
        if (opened.kind === 'set') known.addModelSet(opened.dir, opened.set);
        else known.addReference(opened.image);
        out.push(object);
      } catch (error) {
        if (!(error instanceof SctError)) throw error;
        this.note(`pushed ${object.offer.kind} ${object.offer.sha256.slice(0, 8)} is not used: ${error.message}`);
      }
    }
    return out;
  }

  private async read(): Promise<void> {
    const state = await this.store.state();
    if (state === this.state) return;
    this.state = state;
    try {
      for (const object of await this.store.held()) {
        const { sha256, kind } = object.offer;
        if (!object.allowed || this.seen.has(sha256)) continue;
        this.seen.add(sha256);
        try {
          this.ready.push({ object, opened: await openPushed(object) });
        } catch (error) {
          if (!(error instanceof SctError)) throw error;
          this.note(`pushed ${kind} ${sha256.slice(0, 8)} is not used: ${error.message}`);
        }
      }
    } catch (error) {
      // A list of allowed hashes that cannot be read allows nothing.
      if (!(error instanceof SctError)) throw error;
      this.note(error.message);
    }
  }
}
