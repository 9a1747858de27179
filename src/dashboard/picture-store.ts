import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, mkdir, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../common/errors.ts';
import type { Controller } from '../link/controller.ts';
import { isPlainName, namesIn, regularFile, type ServedFile, shared } from './folder-files.ts';

/** Largest picture file that is taken in, bytes; and most pictures in the folder. */
export const MOST_PICTURE_BYTES = 1 << 26;
const MOST_PICTURES = 1000;
const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
};
const ENDINGS = Object.keys(TYPES).join(', ');

export interface ListedPicture {
  readonly name: string;
  readonly modifiedAt: string;
  readonly bytes: number;
}

/** Pictures that a page may send, in one folder; a page with the control token may add some. */
export class PictureStore {
  readonly list: () => Promise<ListedPicture[]>;
  private readonly folder: string;
  private readonly controller: Pick<Controller, 'pictureSize'>;

  constructor(folder: string, controller: Pick<Controller, 'pictureSize'>) {
    this.folder = folder;
    this.controller = controller;
    this.list = shared(() => this.read());
  }

  /** A picture; null where there is none of this name. */
  async file(name: string): Promise<ServedFile | null> {
    const type = typeOf(name);
    const path = join(this.folder, name);
    const found = type && isPlainName(name) ? await regularFile(path) : null;
    return type && found ? { path, name, bytes: found.size, type } : null;
  }

  /**
   * Takes in a picture.
   *
   * @param name what its file was called; it keeps letters, digits, dots and dashes of it, and gets a number where there is one of this name
   * @throws UsageError where it is too long, no picture, or of a size that cannot be sent; nothing is kept of it then
   */
  async add(name: string, body: Readable): Promise<ListedPicture & { width: number; height: number }> {
    if (typeOf(name) === null)
      throw new UsageError(`"${name.slice(0, 80)}" is no picture`, `its name ends in ${ENDINGS}`);
    const temporary = join(this.folder, `.${randomBytes(8).toString('hex')}.part`);
    try {
      await mkdir(this.folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw new UsageError(`${this.folder} cannot be made (${error.code})`);
      });
      if ((await namesIn(this.folder)).length >= MOST_PICTURES) {
        throw new UsageError(`there are ${MOST_PICTURES} pictures already`, `remove some from ${this.folder}`);
      }
      await pipeline(body, bounded, createWriteStream(temporary, { flags: 'wx' }));
      const size = await this.controller.pictureSize(temporary, name.slice(0, 80));
      const kept = await this.keep(temporary, name);
      const { size: bytes, mtimeMs } = (await regularFile(join(this.folder, kept)))!;
      return { name: kept, modifiedAt: new Date(mtimeMs).toISOString(), bytes, ...size };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  private async read(): Promise<ListedPicture[]> {
    const out: ListedPicture[] = [];
    for (const name of (await namesIn(this.folder)).slice(0, MOST_PICTURES)) {
      const found = await this.file(name);
      if (found) {
        const { mtimeMs } = (await regularFile(found.path)) ?? { mtimeMs: 0 };
        out.push({ name, modifiedAt: new Date(mtimeMs).toISOString(), bytes: found.bytes });
      }
    }
    return out.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Gives the file a name that nothing has yet, and returns it. */
  private async keep(temporary: string, name: string): Promise<string> {
    const ending = extname(name).toLowerCase();
    const base = name
      .slice(0, -ending.length)
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[.-]+|[.-]+$/g, '')
      .slice(0, 60);
    for (let number = 1; ; number++) {
      const kept = `${base || 'picture'}${number === 1 ? '' : `-${number}`}${ending}`;
      try {
        await link(temporary, join(this.folder, kept));
        return kept;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || number > MOST_PICTURES) throw error;
      }
    }
  }
}

/** Passes on what comes, as long as it is not too much. @throws UsageError */
async function* bounded(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MOST_PICTURE_BYTES) {
      throw new UsageError(`the picture is too long: at most ${MOST_PICTURE_BYTES / 2 ** 20} MiB`);
    }
    yield chunk;
  }
}

function typeOf(name: string): string | null {
  const ending = extname(name).toLowerCase();
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] : null;
}
