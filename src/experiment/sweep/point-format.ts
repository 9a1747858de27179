import { FormatError, SctError } from '../../common/errors.ts';
import { asArray, asNumber, asObject, asString, orNull } from '../../common/json-input.ts';
import { SPEECH_KINDS } from '../../sct/speech/speech-side.ts';
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
  type PointSpeech,
  RESULT_SCHEMA,
  type SpeechSetting,
  type SweepPoint,
} from './point.ts';
import { SPEECH_AXIS_NAMES, speechAxisValues } from './speech-axes.ts';

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
    ...(o.speech === undefined ? {} : { speech: parseSpeech(o.speech, o.photo !== null) }),
    inputs: asArray('inputs', o.inputs, INPUT_USES.length).map((v, i) => parseInput(`inputs[${i}]`, v)),
    config: checkedConfig(config),
  };
}

function parseSpeech(value: unknown, hasPhoto: boolean): PointSpeech {
  const o = asObject('speech', value);
  if (typeof o.alone !== 'boolean') throw new FormatError('speech.alone', 'must be true or false');
  if (o.alone && hasPhoto) throw new FormatError('speech.alone', 'and yet there is a photo');
  const settings: { -readonly [K in keyof SpeechSetting]: SpeechSetting[K] } = {};
  for (const name of SPEECH_AXIS_NAMES) {
    const key = name === 'max-speech-sfvs' ? 'maxSfvs' : name;
    if (o[key] === undefined) continue;
    // One value, as it was resolved.
    const resolved = typeof o[key] === (name === 'kind' ? 'string' : 'number');
    const values = speechAxisValues(name, resolved ? o[key] : null);
    if ('message' in values) throw new FormatError(`speech.${key}`, values.message);
    Object.assign(settings, values[0]);
  }
  return { name: asString('speech.name', o.name, 255), alone: o.alone, ...settings };
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
    if (!METRICS.includes(key) && key !== 'speech')
      throw new FormatError(`metrics.${key.slice(0, 80)}`, 'is no metric');
    const v = o[key];
    if (typeof v === 'number') asNumber(`metrics.${key}`, v);
    if (typeof v === 'string') asString(`metrics.${key}`, v);
  }
  if (typeof o.ok !== 'boolean') throw new FormatError('metrics.ok', 'must be true or false');
  asArray('metrics.sfvs', o.sfvs, 255);
  const all = Object.fromEntries(METRICS.map((key) => [key, o[key] ?? null])) as unknown as PointMetrics;
  return o.speech === undefined ? all : { ...all, speech: parseFigures(o.speech) };
}

/** Of speech, single numbers are finite or null, words are words. */
function parseFigures(value: unknown): NonNullable<PointMetrics['speech']> {
  const o = asObject('metrics.speech', value);
  const number = (key: string) => orNull(`metrics.speech.${key}`, o[key] ?? null, asNumber);
  const word = (key: string) => orNull(`metrics.speech.${key}`, o[key] ?? null, asString);
  const [kind, outage] = [word('kind'), number('outage')];
  if (outage !== null && outage !== 0 && outage !== 1) throw new FormatError('metrics.speech.outage', 'must be 0 or 1');
  return {
    kind: SPEECH_KINDS.find((k) => k === kind) ?? null,
    seconds: number('seconds'),
    stoi: number('stoi'),
    segmentalSnrDb: number('segmentalSnrDb'),
    outage,
    note: word('note'),
    priority: number('priority'),
    symbols: number('symbols'),
    speechSnrDb: number('speechSnrDb'),
    pictureSnrDb: number('pictureSnrDb'),
    sfvs: asArray('metrics.speech.sfvs', o.sfvs, 255) as NonNullable<PointMetrics['speech']>['sfvs'],
  };
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
