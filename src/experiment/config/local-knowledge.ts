import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { MAX_REFERENCES } from '../../sct/knowledge/knowledge-message.ts';
import { KnowledgeStore } from '../../sct/knowledge/knowledge-store.ts';
import { PushedKnowledge } from '../../sct/knowledge/pushed-knowledge.ts';
import { PushedStore } from '../../sct/knowledge/pushed-store.ts';
import { shippedModelsDir } from '../../sct/semantics/model-files.ts';
import { readModelSets } from '../../sct/semantics/model-set.ts';

/** Where an end keeps what it holds beforehand. */
export interface KnowledgePlaces {
  /** Folder with model sets that comes before the shipped one. */
  readonly modelsDir?: string | undefined;
  /** A picture, or a folder of pictures, that the other end may hold too. */
  readonly known?: string | undefined;
  /** Folder of what was pushed to this end. */
  readonly pushedDir?: string | undefined;
}

/**
 * What an end holds: the model sets of its folder, those that ship, its reference pictures, and what was pushed to it and allowed.
 *
 * @param only true: no sets but those of `modelsDir`, and nothing that was pushed
 * @throws DeviceError and ModelError where a folder's models.json cannot be read; UsageError for pictures that cannot, or too many
 */
export async function readLocalKnowledge(places: KnowledgePlaces, only = false): Promise<KnowledgeStore> {
  const { modelsDir, known, pushedDir } = places;
  const store = new KnowledgeStore();
  for (const dir of modelsDir === undefined
    ? [shippedModelsDir()]
    : [modelsDir, ...(only ? [] : [shippedModelsDir()])]) {
    const sets = await readModelSets(dir).catch((error: unknown) => {
      // A program without the models that ship still has those that it is given.
      if (error instanceof DeviceError && dir !== modelsDir && modelsDir !== undefined) return [];
      throw error;
    });
    for (const set of sets) store.addModelSet(dir, set);
  }
  for (const path of known === undefined ? [] : await picturesAt(known)) {
    const { loadImage } = await import('../../sct/image/load.ts');
    store.addReference(await loadImage(path));
  }
  if (pushedDir !== undefined && !only) await addPushed(store, pushedDir);
  return store;
}

/** What is wrong is an error: the other end would count on it. */
async function addPushed(store: KnowledgeStore, dir: string): Promise<void> {
  const problems: string[] = [];
  const pushed = new PushedKnowledge(await PushedStore.existing(dir), (text) => problems.push(text));
  await pushed.refresh();
  pushed.activate(store);
  if (problems.length > 0)
    throw new UsageError(`--pushed ${dir}: ${problems.join('; ')}`, 'sct models forget HASH removes it');
}

/** The file itself, or the pictures of a folder by name. */
async function picturesAt(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new UsageError(`--known ${path} is not there`, 'give a picture or a folder of pictures');
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.(png|jpe?g|webp|avif)$/i.test(name)).sort();
  if (names.length === 0) throw new UsageError(`--known ${path} has no PNG, JPEG, WebP or AVIF in it`);
  if (names.length > MAX_REFERENCES) {
    throw new UsageError(`--known ${path} has ${names.length} pictures: allowed 1 to ${MAX_REFERENCES}`);
  }
  return names.map((name) => join(path, name));
}
