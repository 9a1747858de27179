// Servers that cannot, logins that may not, clocks that are wrong, and workers that lie.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeviceError } from '../../../../src/common/errors.ts';
import { inputSha256 } from '../../../../src/experiment/sweep/inputs.ts';
import { InputCache } from '../../../../src/experiment/sweep/nats/input-cache.ts';
import { InputUploads } from '../../../../src/experiment/sweep/nats/input-uploads.ts';
import { encodeOutcome, MAX_MESSAGE_BYTES } from '../../../../src/experiment/sweep/nats/messages.ts';
import { keyOf, programKey } from '../../../../src/experiment/sweep/nats/program-key.ts';
import { SweepSpace } from '../../../../src/experiment/sweep/nats/sweep-space.ts';
import { connectNats } from '../../../../src/link/nats/nats-connection.ts';
import { parseNatsUrl } from '../../../../src/link/nats/nats-url.ts';
import { NO_NATS, newId, TestNats, until } from '../../../nats-server.ts';
import { measured, pointsOf } from '../sweep-helpers.ts';
import { ofIndex, openQueue, runAll, SleepingQueue, scratch, startWorker } from './nats-helpers.ts';

const options = { skip: NO_NATS, timeout: 120_000 };
const CREDENTIALS = 'SCT_NATS_CREDENTIALS';

interface Ends {
  after(end: () => Promise<void> | void): void;
}

/** A server with these lines in its configuration. */
async function configured(t: Ends, text: string): Promise<TestNats> {
  const path = join(await scratch(t), 'nats.conf');
  await writeFile(path, text);
  return TestNats.start(t, ['-c', path]);
}

/** A server that lets the one login of this process do everything but this. */
async function denying(t: Ends, what: 'publish' | 'subscribe', subject: string): Promise<TestNats> {
  const path = join(await scratch(t), 'credentials');
  await writeFile(path, 'me:secret', { mode: 0o600 });
  process.env[CREDENTIALS] = path;
  t.after(() => void delete process.env[CREDENTIALS]);
  const permissions = `{${what}: {deny: ["${subject}"]}}`;
  return configured(t, `authorization { users: [{user: me, password: secret, permissions: ${permissions}}] }\n`);
}

test('a login that may not queue points, take them or hear answers ends with what it may not', options, async (t) => {
  const [point] = pointsOf([1]);
  const queueing = await denying(t, 'publish', 'sct.sweep.>');
  const queue = await openQueue(t, queueing.url, newId());
  await assert.rejects(queue.run(point), (error: DeviceError) => {
    assert.ok(error instanceof DeviceError);
    assert.match(error.message, /does not let this login.*Publish to "sct\.sweep/);
    assert.ok(!error.message.includes('secret'));
    return true;
  });
  const taking = await denying(t, 'publish', '$JS.API.CONSUMER.MSG.NEXT.>');
  const { work } = await startWorker(t, taking.url, new SleepingQueue(1, 0));
  await assert.rejects(work, /does not let this login/);
  const hearing = await denying(t, 'subscribe', '_INBOX.>');
  await assert.rejects(openQueue(t, hearing.url, newId()), /does not let this login/);
  const making = await denying(t, 'publish', '$JS.API.STREAM.CREATE.>');
  await assert.rejects(openQueue(t, making.url, newId()), /does not let this login/);
});

test('logins that may only what docs/several-machines.md lists are enough', options, async (t) => {
  const page = await readFile(new URL('../../../../docs/several-machines.md', import.meta.url), 'utf8');
  const [, users] = /```\n(authorization \{[\s\S]*?)```/.exec(page) ?? [];
  assert.ok(users, 'the page lists them');
  const nats = await configured(t, users);
  const folder = await scratch(t);
  t.after(() => void delete process.env[CREDENTIALS]);
  const as = async (who: string) => {
    await writeFile(join(folder, who), `${who}:a-long-password`, { mode: 0o600 });
    process.env[CREDENTIALS] = join(folder, who);
  };
  await writeFile(join(folder, 'photo.png'), Buffer.alloc(300_000, 1));
  const photo = { use: 'photo', path: join(folder, 'photo.png') } as const;
  const inputs = [{ ...photo, sha256: await inputSha256('photo', photo.path) }];
  const points = pointsOf([20]).map((point) => ({ ...point, photo: 'photo.png', inputs }));
  await as('sweep');
  const queue = await openQueue(t, nats.url, newId());
  await as('worker');
  const executor = new SleepingQueue(2, 1);
  const worker = await startWorker(t, nats.url, executor);
  assert.deepEqual(await runAll(queue, points), points.map(ofIndex));
  assert.notEqual(executor.ran[0].inputs[0].path, photo.path);
  await worker.leave();
  assert.deepEqual([...queue.notes, ...worker.notes], []);
  // A worker's login queues nothing for others to measure.
  const mine = await openQueue(t, nats.url, newId());
  await assert.rejects(mine.run(points[0]), /does not let this login/);
});

test('a store that others have filled is waited for, and said', options, async (t) => {
  const nats = await configured(t, 'jetstream { max_file_store: 1MB }\n');
  const points = pointsOf([40]);
  const queue = await openQueue(t, nats.url, newId());
  await startWorker(t, nats.url, new SleepingQueue(4, 0));
  const stranger = await connectNats(parseNatsUrl(nats.url, '--nats'), { name: 'stranger' });
  t.after(() => stranger.close());
  const ask = async (subject: string, payload: string | Uint8Array) =>
    (await stranger.request(subject, payload)).json();
  await ask('$JS.API.STREAM.CREATE.BULK', JSON.stringify({ name: 'BULK', subjects: ['bulk'], storage: 'file' }));
  const full = () => ask('bulk', Buffer.alloc(50_000)) as Promise<{ error?: object }>;
  await until(async () => (await full()).error !== undefined, 'a full store');
  const all = runAll(queue, points);
  await until(() => queue.notes.some((line) => /store is full/.test(line)), 'that the store is full');
  assert.ok(queue.notes.length <= 2, `said once, not by each point that waits: ${queue.notes.join('; ')}`);
  await ask('$JS.API.STREAM.PURGE.BULK', '');
  assert.deepEqual(await all, points.map(ofIndex));
});

test('a server of small messages, and streams of this name that others have made', options, async (t) => {
  const small = await configured(t, 'max_payload: 8192\n');
  await assert.rejects(openQueue(t, small.url, newId()), /at most 8192 bytes, a sweep needs/);
  const { url } = await TestNats.start(t);
  const stranger = await connectNats(parseNatsUrl(url, '--nats'), { name: 'stranger' });
  t.after(() => stranger.close());
  const ask = async (stream: string, subjects: string[], more: object = { retention: 'limits', storage: 'memory' }) => {
    const made = await stranger.request(
      `$JS.API.STREAM.CREATE.${stream}`,
      JSON.stringify({ name: stream, subjects, max_consumers: -1, ...more }),
    );
    assert.ok(!('error' in (made.json() as object)), made.string());
  };
  const ageOf = async (stream: string) =>
    ((await stranger.request(`$JS.API.STREAM.INFO.${stream}`)).json() as { config: { max_age: number } }).config
      .max_age;
  await ask('SCT_sweep_POINTS', ['sct.sweep.sweep.point.>']);
  await assert.rejects(openQueue(t, url, newId()), /streams of this name that are set up otherwise/);
  await ask('SCT_OTHER', ['sct.sweep.b.result.>']);
  await assert.rejects(openQueue(t, `${url}/b`, newId()), /set up otherwise/);
  await openQueue(t, `${url}/c`, newId());
  assert.equal(await ageOf('SCT_sweep_POINTS'), 0, 'that of others is left alone');
  // Of an earlier version: it gets an age, nothing else.
  const before = { retention: 'workqueue', storage: 'file', discard: 'new' };
  await ask('SCT_d_POINTS', ['sct.sweep.d.point.>'], before);
  await openQueue(t, `${url}/d`, newId());
  assert.equal(await ageOf('SCT_d_POINTS'), 14 * 86_400e9);
  await openQueue(t, `${url}/d`, newId());
});

test('two sweeps of one name at once: each has its own results', options, async (t) => {
  const { url } = await TestNats.start(t);
  const points = pointsOf([40]);
  const outcome = (offset: number) => (point: (typeof points)[number]) => measured(point, point.index + offset);
  const one = await openQueue(t, url, newId());
  const two = await openQueue(t, url, newId());
  // The same points, so the same ids: only the queue tells them apart.
  let given = 0;
  const executor = new SleepingQueue(4, 2, (point) => outcome(1000 * ++given)(point));
  await startWorker(t, url, executor);
  const [first, second] = await Promise.all([runAll(one, points), runAll(two, points)]);
  assert.equal(executor.ran.length, 2 * points.length);
  for (const [i, point] of points.entries()) {
    for (const all of [first, second]) assert.ok(all[i].kind === 'measured' && all[i].result.id === point.id);
    assert.notDeepEqual(first[i], second[i]);
  }
  // One that ends takes nothing of the other with it.
  const again = runAll(two, pointsOf([0, 20]));
  await one.close();
  assert.equal((await again).length, 20);
});

test('points that the server has lost its place at are put there anew', options, async (t) => {
  const { url } = await TestNats.start(t);
  const points = pointsOf([30]);
  const queue = await openQueue(t, url, newId());
  const all = points.map((point) => queue.run(point));
  const executor = new SleepingQueue(2, 50);
  await startWorker(t, url, executor);
  await until(() => executor.ran.length >= 4);
  // nats-server 2.9 makes a consumer forget what waits when subjects are purged, here those of a queue that is not there.
  const stranger = await connectNats(parseNatsUrl(url, '--nats'), { name: 'stranger' });
  t.after(() => stranger.close());
  const filter = `sct.sweep.sweep.point.0123456789abcdef.${newId()}.*`;
  await stranger.request('$JS.API.STREAM.PURGE.SCT_sweep_POINTS', JSON.stringify({ filter }));
  assert.deepEqual(await Promise.all(all), points.map(ofIndex));
});

test(
  'outcomes of points that nobody asked for, too long ones and those of other settings are not taken',
  options,
  async (t) => {
    const { url } = await TestNats.start(t, []);
    const [point, other] = pointsOf([2]);
    const queue = await openQueue(t, url, newId());
    const stranger = await connectNats(parseNatsUrl(url, '--nats'), { name: 'stranger' });
    t.after(() => stranger.close());
    const say = (id: string, bytes: Uint8Array) => {
      stranger.publish(`sct.sweep.sweep.result.${queue.name}.${id}`, bytes);
      stranger.publish(`sct.sweep.sweep.sign.${queue.name}.${id}`);
    };
    say(other.id, encodeOutcome(other.id, measured(other, 77)));
    say(newId(), Buffer.from('{}'));
    say(point.id, Buffer.alloc(MAX_MESSAGE_BYTES + 1, 0x20));
    await stranger.flush();
    const outcome = queue.run(point);
    await until(() => queue.notes.some((line) => /is no outcome: outcome.*at most/.test(line)), 'that it is too long');
    const lied = measured(point, 99);
    assert.ok(lied.kind === 'measured');
    const { result } = lied;
    const lie = encodeOutcome(point.id, { ...lied, result: { ...result, metrics: { ...result.metrics, seed: 99 } } });
    await until(() => {
      // Again and again: while the one before lies on the server, it is refused there.
      say(point.id, lie);
      return queue.notes.some((line) => /metrics\.seed: is 99/.test(line));
    }, 'that it is of another seed');
    await startWorker(t, url, new SleepingQueue(1, 0));
    assert.deepEqual(await outcome, ofIndex(point));
  },
);

test('a clock that is months wrong on either side', options, async (t) => {
  const { url } = await TestNats.start(t);
  const folder = await scratch(t);
  const path = join(folder, 'photo.png');
  await writeFile(path, 'what was meant');
  const input = { use: 'photo', path, sha256: await inputSha256('photo', path) } as const;
  const now = Date.now;
  t.after(() => {
    Date.now = now;
  });
  for (const [i, days] of [-200, 0, 200].entries()) {
    Date.now = () => now() + 86_400e3 * days;
    const space = await SweepSpace.open({
      url: `${url}/clock${i}`,
      client: 'test',
      program: '0123456789abcdef',
      signal: new AbortController().signal,
      note: () => undefined,
    });
    t.after(() => space.close());
    for (let twice = 0; twice < 2; twice++) await new InputUploads(space).put(input);
    Date.now = () => now() - 86_400e3 * days;
    await new InputCache(space, join(folder, `cache${i}`)).get(input);
    const points = pointsOf([5]);
    const queue = await openQueue(t, `${url}/clock${i}`, newId());
    await startWorker(t, `${url}/clock${i}`, new SleepingQueue(1, 0));
    assert.deepEqual(await runAll(queue, points), points.map(ofIndex));
  }
});

test('programs are told apart by the code that measures, and by nothing else', async (t) => {
  const folder = await scratch(t);
  for (const room of ['common', 'experiment', 'link', 'phy', 'radio', 'sct', 'cli']) await mkdir(join(folder, room));
  const write = (path: string, text: string) => writeFile(join(folder, path), text);
  await write('phy/burst.js', 'one');
  const first = await keyOf(folder);
  assert.match(first, /^[0-9a-f]{16}$/);
  await write('cli/main.js', 'another command line');
  await write('phy/burst.d.ts', 'types');
  await write('phy/burst.js.map', 'lines');
  assert.equal(await keyOf(folder), first);
  await write('phy/burst.js', 'two');
  const second = await keyOf(folder);
  await write('phy/kernel.wasm', 'code');
  assert.equal(new Set([first, second, await keyOf(folder)]).size, 3);
  assert.equal(await programKey(), await programKey());
});
