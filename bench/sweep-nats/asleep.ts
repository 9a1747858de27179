/**
 * A worker whose points only sleep, as a process of its own: the first is measured, those after it get its numbers under their own id, so that
 * results are as long as real ones. Argument: JSON of AsleepOptions. Says "ready" and works until SIGTERM.
 */
import { LocalPointRunner } from '../../src/experiment/sweep/local-runner.ts';
import { NatsWorker } from '../../src/experiment/sweep/nats/nats-worker.ts';
import type { PointOutcome, PointQueue, SweepPoint } from '../../src/experiment/sweep/point.ts';

export interface AsleepOptions {
  readonly url: string;
  readonly program: string;
  readonly cache: string;
  /** Points at once. */
  readonly places: number;
  readonly sleepMs: number;
}

const options = JSON.parse(process.argv[2]) as AsleepOptions;
const runner = new LocalPointRunner();
let model: Promise<PointOutcome> | null = null;

async function asModel(point: SweepPoint): Promise<PointOutcome> {
  model ??= runner.run(point);
  const outcome = await model;
  if (outcome.kind === 'failed') return { kind: 'failed', failure: { ...outcome.failure, id: point.id } };
  const metrics = { ...outcome.result.metrics, seed: point.config.seed, snrDb: point.config.snrDb };
  return { kind: 'measured', result: { ...outcome.result, id: point.id, metrics } };
}

const executor: PointQueue = {
  width: options.places,
  run: async (point) => {
    if (options.sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, options.sleepMs));
    return asModel(point);
  },
  describe: () => 'asleep',
  close: async () => undefined,
};
const end = new AbortController();
process.once('SIGTERM', () => end.abort());
const { url, program, cache } = options;
const worker = await NatsWorker.open({
  url,
  program,
  cache,
  executor,
  idleMs: null,
  signal: end.signal,
  note: (text) => void process.stderr.write(`${text}\n`),
});
process.stdout.write('ready\n');
await worker.work();
process.exit(0);
