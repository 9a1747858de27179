import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FormatError, UsageError } from '../../common/errors.ts';
import { parseJson } from '../json-input.ts';
import { MAX_POINTS } from './expand.ts';
import { wholeLines } from './json-lines.ts';
import type { PointFailure, PointResult, SweepPoint } from './point.ts';
import { parseFailure, parsePoint } from './point-format.ts';
import { resultOfLine, SWEEP_FILES, type SweepPlan, storedPlan } from './sweep-directory.ts';

/** A sweep as it lies in its folder, whether it is finished, under way or was broken off. */
export interface StoredSweep {
  readonly directory: string;
  readonly plan: SweepPlan;
  /** In the order of the sweep. */
  readonly points: readonly SweepPoint[];
  /** By the point's id; what is not here was not measured (yet), or not needed any more. */
  readonly results: ReadonlyMap<string, PointResult>;
  readonly failures: readonly PointFailure[];
}

/**
 * Reads a sweep's folder.
 *
 * @throws UsageError where there is no sweep, FormatError that names file and line where one is damaged
 */
export async function readSweep(folder: string): Promise<StoredSweep> {
  const directory = resolve(folder);
  const plan = await storedPlan(directory);
  if (!plan)
    throw new UsageError(`${folder}: no sweep (it has no ${SWEEP_FILES.plan})`, 'give the folder of a sct sweep');
  const points = read(join(directory, SWEEP_FILES.points), (value) => parsePoint(value));
  const known = new Set(points.map(({ id }) => id));
  const results = new Map<string, PointResult>();
  const path = join(directory, SWEEP_FILES.results);
  for (const { text, number } of lines(path)) {
    const result = resultOfLine(`${path}:${number}`, text);
    if (!known.has(result.id)) throw new FormatError(`${path}:${number}`, `point ${result.id} is not of this sweep`);
    if (results.has(result.id)) throw new FormatError(`${path}:${number}`, `point ${result.id} for the second time`);
    results.set(result.id, result);
  }
  const failures = read(join(directory, SWEEP_FILES.failures), (value) => parseFailure(value));
  return { directory, plan, points, results, failures };
}

function lines(path: string): Iterable<{ text: string; number: number }> {
  return existsSync(path) ? wholeLines(path) : [];
}

function read<T>(path: string, parse: (value: unknown) => T): T[] {
  const out: T[] = [];
  for (const { text, number } of lines(path)) {
    if (number > MAX_POINTS) throw new FormatError(path, `more than ${MAX_POINTS} lines`);
    try {
      out.push(parse(parseJson('line', text)));
    } catch (error) {
      if (error instanceof FormatError) throw new FormatError(`${path}:${number}`, error.message);
      throw error;
    }
  }
  return out;
}
