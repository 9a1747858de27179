import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
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

/** Two boards on a cable, and a dashboard whose job sends from one to the other. */
async function sounding(
  use: (parts: { dashboard: ChildProcess; watching: TestPage; mode(): unknown }) => Promise<void>,
) {
  const words = { usbip: join(folder, 'usbip'), count: '2', speed: '0.05', pathLoss: '60' };
  const emulation = await Emulation.start(planEmulation(['hackrf'], words), () => {});
  const dashboard = spawn(process.execPath, [BIN, 'dashboard', '--port', '0', '--json', '--runs', 'mine'], {
    ...{ cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] },
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
    await use({ dashboard, watching, mode });
    watching.socket.terminate();
  } finally {
    dashboard.kill('SIGKILL');
    await emulation.close();
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
  await sounding(async ({ watching, mode }) => {
    assert.equal((await watching.ask({ do: 'stop' })).ok, true);
    assert.equal(mode(), 'off');
    const { state, outcome, exitCode } = watching.frames.filter((f) => f.topic === 'run').at(-1)!.data;
    assert.deepEqual([state, outcome, exitCode], ['ended', 'stopped', 130]);
    assert.equal((await readdir(join(folder, 'mine'))).length, 1, 'the run landed in the folder that was named');
  });
});

it('a dashboard that is killed leaves no transmitter on', async () => {
  await sounding(async ({ dashboard, mode }) => {
    dashboard.kill('SIGKILL');
    await until(() => mode() === 'off');
  });
});
