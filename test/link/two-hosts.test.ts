// The ways back between two hosts, each in a network namespace of its own, with delay and loss between them.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NO_NATS } from '../nats-server.ts';

const END = fileURLToPath(new URL('feedback-end.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MESSAGES = 200;
/** Each way. */
const NETEM = ['delay', '40ms', '10ms', 'loss', '5%'];
const TAG = `sct${process.pid}`;
const HOSTS = [
  { name: `${TAG}a`, link: `${TAG}x`, address: '10.231.77.1' },
  { name: `${TAG}b`, link: `${TAG}y`, address: '10.231.77.2' },
];

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 });
}

function remove(): void {
  for (const { name } of HOSTS) {
    try {
      ip('netns', 'del', name);
    } catch {
      // it was not there
    }
  }
}

/** Two hosts with a cable between them. Why not, where it cannot be made here. */
function connectHosts(): string | false {
  try {
    for (const { name } of HOSTS) ip('netns', 'add', name);
    ip(
      'link',
      'add',
      HOSTS[0].link,
      'netns',
      HOSTS[0].name,
      'type',
      'veth',
      'peer',
      'name',
      HOSTS[1].link,
      'netns',
      HOSTS[1].name,
    );
    for (const { name, link, address } of HOSTS) {
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', link);
      for (const device of ['lo', link]) ip('-n', name, 'link', 'set', device, 'up');
      ip('netns', 'exec', name, 'tc', 'qdisc', 'add', 'dev', link, 'root', 'netem', ...NETEM);
    }
    return false;
  } catch (error) {
    remove();
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    if (code === 'ENOENT') return 'ip is not installed (Debian: apt-get install iproute2)';
    return `network namespaces with delay and loss cannot be made here: ${(stderr?.toString() || message).trim().split('\n')[0]}`;
  }
}

function inHost(host: number, command: string, args: readonly string[]): ChildProcess {
  return spawn('ip', ['netns', 'exec', HOSTS[host].name, command, ...args], {
    cwd: ROOT,
    env: { ...process.env, SCT_FEEDBACK_TOKEN: '0123456789abcdef0123456789abcdef' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** What an end says when it is done. */
async function end(host: number, role: string, url: string): Promise<{ heard: number[]; said: number }> {
  const child = inHost(host, process.execPath, ['--import', 'tsx', END, role, url, String(MESSAGES)]);
  let text = '';
  child.stdout!.on('data', (data) => {
    text += data;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(text);
}

const missing = connectHosts();

test('two hosts with delay and loss between them', { skip: missing, timeout: 240_000 }, async (t) => {
  t.after(remove);
  const numbers = Array.from({ length: MESSAGES }, (_, i) => i);
  await t.test('WebSocket: every report of both ends, in order', async () => {
    const url = `ws://${HOSTS[0].address}:8470`;
    const ends = await Promise.all([end(0, 'receiver', url), end(1, 'sender', url)]);
    for (const { heard } of ends) assert.deepEqual(heard, numbers);
  });
  await t.test(
    'NATS: the server beside the receiver, every report of both ends, in order',
    { skip: NO_NATS },
    async () => {
      const store = mkdtempSync(join(tmpdir(), 'sct-two-hosts-'));
      const server = inHost(0, 'nats-server', ['-a', HOSTS[0].address, '-p', '4222', '-js', '-sd', store]);
      try {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const url = `nats://${HOSTS[0].address}/roof`;
        const ends = await Promise.all([end(0, 'receiver', url), end(1, 'sender', url)]);
        for (const { heard } of ends) assert.deepEqual(heard, numbers);
      } finally {
        const gone = new Promise((resolve) => server.once('close', resolve));
        server.kill('SIGKILL');
        await gone;
        rmSync(store, { recursive: true, force: true });
      }
    },
  );
});
