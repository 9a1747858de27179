import { z } from 'zod';
import { ModelError, type ModelFault } from './model-error.ts';

/** Entropy classes of an embedding, levels of the reverse-water-filling parameter theta. */
export const CLASSES = 16;
export const THETA_LEVELS = 36;
/** Schemas of tables.json that are read, and how many quantiser levels each has. */
export const TABLES_LEVELS = { 'sct-model-tables/1': 14, 'sct-model-tables/2': 24 } as const;
/** Most quantiser levels of any set. */
export const STEP_LEVELS = 24;
/** Most complex symbols of an embedding. */
export const K_MAX = 192;
/**
 * Contexts of the class map's coder with n classes: ((west + 1)(n + 1) + north + 1) * 5 + step + 2, where -1 stands for
 * outside and step = north-east - north kept to -2..2.
 */
export const CONTEXT_STEPS = 5;
export const FINE_CONTEXTS = (CLASSES + 1) ** 2 * CONTEXT_STEPS;
export const COARSE_CONTEXTS = (CLASSES / 2 + 1) ** 2 * CONTEXT_STEPS;
/** Classes of a street scene, clusters of any other picture; a label is 0..10 or 11..42. */
export const STREET_LABELS = 11;
export const CLUSTERS = 32;
export const LABELS = STREET_LABELS + CLUSTERS;
/** Most channels that are predicted. */
const MAX_PREDICTED = 8;
/** Every static frequency table sums to this. */
export const CDF_TOTAL = 65536;

/** A static integer distribution: symbol low + i has frequencies[i] of CDF_TOTAL; the last entry is the escape. */
export interface CdfTable {
  readonly low: number;
  readonly frequencies: Uint32Array;
}

/** The integer tables that both ends of a model set share, and the few floats beside them (tables.json). */
export interface ModelTables {
  readonly channels: number;
  /** Quantiser levels, 0 the finest: 24, or 14 in sets made before the coarse ones were counted. */
  readonly levels: number;
  readonly classes: number;
  readonly kMax: number;
  /** Allowed numbers of complex symbols of an embedding, ascending from 0. */
  readonly kSet: readonly number[];
  /** Unit of the activity, and its 15 ascending edges between classes (encoder only). */
  readonly theta0: number;
  readonly activityEdges: Float64Array; // [15]
  readonly variance: Float32Array; // [class][channel]
  readonly stepBase: Float32Array; // [channel]
  readonly cdfTables: readonly CdfTable[]; // at most 64
  readonly tableOf: Uint8Array; // [level][class][channel], index of cdfTables
  /** Channels that are coded as differences from near embeddings, ascending; none in sets with 14 levels. */
  readonly predicted: Uint16Array;
  /** Which table codes the difference. */
  readonly differenceOf: Uint8Array; // [level][class][index in predicted], index of cdfTables
  /** Mean bits of an embedding x 16. */
  readonly bitsOf: Int32Array; // [level][class]
  /** Rate of a class x 16 at theta = 10^(-3.5 + 3.5 i / 35); grows with the class. */
  readonly symbolRate: Int32Array; // [theta level][class]
  /** Start counts of the class map's contexts: all classes, and half of them (class / 2). */
  readonly classContext: {
    readonly fine: Int32Array; // [FINE_CONTEXTS][16]
    readonly coarse: Int32Array; // [COARSE_CONTEXTS][8]
  };
  readonly labels: {
    readonly names: readonly string[]; // [11]
    readonly clusterColours: Uint8Array; // [32][r, g, b]
    readonly palette: Uint8Array; // [43][r, g, b]
  };
}

/** Step of channel c at a level = stepBase[c] * stepFactor(level): 0.03 * 2^(level / 3), level 0..23. */
export function stepFactor(level: number): number {
  if (!Number.isInteger(level) || level < 0 || level >= STEP_LEVELS) {
    throw new Error(`quantiser level ${level} is outside 0..${STEP_LEVELS - 1}`);
  }
  return 0.03 * 2 ** (level / 3);
}

const finite = z.number();
/** Above zero, and neither zero nor infinite as float32. */
const float32 = z.number().min(1e-30).max(1e30);
const whole = (max: number) => z.number().int().min(0).max(max);
const list = <T extends z.ZodType>(item: T, length: number) => z.array(item).length(length);
const colour = list(whole(255), 3);

const header = z.object({
  schema: z.enum(['sct-model-tables/1', 'sct-model-tables/2']),
  channels: z
    .number()
    .int()
    .min(1)
    .max(2 * K_MAX),
});

const body = (channels: number, levels: number) =>
  z.object({
    classes: z.literal(CLASSES),
    kMax: z.literal(K_MAX),
    kSet: z.array(whole(K_MAX)).min(2).max(64),
    theta0: z.number().positive(),
    activityEdges: list(finite, CLASSES - 1),
    variance: list(list(float32, channels), CLASSES),
    stepBase: list(float32, channels),
    cdfTables: z
      .array(
        z.object({
          low: z.number().int().min(-32768).max(32767),
          frequencies: z.array(z.number().int().min(1).max(CDF_TOTAL)).min(1).max(4096),
        }),
      )
      .min(1)
      .max(64),
    tableOf: list(list(list(whole(63), channels), CLASSES), levels),
    predicted: z
      .array(whole(channels - 1))
      .max(MAX_PREDICTED)
      .default([]),
    differenceOf: list(list(z.array(whole(63)).max(MAX_PREDICTED), CLASSES), levels).optional(),
    bitsOf: list(list(whole(2 ** 24), CLASSES), levels),
    symbolRate: list(list(whole(2 ** 24), CLASSES), THETA_LEVELS),
    classContext: z.object({
      fine: list(list(z.number().int().min(1).max(CDF_TOTAL), CLASSES), FINE_CONTEXTS),
      coarse: list(list(z.number().int().min(1).max(CDF_TOTAL), CLASSES / 2), COARSE_CONTEXTS),
    }),
    labels: z.object({
      names: list(z.string().regex(/^[A-Za-z][A-Za-z0-9 -]{0,39}$/), STREET_LABELS),
      clusterColours: list(colour, CLUSTERS),
      palette: list(colour, LABELS),
    }),
  });

/**
 * tables.json of a model set, checked: every length, every range, sums of the frequency tables, order of edges and rates.
 *
 * @param fault file and hash for messages
 * @throws ModelError naming file and field
 */
export function parseModelTables(json: unknown, fault: ModelFault): ModelTables {
  const { channels, schema } = checked(header, json, fault);
  const levels = TABLES_LEVELS[schema];
  const t = checked(body(channels, levels), json, fault);
  const fail = (message: string) => new ModelError(fault, message);
  if (t.kSet[0] !== 0 || t.kSet.at(-1) !== K_MAX || !ascending(t.kSet)) {
    throw fail(`kSet must rise from 0 to ${K_MAX}`);
  }
  if (!ascending(t.activityEdges)) throw fail('activityEdges must rise');
  t.cdfTables.forEach(({ frequencies }, i) => {
    const sum = frequencies.reduce((a, b) => a + b, 0);
    if (sum !== CDF_TOTAL) throw fail(`cdfTables[${i}] sums to ${sum}, not ${CDF_TOTAL}`);
  });
  const tableOf = Uint8Array.from(t.tableOf.flat(2));
  if (!ascending(t.predicted)) throw fail('predicted must rise');
  const rows = t.differenceOf?.flat() ?? [];
  if (t.predicted.length > 0 ? rows.length === 0 : rows.some((row) => row.length > 0)) {
    throw fail('predicted and differenceOf go together');
  }
  if (rows.some((row) => row.length !== t.predicted.length))
    throw fail(`differenceOf is for ${t.predicted.length} channels`);
  const differenceOf = Uint8Array.from(rows.flat());
  if ([tableOf, differenceOf].some((of) => of.some((index) => index >= t.cdfTables.length))) {
    throw fail('tableOf or differenceOf names a table that is not there');
  }
  for (const [i, row] of t.symbolRate.entries()) {
    if (row.some((rate, c) => c > 0 && rate < row[c - 1])) throw fail(`symbolRate[${i}] falls with the class`);
  }
  return {
    channels,
    levels,
    classes: CLASSES,
    kMax: K_MAX,
    kSet: t.kSet,
    theta0: t.theta0,
    activityEdges: Float64Array.from(t.activityEdges),
    variance: Float32Array.from(t.variance.flat()),
    stepBase: Float32Array.from(t.stepBase),
    cdfTables: t.cdfTables.map(({ low, frequencies }) => ({ low, frequencies: Uint32Array.from(frequencies) })),
    tableOf,
    predicted: Uint16Array.from(t.predicted),
    differenceOf,
    bitsOf: Int32Array.from(t.bitsOf.flat()),
    symbolRate: Int32Array.from(t.symbolRate.flat()),
    classContext: {
      fine: Int32Array.from(t.classContext.fine.flat()),
      coarse: Int32Array.from(t.classContext.coarse.flat()),
    },
    labels: {
      names: t.labels.names,
      clusterColours: Uint8Array.from(t.labels.clusterColours.flat()),
      palette: Uint8Array.from(t.labels.palette.flat()),
    },
  };
}

function ascending(values: readonly number[]): boolean {
  return values.every((v, i) => i === 0 || v > values[i - 1]);
}

/** `json` as the schema says it, or a ModelError that names the first field that is not. */
export function checked<T extends z.ZodType>(schema: T, json: unknown, fault: ModelFault): z.infer<T> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue.path.map(String).join('.').slice(0, 100) || 'the file';
  throw new ModelError(fault, `${field}: ${issue.message.slice(0, 200)}`);
}
