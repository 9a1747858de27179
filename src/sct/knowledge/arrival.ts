import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FormatError } from '../../common/errors.ts';
import { makeFolder } from '../../common/make-folder.ts';
import { writeFileAtomic } from '../../common/write-atomic.ts';
import { type FileClaim, readBounded } from '../semantics/model-files.ts';
import { MANIFEST } from '../semantics/model-set.ts';
import { MAX_INDEX_BYTES, type PushOffer } from './push-offer.ts';
import { filesOfPushedSet } from './pushed-set.ts';

/** Names inside the folder of what was pushed. */
export const RECORD = 'object.json';
export const PICTURE = 'picture.png';
export const RECORD_SCHEMA = 'sct-pushed/1';
const READY = 'ready';
const READ_BYTES = 2 ** 20;

/**
 * A set or picture that is being received, in a folder of its own until every byte of it is there and has its hash. Parts are numbered files: no
 * name that the other end chose touches the disk before the whole is known to be what was offered. What is there stays when the
 * connection or the program ends, and the next push of the same hash goes on behind it.
 */
export class Arrival {
  readonly offer: PushOffer;
  private readonly dir: string;
  private readonly target: string;
  private current: { readonly file: number; readonly handle: FileHandle } | null = null;

  private constructor(dir: string, target: string, offer: PushOffer) {
    this.dir = dir;
    this.target = target;
    this.offer = offer;
  }

  /**
   * Begins, or goes on where `dir` has parts of the same offer; parts of another one of the same hash are dropped.
   *
   * @param target where the whole will lie
   */
  static async open(dir: string, target: string, offer: PushOffer): Promise<Arrival> {
    const record = `${JSON.stringify({ schema: RECORD_SCHEMA, ...offer })}\n`;
    const path = join(dir, RECORD);
    const before = await readBounded(path, 4096, { file: RECORD }).catch(() => null);
    if (!before || Buffer.from(before).toString('utf8') !== record) {
      await rm(dir, { recursive: true, force: true });
      await makeFolder(dir);
      await writeFileAtomic(path, record);
    }
    return new Arrival(dir, target, offer);
  }

  /** The first file, which says what the others are. */
  get first(): FileClaim {
    const { kind, firstBytes, firstSha256 } = this.offer;
    return { path: kind === 'set' ? MANIFEST : PICTURE, bytes: firstBytes, sha256: firstSha256 };
  }

  /** The other files, once the first is whole. FormatError and ModelError where it is not that of the set that was offered. */
  async others(): Promise<readonly FileClaim[]> {
    if (this.offer.kind === 'picture') return [];
    const bytes = await readBounded(this.part(0), MAX_INDEX_BYTES, { file: MANIFEST });
    return filesOfPushedSet(bytes, this.offer);
  }

  /** Bytes of a file that are there already; one that is longer than it may be is dropped. */
  async have(file: number, { bytes }: FileClaim): Promise<number> {
    const size = (await stat(this.part(file)).catch(() => null))?.size ?? 0;
    if (size <= bytes) return size;
    await this.drop(file);
    return 0;
  }

  /** Bytes of a file at their place. */
  async write(file: number, offset: number, bytes: Uint8Array): Promise<void> {
    if (this.current?.file !== file) {
      await this.shut();
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
      this.current = { file, handle: await open(this.part(file), flags, 0o600) };
    }
    const { handle } = this.current;
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, offset + at);
      at += bytesWritten;
    }
  }

  /** Whether a file is whole and has its hash; one that is whole and wrong is dropped, so that it can come again. */
  async check(file: number, claim: FileClaim): Promise<boolean> {
    if (this.current?.file === file) await this.current.handle.sync();
    await this.shut();
    if ((await this.have(file, claim)) < claim.bytes) return false;
    const hash = createHash('sha256');
    const handle = await open(this.part(file), 'r');
    try {
      const buffer = Buffer.alloc(READ_BYTES);
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
    if (hash.digest('hex') === claim.sha256) return true;
    await this.drop(file);
    return false;
  }

  /** Gives the files their names and puts the whole in its place, at once. Every file must have been checked. */
  async commit(files: readonly FileClaim[]): Promise<void> {
    await this.shut();
    const ready = join(this.dir, READY);
    await rm(ready, { recursive: true, force: true });
    await mkdir(ready);
    for (const [i, { path }] of files.entries()) {
      const to = join(ready, ...path.split('/'));
      await makeFolder(dirname(to));
      await rename(this.part(i), to);
    }
    await rename(join(this.dir, RECORD), join(ready, RECORD));
    await makeFolder(dirname(this.target));
    await rename(ready, this.target).catch((error: NodeJS.ErrnoException) => {
      // Another program has received the same meanwhile: it is what it is by its hash.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    await rm(this.dir, { recursive: true, force: true });
  }

  /** The connection has ended: what is there stays. */
  async pause(): Promise<void> {
    await this.shut();
  }

  /** What came is not what was offered: nothing of it stays. */
  async discard(): Promise<void> {
    await this.shut();
    await rm(this.dir, { recursive: true, force: true });
  }

  private part(file: number): string {
    if (!Number.isInteger(file) || file < 0 || file > 255) throw new FormatError('file', `${file}, allowed 0 to 255`);
    return join(this.dir, `${file}.part`);
  }

  private async drop(file: number): Promise<void> {
    if (this.current?.file === file) await this.shut();
    await rm(this.part(file), { force: true });
  }

  private async shut(): Promise<void> {
    const open = this.current;
    this.current = null;
    await open?.handle.close();
  }
}
