import { parentPort } from 'node:worker_threads';
import { LocalPointRunner } from './local-runner.ts';
import type { PointOutcome, SweepPoint } from './point.ts';

/** A thread that measures points, one after another as they come; started by thread-queue.ts. */
const port = parentPort!;
const runner = new LocalPointRunner();

port.on('message', (point: SweepPoint | null) => {
  // No network runs while a message is taken: the runtime works in turns of its own.
  if (point === null) process.exit();
  void runner.run(point).then((outcome: PointOutcome) => port.postMessage(outcome));
});
