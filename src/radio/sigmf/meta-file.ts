import { open, rename, rm } from 'node:fs/promises';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { META_LIMITS, type SigmfMeta } from './meta.ts';

/**
 * Writes metadata beside its place and renames it there: a reader finds the old or the new one, whole.
 *
 * @throws UsageError if it would be longer than what is read, DeviceError if it cannot be written
 */
export async function writeMeta(path: string, meta: SigmfMeta): Promise<void> {
  const indent = meta.captures.length + meta.annotations.length > 1000 ? undefined : 2;
  const bytes = Buffer.from(`${JSON.stringify(meta, null, indent)}\n`);
  if (bytes.length > META_LIMITS.bytes) {
    throw new UsageError(`${path} would be ${bytes.length} bytes long; at most ${META_LIMITS.bytes} are read`);
  }
  const beside = `${path}.${process.pid}.part`;
  try {
    const handle = await open(beside, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw new DeviceError(`cannot write ${path}: ${(error as Error).message}`);
  }
}
