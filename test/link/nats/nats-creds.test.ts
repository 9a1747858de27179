// NATS credentials (.creds: a token and its key) against a real server in operator mode.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nkeys } from '@nats-io/transport-node';
import { UsageError } from '../../../src/common/errors.ts';
import { connectNats } from '../../../src/link/nats/nats-connection.ts';
import { SECRET_VARIABLES } from '../../../src/link/nats/nats-secrets.ts';
import { parseNatsUrl } from '../../../src/link/nats/nats-url.ts';
import { TestOperator } from '../../nats-accounts.ts';
import { NO_NATS, TestNats, until } from '../../nats-server.ts';

const options = { skip: NO_NATS, timeout: 60_000 };
const VARIABLE = SECRET_VARIABLES.credentials;

test('credentials of a user: its own, a stranger’s, too old, damaged, and only what they may', options, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sct-creds-'));
  t.after(async () => {
    delete process.env[VARIABLE];
    await rm(folder, { recursive: true, force: true });
  });
  const operator = new TestOperator();
  await writeFile(join(folder, 'nats.conf'), operator.configuration());
  const nats = await TestNats.start(t, ['-c', join(folder, 'nats.conf')], false);
  const notes: string[] = [];
  const denied: string[] = [];
  const enter = async (path: string | null) => {
    if (path === null) delete process.env[VARIABLE];
    else process.env[VARIABLE] = path;
    const entered = await connectNats(parseNatsUrl(nats.url, '--nats'), {
      name: 'test',
      note: (text) => notes.push(text),
      denied: (text) => denied.push(text),
    });
    t.after(() => entered.close());
    return entered;
  };
  const good = await enter(await operator.credentialsFile(folder, 'good.creds'));
  const heard = good.subscribe('sct.test', { max: 1 });
  await good.flush();
  const may = { publish: ['sct.test'], subscribe: ['_INBOX.>'] };
  const limited = await enter(await operator.credentialsFile(folder, 'limited.creds', may));
  limited.publish('sct.test', 'hello');
  for await (const message of heard) assert.equal(message.string(), 'hello');
  assert.deepEqual(notes, [], 'the file is read by nobody else, and the key is never sent');
  limited.publish('sct.other', 'hello');
  await until(() => denied.length > 0, 'that it may not');
  assert.match(denied[0], /Permissions Violation for Publish to "sct\.other"/i);
  // The connection comes back with a new challenge to sign.
  await nats.kill();
  await nats.restart();
  await until(() => notes.filter((note) => /is back/.test(note)).length === 2, 'both connections');
  await good.flush();

  const whole = await readFile(join(folder, 'good.creds'), 'utf8');
  const [seed] = /SU[A-Z2-7]{56}/.exec(whole)!;
  const other = Buffer.from(nkeys.createUser().getSeed()).toString();
  const [token] = /eyJ[\w.-]+/.exec(whole)!;
  const [head, body, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  claims.nats.pub = { allow: ['>'] };
  const forged = [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
  const files: Record<string, string> = {
    stranger: new TestOperator().credentials(),
    old: operator.credentials({ expires: Math.floor(Date.now() / 1e3) - 60 }),
    'other-key': whole.replace(seed, other),
    'no-key': whole.replace(seed, ''),
    // Not in its last letter: two of that one's bits say nothing.
    'wrong-key': whole.replace(seed, `${seed.slice(0, 9)}${seed[9] === 'A' ? 'B' : 'A'}${seed.slice(10)}`),
    forged: whole.replace(token, forged),
    cut: whole.slice(0, whole.indexOf('-----BEGIN USER')),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, `${name}.creds`);
    await writeFile(path, text, { mode: 0o600 });
    await assert.rejects(enter(path), (error: UsageError) => {
      assert.ok(error instanceof UsageError, `${name}: ${error.message}`);
      assert.match(`${error.message}\n${error.hint}`, /refuses these credentials[\s\S]*SCT_NATS_CREDENTIALS/, name);
      for (const secret of [seed, token, other]) assert.ok(!`${error.stack}`.includes(secret), name);
      return true;
    });
  }
  await assert.rejects(enter(null), /refuses these credentials/);
});
