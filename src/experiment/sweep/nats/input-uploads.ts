import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { FormatError, UsageError } from '../../../common/errors.ts';
import { inputSha256 } from '../inputs.ts';
import type { PointInput } from '../point.ts';
import { encodeIndex, filesOf, indexName, PART_BYTES, partName, type StoredFile } from './input-files.ts';
import type { SweepSpace } from './sweep-space.ts';

/** For the server to take a part, ms. */
const PUT_MS = 60_000;

/** Brings what points read into the object store, each thing once: a part that is there is not sent again, whichever sweep it came with. */
export class InputUploads {
  private readonly space: SweepSpace;
  private readonly done = new Map<string, Promise<void>>();

  constructor(space: SweepSpace) {
    this.space = space;
  }

  /**
   * UsageError or FormatError for what cannot be read.
   *
   * @param size of the model set, where there are several
   * @param again look there once more: the server may have lost it
   */
  put(input: PointInput, size?: string, again = false): Promise<void> {
    const name = indexName(input);
    const known = this.done.get(name);
    if (known && !again) return known;
    const putting = this.upload(name, input, size);
    this.done.set(name, putting);
    putting.catch(() => this.done.delete(name));
    return putting;
  }

  /** The server may have lost its disk: what is asked for next is looked for there again. */
  forget(): void {
    this.done.clear();
  }

  private async upload(name: string, { use, path, sha256 }: PointInput, size?: string): Promise<void> {
    // The index is put last: where it lies, its parts lie.
    if (await this.lies(name)) return;
    const { files, ...rest } = await filesOf(use, path);
    const stored: StoredFile[] = [];
    for (const { path: inside, from } of files) stored.push({ path: inside, ...(await this.file(from)) });
    // What lies under a hash is what it is a hash of: a file may have changed since.
    if ((await inputSha256(use, path, size)) !== sha256) {
      throw new FormatError(path, 'has changed since the sweep was made', 'begin another sweep');
    }
    await this.store(name, encodeIndex({ ...rest, files: stored }));
  }

  private async file(from: string): Promise<Omit<StoredFile, 'path'>> {
    const parts: string[] = [];
    let bytes = 0;
    const handle = await open(from, 'r').catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`${from}: cannot be read (${error.code ?? 'error'})`);
    });
    try {
      for (;;) {
        // Its own room for each part: the client may still be sending the one before.
        const part = Buffer.allocUnsafeSlow(PART_BYTES);
        const length = await fill(handle, part, bytes);
        if (length > 0) {
          const sha256 = createHash('sha256').update(part.subarray(0, length)).digest('hex');
          if (!(await this.lies(partName(sha256)))) await this.store(partName(sha256), part.subarray(0, length));
          parts.push(sha256);
          bytes += length;
        }
        if (length < PART_BYTES) return { bytes, parts };
      }
    } finally {
      await handle.close();
    }
  }

  /** Whether it lies there and will for long enough. */
  private lies(name: string): Promise<boolean> {
    return this.space.insist(async () => {
      const info = await (await this.space.files()).info(name);
      return info !== null && !info.deleted && Date.now() - Date.parse(info.mtime) < this.space.renewMs;
    });
  }

  private async store(name: string, data: Uint8Array): Promise<void> {
    await this.space.insist(async () => (await this.space.files()).putBlob({ name }, data, { timeout: PUT_MS }));
  }
}

/** Reads until `into` is full or the file ends. */
async function fill(handle: Awaited<ReturnType<typeof open>>, into: Buffer, from: number): Promise<number> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await handle.read(into, at, into.length - at, from + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}
