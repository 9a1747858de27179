// Logins and TLS against a real NATS server: who is let in, whom this end trusts, and that no secret is ever said.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nkeys } from '@nats-io/transport-node';
import { DeviceError, type SctError, UsageError } from '../../../src/common/errors.ts';
import { connectNats } from '../../../src/link/nats/nats-connection.ts';
import { SECRET_VARIABLES } from '../../../src/link/nats/nats-secrets.ts';
import { parseNatsUrl } from '../../../src/link/nats/nats-url.ts';
import { makeCertificates, NO_OPENSSL } from '../../nats-certificates.ts';
import { NO_NATS, TestNats } from '../../nats-server.ts';

const options = { skip: NO_NATS, timeout: 60_000 };
const withTls = { skip: NO_NATS || NO_OPENSSL, timeout: 60_000 };
const PASSWORD = 'a-long-secret';

interface Ends {
  after(end: () => Promise<void> | void): void;
}

async function scratch(t: Ends): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-secrets-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Connects with these variables in the environment; what it noted, once it has been there and back. */
async function enter(url: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  const notes: string[] = [];
  const names = Object.values(SECRET_VARIABLES);
  for (const name of names) delete process.env[name];
  Object.assign(process.env, env);
  try {
    const connection = await connectNats(parseNatsUrl(url, '--nats'), {
      name: 'test',
      note: (text) => notes.push(text),
    });
    await connection.flush();
    await connection.close();
  } finally {
    for (const name of names) delete process.env[name];
  }
  return notes;
}

/** That it is refused, and that the error does not say what is secret. */
async function refused(
  url: string,
  env: Readonly<Record<string, string>>,
  kind: new (...a: never[]) => SctError,
  says: RegExp,
) {
  await assert.rejects(enter(url, env), (error: SctError) => {
    assert.ok(error instanceof kind, `${error.name}: ${error.message}`);
    assert.match(`${error.message}\n${error.hint}`, says);
    assert.ok(!`${error.stack}${error.hint}`.includes(PASSWORD), error.message);
    return true;
  });
}

async function secretFile(folder: string, name: string, text: string): Promise<Record<string, string>> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return { [SECRET_VARIABLES.credentials]: path };
}

test('user and password, a token, an nkey', options, async (t) => {
  const folder = await scratch(t);
  const nkey = nkeys.createUser();
  const seed = Buffer.from(nkey.getSeed()).toString();
  const config = join(folder, 'users.conf');
  await writeFile(
    config,
    `authorization { users: [{user: me, password: "${PASSWORD}"}, {nkey: ${nkey.getPublicKey()}}] }\n`,
  );
  const { url } = await TestNats.start(t, ['-c', config], false);
  const good = await secretFile(folder, 'good', `me:${PASSWORD}\n`);
  assert.deepEqual(await enter(url, good), []);
  assert.deepEqual(await enter(url, await secretFile(folder, 'seed', `${seed}\n`)), []);
  await refused(url, {}, UsageError, /refuses these credentials[\s\S]*SCT_NATS_CREDENTIALS/);
  await refused(url, await secretFile(folder, 'wrong', `me:${PASSWORD}x`), UsageError, /refuses these credentials/);
  const other = Buffer.from(nkeys.createUser().getSeed()).toString();
  await refused(url, await secretFile(folder, 'other', other), UsageError, /refuses these credentials/);
  const byToken = await TestNats.start(t, ['--auth', PASSWORD], false);
  assert.deepEqual(await enter(byToken.url, await secretFile(folder, 'token', PASSWORD)), []);
  await refused(byToken.url, await secretFile(folder, 'bad-token', `${PASSWORD}x`), UsageError, /refuses these/);
});

test('files of secrets that are none, and one that others can read', options, async (t) => {
  const folder = await scratch(t);
  const { url } = await TestNats.start(t, [], false);
  const named = (path: string) => ({ [SECRET_VARIABLES.credentials]: path });
  await refused(url, named(join(folder, 'gone')), UsageError, /gone cannot be read/);
  await refused(url, named(folder), UsageError, /is no file/);
  await refused(url, await secretFile(folder, 'empty', ''), UsageError, /0 bytes/);
  await refused(url, await secretFile(folder, 'blank', '\n'), UsageError, /is empty/);
  await refused(url, await secretFile(folder, 'long', PASSWORD.repeat(2000)), UsageError, /allowed are 1 to/);
  await refused(url, await secretFile(folder, 'lines', `${PASSWORD}\n${PASSWORD}`), UsageError, /more than one line/);
  const creds = '-----BEGIN NATS USER JWT-----\nnonsense\n------END NATS USER JWT------\n';
  await refused(url, await secretFile(folder, 'creds', `${creds}${PASSWORD}`), UsageError, /refuses these|credentials/);
  for (const name of [SECRET_VARIABLES.authority, SECRET_VARIABLES.certificate, SECRET_VARIABLES.key]) {
    const path = join(folder, 'not-pem');
    await writeFile(path, PASSWORD);
    await refused(url, { [name]: path }, UsageError, /in PEM/);
  }
  const open = await secretFile(folder, 'open', `me:${PASSWORD}`);
  await chmod(open[SECRET_VARIABLES.credentials], 0o644);
  const notes = await enter(url, open);
  assert.match(notes.join('\n'), /can be read by others/);
});

test('TLS: the authority is trusted or not, by name and by address', withTls, async (t) => {
  const folder = await scratch(t);
  const { ca, otherCa, server, misnamed } = await makeCertificates(folder);
  const nats = await TestNats.start(
    t,
    ['--tls', '--tlscert', server.cert, '--tlskey', server.key, '--auth', PASSWORD],
    false,
  );
  const trusting = { ...(await secretFile(folder, 'token', PASSWORD)), [SECRET_VARIABLES.authority]: ca };
  for (const host of ['localhost', '127.0.0.1']) {
    const url = `tls://${host}:${nats.port}`;
    assert.deepEqual(await enter(url, trusting), [], url);
    await refused(
      url,
      { ...trusting, [SECRET_VARIABLES.authority]: otherCa },
      UsageError,
      /not trusted[\s\S]*SCT_NATS_CA/,
    );
    await refused(url, {}, UsageError, /not trusted/);
  }
  const other = await TestNats.start(t, ['--tls', '--tlscert', misnamed.cert, '--tlskey', misnamed.key], false);
  await refused(`tls://localhost:${other.port}`, { [SECRET_VARIABLES.authority]: ca }, UsageError, /not trusted/);
  // A server without TLS hears no password.
  const plain = await TestNats.start(t, ['--auth', PASSWORD], false);
  await refused(`tls://127.0.0.1:${plain.port}`, trusting, DeviceError, /offers no TLS/);
  await refused(plain.url, trusting, DeviceError, /offers no TLS/);
});

test('TLS with a certificate of this end', withTls, async (t) => {
  const folder = await scratch(t);
  const { ca, server, client } = await makeCertificates(folder);
  const nats = await TestNats.start(
    t,
    ['--tlsverify', '--tlscert', server.cert, '--tlskey', server.key, '--tlscacert', ca],
    false,
  );
  const url = `tls://localhost:${nats.port}`;
  const trusting = { [SECRET_VARIABLES.authority]: ca };
  const mine = { ...trusting, [SECRET_VARIABLES.certificate]: client.cert, [SECRET_VARIABLES.key]: client.key };
  assert.deepEqual(await enter(url, mine), []);
  await refused(url, trusting, DeviceError, /may want a certificate[\s\S]*SCT_NATS_CERT/);
  await refused(url, { ...trusting, [SECRET_VARIABLES.certificate]: client.cert }, UsageError, /without SCT_NATS_KEY/);
  await refused(url, { ...trusting, [SECRET_VARIABLES.key]: client.key }, UsageError, /without SCT_NATS_CERT/);
});
