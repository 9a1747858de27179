import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DeviceError } from '../../common/errors.ts';

/** Random access to bytes that may still grow. */
export interface ByteSource {
  readonly name: string;
  size(): Promise<number>;
  /** Fills `into` from `offset`; returns how many bytes were there. */
  read(offset: number, into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Opens a regular file, and nothing else: a pipe that nobody writes to does not hold it up. Null where it is something else. */
export async function openRegular(path: string): Promise<FileHandle | null> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return null;
}

/** A file, opened for reading; DeviceError if it is not there or may not be read. */
export async function openFileSource(path: string): Promise<ByteSource> {
  let handle: FileHandle;
  try {
    const opened = await openRegular(path);
    if (!opened) throw new Error('not a regular file');
    handle = opened;
  } catch (error) {
    throw new DeviceError(`cannot open ${path}: ${(error as Error).message}`);
  }
  return {
    name: path,
    size: async () => (await handle.stat()).size,
    read: async (offset, into) => {
      let done = 0;
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, into.length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    close: () => handle.close(),
  };
}

/** Bytes in memory. */
export function memorySource(bytes: Uint8Array, name = 'memory'): ByteSource {
  return {
    name,
    size: async () => bytes.length,
    read: async (offset, into) => {
      const part = bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + into.length, bytes.length));
      into.set(part);
      return part.length;
    },
    close: async () => {},
  };
}

/** The bytes [start, start + length) of another source; closing it closes the other. */
export function sliceSource(source: ByteSource, start: number, length: number, name: string): ByteSource {
  return {
    name,
    size: async () => length,
    read: (offset, into) =>
      source.read(start + offset, into.subarray(0, Math.max(0, Math.min(into.length, length - offset)))),
    close: () => source.close(),
  };
}
