import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { FormatError, UsageError } from './errors.ts';
import { systemWords } from './system-words.ts';

/**
 * Reading JSON that someone else may have written: size and nesting are bounded before anything walks it, and each
 * getter names the field it refuses.
 */
export type JsonObject = Record<string, unknown>;

const MAX_DEPTH = 32;

/** Reads and parses a JSON file of at most `maxBytes`. Missing: UsageError; too large, too deep or not JSON: FormatError. */
export async function readJsonFile(path: string, maxBytes: number): Promise<unknown> {
  return parseJson(path, await readTextFile(path, maxBytes));
}

/** UTF-8 text of a file of at most `maxBytes`, never reading more than that, without a byte order mark; FormatError where it is no UTF-8. */
export async function readTextFile(path: string, maxBytes: number): Promise<string> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    // A pipe that nobody writes to would be waited for.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw new UsageError(`${path}: cannot be read (${systemWords(cause)})`);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new UsageError(`${path}: not a file`);
    if (stat.size > maxBytes) throw new FormatError(path, `${stat.size} bytes, at most ${maxBytes} allowed`);
    const buffer = Buffer.alloc(stat.size);
    let at = 0;
    while (at < buffer.length) {
      const { bytesRead } = await handle.read(buffer, at, buffer.length - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return utf8Text(path, buffer.subarray(0, at));
  } finally {
    await handle.close();
  }
}

function utf8Text(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError(path, 'not UTF-8 text');
  }
}

/** JSON.parse with the field's name in the error and a bound on the nesting. */
export function parseJson(field: string, text: string): unknown {
  const depth = nesting(text);
  if (depth > MAX_DEPTH) throw new FormatError(field, `nested ${depth} deep, at most ${MAX_DEPTH} allowed`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(field, `not JSON (${(cause as Error).message})`);
  }
}

/** Deepest bracket nesting outside strings, without parsing. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x5d || c === 0x7d) depth--;
  }
  return deepest;
}

export function asObject(field: string, v: unknown): JsonObject {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) throw new FormatError(field, 'must be an object');
  return v as JsonObject;
}

export function asString(field: string, v: unknown, maxLength = 4096): string {
  if (typeof v !== 'string') throw new FormatError(field, 'must be text');
  if (v.length > maxLength) throw new FormatError(field, `${v.length} characters, at most ${maxLength} allowed`);
  return v;
}

export function asNumber(field: string, v: unknown): number {
  if (typeof v !== 'number' || !Number.isFinite(v)) throw new FormatError(field, 'must be a finite number');
  return v;
}

export function asArray(field: string, v: unknown, maxLength: number): unknown[] {
  if (!Array.isArray(v)) throw new FormatError(field, 'must be a list');
  if (v.length > maxLength) throw new FormatError(field, `${v.length} elements, at most ${maxLength} allowed`);
  return v;
}

/** `read(field, v)`, or null when v is null or absent. */
export function orNull<T>(field: string, v: unknown, read: (field: string, v: unknown) => T): T | null {
  return v === null || v === undefined ? null : read(field, v);
}
