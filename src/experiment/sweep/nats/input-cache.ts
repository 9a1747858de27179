import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { FormatError } from '../../../common/errors.ts';
import { readTextFile } from '../../../common/json-input.ts';
import { makeFolder } from '../../../common/make-folder.ts';
import { shippedModelsDir } from '../../../sct/semantics/model-files.ts';
import { inputSha256 } from '../inputs.ts';
import type { PointInput } from '../point.ts';
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
import type { SweepSpace } from './sweep-space.ts';

/** Attempts to fetch an object: another coordinator may be putting it anew. */
const TRIES = 3;
/** Of the cache's disk, never filled. */
const SPARE_BYTES = 2 ** 30;
/** The index beside what was fetched: it is there once everything is. */
const INDEX_FILE = 'index.json';

/** Where fetched files lie unless the user names another folder. */
export function defaultCache(): string {
  const home = process.env.XDG_CACHE_HOME;
  return join(home ? resolve(home) : join(homedir(), '.cache'), 'sct', 'sweep-inputs');
}

/**
 * What points read, fetched from the object store into a folder by its hash, and kept there for other points and other runs. Everything is
 * checked before it is used: each part by its SHA-256, the whole as it was hashed when the sweep was made.
 */
export class InputCache {
  private readonly space: SweepSpace;
  private readonly folder: string;
  private readonly spareBytes: number;
  private readonly done = new Map<string, Promise<string>>();

  /** @param spareBytes of the folder's disk that are never filled */
  constructor(space: SweepSpace, folder: string, spareBytes = SPARE_BYTES) {
    this.space = space;
    this.folder = resolve(folder);
    this.spareBytes = spareBytes;
  }

  /** Absolute path of an input on this machine. FormatError where what is in the store is not what was meant. */
  get(input: PointInput, size?: string): Promise<string> {
    const key = `${indexName(input)} ${input.use === 'models' ? (size ?? '') : ''}`;
    const known = this.done.get(key);
    if (known) return known;
    const getting = this.find(input, size);
    this.done.set(key, getting);
    getting.catch(() => this.done.delete(key));
    return getting;
  }

  private async find(input: PointInput, size?: string): Promise<string> {
    // The models that ship with this program need not travel.
    if (input.use === 'models' && (await this.matches(input, shippedModelsDir(), size))) return shippedModelsDir();
    const place = placeOf(this.folder, input);
    if (existsSync(join(place, INDEX_FILE))) {
      const path = await this.kept(place);
      if (path !== null && (await this.matches(input, path, size))) return path;
      await rm(place, { recursive: true, force: true });
    }
    const index = await this.fetch(input, place);
    const path = join(place, index.name);
    if (await this.matches(input, path, size)) return path;
    await rm(place, { recursive: true, force: true });
    throw new FormatError(input.path, `the object store has other contents than ${input.sha256}`);
  }

  private async matches({ use, sha256 }: PointInput, path: string, size?: string): Promise<boolean> {
    return (await inputSha256(use, path, size).catch(() => null)) === sha256;
  }

  /** What was fetched before; null where somebody has been at it. A model set's own hash says nothing of its networks' bytes, so all is read. */
  private async kept(place: string): Promise<string | null> {
    try {
      const index = decodeIndex(Buffer.from(await readTextFile(join(place, INDEX_FILE), MAX_INDEX_BYTES)));
      for (const file of index.files) {
        if (!(await isWhole(join(place, pathIn(index, file)), file))) return null;
      }
      return join(place, index.name);
    } catch {
      return null;
    }
  }

  private async index(input: PointInput): Promise<StoredInput> {
    return decodeIndex(await this.object(indexName(input), MAX_INDEX_BYTES, input.path));
  }

  /** Everything into a folder beside, which then takes its place: there is never half of it. */
  private async fetch(input: PointInput, place: string): Promise<StoredInput> {
    const index = await this.index(input);
    await makeFolder(this.folder);
    await this.checkRoom(input, index);
    const beside = join(this.folder, `.${randomBytes(8).toString('hex')}`);
    try {
      for (const file of index.files) {
        await this.file(file, join(beside, pathIn(index, file)), input.path);
      }
      await writeFile(join(beside, INDEX_FILE), encodeIndex(index), { flag: 'wx' });
      await rename(beside, place).catch((error: NodeJS.ErrnoException) => {
        // Another worker of this machine was faster.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(beside, { recursive: true, force: true });
    }
    return index;
  }

  /** A disk that runs full takes other programs with it. */
  private async checkRoom({ path }: PointInput, { files }: StoredInput): Promise<void> {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const disk = await statfs(this.folder);
    const free = disk.bavail * disk.bsize;
    if (bytes <= free - this.spareBytes) return;
    const figures = `${bytes} bytes, of the disk's ${free} free ones ${this.spareBytes} stay so`;
    throw new FormatError(
      path,
      `does not fit into ${this.folder}: ${figures}`,
      'delete old inputs there, or give another folder with --cache',
    );
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
        at += (await handle.write(part)).bytesWritten;
      }
      if (at !== bytes) throw new FormatError(meant, `${at} of ${bytes} bytes could be written`);
    } finally {
      await handle.close();
    }
  }

  /** An object of at most so many bytes. FormatError where it is not there, or larger. */
  private async object(name: string, mostBytes: number, meant: string): Promise<Uint8Array> {
    for (let tries = 1; ; tries++) {
      const data = await this.space.insist(async () => {
        const files = await this.space.files();
        const info = await files.info(name);
        if (info === null || info.deleted) return null;
        if (info.size > mostBytes) throw tooLarge(meant, info.size, mostBytes);
        return files.getBlob(name);
      });
      if (data && data.length <= mostBytes) return data;
      if (tries === TRIES)
        throw new FormatError(meant, 'is not in the object store: it may be too old, start the sweep again');
    }
  }
}

function pathIn({ kind, name }: StoredInput, { path }: StoredFile): string {
  return kind === 'file' ? name : join(name, ...path.split('/'));
}

/** Whether a file on the disk is what its parts say. */
async function isWhole(path: string, { bytes, parts }: StoredFile): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    if ((await handle.stat()).size !== bytes) return false;
    const part = Buffer.allocUnsafe(Math.min(PART_BYTES, bytes));
    for (const [i, sha256] of parts.entries()) {
      const due = Math.min(PART_BYTES, bytes - i * PART_BYTES);
      const { bytesRead } = await handle.read(part, 0, due, i * PART_BYTES);
      if (createHash('sha256').update(part.subarray(0, bytesRead)).digest('hex') !== sha256) return false;
    }
    return true;
  } finally {
    await handle.close();
  }
}

function tooLarge(meant: string, bytes: number, mostBytes: number): FormatError {
  return new FormatError(meant, `has an object of ${bytes} bytes, at most ${mostBytes} allowed`);
}
