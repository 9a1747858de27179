import assert from 'node:assert/strict';
import { appendFile, mkdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { dashboard, get } from './helpers.ts';

describe('sweeps and reports among the runs', async () => {
  const { server, folder, readToken } = await dashboard();
  after(() => server.close());
  const bearer = { Authorization: `Bearer ${readToken}` };
  const ask = (path: string) => get(server, path, bearer);
  const list = async () =>
    new Map(
      (JSON.parse((await ask('/api/sweeps')).text) as { name: string }[]).map(({ name, ...rest }) => [name, rest]),
    );
  const plan = (state: string) => JSON.stringify({ state, points: 4, startedAt: '2026-11-23T08:43:51.897Z' });
  const files = {
    'runs/night/sweep.json': plan('done'),
    'runs/night/results.jsonl': '{}\n{}\n{}\n{}\n',
    'runs/night/report/report.html': '<h1>older</h1>',
    'runs/night/report/report.json': '{}',
    'runs/night/newer/report.html': '<h1>newer</h1>',
    'runs/night/newer/report.json': '{}',
    'runs/going/sweep.json': plan('running'),
    'runs/going/results.jsonl': '{}\n{"torn":',
    'runs/going/failures.jsonl': '{}\n',
    'runs/going/sweep.lock': '{}',
    'runs/killed/sweep.json': plan('running'),
    'runs/killed/sweep.lock': '{}',
    'runs/broken/sweep.json': '{"points": -7, "state": {"a": 1}',
    'runs/odd/sweep.json': '{"points": 1e99, "state": ["running"], "startedAt": 7}',
    'runs/paper/report.html': '<h1>paper</h1>',
    'runs/paper/report.json': '{}',
    'runs/one/run.json': '{}',
    'runs/one/report.html': '',
    'runs/one/report.json': '{}',
    'secret/sweep.json': '{}',
    'secret/report.html': 'secret',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const old = new Date(Date.now() - 3_600_000);
  for (const name of ['runs/night/report/report.html', 'runs/killed/sweep.lock'])
    await utimes(join(folder, name), old, old);
  await symlink(join(folder, 'secret'), join(folder, 'runs', 'out'));

  it('says how far each is, and which are no sweeps', async () => {
    const found = await list();
    assert.deepEqual([...found.keys()].sort(), ['broken', 'going', 'killed', 'night', 'odd', 'paper']);
    const facts = (name: string) => {
      const { kind, state, points, measured, failed, report } = found.get(name) as Record<string, unknown>;
      return [kind, state, points, measured, failed, report];
    };
    assert.deepEqual(facts('night'), ['sweep', 'done', 4, 4, 0, 'night/newer']);
    assert.deepEqual(facts('going'), ['sweep', 'running', 4, 1, 1, null]);
    assert.deepEqual(facts('killed'), ['sweep', 'cut off', 4, null, 0, null]);
    for (const name of ['broken', 'odd']) assert.deepEqual(facts(name), ['sweep', null, null, null, 0, null]);
    assert.deepEqual(facts('paper'), ['report', null, null, null, null, 'paper']);
  });

  it('counts what has come since, and begins anew where results are fewer', async () => {
    const results = join(folder, 'runs', 'going', 'results.jsonl');
    const measured = async () => ((await list()).get('going') as { measured: number }).measured;
    await appendFile(results, '1}\n{}\n');
    assert.equal(await measured(), 3);
    await writeFile(results, '{}\n');
    assert.equal(await measured(), 1);
  });

  it('a sweep with endless results keeps no other from being counted', async () => {
    const endless = join(folder, 'runs', 'endless');
    await mkdir(endless);
    await writeFile(join(endless, 'sweep.json'), plan('done'));
    // More than is counted at once, and no room on the disk.
    await writeFile(join(endless, 'results.jsonl'), '{}\n');
    await truncate(join(endless, 'results.jsonl'), 3 << 26);
    await writeFile(join(endless, 'failures.jsonl'), '{}\n{}\n');
    await writeFile(join(folder, 'runs', 'killed', 'results.jsonl'), '{}\n{}\n');
    const found = (await list()) as Map<string, { measured: number | null; failed: number | null }>;
    assert.deepEqual([found.get('endless')!.measured, found.get('endless')!.failed], [null, 2]);
    assert.equal(found.get('killed')!.measured, 2);
    for (let i = 0; i < 2; i++) await list();
    assert.equal(((await list()).get('endless') as { measured: number }).measured, 1);
    await rm(endless, { recursive: true });
  });

  it('their reports are opened, and nothing beside them', async () => {
    assert.equal((await ask('/api/sweeps/night%2Fnewer/files/report.html')).text, '<h1>newer</h1>');
    assert.equal((await ask('/api/sweeps/paper/files/report.html')).text, '<h1>paper</h1>');
    for (const path of [
      ...[
        'night%2F..%2Fnight/files/report.html',
        'out/files/report.html',
        '..%2Fsecret/files/report.html',
        'one/files/run.json',
      ],
      ...[
        'night%2Fnewer%2Fx/files/report.html',
        '%2e%2e/files/sweep.json',
        'night/files/..%2Fpaper%2Freport.html',
        '%00/files/x.json',
      ],
    ]) {
      assert.equal((await ask(`/api/sweeps/${path}`)).status, 404, path);
    }
    const body = JSON.stringify({ path: '/api/sweeps/night%2Fnewer/files/report.html' });
    const ticket = await get(server, '/api/tickets', { ...bearer, 'Content-Type': 'application/json' }, 'POST', body);
    const opened = await get(server, JSON.parse(ticket.text).url);
    assert.equal(opened.text, '<h1>newer</h1>');
    assert.match(String(opened.headers['content-security-policy']), /^sandbox; default-src 'none'/);
    assert.equal((await get(server, '/api/sweeps')).status, 401);
  });
});
