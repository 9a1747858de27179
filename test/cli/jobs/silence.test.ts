import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { Emulation } from '../../../src/cli/emulation/emulation.ts';
import { planEmulation } from '../../../src/cli/emulation/emulation-options.ts';
import { page, type TestPage } from '../../dashboard/helpers.ts';
import { BIN } from '../helpers.ts';

const folder = mkdtempSync(join(tmpdir(), 'sct-silence-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Longest wait for anything here, ms: many times what a slow machine needs. */
const PATIENCE_MS = 60_000;

interface Sounding {
  readonly dashboard: ChildProcess;
  readonly watching: TestPage;
  /** Process of the job. */
  readonly job: number;
  /** Mode of the transmitter, which is on for each burst and off between them. */
  mode(): unknown;
}

/** Two boards on a cable, and a dashboard whose job sends from one to the other. */
async function sounding(use: (parts: Sounding) => Promise<void>) {
  const words = { usbip: join(folder, 'usbip'), count: '2', speed: '0.05', pathLoss: '60' };
  const emulation = await Emulation.start(planEmulation(['hackrf'], words), () => {});
  const dashboard = spawn(process.execPath, [BIN, 'dashboard', '--port', '0', '--json', '--runs', 'mine'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = (await once(dashboard.stdout!, 'data')) as [Buffer];
    const { port, hash } = new URL((JSON.parse(String(line)) as { control: string }).control);
    const watching = await page({ port: Number(port) }, hash.slice('#token='.length));
    const [tx, rx] = emulation.ready().map(({ uri }) => uri);
    const options = { tx, rx, freq: '868.3M', cabled: 60, rate: '8M', period: 20, count: 100_000 };
    const answer = await watching.ask({ do: 'start', command: 'sound', options });
    assert.equal(answer.ok, true, JSON.stringify(answer));
    const mode = () => emulation.state()[0].mode;
    await until(() => mode() === 'tx');
    const job = childrenOf(dashboard.pid!)[0];
    assert.ok(runs(job));
    await use({ dashboard, watching, job, mode });
    watching.socket.terminate();
  } finally {
    dashboard.kill('SIGKILL');
    await emulation.close();
  }
}

/** A page is told that the run ended so, with this code; it may come after the answer to stop. */
async function ended(watching: TestPage, outcome: string, exitCode: number) {
  const last = () => watching.frames.filter((f) => f.topic === 'run').at(-1)?.data;
  await watching.until(() => last()?.outcome === outcome);
  assert.deepEqual([last()?.state, last()?.exitCode], ['ended', exitCode]);
}

/** Processes that a process started, and that have not ended (Linux). */
function childrenOf(parent: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => new RegExp(`^PPid:\\s+${parent}$`, 'm').test(statusOf(pid)));
}

function runs(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(statusOf(pid));
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

async function until(done: () => boolean) {
  const endMs = performance.now() + PATIENCE_MS;
  while (!done()) {
    assert.ok(performance.now() < endMs, `waited ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('stop from the page: the transmitter goes off, the run is in the list and was not completed', async () => {
  await sounding(async ({ watching, job, mode }) => {
    assert.equal((await watching.ask({ do: 'stop' })).ok, true);
    assert.deepEqual([runs(job), mode()], [false, 'off']);
    await ended(watching, 'stopped', 130);
    assert.equal((await readdir(join(folder, 'mine'))).length, 1, 'the run landed in the folder that was named');
  });
});

it('a dashboard that is killed leaves no transmitter on', async () => {
  await sounding(async ({ dashboard, job, mode }) => {
    dashboard.kill('SIGKILL');
    await until(() => !runs(job));
    await until(() => mode() === 'off');
  });
});

it('a job that does not react is ended, and its board goes off', async () => {
  await sounding(async ({ watching, job, mode }) => {
    await until(() => mode() === 'tx');
    process.kill(job, 'SIGSTOP');
    assert.equal((await watching.ask({ do: 'stop' })).ok, true);
    assert.equal(runs(job), false);
    await ended(watching, 'killed', 1);
    await until(() => mode() === 'off');
  });
});
