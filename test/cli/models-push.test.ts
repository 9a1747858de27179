import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';
import { referenceHash } from '../../src/sct/knowledge/knowledge-store.ts';
import { writeTinySet } from '../sct/semantics/tiny-models.ts';
import { scratch, sctInside } from './helpers.ts';

/** An address that nobody listens at just now. */
async function freeUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `ws://127.0.0.1:${port}`;
}

test('push, accept, held, allow, forget: a set and a picture from one folder to another', async (t) => {
  const dir = await scratch(t);
  const [models, pushed, token] = [join(dir, 'models'), join(dir, 'pushed'), join(dir, 'token')];
  const manifest = writeTinySet(models);
  const { sha256 } = manifest.sets[0];
  writeFileSync(token, '0123456789abcdef0123456789abcdef\n');
  const image = flatImage(20, 10, 9, 8, 7);
  const picture = join(dir, 'Street view.png');
  writeFileSync(picture, await encodePng(image));
  const way = ['--feedback', await freeUrl(), '--feedback-token', token];

  const accepting = sctInside(['models', 'accept', ...way, '--pushed', pushed, '-n', '2', '--json']);
  const set = await sctInside(['models', 'push', 'tiny', '--models', models, ...way, '--json']);
  assert.equal(set.code, 0, set.stderr);
  const report = JSON.parse(set.stdout);
  assert.deepEqual(
    [report.schema, report.ok, report.kind, report.name, report.version, report.sha256, report.state],
    ['sct.models-push/1', true, 'set', 'tiny', 1, sha256, 'waiting'],
  );
  assert.ok(report.bytes > 1000 && report.sentBytes === report.bytes);
  const shown = await sctInside(['models', 'push', picture, ...way]);
  assert.match(shown.stdout, new RegExp(`^picture street-view, ${referenceHash(image)}: waiting: allow it there`, 'm'));
  const accepted = await accepting;
  assert.equal(accepted.code, 0, accepted.stderr);
  const { schema, pushes } = JSON.parse(accepted.stdout);
  assert.deepEqual(
    [schema, pushes.map((p: { kind: string; state: string }) => [p.kind, p.state])],
    [
      'sct.models-accept/1',
      [
        ['set', 'waiting'],
        ['picture', 'waiting'],
      ],
    ],
  );

  const held = async () => JSON.parse((await sctInside(['models', 'held', '--pushed', pushed, '--json'])).stdout);
  assert.deepEqual(
    (await held()).objects.map((o: { allowed: boolean }) => o.allowed),
    [false, false],
  );
  const allow = await sctInside(['models', 'allow', sha256.slice(0, 12), '--pushed', pushed]);
  assert.deepEqual([allow.code, allow.stdout], [0, `allowed: set tiny, version 1, ${sha256}\n`]);
  const listed = (await sctInside(['models', 'held', '--pushed', pushed])).stdout;
  assert.match(listed, new RegExp(`^allowed {2}set tiny, version 1, ${sha256}, \\d`, 'm'));
  assert.match(listed, /^waiting {2}picture street-view, /m);
  const forget = await sctInside(['models', 'forget', sha256, '--pushed', pushed, '--json']);
  assert.deepEqual([forget.code, JSON.parse(forget.stdout).sha256], [0, sha256]);
  assert.equal(existsSync(join(pushed, 'held', sha256)), false);
  const early = await sctInside(['models', 'allow', sha256, '--pushed', pushed]);
  assert.equal(early.stdout, `allowed: ${sha256}, when it comes\n`);
  mkdirSync(join(dir, 'empty'));
  assert.match((await sctInside(['models', 'held', '--pushed', join(dir, 'empty')])).stdout, /^nothing was pushed to /);
});

test('accept and push: a push that is refused ends both in exit 8', async (t) => {
  const dir = await scratch(t);
  const [models, pushed, token] = [join(dir, 'models'), join(dir, 'pushed'), join(dir, 'token')];
  writeTinySet(models);
  writeFileSync(token, '0123456789abcdef0123456789abcdef\n');
  // A list that cannot be read allows nothing, and nothing can be told from it.
  mkdirSync(pushed);
  writeFileSync(join(pushed, 'allowed.json'), '{');
  const way = ['--feedback', await freeUrl(), '--feedback-token', token];
  const accepting = sctInside(['models', 'accept', ...way, '--pushed', pushed, '-n', '1', '--json']);
  const pushing = await sctInside(['models', 'push', 'tiny', '--models', models, ...way]);
  assert.deepEqual([pushing.code, /: refused: allowed\.json/.test(pushing.stdout)], [8, true], pushing.stdout);
  const { code, stdout } = await accepting;
  const { ok, pushes } = JSON.parse(stdout);
  assert.deepEqual([code, ok, pushes[0].state], [8, false, 'refused']);
});

test('allow: what is not what its hash says ends in exit 8 and stays out', async (t) => {
  const dir = await scratch(t);
  const [models, pushed, token] = [join(dir, 'models'), join(dir, 'pushed'), join(dir, 'token')];
  const { sha256 } = writeTinySet(models).sets[0];
  writeFileSync(token, '0123456789abcdef0123456789abcdef\n');
  const way = ['--feedback', await freeUrl(), '--feedback-token', token];
  const accepting = sctInside(['models', 'accept', ...way, '--pushed', pushed, '-n', '1']);
  await sctInside(['models', 'push', sha256.slice(0, 8), '--models', models, ...way]);
  assert.match((await accepting).stdout, /^set tiny, version 1, [0-9a-f]{64}: waiting: allow it there/);
  const path = join(pushed, 'held', sha256, 'tiny', 'labels.onnx');
  writeFileSync(
    path,
    readFileSync(path).map((b, i) => (i === 30 ? b ^ 2 : b)),
  );
  const allow = await sctInside(['models', 'allow', sha256.slice(0, 8), '--pushed', pushed]);
  assert.equal(allow.code, 8);
  assert.match(allow.stdout, new RegExp(`^FAIL ${sha256}: model file tiny/labels\\.onnx`));
  const held = JSON.parse((await sctInside(['models', 'held', '--pushed', pushed, '--json'])).stdout);
  assert.deepEqual(
    held.objects.map((o: { allowed: boolean }) => o.allowed),
    [false],
  );
});

test('words that are wrong, and peers that are not there, are said', async (t) => {
  const dir = await scratch(t);
  const token = join(dir, 'token');
  writeFileSync(token, '0123456789abcdef0123456789abcdef\n');
  writeTinySet(join(dir, 'models'));
  const cases: [string[], number, RegExp][] = [
    [['push', 'tiny'], 2, /--feedback is missing/],
    [['push', 'tiny', '--feedback', 'burst'], 2, /cannot carry a push: allowed ws:/],
    [['push', 'tiny', '--feedback', 'ws://127.0.0.1:1', '--feedback-token', join(dir, 'none')], 2, /cannot be read/],
    [
      ['push', 'large', '--models', join(dir, 'models'), '--feedback', 'ws://127.0.0.1:1', '--feedback-token', token],
      2,
      /"large": there is no such file, and no such model set in .*: there is tiny/,
    ],
    [
      ['push', 'tiny', '--models', join(dir, 'models'), '--feedback', await freeUrl(), '--feedback-token', token],
      3,
      /nobody is at ws:.*: connection refused/,
    ],
    [['accept', '--feedback', 'ws://127.0.0.1:0', '--feedback-token', token], 2, /--pushed is missing/],
    ...['ws://127.0.0.1:99999', 'burst', 'wss://127.0.0.1:1'].map((way): [string[], number, RegExp] => [
      ['accept', '--feedback', way, '--feedback-token', token, '--pushed', join(dir, 'unused')],
      2,
      /a receiver listens at ws:/,
    ]),
    [
      ['accept', '--feedback', 'ws://127.0.0.1:0', '--feedback-token', token, '--pushed', dir, '-n', '0'],
      2,
      /--count 0/,
    ],
    [['held'], 2, /--pushed is missing/],
    [['allow', 'abcdabcd', '--pushed', join(dir, 'none')], 2, /no such folder/],
    [['allow', 'abcdabcd', '--pushed', dir], 2, /nothing that was pushed has a hash/],
    [['forget', 'xyz', '--pushed', dir], 2, /is no hash/],
  ];
  for (const [args, code, what] of cases) {
    const ended = await sctInside(['models', ...args]);
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stderr}`);
    assert.match(ended.stderr, what);
  }
});
