import { createReadStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FormatError, UsageError } from '../../common/errors.ts';
import { asObject, parseJson, readJsonFile } from '../../common/json-input.ts';
import { MAX_POINTS } from './expand.ts';
import { MAX_LINE_BYTES } from './json-lines.ts';
import type { PointFailure, PointResult, SweepPoint } from './point.ts';
import { parseFailure, parsePoint, parseResult } from './point-format.ts';
import { MAX_PLAN_BYTES, PLAN_SCHEMA, planSha256, SWEEP_FILES, type SweepPlan, storedPlan } from './sweep-directory.ts';

/** What is done with each line of a sweep's folder; `where` is FILE:LINE. Points come first, then results, then failures. */
export interface SweepVisitor {
  point?(point: SweepPoint, where: string): void;
  result?(result: PointResult, where: string): void;
  failure?(failure: PointFailure, where: string): void;
}

/** Lines between two pauses of a reader that must not keep its thread for itself. */
const PAUSE_LINES = 500;

/** Whether a folder is that of a sweep; other folders may have a sweep.json as well. */
export async function isSweepFolder(folder: string): Promise<boolean> {
  const path = join(folder, SWEEP_FILES.plan);
  if (!(await stat(path).catch(() => null))?.isFile()) return false;
  return asObject(path, await readJsonFile(path, MAX_PLAN_BYTES)).schema === PLAN_SCHEMA;
}

/**
 * Goes through a sweep's folder line by line, whether the sweep is finished, under way or was broken off, and however large it is. Where a file of
 * lines is not there, but packed (`.gz`), that is read. A last line without its end was being written when the sweep was killed, and is left out.
 *
 * @param between awaited now and then, with what is being read
 * @throws UsageError where there is no sweep, FormatError that names file and line where one is damaged: points and results of which there are two, results of
 *   points that are not there
 */
export async function visitSweep(
  folder: string,
  visitor: SweepVisitor,
  between: (what: string) => Promise<void> | void = () => undefined,
): Promise<SweepPlan> {
  const directory = resolve(folder);
  const plan = await storedPlan(directory);
  if (!plan) {
    throw new UsageError(`${folder}: no sweep (it has no ${SWEEP_FILES.plan})`, 'give the folder of a sct sweep');
  }
  const left = new Set<string>();
  const seen = new Set<string>();
  const each = async <T extends { id: string }>(
    name: string,
    parse: (value: unknown) => T,
    take: (value: T, where: string) => void,
  ): Promise<void> => {
    const path = join(directory, name);
    let number = 0;
    for await (const text of linesOf(path)) {
      const where = `${path}:${++number}`;
      if (number > MAX_POINTS) throw new FormatError(where, `at most ${MAX_POINTS} lines allowed`);
      take(parsed(where, text, parse), where);
      if (number % PAUSE_LINES === 0) await between(`${name}: ${number} lines`);
    }
  };
  await each(SWEEP_FILES.points, parsePoint, (point, where) => {
    if (left.has(point.id)) throw new FormatError(where, `point ${point.id} for the second time`);
    left.add(point.id);
    visitor.point?.(point, where);
  });
  // A Set keeps the order of the file.
  const ids = Array.from(left, (id) => ({ id }));
  if (planSha256(ids, plan.stop) !== plan.planSha256) {
    throw new FormatError(join(directory, SWEEP_FILES.points), `not the points of ${SWEEP_FILES.plan}`);
  }
  await each(SWEEP_FILES.results, parseResult, (result, where) => {
    if (seen.has(result.id)) throw new FormatError(where, `point ${result.id} for the second time`);
    if (!left.has(result.id)) throw new FormatError(where, `point ${result.id} is not of this sweep`);
    seen.add(result.id);
    visitor.result?.(result, where);
  });
  await each(SWEEP_FILES.failures, parseFailure, (failure, where) => visitor.failure?.(failure, where));
  return plan;
}

function parsed<T>(where: string, text: string, parse: (value: unknown) => T): T {
  try {
    return parse(parseJson('line', text));
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(where, error.message);
    throw error;
  }
}

/** The whole lines of a file, or of what is packed in its .gz; none where there is neither. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const packed = `${path}.gz`;
  const from = existsSync(path) ? path : existsSync(packed) ? packed : null;
  if (from === null) return;
  // A pipe would be waited for.
  if (!(await stat(from)).isFile()) throw new FormatError(from, 'is not a file');
  const file = createReadStream(from);
  // Errors come out where it is read.
  const stream = from === path ? file : pipeline(file, createGunzip(), () => undefined);
  const parts: Buffer[] = [];
  let held = 0;
  try {
    for await (const block of stream as AsyncIterable<Buffer>) {
      let at = 0;
      for (let end = block.indexOf(0x0a); end >= 0; end = block.indexOf(0x0a, at)) {
        parts.push(block.subarray(at, end));
        yield Buffer.concat(parts).toString('utf8');
        parts.length = 0;
        held = 0;
        at = end + 1;
      }
      if (at < block.length) parts.push(block.subarray(at));
      held += block.length - at;
      if (held > MAX_LINE_BYTES) throw new FormatError(from, `more than ${MAX_LINE_BYTES} bytes in one line`);
    }
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code ?? '');
    if (/^(Z_|E[A-Z]+$)/.test(code)) throw new FormatError(from, `cannot be read (${code})`);
    throw error;
  } finally {
    file.destroy();
  }
}
