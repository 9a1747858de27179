// A sweep's points over a real NATS server: shared, lost with workers, servers and networks, and still each measured and counted once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceError } from '../../../../src/common/errors.ts';
import { encodeOutcome } from '../../../../src/experiment/sweep/nats/messages.ts';
import { queueName } from '../../../../src/experiment/sweep/nats/nats-queue.ts';
import { MOST_DELIVERIES } from '../../../../src/experiment/sweep/nats/nats-worker.ts';
import { connectNats } from '../../../../src/link/nats/nats-connection.ts';
import { parseNatsUrl } from '../../../../src/link/nats/nats-url.ts';
import { NO_NATS, newId, TestCable, TestNats, until } from '../../../nats-server.ts';
import { failed, measured, pointsOf } from '../sweep-helpers.ts';
import { ofIndex, openQueue, runAll, SleepingQueue, startWorker } from './nats-helpers.ts';

const options = { skip: NO_NATS, timeout: 180_000 };

/** A point that never ends, as far as its worker goes. */
const never = () => new Promise<never>(() => undefined);

test('two workers share the points; each point is measured once and has its own outcome', options, async (t) => {
  const { url } = await TestNats.start(t);
  const points = pointsOf([100, 100]);
  const queue = await openQueue(t, url, newId());
  const workers = [new SleepingQueue(4, 5), new SleepingQueue(4, 5)];
  const counters = [];
  const running = [];
  for (const executor of workers) running.push(await startWorker(t, url, executor));
  assert.deepEqual(await runAll(queue, points), points.map(ofIndex));
  for (const worker of running) counters.push(await worker.leave());
  assert.equal(
    counters.reduce((sum, { measured }) => sum + measured, 0),
    points.length,
  );
  assert.ok(counters.every(({ repeated, refused, failed: lost }) => repeated + refused + lost === 0));
  for (const { ran } of workers) assert.ok(ran.length >= points.length / 4, `${ran.length} of ${points.length}`);
});

test('a point that is asked for twice is one; a failure is an outcome', options, async (t) => {
  const { url } = await TestNats.start(t);
  const [point, bad] = pointsOf([2]);
  const queue = await openQueue(t, url, newId());
  const executor = new SleepingQueue(2, 20, (one) => (one.id === bad.id ? failed(one, 5) : ofIndex(one)));
  await startWorker(t, url, executor);
  const both = [queue.run(point), queue.run(point)];
  assert.deepEqual(await Promise.all(both), [ofIndex(point), ofIndex(point)]);
  assert.deepEqual(await queue.run(bad), failed(bad, 5));
  assert.equal(executor.ran.length, 2);
  // What failed is not kept: it is done again when it is asked for again.
  assert.deepEqual(await queue.run(bad), failed(bad, 5));
  assert.equal(executor.ran.length, 3);
});

test('a worker that leaves gives its points back; one that dies loses them after a while', options, async (t) => {
  const nats = await TestNats.start(t);
  const points = pointsOf([12]);
  const queue = await openQueue(t, nats.url, newId());
  const stuck = await startWorker(t, nats.url, new SleepingQueue(3, 0, never));
  // This one's cable is cut for good while it measures: nothing of it is heard any more.
  const cable = await TestCable.lay(t, nats.port);
  const lost = await startWorker(t, cable.url, new SleepingQueue(3, 0, never));
  const all = runAll(queue, points);
  await until(() => stuck.executor.ran.length === 3 && lost.executor.ran.length === 3);
  cable.break();
  await stuck.leave();
  const good = await startWorker(t, nats.url, new SleepingQueue(4, 1));
  assert.deepEqual(await all, points.map(ofIndex));
  assert.equal(good.executor.ran.length, points.length);
});

test('a long point is not given to another while its worker lives', options, async (t) => {
  const { url } = await TestNats.start(t);
  const [point] = pointsOf([1]);
  const queue = await openQueue(t, url, newId());
  const workers = [new SleepingQueue(1, 5000), new SleepingQueue(1, 5000)];
  for (const executor of workers) await startWorker(t, url, executor);
  assert.deepEqual(await queue.run(point), ofIndex(point));
  assert.equal(workers[0].ran.length + workers[1].ran.length, 1);
});

test('the server is killed and started again, thrice: no point is lost or counted twice', options, async (t) => {
  const nats = await TestNats.start(t);
  const points = pointsOf([150, 150]);
  const queue = await openQueue(t, nats.url, newId());
  const workers = [new SleepingQueue(4, 15), new SleepingQueue(4, 15)];
  for (const executor of workers) await startWorker(t, nats.url, executor);
  let done = 0;
  const all = runAll(
    {
      width: 64,
      run: (point) => queue.run(point).finally(() => done++),
      describe: () => 'counted',
      close: async () => undefined,
    },
    points,
  );
  for (const share of [0.2, 0.45, 0.7]) {
    await until(() => done >= share * points.length, `${share} of the points`);
    await nats.kill();
    await nats.restart();
  }
  assert.deepEqual(await all, points.map(ofIndex));
  assert.equal(done, points.length);
});

test('the network is cut at both ends: what was measured meanwhile is heard of', options, async (t) => {
  const nats = await TestNats.start(t);
  const near = await TestCable.lay(t, nats.port);
  const far = await TestCable.lay(t, nats.port);
  const points = pointsOf([80]);
  const queue = await openQueue(t, near.url, newId());
  const executor = new SleepingQueue(4, 20);
  await startWorker(t, far.url, executor);
  const all = runAll(queue, points);
  await until(() => executor.ran.length > 10);
  near.break();
  await new Promise((resolve) => setTimeout(resolve, 300));
  far.break();
  await new Promise((resolve) => setTimeout(resolve, 500));
  near.mend();
  far.mend();
  assert.deepEqual(await all, points.map(ofIndex));
});

test('a server that has lost its store is filled again', options, async (t) => {
  const nats = await TestNats.start(t);
  const points = pointsOf([40]);
  const queue = await openQueue(t, nats.url, newId());
  const executor = new SleepingQueue(2, 20);
  await startWorker(t, nats.url, executor);
  const all = runAll(queue, points);
  await until(() => executor.ran.length > 5);
  await nats.kill();
  await nats.emptyStore();
  await nats.restart();
  assert.deepEqual(await all, points.map(ofIndex));
});

test('a coordinator that is killed finds what was measured meanwhile, and asks for the rest', options, async (t) => {
  const { url } = await TestNats.start(t);
  const points = pointsOf([30]);
  const name = newId();
  const killed = await openQueue(t, url, name);
  for (const point of points.slice(0, 10)) void killed.run(point).catch(() => undefined);
  const executor = new SleepingQueue(2, 5);
  await startWorker(t, url, executor);
  await until(() => executor.ran.length >= 10);
  // It takes nothing back, as one that is killed does not.
  const again = await openQueue(t, url, name, { resumed: true });
  assert.deepEqual(await runAll(again, points), points.map(ofIndex));
  assert.equal(executor.ran.length, points.length, 'no point was measured twice');
});

test('a point that takes its workers with it is given up', options, async (t) => {
  const nats = await TestNats.start(t);
  const [poison, good] = pointsOf([2]);
  const queue = await openQueue(t, nats.url, newId());
  const outcome = queue.run(poison);
  for (let i = 0; i < MOST_DELIVERIES; i++) {
    const worker = await startWorker(t, nats.url, new SleepingQueue(1, 0, never));
    await until(() => worker.executor.ran.length === 1, `delivery ${i + 1}`);
    await worker.leave();
  }
  await startWorker(t, nats.url, new SleepingQueue(1, 1));
  const said = await outcome;
  assert.ok(said.kind === 'failed');
  assert.match(said.failure.message, /workers took this point 10 times and did not finish it/);
  assert.deepEqual(await queue.run(good), ofIndex(good));
});

test('hostile messages: no points, outcomes of nobody, outcomes of other points', options, async (t) => {
  const { url } = await TestNats.start(t);
  const [point, other] = pointsOf([2]);
  const name = newId();
  const queue = await openQueue(t, url, name);
  const stranger = await connectNats(parseNatsUrl(url, '--nats'), { name: 'stranger' });
  t.after(() => stranger.close());
  for (const subject of [`0123456789abcdef.${name}.${newId()}`, '0123456789abcdef.x', `0123456789abcdef.${name}.y`]) {
    stranger.publish(`sct.sweep.sweep.point.${subject}`, Buffer.from('{"schema":1}'));
  }
  stranger.publish(`sct.sweep.sweep.sign.${name}.>`, Buffer.alloc(10));
  stranger.publish(`sct.sweep.sweep.sign.${name}.${point.id}`, Buffer.alloc(10));
  stranger.publish(`sct.sweep.sweep.result.${name}.${point.id}`, encodeOutcome(other.id, measured(other, 99)));
  await stranger.flush();
  const executor = new SleepingQueue(1, 1);
  const worker = await startWorker(t, url, executor);
  // The outcome that is none is thrown away when it is looked at, and the point is measured.
  assert.deepEqual(await queue.run(point), ofIndex(point));
  assert.ok(
    queue.notes.some((line) => /is no outcome: id/.test(line)),
    queue.notes.join('\n'),
  );
  const { refused, measured: good } = await worker.leave();
  assert.deepEqual([refused, good], [3, 1]);
});

test('workers of another version are given nothing', options, async (t) => {
  const { url } = await TestNats.start(t);
  const [point] = pointsOf([1]);
  const queue = await openQueue(t, url, newId());
  const old = await startWorker(t, url, new SleepingQueue(1, 1), { program: 'fedcba9876543210' });
  const outcome = queue.run(point);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const same = await startWorker(t, url, new SleepingQueue(1, 1));
  assert.deepEqual(await outcome, ofIndex(point));
  assert.deepEqual([old.executor.ran.length, same.executor.ran.length], [0, 1]);
});

test('a server without JetStream, and none at all', options, async (t) => {
  await assert.rejects(openQueue(t, 'nats://127.0.0.1:1', newId()), DeviceError);
  const plain = await TestNats.start(t, [], false);
  await assert.rejects(openQueue(t, plain.url, newId()), /no usable JetStream/);
});

test('the queue of a sweep is its own', () => {
  const name = queueName({ planSha256: 'a', startedAt: 'b' });
  assert.match(name, /^[0-9a-f]{32}$/);
  assert.notEqual(name, queueName({ planSha256: 'a', startedAt: 'c' }));
  assert.notEqual(name, queueName({ planSha256: 'c', startedAt: 'b' }));
});
