import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isSilent, type TcpRig, tcpRig } from './rig.ts';

const PATIENCE_MS = 60_000;

async function sending(t: TestContext, rig: TcpRig, way: string): Promise<ChildProcess> {
  const path = fileURLToPath(new URL('sending-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, String(rig.port), way], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  assert.ok(rig.board.tx.isOpen && !isSilent(rig.board), 'it is on the air');
  return child;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(condition());
}

for (const way of ['exit', 'throw', 'SIGINT', 'SIGTERM'] as const) {
  test(`a repeated buffer ends with the program, tones and oscillator off: ${way}`, async (t) => {
    const rig = await tcpRig(t);
    const child = await sending(t, rig, way);
    const closed = once(child, 'exit');
    if (way === 'SIGINT' || way === 'SIGTERM') child.kill(way);
    else child.stdin!.write('now\n');
    await closed;
    await until(() => isSilent(rig.board));
  });
}

test('kill -9: nobody can say anything any more, and the server closes the buffer', async (t) => {
  const rig = await tcpRig(t);
  const child = await sending(t, rig, 'kill');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until(() => !rig.board.tx.isOpen);
});
