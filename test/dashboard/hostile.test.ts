import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ATTACKS, attack } from '../../bench/dashboard/hostile-clients.ts';
import { dashboard, get, page, type TestPage } from './helpers.ts';

const KINDS = Object.keys(ATTACKS).length;
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe('hostile clients', async () => {
  const { server, controller, folder, controlToken, readToken } = await dashboard();
  after(() => server.close());
  await mkdir(join(folder, 'web'));
  await writeFile(join(folder, 'web', 'index.html'), '<p>page</p>');
  await writeFile(join(folder, 'web', 'page.js'), 'x'.repeat(200_000));
  const target = { host: '127.0.0.1', port: server.port, readToken };

  /** Frames told now reach a page that was there. */
  let told = 0;
  const stillServed = async (owner: TestPage) => {
    const i = ++told;
    controller.tell('status', { samples: i });
    await owner.until(() => owner.frames.some((f) => f.topic === 'status' && f.data.samples === i));
    assert.equal((await owner.ask({ do: 'replay', action: 'pause' })).ok, true);
  };
  /** Who comes now gets the page, what it asks for, and a WebSocket; those who were let in before that are many. */
  const canJoin = async () => {
    assert.equal((await get(server, '/')).status, 200);
    assert.equal((await get(server, '/metrics', bearer(controlToken))).status, 200);
    const newcomer = await page(server, controlToken);
    await newcomer.until(() => newcomer.frames.length > 0);
    newcomer.socket.terminate();
  };

  it('one after another, of every kind: the page of an owner is served, and memory is not', async () => {
    const owner = await page(server, controlToken);
    await owner.ask({ do: 'start', command: 'loopback' });
    controller.tell('run', { state: 'starting' });
    for (let turn = 0; turn < 2 * KINDS; turn++) {
      const { gone, end } = attack(target, turn);
      await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 30))]);
      await stillServed(owner);
      end();
      await gone;
    }
    await canJoin();
    owner.socket.close();
    await owner.ask({ do: 'stop' }).catch(() => {});
    controller.end(0);
  });

  it('two hundred at once: an owner is served, and one who comes is let in', async () => {
    const owner = await page(server, controlToken);
    await owner.ask({ do: 'start', command: 'loopback' });
    controller.tell('run', { state: 'starting' });
    const all = Array.from({ length: 200 }, (_, turn) => attack(target, turn));
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 5; round++) {
      controller.tell('spectrum', { round }, { meanDbfs: new Float32Array(1024) });
      await stillServed(owner);
      await canJoin();
    }
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 300e6, `${grown} bytes`);
    for (const client of server.hub.clients) assert.ok(client.heldBytes < 3e6, `${client.heldBytes} bytes`);
    for (const { end } of all) end();
    await Promise.all(all.map(({ gone }) => gone));
    await stillServed(owner);
    controller.end(0);
    owner.socket.close();
  });

  it('strangers that hold on to their connections make room for who comes', async () => {
    const silent = Array.from({ length: 300 }, () => attack(target, Object.keys(ATTACKS).indexOf('silent')));
    await canJoin();
    await Promise.race(silent.map(({ gone }) => gone));
    for (const { end } of silent) end();
    await Promise.all(silent.map(({ gone }) => gone));
  });

  it('where all places are taken by who only watches, who may control gets one, and no one else does', async () => {
    const watching: TestPage[] = [];
    for (let i = 0; i < 32; i++) watching.push(await page(server, readToken));
    await assert.rejects(page(server, readToken), /503/);
    const gone = Promise.race(watching.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))));
    const owner = await page(server, controlToken);
    await gone;
    const text = (await get(server, '/metrics', bearer(readToken))).text;
    assert.match(text, /^sct_dashboard_clients\{access="control"\} 1$/m);
    for (const { socket } of [...watching, owner]) socket.close();
  });
});
