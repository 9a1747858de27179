// Everything that goes through a NATS server, as processes of the built program with logins over TLS: sweep and worker, a push of models, a picture between two boards.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SECRET_VARIABLES } from '../../src/link/nats/nats-secrets.ts';
import { type SctProcess, scratch, startSct } from '../cli/helpers.ts';
import { TestOperator } from '../nats-accounts.ts';
import { makeCertificates, NO_OPENSSL } from '../nats-certificates.ts';
import { NO_NATS, TestNats } from '../nats-server.ts';
import { writeTinySet } from '../sct/semantics/tiny-models.ts';
import { smallPhoto } from './small-photo.ts';

const options = { skip: NO_NATS || NO_OPENSSL, timeout: 400_000 };
const ROLES = ['sweep', 'worker', 'sender', 'receiver'] as const;
type Role = (typeof ROLES)[number];
const SECRET = 'a-long-password';
const BOARD = (n: number) => `hackrf:0000000000000000e5c700000000000${n}?usbip=unix:./boards`;
const MODEM = '-f 868.3M --numerology 6 --json'.split(' ');

/** The logins that docs/several-machines.md lists. */
async function documented(): Promise<string> {
  const page = await readFile(new URL('../../docs/several-machines.md', import.meta.url), 'utf8');
  const [, users] = /```\n(authorization \{[\s\S]*?)```/.exec(page) ?? [];
  assert.ok(users?.includes(SECRET), 'the page lists them');
  return users;
}

function subjects(users: string, role: Role, what: 'publish' | 'subscribe'): string[] {
  const [, list] = new RegExp(`user: ${role},[^}]*?${what}: (\\[[^\\]]*\\])`).exec(users) ?? [];
  return JSON.parse(list ?? '[]') as string[];
}

interface Login {
  readonly nats: TestNats;
  readonly ca: string;
  /** Files with each role's credentials. */
  readonly files: Readonly<Record<Role, string>>;
}

/** What they do, each with the login of its role and with nothing else. */
async function everything(t: TestContext, cwd: string, { nats, ca, files }: Login): Promise<void> {
  await smallPhoto(join(cwd, 'photo.png'), 96, 64);
  await writeFile(join(cwd, 'token'), '0123456789abcdef0123456789abcdef');
  await writeFile(
    join(cwd, 'sweep.yaml'),
    'photo: photo.png\ncodec: classical\nformat: jpeg\nnumerology: 6\ncbr: 1\nsnr: [8, 15]\nseed: 1..2\n',
  );
  writeTinySet(join(cwd, 'models'));
  const url = `tls://localhost:${nats.port}`;
  const said: string[] = [];
  const as = (role: Role, ...args: string[]): SctProcess => {
    process.env[SECRET_VARIABLES.credentials] = files[role];
    process.env[SECRET_VARIABLES.authority] = ca;
    const child = startSct(args, cwd);
    delete process.env[SECRET_VARIABLES.credentials];
    delete process.env[SECRET_VARIABLES.authority];
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  const ended = async (child: SctProcess) => {
    const { code, stdout, stderr } = await child.ended;
    said.push(stdout, stderr);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };

  const worker = as(
    'worker',
    'worker',
    '--nats',
    url,
    '--jobs',
    '1',
    '--cache',
    'cache',
    '--until-idle',
    '60',
    '--json',
  );
  const sweep = await ended(as('sweep', 'sweep', 'sweep.yaml', '-o', 'swept', '--nats', url, '--json'));
  assert.equal(sweep.measured, 4);
  worker.kill('SIGINT');
  const left = await worker.ended;
  assert.equal(JSON.parse(left.stdout).measured, 4, left.stderr);
  said.push(left.stdout, left.stderr);

  const way = ['--feedback', `${url}/roof`, '--feedback-token', 'token'];
  const accepting = as('receiver', 'models', 'accept', ...way, '--pushed', 'pushed', '-n', '1', '--json');
  await accepting.stderrMatches(/pushes are taken at tls:\/\/localhost/);
  const push = ['models', 'push', 'tiny', '--models', 'models', ...way, '--json'];
  const denied = await as('worker', ...push).ended;
  assert.equal(denied.code, 3, denied.stderr);
  assert.match(denied.stderr, /does not let this login push: .*sct\.push\.roof/);
  assert.equal((await ended(as('sender', ...push))).state, 'waiting');
  assert.equal((await ended(accepting)).pushes.length, 1);

  const boards = startSct(['emulate', 'hackrf', 'hackrf', '--usbip', './boards', '--speed', '0.03'], cwd);
  t.after(() => boards.kill('SIGKILL'));
  await boards.stderrMatches(/2 boards/);
  const receiver = as('receiver', 'receive', '--from', BOARD(2), '-n', '1', ...way, ...MODEM, '-o', 'rx');
  await receiver.stderrMatches(/receive {2}\d/);
  const picture = '--codec classical --format jpeg --cbr 1 --max-csi-age 60000 --tx-gain 40 --cabled 60'.split(' ');
  await ended(as('sender', 'send', 'photo.png', '--to', BOARD(1), ...way, ...MODEM, ...picture, '-o', 'tx'));
  await ended(receiver);
  for (const run of ['tx', 'rx']) {
    const { feedback } = JSON.parse(await readFile(join(cwd, run, 'run.json'), 'utf8')).device;
    assert.ok(feedback.connections > 0 && feedback.sent + feedback.received > 0, JSON.stringify(feedback));
  }

  // Nothing that lets anybody in is in what was said, or in what lies in the folders of runs.
  const recorded = ['swept/sweep.json', 'tx/run.json', 'rx/run.json'].map((path) => readFile(join(cwd, path), 'utf8'));
  const all = [...said, denied.stderr, ...(await Promise.all(recorded))].join('\n');
  assert.ok(!all.includes(SECRET) && !/eyJ0eXAi|SU[A-Z2-7]{56}/.test(all));
  assert.doesNotMatch(all, /go over the network as they are/);
}

async function start(t: TestContext, cwd: string, configuration: string): Promise<{ nats: TestNats; ca: string }> {
  const { ca, server } = await makeCertificates(cwd);
  await writeFile(join(cwd, 'nats.conf'), configuration);
  const tls = ['--tls', '--tlscert', server.cert, '--tlskey', server.key];
  return { nats: await TestNats.start(t, ['-c', join(cwd, 'nats.conf'), ...tls]), ca };
}

test('users and passwords over TLS, each may what docs/several-machines.md lists', options, async (t) => {
  const cwd = await scratch(t);
  const entries = ROLES.map(async (role) => {
    const path = join(cwd, `${role}.secret`);
    await writeFile(path, `${role}:${SECRET}\n`, { mode: 0o600 });
    return [role, path];
  });
  const files = Object.fromEntries(await Promise.all(entries)) as Record<Role, string>;
  await everything(t, cwd, { ...(await start(t, cwd, await documented())), files });
});

test('NATS credentials (.creds) over TLS, with the same permissions', options, async (t) => {
  const cwd = await scratch(t);
  const users = await documented();
  const operator = new TestOperator();
  const entries = ROLES.map(async (role) => {
    const may = { publish: subjects(users, role, 'publish'), subscribe: subjects(users, role, 'subscribe') };
    assert.ok(may.publish.length > 0 && may.subscribe.length > 0, role);
    return [role, await operator.credentialsFile(cwd, `${role}.creds`, may)];
  });
  const files = Object.fromEntries(await Promise.all(entries)) as Record<Role, string>;
  await everything(t, cwd, { ...(await start(t, cwd, operator.configuration())), files });
});
