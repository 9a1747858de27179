import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { readJson } from '../../src/dashboard/folder-files.ts';
import { MOST_PICTURE_BYTES } from '../../src/dashboard/picture-store.ts';
import { dashboard, get } from './helpers.ts';

describe('files of runs and recordings', async () => {
  const { server, folder, readToken } = await dashboard();
  after(() => server.close());
  const bearer = { Authorization: `Bearer ${readToken}` };
  const ask = (path: string, headers = {}) => get(server, path, { ...bearer, ...headers });
  const meta = (type: string) =>
    `{"global":{"core:datatype":"${type}","core:sample_rate":1000},"captures":[{"core:frequency":868e6}]}`;
  const files = {
    'runs/one/run.json': '{"runId":"A"}',
    'runs/one/metrics.json': '{"psnrDb":31.5}',
    'runs/one/source.png': 'PNG',
    'runs/one/report.html': '<script>alert(1)</script>',
    'runs/half/run.json': '{"runId":',
    'secret.json': '{}',
    'captures/air.sigmf-meta': meta('ci8'),
    'captures/air.sigmf-data': '0123456789',
    'captures/lone.sigmf-meta': meta('ci8'),
    'captures/local/band.sigmf-meta': 'broken',
    'captures/local/band.sigmf-data': '01',
    'captures/sample/run.json': '{}',
    'captures/sample/rx.sigmf-meta': meta('cf32_le'),
    'captures/sample/rx.sigmf-data': '0123456789abcdef',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await symlink(join(folder, 'secret.json'), join(folder, 'runs', 'one', 'link.json'));
  await symlink(folder, join(folder, 'captures', 'out'));
  await symlink(folder, join(folder, 'runs', 'out'));

  it('lists runs, half written ones as well', async () => {
    const list = JSON.parse((await ask('/api/runs')).text) as { name: string; source: string; manifest: unknown }[];
    const named = new Map(list.map((r) => [r.source, r.manifest]));
    assert.deepEqual(
      named,
      new Map<string, unknown>(Object.entries({ 'runs/one': { runId: 'A' }, 'runs/half': null })),
    );
    const one = JSON.parse((await ask('/api/runs/one')).text);
    assert.deepEqual([one.manifest, one.metrics], [{ runId: 'A' }, { psnrDb: 31.5 }]);
    assert.deepEqual(one.files.sort(), ['link.json', 'metrics.json', 'report.html', 'run.json', 'source.png']);
  });

  it('waits for no pipe and follows no link where JSON should be', async () => {
    const [pipe, linked] = [join(folder, 'pipe.json'), join(folder, 'linked.json')];
    execFileSync('mkfifo', [pipe]);
    await symlink(join(folder, 'secret.json'), linked);
    assert.deepEqual(await readJson(join(folder, 'secret.json')), {});
    // More of them than threads that open files.
    assert.deepEqual(await Promise.all([pipe, pipe, pipe, pipe, pipe, linked].map(readJson)), Array(6).fill(null));
  });

  it('lists recordings, those in folders and those of runs too', async () => {
    const list = JSON.parse((await ask('/api/captures')).text) as Record<string, unknown>[];
    const found = new Map(list.map((c) => [c.name, c]));
    assert.deepEqual([...found.keys()].sort(), ['air', 'local/band', 'sample']);
    const { lengthS, rateHz, frequencyHz, bytes, source } = found.get('air')!;
    assert.deepEqual([lengthS, rateHz, frequencyHz, bytes, source], [0.005, 1000, 868e6, 10, 'captures/air']);
    assert.deepEqual([found.get('sample')!.lengthS, found.get('local/band')!.rateHz], [0.002, null]);
    const names = (found.get('sample')!.files as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, ['rx.sigmf-meta', 'rx.sigmf-data']);
    await writeFile(join(folder, 'captures', 'air.sigmf-data'), '0123456789ab');
    assert.equal(
      JSON.parse((await ask('/api/captures')).text).find((c: { name: string }) => c.name === 'air').bytes,
      12,
    );
    await writeFile(join(folder, 'captures', 'air.sigmf-data'), '0123456789');
  });

  it('serves their files, and of nothing else', async () => {
    const source = await ask('/api/runs/one/files/source.png');
    assert.deepEqual([source.status, source.headers['content-type'], source.text], [200, 'image/png', 'PNG']);
    assert.equal((await ask('/api/captures/local%2Fband/files/band.sigmf-data')).text, '01');
    assert.equal((await ask('/api/captures/sample/files/rx.sigmf-data')).text, '0123456789abcdef');
    for (const path of [
      ...[
        '/api/runs/one/files/link.json',
        '/api/runs/one/files/..%2F..%2Fsecret.json',
        '/api/runs/..%2f/files/secret.json',
      ],
      ...['/api/runs/../secret.json', '/api/runs/%2e%2e/files/secret.json', '/api/runs/one/files/rx.sigmf-data'],
      ...['/api/runs/nothing', '/api/runs/out', '/api/runs/out/files/secret.json', '/api/runs/one/files/%00.png'],
      ...['/api/captures/out/files/secret.json', '/api/captures/..%2Fcaptures%2Fair/files/air.sigmf-data'],
      ...[
        '/api/captures/air/files/..%2Fair.sigmf-data',
        '/api/captures/sample/files/run.json',
        '/api/captures/lone/files/x',
      ],
      ...['/api/captures/out%2Fcaptures%2Fair/files/air.sigmf-data', '/api/pictures/..%2Fsecret.json'],
    ]) {
      assert.equal((await ask(path)).status, 404, path);
    }
  });

  it('a part of a file is given where one is asked for', async () => {
    const path = '/api/captures/air/files/air.sigmf-data';
    const part = await ask(path, { Range: 'bytes=2-4' });
    assert.deepEqual([part.status, part.headers['content-range'], part.text], [206, 'bytes 2-4/10', '234']);
    assert.equal((await ask(path, { Range: 'bytes=-3' })).text, '789');
    assert.equal((await ask(path, { Range: 'bytes=10-' })).status, 416);
    const whole = await ask(path);
    assert.deepEqual([whole.headers['accept-ranges'], whole.headers['content-length']], ['bytes', '10']);
    assert.match(String(whole.headers['content-disposition']), /^attachment; filename="?air\.sigmf-data/);
  });

  it('a recording of gigabytes goes out as fast as it is taken, and is not held', async () => {
    const file = await open(join(folder, 'captures', 'long.sigmf-data'), 'w');
    await file.truncate(10 * 2 ** 30);
    await file.close();
    await writeFile(join(folder, 'captures', 'long.sigmf-meta'), meta('ci8'));
    const path = '/api/captures/long/files/long.sigmf-data';
    assert.equal((await ask(path, { Range: `bytes=${9 * 2 ** 30}-${9 * 2 ** 30 + 2}` })).text, '\0\0\0');
    const before = process.memoryUsage.rss();
    const asked = request({ host: '127.0.0.1', port: server.port, path, headers: bearer }).end();
    const [response] = await once(asked, 'response');
    assert.equal(response.headers['content-length'], String(10 * 2 ** 30));
    // Nobody reads: what is on its way stays what sockets and streams hold.
    const held = () => process.memoryUsage.rss() - before;
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.ok(held() < 100e6, `${held()} bytes`);
    }
    let taken = 0;
    for await (const chunk of response) {
      taken += chunk.length;
      if (taken > 3e7) break;
    }
    assert.ok(held() < 150e6, `${held()} bytes after ${taken}`);
  });

  it('a ticket opens one file once, without the token, as a page that runs nothing', async () => {
    const post = (path: unknown, headers = {}) =>
      get(
        server,
        '/api/tickets',
        { ...bearer, 'Content-Type': 'application/json', ...headers },
        'POST',
        JSON.stringify({ path }),
      );
    const { url } = JSON.parse((await post('/api/runs/one/files/report.html')).text);
    assert.match(url, /^\/files\/[\w-]{32}\/report\.html$/);
    const opened = await get(server, url);
    assert.deepEqual([opened.status, opened.text], [200, files['runs/one/report.html']]);
    assert.match(String(opened.headers['content-security-policy']), /^sandbox; default-src 'none'; style-src/);
    assert.ok(!/allow-|script-src/.test(String(opened.headers['content-security-policy'])));
    assert.equal((await get(server, url)).status, 404, 'a second time');
    const band = JSON.parse((await post('/api/captures/local%2Fband/files/band.sigmf-data')).text);
    assert.equal((await get(server, band.url)).text, '01');
    for (const path of [
      '/api/runs',
      '/api/runs/one/files/no.html',
      '/metrics',
      '../x',
      '/api/runs/%/files/run.json',
      7,
    ]) {
      const { status } = await post(path);
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
    assert.equal((await post('/api/runs/one/files/run.json', { Authorization: 'Bearer x' })).status, 401);
    const long = await get(
      server,
      '/api/tickets',
      { ...bearer, 'Content-Type': 'application/json' },
      'POST',
      ' '.repeat(1e5),
    );
    assert.equal(long.status, 413);
  });
});

describe('pictures that a page brings', async () => {
  const { server, folder, controlToken, readToken } = await dashboard();
  after(() => server.close());
  const control = { Authorization: `Bearer ${controlToken}` };
  const flat = (width: number, height: number, format: 'png' | 'jpeg' | 'webp' | 'gif' = 'png') =>
    sharp({ create: { width, height, channels: 3, background: '#456' } })
      .toFormat(format)
      .toBuffer();
  const bring = (name: string, body: Uint8Array | string) =>
    get(server, `/api/pictures/${encodeURIComponent(name)}`, control, 'POST', body);
  const kept = () => readdir(join(folder, 'pictures')).catch(() => []);

  it('takes in a picture under a safe name of its own', async () => {
    const png = await flat(30, 20);
    for (const [name, stored] of [
      ['photo.png', 'photo.png'],
      ['photo.png', 'photo-2.png'],
      ['../../../Straße 1.PNG', 'Stra-e-1.png'],
      ['.hidden.png', 'hidden.png'],
      ['😀.png', 'picture.png'],
    ]) {
      const answer = await bring(name, png);
      assert.equal(answer.status, 201, answer.text);
      const { name: given, width, height, bytes } = JSON.parse(answer.text);
      assert.deepEqual([given, width, height, bytes], [stored, 30, 20, png.length]);
    }
    assert.equal((await bring('a.jpg', await flat(8, 8, 'jpeg'))).status, 201);
    const list = JSON.parse((await get(server, '/api/pictures', { Authorization: `Bearer ${readToken}` })).text);
    assert.deepEqual(
      list.map((p: { name: string }) => p.name),
      ['Stra-e-1.png', 'a.jpg', 'hidden.png', 'photo-2.png', 'photo.png', 'picture.png'],
    );
    const back = await get(server, '/api/pictures/photo.png', { Authorization: `Bearer ${readToken}` });
    assert.deepEqual([back.status, back.headers['content-type']], [200, 'image/png']);
  });

  it('keeps nothing of what is no picture, or is too large', async () => {
    const before = await kept();
    const wide = await sharp({ create: { width: 9000, height: 2, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    for (const [name, body, why] of [
      ['a.png', 'not a picture', /cannot be decoded/],
      ['a.png', '', /./],
      ['a.png', wide, /9000x2 is out of range|too many/],
      ['a.html', '<p>', /is no picture/],
      ['a', 'x', /is no picture/],
      ['a.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>', /is no picture/],
      ['a.png', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', /./],
    ] as const) {
      const answer = await bring(name, body);
      assert.equal(answer.status, 400, name);
      const { message } = JSON.parse(answer.text).error;
      assert.match(message, why);
      assert.ok(!message.includes(folder), message);
    }
    const long = await bring('a.png', new Uint8Array(MOST_PICTURE_BYTES + 1)).catch(() => null);
    if (long) assert.equal(long.status, 400);
    assert.deepEqual(await kept(), before);
  });

  it('one that breaks off leaves nothing', async () => {
    const before = await kept();
    const asked = request({
      host: '127.0.0.1',
      port: server.port,
      path: '/api/pictures/a.png',
      method: 'POST',
      headers: { ...control, 'Content-Length': '1000' },
    });
    asked.on('error', () => {});
    asked.write('half');
    await new Promise((resolve) => setTimeout(resolve, 100));
    asked.destroy();
    for (let i = 0; i < 100 && (await kept()).length !== before.length; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await kept(), before);
  });
});
