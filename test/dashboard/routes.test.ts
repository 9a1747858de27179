import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { dashboard, get, page } from './helpers.ts';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const json = { 'Content-Type': 'application/json' };

/** Every route, and what it answers to nobody, who reads, and who controls. */
const ROUTES: readonly (readonly [string, string, number, number, number, string?])[] = [
  ['GET', '/', 200, 200, 200],
  ['GET', '/page.js', 200, 200, 200],
  ['HEAD', '/', 200, 200, 200],
  ['GET', '/metrics', 401, 200, 200],
  ['GET', '/api/runs', 401, 200, 200],
  ['GET', '/api/runs/one', 401, 200, 200],
  ['GET', '/api/runs/one/files/run.json', 401, 200, 200],
  ['GET', '/api/captures', 401, 200, 200],
  ['GET', '/api/captures/air/files/air.sigmf-data', 401, 200, 200],
  ['GET', '/api/pictures', 401, 200, 200],
  ['GET', '/api/pictures/photo.png', 401, 200, 200],
  ['GET', '/api/devices', 401, 200, 200],
  ['GET', '/api/options/loopback', 401, 200, 200],
  ['POST', '/api/tickets', 401, 200, 200, '{"path":"/api/runs/one/files/run.json"}'],
  ['POST', '/api/pictures/new.png', 401, 403, 400, 'no picture'],
  ['GET', '/files/nothing/run.json', 404, 404, 404],
  ['GET', '/api/nothing', 401, 404, 404],
  ['GET', '/../../etc/passwd', 401, 404, 404],
  ['POST', '/api/runs', 401, 404, 404],
  ['DELETE', '/api/runs/one', 401, 404, 404],
  ['PUT', '/api/pictures/photo.png', 401, 404, 404],
];

for (const host of ['127.0.0.1', '::1']) {
  describe(`who may do what at ${host}`, async () => {
    const { server, folder, controlToken, readToken } = await dashboard({ host });
    after(() => server.close());
    const files = {
      'web/index.html': '<p>page</p>',
      'web/page.js': '0',
      'runs/one/run.json': '{}',
      'captures/air.sigmf-meta': '{}',
      'captures/air.sigmf-data': 'IQ',
      'pictures/photo.png': 'PNG',
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), text);
    }

    it('each route answers as it should to nobody, a wrong token, who reads, and who controls', async () => {
      for (const [method, path, nobody, reads, controls, body] of ROUTES) {
        const ask = async (headers: Record<string, string>) =>
          (await get(server, path, { ...json, ...headers }, method, body)).status;
        const said = [await ask({}), await ask(bearer('x'.repeat(32))), await ask(bearer(readToken))];
        assert.deepEqual(
          [...said, await ask(bearer(controlToken))],
          [nobody, nobody, reads, controls],
          `${method} ${path}`,
        );
      }
    });

    it('a token in the address is none', async () => {
      assert.equal((await get(server, `/api/runs?token=${controlToken}`)).status, 401);
      assert.equal((await get(server, `/metrics#token=${controlToken}`)).status, 401);
    });

    it('another Host or Origin is refused on every route, token or not', async () => {
      const strange: Record<string, string>[] = [
        { Host: 'evil.example' },
        { Host: `evil.example:${server.port}` },
        { Host: `localhost.:${server.port}` },
        { Host: `localhost:${server.port + 1}` },
        { Origin: 'http://evil.example' },
        { Origin: `http://evil.example:${server.port}` },
        { Origin: 'null' },
      ];
      for (const headers of strange) {
        for (const [method, path, , , , body] of ROUTES) {
          for (const token of [undefined, controlToken]) {
            const all = { ...json, ...headers, ...(token ? bearer(token) : {}) };
            assert.equal(
              (await get(server, path, all, method, body)).status,
              403,
              `${path} ${JSON.stringify(headers)}`,
            );
          }
        }
        await assert.rejects(page(server, controlToken, { host: headers.Host, origin: headers.Origin }), /403/);
      }
    });

    it('own names are let in, in capitals too', async () => {
      for (const name of ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]']) {
        const own = `${name}:${server.port}`;
        const headers = { Host: own, Origin: `http://${own}` };
        assert.equal((await get(server, '/api/runs', { ...headers, ...bearer(readToken) })).status, 200, name);
        const { socket } = await page(server, readToken, { host: own, origin: `http://${own}` });
        socket.close();
      }
    });

    it('a WebSocket needs a token, its own address, and starts nothing with the one that reads', async () => {
      for (const token of ['wrong', '', controlToken.slice(1), `${controlToken}x`]) {
        await assert.rejects(page(server, token), /403|400|subprotocol/i);
      }
      const watching = await page(server, readToken);
      for (const asked of [{ do: 'start', command: 'loopback' }, { do: 'stop' }, { do: 'replay', action: 'pause' }]) {
        const answer = await watching.ask(asked);
        assert.deepEqual(
          [answer.ok, (answer.error as { message: string }).message],
          [false, 'this token only watches'],
        );
      }
      watching.socket.close();
    });

    it('no answer may be framed, sniffed, kept, or run anything that is not the page', async () => {
      for (const path of ['/', '/api/runs', '/metrics']) {
        const { headers } = await get(server, path, bearer(readToken));
        assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self'; /, path);
        assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/);
        assert.equal(headers['x-content-type-options'], 'nosniff');
        assert.equal(headers['cache-control'], 'no-store');
        assert.equal(headers['referrer-policy'], 'no-referrer');
        assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
        assert.equal(headers['x-powered-by'], undefined);
        assert.equal(headers['access-control-allow-origin'], undefined);
      }
    });
  });
}
