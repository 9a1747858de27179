import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { DeviceError, UsageError } from '../../src/common/errors.ts';
import { encodeFrame } from '../../src/dashboard/frames.ts';
import { Dashboard } from '../../src/dashboard/server.ts';
import { dashboard, get, page, TestController } from './helpers.ts';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe('where it listens', () => {
  it('an address that others reach needs a token of its own; a port that is taken is said', async () => {
    const { server, folder } = await dashboard();
    const controller = new TestController();
    const places = { runs: folder, captures: folder, pictures: folder };
    for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
      await assert.rejects(Dashboard.listen({ host, port: 0, controller, places }), UsageError);
    }
    const taken = { host: '127.0.0.1', port: server.port, controller, places };
    await assert.rejects(Dashboard.listen(taken), DeviceError);
    await server.close();
    const open = await Dashboard.listen({ host: '0.0.0.0', port: 0, token: 'x'.repeat(16), controller, places });
    assert.equal((await get(open, '/api/runs', bearer('x'.repeat(16)))).status, 200);
    assert.equal((await get(open, '/api/runs', { ...bearer('x'.repeat(16)), Host: 'evil.example' })).status, 403);
    await open.close();
  });
});

describe('a job and its pages', async () => {
  const { server, controller, controlToken, readToken } = await dashboard();
  after(() => server.close());

  it('starts, tells everybody, keeps what a later page needs, and stops', async () => {
    const first = await page(server, controlToken);
    const bad = await first.ask({ do: 'start', command: 'rm' });
    assert.deepEqual([bad.ok, (bad.error as { message: string }).message], [false, 'rm is not started from here']);
    assert.equal((await first.ask({ do: 'start', command: 'sound', options: { snr: 12, ideal: true } })).ok, true);
    assert.deepEqual(controller.started.at(-1), { command: 'sound', options: { snr: 12, ideal: true } });
    const second = await first.ask({ do: 'start', command: 'loopback' });
    assert.deepEqual((second.error as { message: string }).message, 'sound is running');

    controller.tell('run', { state: 'starting', title: 'x' });
    for (let i = 0; i < 700; i++) controller.tell('burst', { burst: i }, { rbSnrDb: new Float32Array([i]) }, i);
    controller.tell('status', { samples: 1 });
    controller.tell('status', { samples: 2 });
    await first.until(() => first.frames.some((f) => f.topic === 'status' && f.data.samples === 2));

    const later = await page(server, readToken);
    await later.until(() => later.frames.some((f) => f.topic === 'burst' && f.data.burst === 699));
    assert.deepEqual(later.texts[0], { access: 'read', commands: [...controller.commands], job: 'sound' });
    assert.deepEqual([later.frames[0].topic, later.frames[1].data], ['run', { samples: 2 }]);
    assert.equal(later.frames.filter((f) => f.topic === 'burst').length, 600);
    assert.deepEqual([...(later.frames.at(-1)!.arrays.rbSnrDb as Float32Array)], [699]);

    await first.ask({ do: 'replay', action: 'seek', value: 1.5 });
    assert.deepEqual(controller.told, [{ action: 'seek', value: 1.5 }]);
    assert.equal((await first.ask({ do: 'stop' })).ok, true);
    await later.until(() => later.texts.some((t) => t.job === null && t.exitCode === 130));
    assert.match((await get(server, '/metrics', bearer(readToken))).text, /^sct_samples_total 2$/m);
    for (const { socket } of [first, later]) socket.close();
  });

  it('a job that writes no frames is told of, and its dashboard goes on', async () => {
    const first = await page(server, controlToken);
    await first.ask({ do: 'start', command: 'loopback' });
    controller.listener!.bytes(Buffer.from('this is not a frame, and long enough to be one'));
    await first.until(() => first.frames.some((f) => f.topic === 'log' && /cannot be read/.test(String(f.data.text))));
    controller.end(0);
    first.socket.close();
  });

  it('a page that takes nothing costs at most what is on its way, and no other page anything', async () => {
    const stalled = await page(server, readToken);
    const good = await page(server, controlToken);
    await good.ask({ do: 'start', command: 'loopback' });
    controller.tell('run', { state: 'starting' });
    stalled.socket.pause();
    const bins = new Float32Array(16_384);
    for (let i = 1; i <= 400; i++) {
      controller.tell('spectrum', { i }, { bins });
      if (i % 20 === 0) await good.until(() => good.frames.some((f) => f.topic === 'spectrum' && f.data.i === i));
    }
    for (const client of server.hub.clients) assert.ok(client.heldBytes < 1.2e6, `${client.heldBytes} bytes`);
    assert.ok([...server.hub.clients].some((c) => c.skipped > 100));
    stalled.socket.resume();
    await stalled.until(() => stalled.frames.some((f) => f.topic === 'spectrum' && f.data.i === 400));
    assert.ok(stalled.frames.filter((f) => f.topic === 'spectrum').length < 400);
    await good.ask({ do: 'stop' });
    for (const { socket } of [stalled, good]) socket.close();
  });

  it('frames come apart however they were divided', async () => {
    const first = await page(server, controlToken);
    await first.ask({ do: 'start', command: 'loopback' });
    const bytes = encodeFrame({ topic: 'log', sequence: 0, timeS: 0, data: { text: 'piece' }, arrays: {} });
    const both = new Uint8Array([...bytes, ...bytes]);
    for (let at = 0; at < both.length; at += 7) controller.listener!.bytes(both.subarray(at, at + 7));
    await first.until(() => first.frames.filter((f) => f.data.text === 'piece').length === 2);
    controller.end(0);
    first.socket.close();
  });

  it('a run whose process is gone has ended: stopped is not completed', async () => {
    const first = await page(server, controlToken);
    let runs = 0;
    const ended = async (
      how: 'ended' | 'stopped' | 'killed',
      exitCode: number,
      told: Record<string, unknown> | null,
    ) => {
      const title = `run ${++runs}`;
      await first.ask({ do: 'start', command: 'loopback' });
      controller.tell('run', { state: 'starting', title, exitCode: null, outcome: null });
      if (told) controller.tell('run', { title, ...told });
      controller.end(exitCode, how, exitCode === 3 ? { message: 'no board', hint: null } : null);
      const last = () => first.frames.filter(({ topic, data }) => topic === 'run' && data.title === title).at(-1)?.data;
      // What was told before the end comes in its order; the end is the last of it.
      await first.until(() => first.texts.some((t) => t.how === how) && last()?.state === 'ended');
      assert.equal((await first.ask({ do: 'stop' })).ok, true);
      return [last()!.state, last()!.outcome, last()!.exitCode];
    };
    const done = { state: 'ended', outcome: 'received', exitCode: 0 };
    assert.deepEqual(await ended('ended', 0, done), ['ended', 'received', 0]);
    assert.deepEqual(await ended('stopped', 130, null), ['ended', 'stopped', 130]);
    assert.deepEqual(await ended('stopped', 130, { ...done, exitCode: 130 }), ['ended', 'stopped', 130]);
    assert.deepEqual(await ended('stopped', 0, done), ['ended', 'received', 0]);
    assert.deepEqual(await ended('killed', 1, { state: 'running' }), ['ended', 'killed', 1]);
    assert.deepEqual(await ended('ended', 3, null), ['ended', 'no board', 3]);
    first.socket.close();
  });

  it('a job that tells too much is read more slowly, and goes on to be read', async () => {
    const first = await page(server, controlToken);
    await first.ask({ do: 'start', command: 'loopback' });
    // Most of what it may tell in a second at once, so that no machine is too slow to see it as too much.
    const picture = { bytes: new Uint8Array(30e6) };
    const flood = encodeFrame({ topic: 'picture', sequence: 0, timeS: 0, data: { stage: 'after' }, arrays: picture });
    const { listener, resumed } = controller;
    let taken = 0;
    while (listener!.bytes(flood)) assert.ok(++taken < 20, `${taken} times 30 MB were read without a pause`);
    assert.ok(taken >= 1);
    while (controller.resumed === resumed) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.end(0);
    first.socket.close();
  });

  it('boards are not looked for while a job has them', async () => {
    const first = await page(server, controlToken);
    await first.ask({ do: 'start', command: 'loopback' });
    assert.equal((await get(server, '/api/devices', bearer(readToken))).status, 409);
    controller.end(0);
    assert.equal((await get(server, '/api/devices', bearer(readToken))).status, 200);
    first.socket.close();
  });
});
