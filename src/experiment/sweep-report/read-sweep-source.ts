import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { FormatError, UsageError } from '../../common/errors.ts';
import {
  asArray,
  asNumber,
  asObject,
  asString,
  type JsonObject,
  orNull,
  parseJson,
  readJsonFile,
} from '../json-input.ts';
import { type Between, programText, type SourceMaterial } from './material.ts';
import { type Observation, observation } from './observation.ts';

/** Of a sweep's sweep.json. */
const SWEEP_SCHEMA = 'sct.sweep-plan/1';
const MAX_SWEEP_JSON = 16 * 2 ** 20;
const MAX_LINE_BYTES = 8 * 2 ** 20;
const MAX_LINES = 1_000_000;

interface StoredPoint {
  readonly index: number;
  readonly photo: string;
  readonly seed: string;
  readonly config: JsonObject;
}

/** Whether a directory is a sweep's: its sweep.json is a plan, not the list of runs that several SNRs make. */
export async function isSweep(path: string): Promise<boolean> {
  const manifestPath = join(path, 'sweep.json');
  if (!(await stat(manifestPath).catch(() => null))?.isFile()) return false;
  return asObject(manifestPath, await readJsonFile(manifestPath, MAX_SWEEP_JSON)).schema === SWEEP_SCHEMA;
}

/**
 * A sweep's directory as observations: points.jsonl says what was planned, results.jsonl what was measured, in whatever order it was. A
 * last line without its end was being written when the sweep was killed, and is left out.
 *
 * @throws FormatError naming file, line and field
 */
export async function readSweepSource(path: string, source: number, between: Between): Promise<SourceMaterial> {
  const manifestPath = join(path, 'sweep.json');
  const manifest = asObject(manifestPath, await readJsonFile(manifestPath, MAX_SWEEP_JSON));
  const state = asString(`${manifestPath}: state`, manifest.state, 32);
  const stopped = manifest.stop !== undefined && manifest.stop !== null;
  const label = basename(resolve(path)) || 'sweep';

  const points = new Map<string, StoredPoint>();
  await eachLine(join(path, 'points.jsonl'), between, (field, line) => {
    const point = asObject(field, line);
    const id = asString(`${field}: id`, point.id, 128);
    if (points.has(id)) throw new FormatError(`${field}: id`, `${id} stands there twice`);
    points.set(id, storedPoint(field, point));
  });

  const found = new Map<string, Observation>();
  await eachLine(
    join(path, 'results.jsonl'),
    between,
    (field, line) => {
      const result = asObject(field, line);
      const id = asString(`${field}: id`, result.id, 128);
      const point = points.get(id);
      if (!point) throw new FormatError(`${field}: id`, `${id} is no point of points.jsonl`);
      // First outcome counts, as for the sweep itself.
      if (found.has(id)) return;
      const metrics = asObject(`${field}: metrics`, result.metrics);
      const { photo, seed, config, index } = point;
      found.set(id, observation({ source, field, photo, seed, order: String(index), config, metrics }));
    },
    true,
  );

  const missing = points.size - found.size;
  const notes = [
    ...(missing > 0 && stopped && state === 'done' ? [`${missing} points not needed: their groups stopped early`] : []),
    ...(missing > 0 && !(stopped && state === 'done') ? [`${missing} points not measured, sweep ${state}`] : []),
  ];
  const counts = { planned: points.size, measured: found.size };
  const program = (manifest.program ?? {}) as { packageVersion?: unknown; git?: unknown };
  const programs = [programText(program.packageVersion, program.git)];
  return { source: { label, kind: 'sweep', ...counts, notes, programs }, observations: [...found.values()] };
}

function storedPoint(field: string, point: JsonObject): StoredPoint {
  const config = asObject(`${field}: config`, point.config);
  const inputs = asArray(`${field}: inputs`, point.inputs ?? [], 64).map((v) => asObject(`${field}: inputs`, v));
  const photo = inputs.find((input) => input.use === 'photo');
  const name = orNull(`${field}: photo`, point.photo, (f, v) => asString(f, v, 1024));
  return {
    index: asNumber(`${field}: index`, point.index),
    photo: photo ? `sha256:${asString(`${field}: sha256`, photo.sha256, 64).slice(0, 16)}` : (name ?? 'demo'),
    seed: String(orNull(`${field}: config.seed`, config.seed, asNumber) ?? 'none'),
    config,
  };
}

/** Calls `see` with every whole line of a JSONL file; a torn last one is left out, a bad one inside is an error. `optional`: no file, no line. */
async function eachLine(
  path: string,
  between: Between,
  see: (field: string, value: unknown) => void,
  optional = false,
): Promise<void> {
  if (!(await stat(path).catch(() => null))?.isFile()) {
    if (optional) return;
    throw new UsageError(`${path}: no such file`);
  }
  let pending: Buffer[] = [];
  let [held, count] = [0, 0];
  const whole = (line: Buffer) => {
    count++;
    if (count > MAX_LINES) throw new FormatError(path, `more than ${MAX_LINES} lines`);
    const text = line.toString('utf8').trim();
    const field = `${path}: line ${count}`;
    if (text !== '') see(field, parseJson(field, text));
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      pending.push(chunk.subarray(from, end));
      whole(Buffer.concat(pending));
      pending = [];
      held = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      pending.push(chunk.subarray(from));
      held += chunk.length - from;
      if (held > MAX_LINE_BYTES) throw new FormatError(`${path}: line ${count + 1}`, `above ${MAX_LINE_BYTES} bytes`);
    }
    await between(`${basename(path)}: ${count} lines`);
  }
}
