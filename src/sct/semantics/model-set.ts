import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { ModelError } from './model-error.ts';
import { readBounded } from './model-files.ts';
import { checked, K_MAX } from './model-tables.ts';

export const MODELS_SCHEMA = 'sct-models/1';
export const MANIFEST = 'models.json';
const MAX_MANIFEST_BYTES = 2 ** 20;
/** Largest file of a set, and of all files of a set together. */
export const MAX_MODEL_BYTES = 64 * 2 ** 20;
export const MAX_SET_BYTES = 256 * 2 ** 20;
/** Versions of a set count from 1; they are told in 16 bits. */
export const MAX_SET_VERSION = 65_535;

/** Networks and tables of a model set by what they do (the contract stands in docs/models.md). */
export const MODEL_ROLES = [
  'analysis',
  'synthesis',
  'synthesis-perceptual',
  'symbol-encoder',
  'symbol-decoder',
  'labels',
  'labels-vjp',
  'saliency',
  'corrector',
  'generator',
  'features',
  'tables',
] as const;
export type ModelRole = (typeof MODEL_ROLES)[number];

/** An input or output of a network; a free dimension is given by its name. */
export interface TensorInfo {
  readonly name: string;
  readonly type: 'float32' | 'int32' | 'uint8';
  readonly shape: readonly (number | string)[];
}

/** One file of a model set as models.json describes it. */
export interface ModelFileInfo {
  readonly name: string;
  readonly role: ModelRole;
  /** Relative to models.json, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** null for files that are not ONNX. */
  readonly opset: number | null;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly parameters: number;
  readonly data: string;
  readonly steps: number;
  readonly seed: number;
  readonly licence: string;
  readonly quality: Readonly<Record<string, number | string | null | readonly number[]>>;
  /** Path of the card relative to models.json; null where there is none. */
  readonly card: string | null;
  /**
   * The same network with 8-bit convolutions or by other operators, an execution of it and no part of the set: not in its hash, for it changes nothing that
   * the other end must know.
   */
  readonly int8?: { readonly path: string; readonly bytes: number; readonly sha256: string } | undefined;
}

export interface ModelSetInfo {
  readonly name: string;
  readonly version: number;
  /** First 8 hexadecimal digits of sha256: what the header of a burst carries. */
  readonly id: string;
  /** Over the sorted lines "name sha256\n" of the files. */
  readonly sha256: string;
  readonly channels: number;
  readonly files: readonly ModelFileInfo[];
}

const dimension = z.union([z.number().int().min(1).max(8192), z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,7}$/)]);
const tensor = z.object({
  name: z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,31}$/),
  type: z.enum(['float32', 'int32']),
  shape: z.array(dimension).max(6),
});
const hex64 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits in lower case');
/** Names between slashes that start with a letter or digit: neither absolute, nor upward, nor hidden. */
const relative = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/,
    'must be a path below the folder of models.json',
  );
const note = z.string().max(2000);
const figure = z.union([z.number(), z.string().max(200), z.null(), z.array(z.number()).max(64)]);
const file = z.object({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  role: z.enum(MODEL_ROLES),
  path: relative,
  bytes: z.number().int().min(1).max(MAX_MODEL_BYTES),
  sha256: hex64,
  opset: z.number().int().min(1).max(1000).nullable(),
  inputs: z.array(tensor).max(16),
  outputs: z.array(tensor).max(16),
  parameters: z.number().int().min(0),
  data: note,
  steps: z.number().int().min(0),
  seed: z.number().int(),
  licence: note,
  quality: z.record(z.string().max(200), figure),
  card: relative.nullable(),
  int8: z.object({ path: relative, bytes: z.number().int().min(1).max(MAX_MODEL_BYTES), sha256: hex64 }).optional(),
});
const manifest = z.object({
  schema: z.literal(MODELS_SCHEMA),
  version: z.number().int().min(1),
  sets: z
    .array(
      z.object({
        name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/),
        version: z.number().int().min(1).max(MAX_SET_VERSION),
        id: z.string().regex(/^[0-9a-f]{8}$/),
        sha256: hex64,
        channels: z
          .number()
          .int()
          .min(1)
          .max(2 * K_MAX),
        files: z.array(file).min(1).max(MODEL_ROLES.length),
      }),
    )
    .min(1)
    .max(8),
});

/**
 * Sets of a model folder as its models.json says, checked: sizes, names and roles once each, hash of each set over its files.
 * The files themselves are checked when they are read.
 *
 * @throws DeviceError when the folder has no models.json; ModelError naming the field that is wrong
 */
export async function readModelSets(dir: string): Promise<readonly ModelSetInfo[]> {
  const path = join(dir, MANIFEST);
  const bytes = await readBounded(path, MAX_MANIFEST_BYTES, { file: MANIFEST }).catch((error: unknown) => {
    if (error instanceof ModelError) throw error;
    const hint =
      'the networks ship in the folder models of this program: restore it, or name another with --models DIR; ' +
      'of the codecs only --codec classical needs none';
    throw new DeviceError(`cannot read ${path}`, hint);
  });
  return parseModelSets(bytes);
}

/** Sets of a models.json, checked as `readModelSets` does. ModelError naming the field that is wrong. */
export function parseModelSets(bytes: Uint8Array): readonly ModelSetInfo[] {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ModelError({ file: MANIFEST }, 'is not JSON');
  }
  const { sets } = checked(manifest, json, { file: MANIFEST });
  unique(
    sets.map((s) => s.name),
    'set',
  );
  for (const set of sets) {
    unique(
      set.files.map((f) => f.name),
      `set ${set.name}: file`,
    );
    unique(
      set.files.flatMap((f) => (f.int8 ? [f.path, f.int8.path] : [f.path])),
      `set ${set.name}: path`,
    );
    unique(
      set.files.map((f) => f.role),
      `set ${set.name}: role`,
    );
    const total = set.files.reduce((sum, f) => sum + f.bytes + (f.int8?.bytes ?? 0), 0);
    if (total > MAX_SET_BYTES)
      throw new ModelError({ file: MANIFEST }, `set ${set.name} has ${total} bytes, more than ${MAX_SET_BYTES}`);
    const sha256 = setHash(set.files);
    if (sha256 !== set.sha256) {
      const fault = { file: MANIFEST, expectedSha256: set.sha256, actualSha256: sha256 };
      throw new ModelError(fault, `set ${set.name}: its hash is not that of its files`);
    }
    if (set.id !== sha256.slice(0, 8))
      throw new ModelError({ file: MANIFEST }, `set ${set.name}: id ${set.id} is not ${sha256.slice(0, 8)}`);
  }
  return sets;
}

/** sha256 over the sorted lines "name sha256\n" of the files, in hexadecimal. */
export function setHash(files: readonly { readonly name: string; readonly sha256: string }[]): string {
  const lines = files.map((f) => `${f.name} ${f.sha256}\n`).sort((a, b) => (a < b ? -1 : 1));
  return createHash('sha256').update(lines.join('')).digest('hex');
}

function unique(names: readonly string[], what: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ModelError({ file: MANIFEST }, `${what} "${twice}" stands there twice`);
}

/** One set of a folder by its name; without a name base, or the only one. UsageError listing the sets that are there. */
export function chooseSet(sets: readonly ModelSetInfo[], name: string | undefined): ModelSetInfo {
  const found = name === undefined && sets.length === 1 ? sets[0] : sets.find((s) => s.name === (name ?? 'base'));
  if (!found) throw new UsageError(`no model set "${name ?? 'base'}": there is ${sets.map((s) => s.name).join(', ')}`);
  return found;
}
