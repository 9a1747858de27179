import { FormatError, SctError } from '../../common/errors.ts';
import { asArray, asNumber, asObject, asString, orNull } from '../../common/json-input.ts';
import { resolveLinkConfig } from '../config/link-config.ts';
import { METRIC_KEYS } from '../metrics/metrics.ts';
import {
  INPUT_USES,
  type InputUse,
  POINT_SCHEMA,
  type PointFailure,
  type PointInput,
  type PointMetrics,
  type PointResult,
  RESULT_SCHEMA,
  type SweepPoint,
} from './point.ts';

/** Readers of points and results that come from a file or over a network; each FormatError names the field. */

const MAX_INDEX = 10_000_000;
const MAX_TIMINGS = 100;
const METRICS = METRIC_KEYS.filter((key) => key !== 'files' && key !== 'timings');

export function parsePoint(value: unknown): SweepPoint {
  const o = asObject('point', value);
  schemaOf('point', o.schema, POINT_SCHEMA);
  const config = asObject('config', o.config);
  return {
    schema: POINT_SCHEMA,
    id: asId('id', o.id),
    index: asCount('index', o.index),
    group: asId('group', o.group),
    seedIndex: asCount('seedIndex', o.seedIndex),
    photo: orNull('photo', o.photo, asString),
    inputs: asArray('inputs', o.inputs, INPUT_USES.length).map((v, i) => parseInput(`inputs[${i}]`, v)),
    config: checkedConfig(config),
  };
}

function checkedConfig(config: unknown): SweepPoint['config'] {
  try {
    return resolveLinkConfig(config);
  } catch (error) {
    if (error instanceof SctError) throw new FormatError('config', error.message);
    throw error;
  }
}

function parseInput(field: string, value: unknown): PointInput {
  const o = asObject(field, value);
  const use = asString(`${field}.use`, o.use, 32);
  if (!(INPUT_USES as readonly string[]).includes(use)) {
    throw new FormatError(`${field}.use`, `must be one of ${INPUT_USES.join(', ')}`);
  }
  const path = asString(`${field}.path`, o.path);
  if (path === '' || path.includes('\0')) throw new FormatError(`${field}.path`, 'must be a path');
  return { use: use as InputUse, path, sha256: asHex(`${field}.sha256`, o.sha256, 64) };
}

export function parseResult(value: unknown): PointResult {
  const o = asObject('result', value);
  schemaOf('result', o.schema, RESULT_SCHEMA);
  const timings = asObject('timings', o.timings);
  const names = Object.keys(timings);
  if (names.length > MAX_TIMINGS) throw new FormatError('timings', `${names.length}, at most ${MAX_TIMINGS} allowed`);
  return {
    schema: RESULT_SCHEMA,
    id: asId('id', o.id),
    metrics: parseMetrics(o.metrics),
    exitCode: asExitCode('exitCode', o.exitCode),
    timings: Object.fromEntries(names.map((name) => [name, asNumber(`timings.${name}`, timings[name])])),
  };
}

/** Every metric that there is, null where it is missing; single numbers are finite, words are words. */
function parseMetrics(value: unknown): PointMetrics {
  const o = asObject('metrics', value);
  for (const key of Object.keys(o)) {
    if (!METRICS.includes(key)) throw new FormatError(`metrics.${key.slice(0, 80)}`, 'is no metric');
    const v = o[key];
    if (typeof v === 'number') asNumber(`metrics.${key}`, v);
    if (typeof v === 'string') asString(`metrics.${key}`, v);
  }
  if (typeof o.ok !== 'boolean') throw new FormatError('metrics.ok', 'must be true or false');
  asArray('metrics.sfvs', o.sfvs, 255);
  return Object.fromEntries(METRICS.map((key) => [key, o[key] ?? null])) as unknown as PointMetrics;
}

export function parseFailure(value: unknown): PointFailure {
  const o = asObject('failure', value);
  return {
    id: asId('id', o.id),
    message: asString('message', o.message, 10_000),
    exitCode: asExitCode('exitCode', o.exitCode),
  };
}

function schemaOf(field: string, value: unknown, schema: string): void {
  if (value !== schema) throw new FormatError(`${field}.schema`, `must be ${schema}`);
}

function asHex(field: string, value: unknown, digits: number): string {
  const text = asString(field, value, digits);
  if (text.length !== digits || !/^[0-9a-f]+$/.test(text)) {
    throw new FormatError(field, `must be ${digits} hexadecimal digits`);
  }
  return text;
}

function asId(field: string, value: unknown): string {
  return asHex(field, value, 32);
}

function asWhole(field: string, value: unknown, max: number): number {
  const n = asNumber(field, value);
  if (!Number.isInteger(n) || n < 0 || n > max) throw new FormatError(field, `must be a whole number from 0 to ${max}`);
  return n;
}

function asCount(field: string, value: unknown): number {
  return asWhole(field, value, MAX_INDEX);
}

function asExitCode(field: string, value: unknown): number {
  return asWhole(field, value, 255);
}
