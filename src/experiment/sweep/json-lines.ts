import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FormatError } from '../../common/errors.ts';

/** Longest line of a sweep's files, bytes. */
export const MAX_LINE_BYTES = 4 * 2 ** 20;
const BLOCK_BYTES = 2 ** 20;
const NEWLINE = 0x0a;

export interface JsonLine {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** Where the next line begins, bytes. */
  readonly end: number;
}

/**
 * The whole lines of a file, in blocks, however long it is. What stands behind the last newline is what a killed process was writing; it
 * is left out.
 *
 * @throws FormatError for a line of more than 4 MiB; the error of `open` where there is no such file
 */
export function* wholeLines(path: string): Generator<JsonLine> {
  if (!statSync(path).isFile()) throw new FormatError(path, 'is not a file');
  const fd = openSync(path, 'r');
  try {
    const block = Buffer.alloc(BLOCK_BYTES);
    const parts: Buffer[] = [];
    let [kept, end, number] = [0, 0, 0];
    for (;;) {
      const length = readSync(fd, block, 0, BLOCK_BYTES, null);
      if (length === 0) return;
      let from = 0;
      for (let at = block.indexOf(NEWLINE); at >= 0 && at < length; at = block.indexOf(NEWLINE, from)) {
        parts.push(block.subarray(from, at));
        const line = Buffer.concat(parts);
        parts.length = 0;
        kept = 0;
        from = at + 1;
        end += line.length + 1;
        yield { text: line.toString('utf8'), number: ++number, end };
      }
      if (from < length) parts.push(Buffer.from(block.subarray(from, length)));
      kept += length - from;
      if (kept > MAX_LINE_BYTES) {
        throw new FormatError(`${path}:${number + 1}`, `more than ${MAX_LINE_BYTES} bytes in one line`);
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** A file that grows by whole lines: each goes out in one write, so that a process that is killed leaves at most one torn line, the last. */
export class LineAppender {
  private fd: number | null;
  private length: number;

  /** @param length bytes of whole lines that are there; what stands behind them is cut off */
  constructor(path: string, length: number) {
    this.fd = openSync(path, 'a');
    this.length = length;
    ftruncateSync(this.fd, length);
  }

  /** @throws the error of a full disk; then nothing of the line stays */
  append(line: string): void {
    if (this.fd === null) throw new Error('the file is closed');
    const bytes = Buffer.from(`${line}\n`);
    if (bytes.length > MAX_LINE_BYTES) throw new Error(`a line of ${bytes.length} bytes, at most ${MAX_LINE_BYTES}`);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    } catch (error) {
      ftruncateSync(this.fd, this.length);
      throw error;
    }
    this.length += bytes.length;
  }

  /** To the disk itself: what was appended survives a power cut, too. */
  sync(): void {
    if (this.fd !== null) fsyncSync(this.fd);
  }

  close(): void {
    if (this.fd === null) return;
    fsyncSync(this.fd);
    closeSync(this.fd);
    this.fd = null;
  }
}

/** A file of lines that is there wholly or not at all, however many they are. */
export function writeLinesAtomic(path: string, lines: Iterable<string>): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  const fd = openSync(temporary, 'wx');
  try {
    let [block, size] = [[] as string[], 0];
    const flush = () => {
      const bytes = Buffer.from(block.join(''));
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      [block, size] = [[], 0];
    };
    for (const line of lines) {
      block.push(line, '\n');
      size += line.length;
      if (size >= BLOCK_BYTES) flush();
    }
    flush();
    fsyncSync(fd);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
