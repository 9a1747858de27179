import { resolve } from 'node:path';
import type { PointFailure, PointResult, SweepPoint } from './point.ts';
import type { SweepPlan } from './sweep-directory.ts';
import { visitSweep } from './visit-sweep.ts';

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

/** A whole sweep in memory (`visitSweep` reads one that is too large for that); throws as that does. */
export async function readSweep(folder: string): Promise<StoredSweep> {
  const points: SweepPoint[] = [];
  const results = new Map<string, PointResult>();
  const failures: PointFailure[] = [];
  const plan = await visitSweep(folder, {
    point: (point) => void points.push(point),
    result: (result) => void results.set(result.id, result),
    failure: (failure) => void failures.push(failure),
  });
  return { directory: resolve(folder), plan, points, results, failures };
}
