import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DeviceError, UsageError } from '../../src/common/errors.ts';
import { encodeFrame } from '../../src/dashboard/frames.ts';
import { Dashboard } from '../../src/dashboard/server.ts';
import { dashboard, get, page, TestController } from './helpers.ts';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe('who may do what', async () => {
  const { server, folder, controlToken, readToken } = await dashboard();
  after(() => server.close());
  await mkdir(join(folder, 'web'), { recursive: true });
  await writeFile(join(folder, 'web', 'index.html'), '<p>page</p>');

  it('the page is open; nothing else is', async () => {
    const open = await get(server, '/');
    assert.equal(open.status, 200);
    assert.match(String(open.headers['content-security-policy']), /default-src 'none'.*script-src 'self'/);
    for (const path of ['/metrics', '/api/runs', '/api/devices', '/api/options/loopback', '/anything']) {
      assert.equal((await get(server, path)).status, 401, path);
      assert.equal((await get(server, path, bearer('x'.repeat(32)))).status, 401, path);
      assert.notEqual((await get(server, path, bearer(readToken))).status, 401, path);
    }
    assert.equal((await get(server, '/anything', bearer(controlToken))).status, 404);
  });

  it('another host or origin is refused, token or not', async () => {
    const strange: Record<string, string>[] = [
      { Host: 'evil.example' },
      { Host: `evil.example:${server.port}` },
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
    ];
    for (const headers of strange) {
      assert.equal((await get(server, '/', headers)).status, 403);
      assert.equal((await get(server, '/api/runs', { ...headers, ...bearer(controlToken) })).status, 403);
    }
    const own = { Host: `localhost:${server.port}`, Origin: `http://localhost:${server.port}` };
    assert.equal((await get(server, '/', own)).status, 200);
    await assert.rejects(page(server, controlToken, { origin: 'http://evil.example' }), /403/);
    await assert.rejects(page(server, controlToken, { host: 'evil.example' }), /403/);
  });

  it('a WebSocket needs a token; the one to watch starts nothing', async () => {
    await assert.rejects(page(server, 'wrong'), /403/);
    await assert.rejects(page(server, controlToken.slice(1)), /403/);
    const watching = await page(server, readToken);
    const answer = await watching.ask({ do: 'start', command: 'loopback' });
    assert.deepEqual([answer.ok, (answer.error as { message: string }).message], [false, 'this token only watches']);
    watching.socket.close();
  });

  it('an address that others reach needs a token of its own, and a token has some length', async () => {
    const controller = new TestController();
    const places = { runs: folder, captures: folder, pictures: folder };
    await assert.rejects(Dashboard.listen({ host: '0.0.0.0', port: 0, controller, places }), UsageError);
    const taken = { host: '127.0.0.1', port: server.port, controller, places };
    await assert.rejects(Dashboard.listen(taken), DeviceError);
  });

  it('what is no HTTP ends its own connection alone', async () => {
    for (const bytes of [
      '\0\0\0\0',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
        socket.on('close', () => resolve());
        socket.on('error', () => {});
        socket.resume();
      });
    }
    assert.equal((await get(server, '/')).status, 200);
  });
});

describe('runs and recordings', async () => {
  const { server, folder, readToken } = await dashboard();
  after(() => server.close());
  const run = join(folder, 'runs', 'one');
  await mkdir(run, { recursive: true });
  await writeFile(join(run, 'run.json'), '{"runId":"A"}');
  await writeFile(join(run, 'metrics.json'), '{"psnrDb":31.5}');
  await writeFile(join(run, 'source.png'), 'PNG');
  await writeFile(join(folder, 'secret.json'), '{}');
  await symlink(join(folder, 'secret.json'), join(run, 'link.json'));
  await mkdir(join(folder, 'runs', 'half'));
  await writeFile(join(folder, 'runs', 'half', 'run.json'), '{"runId":');
  const ask = (path: string) => get(server, path, bearer(readToken));

  it('lists runs, half written ones as well', async () => {
    const list = JSON.parse((await ask('/api/runs')).text) as { name: string; manifest: unknown }[];
    assert.deepEqual(
      new Map(list.map((r) => [r.name, r.manifest])),
      new Map<string, unknown>([
        ['one', { runId: 'A' }],
        ['half', null],
      ]),
    );
    const one = JSON.parse((await ask('/api/runs/one')).text);
    assert.deepEqual([one.manifest, one.metrics], [{ runId: 'A' }, { psnrDb: 31.5 }]);
  });

  it('serves files of a run, and of nothing else', async () => {
    const source = await ask('/api/runs/one/files/source.png');
    assert.deepEqual([source.status, source.headers['content-type'], source.text], [200, 'image/png', 'PNG']);
    for (const path of [
      '/api/runs/one/files/link.json',
      '/api/runs/one/files/..%2F..%2Fsecret.json',
      '/api/runs/..%2f/files/secret.json',
      '/api/runs/../secret.json',
      '/api/runs/%2e%2e/files/secret.json',
      '/api/runs/one/files/rx.sigmf-data',
      '/api/runs/nothing',
    ]) {
      assert.equal((await ask(path)).status, 404, path);
    }
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
    assert.deepEqual(later.texts[0], { access: 'read', commands: ['loopback', 'sound'], job: 'sound' });
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

  it('two hundred pages at once: most are refused, and the next one in time is served', async () => {
    const many = await Promise.allSettled(Array.from({ length: 200 }, () => page(server, readToken)));
    const open = many.filter((m) => m.status === 'fulfilled').map((m) => m.value);
    assert.ok(open.length <= 32 && open.length >= 1, `${open.length}`);
    const gone = Promise.all(open.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))));
    for (const { socket } of open) socket.close();
    await gone;
    const one = await page(server, readToken);
    one.socket.close();
  });
});
