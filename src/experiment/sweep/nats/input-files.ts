import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FormatError, UsageError } from '../../../common/errors.ts';
import { asArray, asNumber, asObject, asString, parseJson } from '../../../common/json-input.ts';
import type { InputUse, PointInput } from '../point.ts';
import { fileName } from './messages.ts';

/** A file is kept in parts of so many bytes, each under its own SHA-256: what is there already is not sent again. */
export const PART_BYTES = 4 * 2 ** 20;
const MAX_FILES = 2000;
const MAX_DEPTH = 6;
/** Of all files of one input. */
const MAX_BYTES = 16 * 2 ** 30;
export const MAX_INDEX_BYTES = 2 ** 20;
const INDEX_SCHEMA = 'sct.sweep-input/1';
const SHA256 = /^[0-9a-f]{64}$/;

export interface StoredFile {
  /** Under the input's own folder, with forward slashes; of a single file its name. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of each part. */
  readonly parts: readonly string[];
}

/** What an input is made of, as it lies in the object store under `indexName`. */
export interface StoredInput {
  readonly schema: typeof INDEX_SCHEMA;
  readonly kind: 'file' | 'folder';
  /** Of the file or folder. */
  readonly name: string;
  readonly files: readonly StoredFile[];
}

/** Under which name an input's index lies; `sha256` alone would not say of what. */
export function indexName({ use, sha256 }: Pick<PointInput, 'use' | 'sha256'>): string {
  return `input-${use}-${sha256}`;
}

export function partName(sha256: string): string {
  return `part-${sha256}`;
}

/** The files of an input, largest bounds checked before one is opened. UsageError where it is not there. */
export async function filesOf(
  use: InputUse,
  path: string,
): Promise<{ kind: StoredInput['kind']; name: string; files: { path: string; from: string }[] }> {
  // A run may be given by its run.json.
  const at = use === 'trace' && basename(path) === 'run.json' ? dirname(path) : path;
  const info = await stat(at).catch(() => null);
  if (!info) throw new UsageError(`${path}: no such file or folder`);
  const name = fileName(path, basename(at));
  if (!info.isDirectory()) return { kind: 'file', name, files: [{ path: name, from: at }] };
  const files: { path: string; from: string }[] = [];
  let bytes = 0;
  const walk = async (folder: string, under: string, depth: number): Promise<void> => {
    const entries: Dirent[] = await readdir(join(at, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || needless(use, entry.name)) continue;
      const inside = `${under}${entry.name}`;
      if (entry.isDirectory() && depth < MAX_DEPTH && use !== 'trace')
        await walk(join(folder, entry.name), `${inside}/`, depth + 1);
      if (!entry.isFile()) continue;
      const from = join(at, folder, entry.name);
      bytes += (await stat(from)).size;
      files.push({ path: inside, from });
      if (files.length > MAX_FILES) throw new FormatError(path, `more than ${MAX_FILES} files`);
      if (bytes > MAX_BYTES) throw new FormatError(path, `more than ${MAX_BYTES} bytes`);
    }
  };
  await walk('', '', 1);
  if (files.length === 0) throw new UsageError(`${path}: no file in it`);
  return { kind: 'folder', name, files };
}

/** Of a run only what a channel trace is made of travels: what was received, and how. */
function needless(use: InputUse, name: string): boolean {
  return use === 'trace' && (/^tx\./.test(name) || !/\.(json|yaml|sigmf-meta|sigmf-data)$/.test(name));
}

export function encodeIndex({ kind, name, files }: Omit<StoredInput, 'schema'>): Uint8Array {
  const bytes = Buffer.from(JSON.stringify({ schema: INDEX_SCHEMA, kind, name, files }));
  if (bytes.length > MAX_INDEX_BYTES) throw new FormatError(name, 'is too large for a sweep over a network');
  return bytes;
}

/** Parses an index that somebody put into the store: no path leads out of the input's folder, every size is bounded. */
export function decodeIndex(bytes: Uint8Array): StoredInput {
  if (bytes.length > MAX_INDEX_BYTES) throw new FormatError('index', `has ${bytes.length} bytes`);
  const o = asObject('index', parseJson('index', Buffer.from(bytes).toString('utf8')));
  if (o.schema !== INDEX_SCHEMA) throw new FormatError('index.schema', `is not ${INDEX_SCHEMA}`);
  if (o.kind !== 'file' && o.kind !== 'folder') throw new FormatError('index.kind', 'is not file or folder');
  const name = fileName('index.name', asString('index.name', o.name, 255));
  const files = asArray('index.files', o.files, MAX_FILES).map((v, i) => storedFile(`index.files[${i}]`, v));
  if (files.length === 0) throw new FormatError('index.files', 'names none');
  if (new Set(files.map(({ path }) => path)).size < files.length)
    throw new FormatError('index.files', 'name one twice');
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > MAX_BYTES) throw new FormatError('index.files', `have ${total} bytes, at most ${MAX_BYTES} allowed`);
  if (o.kind === 'file' && (files.length > 1 || files[0].path !== name)) {
    throw new FormatError('index.files', 'are not the one file that it is');
  }
  return { schema: INDEX_SCHEMA, kind: o.kind, name, files };
}

function storedFile(field: string, value: unknown): StoredFile {
  const o = asObject(field, value);
  const path = asString(`${field}.path`, o.path, 2048);
  const steps = path.split('/');
  if (steps.length > MAX_DEPTH) throw new FormatError(`${field}.path`, `is ${steps.length} deep, at most ${MAX_DEPTH}`);
  for (const step of steps) fileName(`${field}.path`, step);
  const bytes = asNumber(`${field}.bytes`, o.bytes);
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > MAX_BYTES) {
    throw new FormatError(`${field}.bytes`, `${bytes} is not 0 to ${MAX_BYTES}`);
  }
  const due = Math.ceil(bytes / PART_BYTES);
  const parts = asArray(`${field}.parts`, o.parts, due).map((v) => asString(`${field}.parts`, v, 64));
  if (parts.length !== due || !parts.every((part) => SHA256.test(part))) {
    throw new FormatError(`${field}.parts`, `are not ${due} SHA-256`);
  }
  return { path, bytes, parts };
}

/** Where an input lies in a folder of fetched ones. */
export function placeOf(cache: string, input: Pick<PointInput, 'use' | 'sha256'>): string {
  return join(cache, indexName(input));
}
