import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { HackrfBoard } from '../../../hardware/emulated/hackrf/hackrf-board.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { SERIAL } from './emulated.ts';

const CHILD = fileURLToPath(new URL('./sender.child.ts', import.meta.url));

/** Polls until it is so; a minute is for a machine that is short of time. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    assert.ok(i < 3000, what);
    await sleep(20);
  }
}

// kill -9 leaves the board to itself: the kernel (here the server) lets the interface go, and the underrun limit ends the rest.
for (const how of ['exit', 'throw', 'reject', 'SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`the process ends by ${how} in the middle of a transmission: nothing on the air any more`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sct-end-'));
    const emulated = new HackrfBoard({ name: 'a', serial: SERIAL, air: null, clock: new WallAirClock(0.2) });
    const boards = [{ busId: '1-1', port: new UsbPort(emulated) }];
    const server = await UsbIpServer.listen({ boards, at: { path: join(directory, 'usb') } });
    const uri = `hackrf:${SERIAL}?usbip=${server.address}`;
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, uri, how], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      await until('it does not send', () => emulated.inspect().emittedSamples > 10_000);
      assert.equal(emulated.inspect().mode, 'tx');
      const ended = once(child, 'exit');
      if (how.startsWith('SIG')) child.kill(how as NodeJS.Signals);
      else child.stdin.write('now\n');
      await ended;
      await until('it still sends', () => emulated.inspect().mode === 'off');
      const { emittedSamples } = emulated.inspect();
      await sleep(200);
      assert.equal(emulated.inspect().emittedSamples, emittedSamples);
    } finally {
      child.kill('SIGKILL');
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
}
