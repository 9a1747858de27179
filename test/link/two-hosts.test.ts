// The ways back between two hosts, each in a network namespace of its own, with delay and loss between them.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ClockEstimate } from '../../src/link/clock-offset.ts';
import { NO_NATS } from '../nats-server.ts';

const END = fileURLToPath(new URL('feedback-end.ts', import.meta.url));
const RELAY = fileURLToPath(new URL('slow-relay.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MESSAGES = 200;
/** Each way. */
const NETEM = ['delay', '40ms', '10ms', 'loss', '5%'];
/** Of a round trip: netem draws within 10 ms of 40, the relay no less than 40. */
const LEAST_DELAY_MS = 59;
/** By how much the clocks are put wrong, and what the starts of two processes are off on one clock, ms. */
const SHIFTS_MS = [0, 7000];
const STARTS_MS = 1;
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

/** Whether the kernel can delay and lose packets; where it cannot, a relay does it to what is said. */
function slowCable(): boolean {
  try {
    for (const { name, link } of HOSTS) {
      ip('netns', 'exec', name, 'tc', 'qdisc', 'add', 'dev', link, 'root', 'netem', ...NETEM);
    }
    return true;
  } catch {
    return false;
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
    }
    return false;
  } catch (error) {
    remove();
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    if (code === 'ENOENT') return 'ip is not installed (Debian: apt-get install iproute2)';
    return `network namespaces cannot be made here: ${(stderr?.toString() || message).trim().split('\n')[0]}`;
  }
}

function inHost(host: number, command: string, args: readonly string[]): ChildProcess {
  return spawn('ip', ['netns', 'exec', HOSTS[host].name, command, ...args], {
    cwd: ROOT,
    env: {
      ...process.env,
      SCT_FEEDBACK_TOKEN: '0123456789abcdef0123456789abcdef',
      SCT_FEEDBACK_END_SHIFT_MS: String(SHIFTS_MS[host]),
    },
    stdio: ['ignore', 'pipe', command === 'nats-server' ? 'ignore' : 'inherit'],
  });
}

interface Said {
  readonly heard: number[];
  readonly said: number;
  readonly clock: ClockEstimate;
}

/** What an end says when it is done. */
async function end(host: number, role: string, url: string): Promise<Said> {
  const child = inHost(host, process.execPath, ['--import', 'tsx', END, role, url, String(MESSAGES)]);
  let text = '';
  child.stdout!.on('data', (data) => {
    text += data;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(text);
}

/** Every report in order, and by how much the clocks differ; both hosts really have one clock, with what is added. */
function check(ends: readonly Said[]): void {
  const numbers = Array.from({ length: MESSAGES }, (_, i) => i);
  for (const [i, { heard, clock }] of ends.entries()) {
    assert.deepEqual(heard, numbers);
    const errorMs = Math.abs(clock.offsetMs - (SHIFTS_MS[1 - i] - SHIFTS_MS[i]));
    assert.ok(errorMs <= clock.uncertaintyMs + STARTS_MS, JSON.stringify(clock));
    assert.ok(clock.delayMs >= LEAST_DELAY_MS, `a round trip of ${clock.delayMs} ms`);
  }
}

const missing = connectHosts();
const netem = missing === false && slowCable();
/** Where the receiver and the server are, and where the sender finds them. */
const NEAR = netem ? HOSTS[0].address : '127.0.0.1';

/** The long way to a port of the first host. */
async function longWay(port: number): Promise<() => void> {
  if (netem) return () => undefined;
  const relay = inHost(0, process.execPath, [RELAY, HOSTS[0].address, String(port)]);
  await new Promise((resolve) => relay.stdout!.once('data', resolve));
  return () => void relay.kill('SIGKILL');
}

const how = netem ? 'packets delayed and lost' : 'a relay with delay and stalls: this kernel has no netem';

test(`two hosts a long way apart (${how})`, { skip: missing, timeout: 240_000 }, async (t) => {
  t.after(remove);
  await t.test('WebSocket: every report of both ends, in order', async () => {
    const cut = await longWay(8470);
    const ends = [end(0, 'receiver', `ws://${NEAR}:8470`), end(1, 'sender', `ws://${HOSTS[0].address}:8470`)];
    check(await Promise.all(ends));
    cut();
  });
  await t.test(
    'NATS: the server beside the receiver, every report of both ends, in order',
    { skip: NO_NATS },
    async () => {
      const store = mkdtempSync(join(tmpdir(), 'sct-two-hosts-'));
      const server = inHost(0, 'nats-server', ['-a', NEAR, '-p', '4222', '-js', '-sd', store]);
      const cut = await longWay(4222);
      try {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const ends = [end(0, 'receiver', `nats://${NEAR}/roof`), end(1, 'sender', `nats://${HOSTS[0].address}/roof`)];
        check(await Promise.all(ends));
      } finally {
        cut();
        const gone = new Promise((resolve) => server.once('close', resolve));
        server.kill('SIGKILL');
        await gone;
        rmSync(store, { recursive: true, force: true });
      }
    },
  );
});
