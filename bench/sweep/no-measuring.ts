/**
 * A thread in the place of sweep-worker.ts that measures nothing: every point gets the numbers of one real point, under its own id, at once. So a
 * sweep of such points takes what sweeps cost beside measuring. workerData: that one real result.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { PointOutcome, PointResult, SweepPoint } from '../../src/experiment/sweep/point.ts';

const result = workerData as PointResult;

parentPort!.on('message', ({ id, config }: SweepPoint) => {
  const metrics = { ...result.metrics, seed: config.seed, snrDb: config.snrDb };
  parentPort!.postMessage({ kind: 'measured', result: { ...result, id, metrics } } satisfies PointOutcome);
});
