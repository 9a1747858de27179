// What a sweep over NATS costs a point beside measuring it: points that only sleep, workers of this process.
//   nats-server -js -sd DIR &
//   node --import tsx bench/sweep-nats.ts nats://127.0.0.1 [POINTS [WORKERS [SLEEP_MS]]]      (10000 points, 1 worker, 0 ms)
// Prints one line of JSON: overheadMs is the time that a point takes beyond its share of the sleep.
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { resolveLinkConfig } from '../src/experiment/link-config.ts';
import { emptyMetrics } from '../src/experiment/metrics.ts';
import { NatsPointQueue } from '../src/experiment/sweep/nats/nats-queue.ts';
import { NatsWorker } from '../src/experiment/sweep/nats/nats-worker.ts';
import { POINT_SCHEMA, type PointQueue, RESULT_SCHEMA, type SweepPoint } from '../src/experiment/sweep/point.ts';

const [url = 'nats://127.0.0.1', points = '10000', workers = '1', sleep = '0'] = process.argv.slice(2);
const count = Number(points);
const sleepMs = Number(sleep);
const { files: _, timings: __, ...metrics } = emptyMetrics('classical');

const executor: PointQueue = {
  width: 1,
  run: async ({ id }) => {
    if (sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, sleepMs));
    return { kind: 'measured', result: { schema: RESULT_SCHEMA, id, metrics, exitCode: 0, timings: {} } };
  },
  describe: () => 'asleep',
  close: async () => undefined,
};

const program = randomBytes(8).toString('hex');
const end = new AbortController();
const common = { url, program, signal: end.signal, note: (text: string) => void process.stderr.write(`${text}\n`) };
const working = [];
for (let i = 0; i < Number(workers); i++) {
  working.push((await NatsWorker.open({ ...common, executor, cache: tmpdir(), idleMs: null })).work());
}
const queue = await NatsPointQueue.open({ ...common, queue: randomBytes(16).toString('hex'), resumed: false });
const config = resolveLinkConfig({ codec: 'classical' });
const list = Array.from({ length: count }, (_, index): SweepPoint => {
  const id = createHash('sha256').update(`${program} ${index}`).digest('hex').slice(0, 32);
  return { schema: POINT_SCHEMA, id, index, group: id, seedIndex: 0, photo: null, inputs: [], config };
});
const started = performance.now();
let next = 0;
const place = async (): Promise<void> => {
  while (next < count) await queue.run(list[next++]);
};
await Promise.all(Array.from({ length: 64 }, place));
const tookMs = performance.now() - started;
await queue.close();
end.abort();
await Promise.all(working);
const overheadMs = tookMs / count - sleepMs / Number(workers);
process.stdout.write(
  `${JSON.stringify({ points: count, workers: Number(workers), sleepMs, tookS: Math.round(tookMs) / 1e3, overheadMs: Math.round(1e3 * overheadMs) / 1e3 })}\n`,
);
