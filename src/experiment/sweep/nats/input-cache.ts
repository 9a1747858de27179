import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FormatError, SctError } from '../../../common/errors.ts';
import { makeFolder } from '../../../common/make-folder.ts';
import { shippedModelsDir } from '../../../sct/semantics/model-files.ts';
import { inputSha256 } from '../inputs.ts';
import type { PointInput } from '../point.ts';
import {
  type CacheBounds,
  CacheFolder,
  CacheTrouble,
  INDEX_FILE,
  MOST_BYTES,
  pathIn,
  SPARE_BYTES,
} from './cache-folder.ts';
import {
  decodeIndex,
  encodeIndex,
  indexName,
  MAX_INDEX_BYTES,
  PART_BYTES,
  partName,
  placeOf,
  type StoredFile,
  type StoredInput,
} from './input-files.ts';
import { pause } from './insistence.ts';
import { readObject } from './read-object.ts';
import type { SweepSpace } from './sweep-space.ts';

/** Attempts to fetch an object that is not there: the sweep may be putting it anew. */
const TRIES = 3;
/** Between them, ms: a sweep that finds its server without files puts them there again within 30 s. */
const MISSING_MS = 20_000;

/**
 * What points read, fetched from the object store into a folder by its hash, and kept there for other points and other runs. Everything is
 * checked before it is used: each part by its SHA-256, the whole as it was hashed when the sweep was made.
 */
export class InputCache {
  private readonly space: SweepSpace;
  private readonly folder: CacheFolder;
  private readonly missingMs: number;
  private readonly done = new Map<string, Promise<string>>();

  /** @param missingMs instead of 20 s: so short only in tests */
  constructor(space: SweepSpace, folder: string, bounds: Partial<CacheBounds> = {}, missingMs = MISSING_MS) {
    this.space = space;
    this.missingMs = missingMs;
    this.folder = new CacheFolder(folder, { mostBytes: MOST_BYTES, spareBytes: SPARE_BYTES, ...bounds });
  }

  /** Deletes what is beyond the bounds. CacheTrouble where the folder cannot be written to. */
  async tidy(): Promise<void> {
    await this.folder.makeRoom(0, 'cache').catch((error: unknown) => {
      throw ofThisMachine(error) ? new CacheTrouble(error.message) : error;
    });
  }

  /**
   * Absolute path of an input on this machine.
   *
   * @throws FormatError where what is in the store is not what was meant; CacheTrouble where this machine cannot hold it
   */
  async get(input: PointInput, size?: string): Promise<string> {
    const key = keyOf(input, size);
    const known = this.done.get(key);
    // Somebody else may have tidied up.
    if (known && (await this.isThere(input, await known))) return known;
    if (this.done.get(key) === known) this.done.delete(key);
    const getting = this.done.get(key) ?? this.find(input, size);
    this.done.set(key, getting);
    getting.catch(() => this.done.delete(key));
    return getting;
  }

  /** Whether all of them are as they came; what is not is forgotten, and fetched again when it is next asked for. */
  async areWhole(inputs: readonly PointInput[], size?: string): Promise<boolean> {
    let whole = true;
    for (const input of inputs) {
      const place = placeOf(this.folder.path, input);
      const path = await this.done.get(keyOf(input, size))?.catch(() => undefined);
      if (path === undefined || !path.startsWith(place) || (await this.folder.whole(place)) !== null) continue;
      this.done.delete(keyOf(input, size));
      await this.folder.remove(place);
      whole = false;
    }
    return whole;
  }

  private async isThere(input: PointInput, path: string): Promise<boolean> {
    const place = placeOf(this.folder.path, input);
    return !path.startsWith(place) || this.folder.touch(place);
  }

  private async find(input: PointInput, size?: string): Promise<string> {
    // The models that ship with this program need not travel.
    if (input.use === 'models' && (await this.matches(input, shippedModelsDir(), size))) return shippedModelsDir();
    const place = placeOf(this.folder.path, input);
    if (existsSync(place)) {
      const path = await this.folder.whole(place);
      if (path !== null && (await this.matches(input, path, size)) && (await this.folder.touch(place))) return path;
      await this.folder.remove(place);
    }
    const index = decodeIndex(await this.object(indexName(input), MAX_INDEX_BYTES, input.path));
    await this.fetch(index, place, input.path).catch((error: unknown) => {
      throw ofThisMachine(error) ? new CacheTrouble(`${input.path}: cannot be kept: ${error.message}`) : error;
    });
    const path = join(place, index.name);
    if (await this.matches(input, path, size)) return path;
    await this.folder.remove(place);
    throw new FormatError(input.path, `the object store has other contents than ${input.sha256}`);
  }

  private async matches({ use, sha256 }: PointInput, path: string, size?: string): Promise<boolean> {
    return (await inputSha256(use, path, size).catch(() => null)) === sha256;
  }

  /** Everything into a folder beside, which then takes its place: there is never half of it. */
  private async fetch(index: StoredInput, place: string, meant: string): Promise<void> {
    await this.folder.makeRoom(
      index.files.reduce((sum, { bytes }) => sum + bytes, 0),
      meant,
    );
    const beside = this.folder.beside();
    try {
      for (const file of index.files) await this.file(file, join(beside, pathIn(index, file)), meant);
      await writeFile(join(beside, INDEX_FILE), encodeIndex(index), { flag: 'wx' });
      await rename(beside, place).catch((error: NodeJS.ErrnoException) => {
        // Another worker of this machine was faster.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(beside, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  private async file({ bytes, parts }: StoredFile, to: string, meant: string): Promise<void> {
    await makeFolder(dirname(to));
    const handle = await open(to, 'wx');
    try {
      let at = 0;
      for (const sha256 of parts) {
        const part = await this.object(partName(sha256), PART_BYTES, meant);
        const due = Math.min(PART_BYTES, bytes - at);
        if (part.length !== due || createHash('sha256').update(part).digest('hex') !== sha256) {
          throw new FormatError(meant, `part ${sha256.slice(0, 12)} in the object store is damaged`);
        }
        // A disk that has room for less says so by writing less, and refuses the rest.
        for (let done = 0; done < due; ) done += (await handle.write(part, done)).bytesWritten;
        at += due;
      }
    } finally {
      await handle.close();
    }
  }

  /** An object of at most so many bytes. FormatError where it is not there, or larger. */
  private async object(name: string, mostBytes: number, meant: string): Promise<Uint8Array> {
    for (let tries = 1; ; tries++) {
      const data = await this.space.insist(async () =>
        readObject(await this.space.files(), name, {
          mostBytes,
          signal: this.space.signal,
          tooLarge: (bytes) => tooLarge(meant, bytes, mostBytes),
        }),
      );
      if (data !== null) return data;
      if (tries === TRIES)
        throw new FormatError(meant, 'is not in the object store: it may be too old, start the sweep again');
      await pause(this.missingMs, this.space.signal);
    }
  }
}

function keyOf(input: PointInput, size: string | undefined): string {
  return `${indexName(input)} ${input.use === 'models' ? (size ?? '') : ''}`;
}

/** Whether a file operation of this machine failed, and not what came over the network. */
function ofThisMachine(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error &&
    !(error instanceof SctError) &&
    /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '')
  );
}

function tooLarge(meant: string, bytes: number, mostBytes: number): FormatError {
  return new FormatError(meant, `has an object of ${bytes} bytes, at most ${mostBytes} allowed`);
}
