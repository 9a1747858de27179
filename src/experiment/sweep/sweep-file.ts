import { basename, dirname, extname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../../common/errors.ts';
import { readTextFile } from '../../common/json-input.ts';
import { nearest } from '../../common/nearest.ts';
import { AXES, AXIS_NAMES, type AxisValue, axisValues } from './axes.ts';
import type { SpeechSetting } from './point.ts';
import { SPEECH_AXIS_NAMES, speechAxisValues } from './speech-axes.ts';
import { STOP_METRICS, type StopRule } from './stop-rule.ts';

const MAX_FILE_BYTES = 2 ** 20;
const MAX_CASES = 1000;
const MAX_PHOTOS = 1000;
export const FILE_SCHEMA = 'sct.sweep-file/1';
/** What `photo` says for the photo that the program brings along. */
export const DEMO = 'demo';

/** One product of axes: the values of each, in the order of nesting; seed comes last. */
export interface SweepCase {
  /** None where speech goes alone. */
  readonly photos: readonly string[];
  /** WAV files and folders of them; none for photos alone. */
  readonly speech: readonly string[];
  /** What is varied of speech. */
  readonly spoken: readonly (readonly SpeechSetting[])[];
  readonly axes: readonly (readonly AxisValue[])[];
}

/** A sweep's file, checked value by value; what its values mean together is looked at when points are made. */
export interface SweepFile {
  readonly path: string;
  /** As it was read: it is kept beside the results. */
  readonly text: string;
  readonly name: string;
  /** What relative paths in it begin from. */
  readonly folder: string;
  readonly stop: StopRule | null;
  readonly cases: readonly SweepCase[];
}

const PATHS = `must be a path, or a list of 1 to ${MAX_PHOTOS} paths`;
const path = z
  .string({ error: 'must be a path' })
  .min(1, { error: 'must be a path' })
  .max(4096, { error: 'a path has at most 4096 characters' })
  .refine((text) => !text.includes('\0'), { error: 'a path has no zero byte' });
const photos = z.union(
  [path, z.array(path, { error: PATHS }).min(1, { error: PATHS }).max(MAX_PHOTOS, { error: PATHS })],
  {
    error: PATHS,
  },
);

function within(min: number, max: number) {
  const message = `must be a number from ${min} to ${max}`;
  return z.number({ error: message }).refine((v) => v >= min && v <= max, { error: message });
}

const stopSchema = z.strictObject(
  {
    metric: z.enum(STOP_METRICS, { error: `must be one of ${STOP_METRICS.join(', ')}` }),
    halfWidth: within(1e-6, 100),
    confidence: within(0.5, 0.999).default(0.95),
    min: within(3, 10_000).refine(Number.isInteger, { error: 'must be a whole number' }).default(5),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'must be {metric: NAME, halfWidth: NUMBER}' : undefined) },
);

/** Each axis is checked by `axisValues`. */
const axesShape = Object.fromEntries(
  AXES.map((axis) => [
    axis.name,
    z
      .unknown()
      .superRefine((raw, ctx) => {
        if (raw === undefined) return;
        const values = axisValues(axis, raw);
        if (!('message' in values)) return;
        ctx.addIssue({ code: 'custom', message: values.message, path: values.at === null ? [] : [values.at] });
      })
      .optional(),
  ]),
);

/** Those of speech by `speechAxisValues`. */
const speechShape = Object.fromEntries(
  SPEECH_AXIS_NAMES.map((name) => [
    name,
    z
      .unknown()
      .superRefine((raw, ctx) => {
        const values = raw === undefined ? [] : speechAxisValues(name, raw);
        if (!('message' in values)) return;
        ctx.addIssue({ code: 'custom', message: values.message, path: values.at === null ? [] : [values.at] });
      })
      .optional(),
  ]),
);

const sourcesShape = { photo: photos.optional(), speech: photos.optional() };
const caseSchema = z.strictObject({ ...sourcesShape, ...speechShape, ...axesShape });

const fileSchema = z.strictObject({
  schema: z.literal(FILE_SCHEMA, { error: `must be ${FILE_SCHEMA}` }).optional(),
  name: z
    .string({ error: 'must be text' })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'must be 1 to 64 letters, digits, dots, dashes, underscores' })
    .optional(),
  ...sourcesShape,
  stop: stopSchema.optional(),
  cases: z
    .array(caseSchema, { error: 'must be a list of settings' })
    .min(1, { error: 'an empty list: allowed 1 case or more' })
    .max(MAX_CASES, { error: `at most ${MAX_CASES} cases` })
    .optional(),
  ...speechShape,
  ...axesShape,
});

/** What the schema makes of a file; the axes' own types are lost in a shape that is made of a table. */
interface Sources {
  readonly photo?: string | readonly string[];
  readonly speech?: string | readonly string[];
  readonly [axis: string]: unknown;
}
interface Parsed extends Sources {
  readonly schema?: string;
  readonly name?: string;
  readonly stop?: StopRule;
  readonly cases?: readonly Sources[];
}

/**
 * Reads the YAML of `sct sweep FILE`.
 *
 * @throws UsageError with FILE:line:column for what does not parse, an unknown key (with the nearest known one) and a value that is wrong
 *   (with those allowed)
 */
export async function readSweepFile(file: string): Promise<SweepFile> {
  return parseSweepFile(file, await readTextFile(file, MAX_FILE_BYTES));
}

/** The same from text; `file` is what errors call it, and where relative paths begin. */
export function parseSweepFile(file: string, text: string): SweepFile {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    // Of an empty file the counter knows no line.
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  // A warning is a tag that nobody knows: what it should mean is not guessed.
  const [broken] = [...doc.errors, ...doc.warnings];
  if (broken) throw new UsageError(`${at(broken.pos[0])}: ${wordsOf(broken)}`);
  visit(doc, {
    Pair(_, { key }) {
      // JavaScript would lose it before anybody could call it unknown.
      if (isScalar(key) && key.value === '__proto__') {
        throw new UsageError(`${at(key.range?.[0] ?? 0)}: unknown key "__proto__"`);
      }
    },
  });
  if (!isMap(doc.contents)) {
    throw new UsageError(`${at(0)}: is not a list of KEY: VALUE`, 'a sweep needs at least photo: PATH, or photo: demo');
  }
  const result = fileSchema.safeParse(plainOf(doc, at));
  if (!result.success) {
    const { issues } = result.error;
    // A key that is misspelt is missing as well.
    throw asUsage(issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0], doc, at);
  }
  const { name, stop, cases, schema: _, ...settings } = result.data as unknown as Parsed;
  const products = (cases ?? [{}]).map((more, i): SweepCase => {
    const both: Sources = { ...settings, ...more };
    const [photos, speech] = [both.photo, both.speech].map((v) => (typeof v === 'string' ? [v] : (v ?? [])));
    const spoken = spokenOf(both);
    const wrong = wrongSources(photos, speech, spoken);
    if (wrong) throw new UsageError(`${at(cases ? placeOf(doc, ['cases', i]) : 0)}: ${wrong[0]}`, wrong[1]);
    return { photos, speech, spoken, axes: axesOf(both) };
  });
  const blind = stop && blindRule(stop.metric, products);
  if (blind) throw new UsageError(`${at(placeOf(doc, ['stop', 'metric']))}: stop.metric: ${stop.metric}: ${blind}`);
  return {
    path: file,
    text,
    folder: dirname(resolve(file)),
    name: name ?? nameOf(file),
    stop: stop ?? null,
    cases: products,
  };
}

/** What is wrong with what is to be sent, and what to do; null where nothing is. */
function wrongSources(
  photos: readonly string[],
  speech: readonly string[],
  spoken: SweepCase['spoken'],
): readonly [string, string] | null {
  const speaks = speech.length > 0;
  if (photos.length === 0 && !speaks) {
    return ['no photo', 'give photo: PATH (a file or a folder), a list of them, or demo; or speech: WAV'];
  }
  if (speaks || spoken.length === 0) return null;
  return [`${SPEECH_AXIS_NAMES.join(', ')}: no speech is sent`, 'give speech: PATH (a WAV file or a folder of them)'];
}

/** Why no point of these cases has a metric, so that nothing would ever be stopped; null where one may. */
function blindRule(metric: StopRule['metric'], cases: readonly SweepCase[]): string | null {
  if (metric === 'stoi' || metric === 'segmentalSnrDb') {
    return cases.some(({ speech }) => speech.length > 0) ? null : 'no speech is sent';
  }
  if (metric === 'outage') return null;
  if (cases.every(({ photos }) => photos.length === 0)) return 'no photo is sent';
  const seen = (key: 'lpips' | 'truth') =>
    cases.some(({ axes }) => axes.some((values) => values[0]?.[key] !== undefined));
  if (metric === 'lpips' && !seen('lpips')) return 'needs lpips: FILE:SHA256';
  return metric === 'mIoU' && !seen('truth') ? 'needs truth: LABELS.png' : null;
}

function spokenOf(settings: Readonly<Record<string, unknown>>): SweepCase['spoken'] {
  return SPEECH_AXIS_NAMES.flatMap((name) => {
    const values = settings[name] === undefined ? [] : speechAxisValues(name, settings[name]);
    // Checked by the schema.
    return 'message' in values || values.length === 0 ? [] : [values];
  });
}

function wordsOf({ code, message }: { code: string; message: string }): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here: one sweep a file';
  // Lists in lists without end.
  if (/call stack/.test(message)) return 'nested too deep';
  return message.split('\n')[0];
}

function axesOf(settings: Readonly<Record<string, unknown>>): (readonly AxisValue[])[] {
  return AXES.flatMap((axis) => {
    const raw = settings[axis.name];
    if (raw === undefined) return [];
    const values = axisValues(axis, raw);
    // Checked by the schema.
    return 'message' in values ? [] : [values];
  });
}

/** The file's own name, as far as it can be one of a folder. */
function nameOf(file: string): string {
  const name = basename(file, extname(file))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return name || 'sweep';
}

function plainOf(doc: Document.Parsed, at: (offset: number) => string): unknown {
  try {
    return doc.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new UsageError(`${at(0)}: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** Where a value stands; where it has no place of its own, that of what holds it. */
function placeOf(doc: Document.Parsed, keys: readonly PropertyKey[]): number {
  for (let n = keys.length; n > 0; n--) {
    const node = doc.getIn(keys.slice(0, n), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function asUsage(issue: z.core.$ZodIssue, doc: Document.Parsed, at: (offset: number) => string): UsageError {
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    const known = keysAt(issue.path);
    if (key === '<<') {
      const place = at(keyPlace(doc, issue.path, key));
      return new UsageError(
        `${place}: "<<" merges nothing in YAML 1.2`,
        'what is said outside of cases holds in all of them',
      );
    }
    const close = key === 'photos' ? 'photo' : nearest(key.replaceAll('_', '-'), known);
    return new UsageError(
      `${at(keyPlace(doc, issue.path, key))}: unknown key "${key.slice(0, 80)}"`,
      close ? `did you mean "${close}"?` : `allowed: ${known.join(', ')}`,
    );
  }
  const name = issue.path.map(String).join('.');
  return new UsageError(`${at(placeOf(doc, issue.path))}: ${name ? `${name}: ` : ''}${issue.message}`);
}

function keysAt(where: readonly PropertyKey[]): readonly string[] {
  if (where[0] === 'stop') return Object.keys(stopSchema.shape);
  const settings = ['photo', 'speech', ...SPEECH_AXIS_NAMES, ...AXIS_NAMES];
  return where[0] === 'cases' ? settings : [...settings, 'cases', 'stop', 'name', 'schema'];
}

function keyPlace(doc: Document.Parsed, where: readonly PropertyKey[], key: string): number {
  const map = where.length === 0 ? doc.contents : doc.getIn(where, true);
  if (!isMap(map)) return placeOf(doc, where);
  const pair = map.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  return (isScalar(pair?.key) && pair.key.range?.[0]) || placeOf(doc, where);
}
