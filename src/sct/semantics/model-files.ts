import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelError, type ModelFault } from './model-error.ts';

/** The folder of the models that ship with the program: beside the nearest package.json, from src and from dist alike. */
export function shippedModelsDir(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'models');
}

/** What a manifest says of a file. */
export interface FileClaim {
  /** Relative to the manifest, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Bytes of a model file: inside the folder even through symbolic links, of the stated length and hash.
 *
 * @throws ModelError naming the file and its hashes
 */
export async function readModelFile(dir: string, info: FileClaim): Promise<Uint8Array> {
  const fault = { file: info.path, expectedSha256: info.sha256 };
  let real: string;
  try {
    real = await realpath(join(dir, ...info.path.split('/')));
  } catch {
    throw new ModelError(fault, 'is not there', 'models.json names a file that its folder lacks');
  }
  if (!real.startsWith((await realpath(dir)) + sep)) {
    throw new ModelError(fault, 'leads out of the folder of models.json');
  }
  const bytes = await readBounded(real, info.bytes, fault);
  const actualSha256 = createHash('sha256').update(bytes).digest('hex');
  if (actualSha256 !== info.sha256) {
    const length = bytes.length === info.bytes ? '' : `: ${bytes.length} bytes instead of ${info.bytes}`;
    throw new ModelError({ ...fault, actualSha256 }, `is not the file that models.json describes${length}`);
  }
  return bytes;
}

/**
 * Contents of a regular file of at most `limit` bytes; ModelError when it is longer, no regular file or not to be opened.
 */
export async function readBounded(path: string, limit: number, fault: ModelFault): Promise<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw error;
    throw new ModelError(fault, `cannot be opened (${error.code ?? 'error'})`);
  });
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new ModelError(fault, 'is not a regular file');
    if (info.size > limit) throw new ModelError(fault, `has ${info.size} bytes, at most ${limit} belong there`);
    const bytes = new Uint8Array(info.size);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await handle.close();
  }
}
