/**
 * What the dashboard costs and stands: its server's processor time, a receiver's speed with pages that watch, hostile clients, a recording of 10 GiB, the page itself.
 *
 *   npm run build && node --import tsx bench/dashboard.ts [--quick] [--only server,receiver,hostile,long,page] [--out bench/results/dashboard.json]
 *
 * Takes some eight minutes, `--quick` two. The page is measured in Debian's Chromium (test/dashboard/web/measure.ts); memory of a job needs Linux.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { attackers } from './dashboard/attackers.ts';
import { hostileEffect } from './dashboard/hostile-effect.ts';
import { longCapture } from './dashboard/long-capture.ts';
import { median, note, type Running, running } from './dashboard/running.ts';
import { serverCost } from './dashboard/server-cost.ts';
import { makeRecording, reception, throughput } from './dashboard/throughput.ts';

const root = await packageRoot();
const sct = join(root, 'bin/sct.js');
const folder = mkdtempSync(join(tmpdir(), 'sct-bench-dashboard-'));
const quick = process.argv.includes('--quick');
const RECORDING = 'soundings';

function flag(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** A real dashboard, in whose folder the recordings are. */
async function withDashboard<T>(use: (server: Running) => Promise<T>): Promise<T> {
  const server = await running([sct, 'dashboard', '--port', '0', '--json', '-q'], folder);
  try {
    return await use(server);
  } finally {
    await server.end();
  }
}

/** A receiver's seconds while two hundred hostile clients are at its dashboard, against those while there are none. */
async function receiverUnderAttack(server: Running, rounds: number) {
  const { host, port, token } = server.read;
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const alone = await reception(server, folder, RECORDING);
    const attacked = await reception(server, folder, RECORDING, async () => {
      const many = attackers({ host, port, readToken: token }, 200, 0);
      await many.ready;
      return () => void many.end();
    });
    ratios.push(alone / attacked);
    note(`receiver under attack / alone: ${ratios.at(-1)!.toFixed(4)}`);
  }
  return { clients: 200, ratio: median(ratios), ratios };
}

interface PageCost {
  readonly coresTogether: number;
  readonly paintsPerS: Readonly<Record<string, number>>;
}

/** Told six times a second only. */
const SELDOM = 'sct-log';

/** What the page costs all browser processes together, and how often the slowest of the panels was painted that every update changes. */
async function pageCost() {
  const words = ['--import', 'tsx', join(root, 'test/dashboard/web/measure.ts'), quick ? '5' : '20'];
  const rounds: PageCost[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root, maxBuffer: 1 << 24 });
    rounds.push(JSON.parse(stdout) as PageCost);
    note(`page: ${rounds.at(-1)!.coresTogether} of a core`);
  }
  const slowest = rounds.map(({ paintsPerS }) => {
    const painted = Object.entries(paintsPerS).filter(([panel, perS]) => perS > 0 && panel !== SELDOM);
    return Math.min(...painted.map(([, perS]) => perS));
  });
  return { medianCores: median(rounds.map((r) => r.coresTogether)), slowestPaintsPerS: median(slowest), rounds };
}

const PARTS: Readonly<Record<string, () => Promise<object>>> = {
  server: () => serverCost(folder, quick ? 2 : 5, quick ? 3 : 6),
  receiver: () =>
    withDashboard(async (server) => {
      const samples = await makeRecording(sct, folder, RECORDING, quick ? 1 : 2);
      const watched = await throughput(server, folder, RECORDING, samples, quick ? 2 : 9);
      return { ...watched, underAttack: await receiverUnderAttack(server, quick ? 1 : 3) };
    }),
  hostile: () => hostileEffect(folder, quick ? 4 : 15, quick ? 100 : 1000),
  long: () => longCapture(withDashboard, folder, quick ? 1 : 5),
  page: pageCost,
};

try {
  for (const name of ['runs', 'captures', 'pictures']) mkdirSync(join(folder, name));
  const wanted = flag('only')?.split(',') ?? Object.keys(PARTS);
  const measured: Record<string, object> = {};
  const load: Record<string, number> = {};
  for (const name of wanted) {
    load[name] = loadavg()[0];
    measured[name] = await PARTS[name]();
  }
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load };
  const command = `node --import tsx bench/dashboard.ts${quick ? ' --quick' : ''}`;
  const file = { schema: 'sct.bench.dashboard/1', command, machine, git: await gitFacts(root), ...measured };
  const text = `${JSON.stringify(file, null, 2)}\n`;
  const out = flag('out') ?? (quick || flag('only') ? null : 'bench/results/dashboard.json');
  if (out === null) process.stdout.write(text);
  else writeFileSync(join(root, out), text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
