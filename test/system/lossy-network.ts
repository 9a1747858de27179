import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guestImage, runGuest } from './guest.ts';

/** Netem of each way: round trips of 60 to 100 ms, a packet in twenty lost, order changed by the spread of the delay. */
export const NETEM = 'delay 40ms 10ms loss 5%';
export const CUT = 'loss 100%';
/** For the guest to come up, and for all that is done over its network. */
const MOST_MS = 600_000;
const ANSWER_MS = 60_000;

/** What netem did with the packets of one way. */
export interface WayCounters {
  readonly sentPackets: number;
  readonly droppedPackets: number;
}

/** One end of the network: what is started in it sees the other end and nothing else. */
export interface NetworkHost {
  readonly address: string;
  spawn(command: string, args: readonly string[], options?: { cwd?: string; env?: NodeJS.ProcessEnv }): ChildProcess;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 });
}

/** Why no such network can be here; null: it can. The kernel of this machine needs TAP and network namespaces, no netem. */
export function whyNoNetwork(): string | null {
  const name = `sct${process.pid}p`;
  try {
    ip('netns', 'add', name);
    try {
      ip('tuntap', 'add', 'dev', name, 'mode', 'tap');
      ip('link', 'set', name, 'netns', name);
    } finally {
      ip('netns', 'del', name);
    }
    execFileSync('tc', ['-V'], { stdio: 'ignore' });
    return null;
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    if (code === 'ENOENT') return 'install iproute2 (Debian package)';
    return `TAP devices and network namespaces cannot be made here: ${(stderr?.toString() || message).trim().split('\n')[0]}`;
  }
}

/**
 * Two network namespaces of this machine with a router between them that delays and loses packets: a guest with Debian's kernel, whose
 * netem is on both ways. What runs in the namespaces has this machine's speed; what its TCP sees are packets that come late, out of
 * order, or never.
 */
export class LossyNetwork {
  readonly hosts: readonly [NetworkHost, NetworkHost];
  private readonly folder: string;
  private readonly names: readonly string[];
  private readonly guest: Promise<unknown>;
  private ended = false;
  private asked = 0;

  private constructor(folder: string, names: readonly string[], guest: Promise<unknown>) {
    this.folder = folder;
    this.names = names;
    this.guest = guest;
    void guest
      .catch(() => undefined)
      .then(() => {
        this.ended = true;
      });
    this.hosts = [host(names[0], 0), host(names[1], 1)];
  }

  static async open(): Promise<LossyNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'sct-network-'));
    const names = [`sct${process.pid}a`, `sct${process.pid}b`];
    const image = await guestImage();
    let connected!: () => void;
    let failed!: (error: Error) => void;
    const ready = new Promise<void>((resolve, reject) => {
      connected = resolve;
      failed = reject;
    });
    const guest = runGuest({
      image,
      results: folder,
      steps: [{ name: 'router', commands: ROUTER }],
      usbredir: [],
      hasNetwork: false,
      taps: names,
      timeoutMs: MOST_MS,
      onStep: (step) => {
        if (step !== 'router') return;
        try {
          for (const [i, name] of names.entries()) plugIn(name, i);
          connected();
        } catch (error) {
          failed(error as Error);
        }
      },
    });
    guest.then(() => failed(new Error('the guest ended')), failed);
    const out = new LossyNetwork(folder, names, guest);
    try {
      await ready;
      await out.both(NETEM);
    } catch (error) {
      await out.close();
      throw error;
    }
    return out;
  }

  /** Another treatment of the packets of both ways, from now on. */
  async both(netem: string): Promise<void> {
    await this.say(`for d in eth0 eth1; do tc qdisc change dev $d root netem ${netem} || exit 1; done`);
  }

  /** What became of packets to the first and to the second host so far. */
  async counters(): Promise<[WayCounters, WayCounters]> {
    const text = await this.say('for d in eth0 eth1; do tc -s qdisc show dev $d; done');
    const found = [...text.matchAll(/qdisc netem[\s\S]*?Sent \d+ bytes (\d+) pkt \(dropped (\d+)/g)];
    if (found.length !== 2) throw new Error(`two queues were asked for: ${text}`);
    const [a, b] = found.map(([, sent, dropped]) => ({ sentPackets: Number(sent), droppedPackets: Number(dropped) }));
    return [a, b];
  }

  async close(): Promise<void> {
    writeFileSync(join(this.folder, 'stop'), '');
    await this.guest.catch(() => undefined);
    for (const name of this.names) {
      try {
        ip('netns', 'del', name);
      } catch {
        // it was not there
      }
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Shell commands in the guest: what they print. Error where they fail. */
  private async say(commands: string): Promise<string> {
    const at = join(this.folder, `ask${this.asked++}`);
    writeFileSync(`${at}.new`, commands);
    renameSync(`${at}.new`, at);
    for (const began = performance.now(); !existsSync(`${at}.code`); ) {
      if (this.ended || performance.now() - began > ANSWER_MS)
        throw new Error(`no answer of the guest to: ${commands}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [text, code] = [await readFile(`${at}.out`, 'utf8'), await readFile(`${at}.code`, 'utf8')];
    rmSync(`${at}.code`);
    if (code.trim() !== '0') throw new Error(`${commands}: ${text}`);
    return text;
  }
}

/** The guest's part: a router, and whatever it is asked to do until there is a file "stop". */
const ROUTER = `
echo 1 > /proc/sys/net/ipv4/ip_forward
for i in 0 1; do
  ip addr flush dev eth$i; ip addr add 10.231.$((77 + i)).1/24 dev eth$i; ip link set eth$i up
  tc qdisc add dev eth$i root netem limit 10000 ${NETEM} || exit 1
done
n=0
until [ -e $RESULTS/stop ]; do
  a=$RESULTS/ask$n
  if [ -e $a ]; then
    bash $a > $a.out 2>&1; echo $? > $a.tmp; mv $a.tmp $a.code; n=$((n + 1))
  else sleep 0.05; fi
done`;

function addressOf(i: number): string {
  return `10.231.${77 + i}.2`;
}

/** The guest's interface leaves this machine's network for a namespace of its own. */
function plugIn(name: string, i: number): void {
  ip('netns', 'add', name);
  ip('link', 'set', name, 'netns', name);
  ip('-n', name, 'addr', 'add', `${addressOf(i)}/24`, 'dev', name);
  for (const device of ['lo', name]) ip('-n', name, 'link', 'set', device, 'up');
  ip('-n', name, 'route', 'add', 'default', 'via', `10.231.${77 + i}.1`);
}

function host(name: string, i: number): NetworkHost {
  return {
    address: addressOf(i),
    spawn: (command, args, { cwd, env } = {}) =>
      spawn('ip', ['netns', 'exec', name, command, ...args], {
        ...(cwd === undefined ? {} : { cwd }),
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
  };
}
