import { basename } from 'node:path';
import { FormatError } from '../../../common/errors.ts';
import { asObject, parseJson } from '../../../common/json-input.ts';
import { tracePath } from '../../config/link-config.ts';
import { userPairPath } from '../../config/user-link-codec.ts';
import type { InputUse, PointOutcome, PointResult, SweepPoint } from '../point.ts';
import { parseFailure, parsePoint, parseResult } from '../point-format.ts';

/** Largest message of a sweep, bytes; a server accepts 1 MiB with its headers unless it is told otherwise. */
export const MAX_MESSAGE_BYTES = 2 ** 20 - 4096;

export function encodePoint(point: SweepPoint): Uint8Array {
  return bounded('point', point);
}

/** Parses a point that somebody put into the queue as `id`: its settings are checked as those of a command line. FormatError. */
export function decodePoint(id: string, bytes: Uint8Array): SweepPoint {
  const point = parsePoint(parsed('point', bytes));
  if (point.id !== id) throw new FormatError('id', 'is not that of its subject');
  const uses = point.inputs.map(({ use }) => use);
  if (new Set(uses).size < uses.length) throw new FormatError('inputs', 'name a use twice');
  if ((point.photo !== null) !== uses.includes('photo')) {
    throw new FormatError('photo', 'and the inputs do not agree on whether there is one');
  }
  if (point.photo !== null) fileName('photo', point.photo);
  if ((point.speech !== undefined) !== uses.includes('speech')) {
    throw new FormatError('speech', 'and the inputs do not agree on whether there is some');
  }
  if (point.speech) fileName('speech.name', point.speech.name);
  checkInputs(point);
  const { feedback, feedbackToken } = point.config;
  if (feedbackToken !== undefined || (feedback !== 'same' && feedback !== 'none')) {
    throw new FormatError('config', 'has a way back to another host: a point of a sweep has both ends in one process');
  }
  return point;
}

/** Everything that the settings read must be an input, which is fetched by its hash: a point names no file of the machine that measures it. */
function checkInputs({ config, inputs }: SweepPoint): void {
  const read: readonly (readonly [InputUse, unknown])[] = [
    ['truth', config.truth],
    ['models', config.modelsDir],
    ['rx-models', config.rxModelsDir],
    ['known', config.known],
    ['lpips', config.lpips],
    ['judge', config.judge],
    ['trace', tracePath(config.channel) ?? undefined],
    ['pair', userPairPath(config.codec) ?? undefined],
  ];
  for (const [use, path] of read) {
    if (path !== undefined && !inputs.some((input) => input.use === use)) {
      throw new FormatError('inputs', `have no ${use}, which the settings read`);
    }
  }
}

/** An outcome of more than fits becomes a failure that says so. */
export function encodeOutcome(id: string, outcome: PointOutcome): Uint8Array {
  try {
    return bounded('outcome', outcome);
  } catch (error) {
    const { message } = error as Error;
    return bounded('outcome', { kind: 'failed', failure: { id, message, exitCode: 1 } });
  }
}

/** The outcome in the point's own words: where its files lie on the machine that measured it is nobody's business. */
export function inOwnWords({ config }: SweepPoint, here: SweepPoint, outcome: PointOutcome): PointOutcome {
  if (outcome.kind === 'failed') return outcome;
  const { metrics } = outcome.result;
  const own = (key: 'channel' | 'codec') => (metrics[key] === here.config[key] ? config[key] : metrics[key]);
  const said = { ...metrics, channel: own('channel'), codec: own('codec') as string };
  return { kind: 'measured', result: { ...outcome.result, metrics: said } };
}

/** Parses what somebody said of a point. FormatError where it is not of this one, or of it under other settings. */
export function decodeOutcome(point: SweepPoint, bytes: Uint8Array): PointOutcome {
  const { id } = point;
  const o = asObject('outcome', parsed('outcome', bytes));
  if (o.kind !== 'failed' && o.kind !== 'measured') throw new FormatError('kind', 'is not measured or failed');
  const outcome: PointOutcome =
    o.kind === 'failed'
      ? { kind: 'failed', failure: parseFailure(o.failure) }
      : { kind: 'measured', result: parseResult(o.result) };
  const said = outcome.kind === 'failed' ? outcome.failure.id : outcome.result.id;
  if (said !== id) throw new FormatError('id', 'is that of another point');
  if (outcome.kind === 'measured') checkSettings(point, outcome.result);
  return outcome;
}

/** Results repeat settings of their point. Who lies on purpose repeats them as well; who has mixed something up does not. */
function checkSettings({ config, inputs }: SweepPoint, { metrics }: PointResult): void {
  for (const key of ['seed', 'snrDb', 'numerology', 'channel'] as const) {
    const [said, asked] = [metrics[key], config[key]];
    // A recorded channel is said by its name alone.
    if (said === null || said === asked || (key === 'channel' && tracePath(config.channel) !== null)) continue;
    throw new FormatError(`metrics.${key}`, `is ${String(said).slice(0, 80)}, the point's is ${asked}`);
  }
  // A receiver with models of its own may have agreed on others.
  const set = inputs.some(({ use }) => use === 'rx-models') ? undefined : inputs.find(({ use }) => use === 'models');
  if (set && metrics.modelSet !== null && !set.sha256.startsWith(metrics.modelSet)) {
    throw new FormatError('metrics.modelSet', `is ${metrics.modelSet.slice(0, 80)}, the point's is ${set.sha256}`);
  }
}

/** A name that is one: no way to another folder. */
export function fileName(field: string, name: string): string {
  const plain =
    name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255 && basename(name) === name;
  // Neither another system's separator nor what a terminal would obey.
  const strange = name.includes('\\') || [...name].some((c) => c < ' ' || c === '\x7f');
  if (!plain || strange) throw new FormatError(field, `${JSON.stringify(name.slice(0, 80))} is not the name of a file`);
  return name;
}

function parsed(field: string, bytes: Uint8Array): unknown {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new FormatError(field, `has ${bytes.length} bytes, at most ${MAX_MESSAGE_BYTES} allowed`);
  }
  return parseJson(field, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
}

function bounded(field: string, value: unknown): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(value));
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new FormatError(field, `has ${bytes.length} bytes, at most ${MAX_MESSAGE_BYTES} go into a message`);
  }
  return bytes;
}
