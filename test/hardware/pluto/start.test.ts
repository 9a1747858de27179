import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { PLUTO_FLAGS, startPluto } from '../../../src/cli/commands/emulate-pluto.ts';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { Coil } from './coil.ts';
import { SERIAL, settle } from './helpers.ts';

const request = () => ({ name: 'pluto', serial: SERIAL, air: new Coil(new ManualAirClock()), clockErrorPpm: 0 });

/** Connects, sends, and gives what comes back until it holds `until`. */
function talk(where: { host: string; port: number } | { path: string }, text: string, until: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(where);
    let got = '';
    socket.on('connect', () => socket.write(text));
    socket.on('data', (data) => {
      got += data.toString('latin1');
      if (!got.includes(until)) return;
      socket.destroy();
      resolve(got);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${JSON.stringify(got)}`)));
  });
}

test('a Pluto is served over TCP, its console over a UNIX socket, until it is stopped', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pluto-'));
  const path = join(folder, 'console');
  const pluto = await startPluto({ ...request(), ip: '127.0.0.1:0', console: `unix:${path}` });
  try {
    const port = Number(pluto.ip!.split(':')[1]);
    assert.equal(await talk({ host: '127.0.0.1', port }, 'VERSION\r\n', '\n'), '0.24.v0.24  \n');
    assert.match(await talk({ path }, 'root\ranalog\rhostname\r', 'pluto\r\n# '), /# hostname\r\npluto\r\n# $/);
    assert.equal(pluto.lines.length, 2);
    assert.ok(pluto.lines[0].includes(`pluto:ip:127.0.0.1:${port}`));
    assert.equal(pluto.usb.serial, SERIAL);
    await assert.rejects(startPluto({ ...request(), ip: `127.0.0.1:${port}` }), DeviceError);
    await pluto.close();
    await assert.rejects(talk({ host: '127.0.0.1', port }, 'VERSION\r\n', '\n'));
  } finally {
    await pluto.close().catch(() => {});
    rmSync(folder, { recursive: true });
  }
});

test('many connections at once, each with its own answers; a host that goes in the middle of a command', async () => {
  const pluto = await startPluto({ ...request(), ip: '0' });
  try {
    const where = { host: '127.0.0.1', port: Number(pluto.ip!.split(':')[1]) };
    const many = Array.from({ length: 20 }, (_, i) =>
      talk(
        where,
        `WRITE iio:device0 DEBUG adi,rssi-duration 2\r\n1\0READ iio:device1 INPUT voltage${i % 9} raw\r\n`,
        '\0\n',
      ).catch(() => talk(where, `READ iio:device1 INPUT voltage${i % 9} raw\r\n`, '\0\n')),
    );
    for (const reply of await Promise.all(many)) assert.match(reply, /\d+\n\d+\0\n$/);
    const broken = connect(where);
    broken.on('error', () => {});
    broken.write('OPEN iio:device2 64 00000003\r\nWRITEBUF iio:device2 256\r\nhalf');
    await new Promise((resolve) => broken.once('data', resolve));
    broken.destroy();
    await settle();
    assert.equal(await talk(where, 'OPEN iio:device2 64 00000003\r\n', '\n'), '0\n');
  } finally {
    await pluto.close();
  }
});

test('addresses are checked; none is needed', async () => {
  await assert.rejects(startPluto({ ...request(), ip: 'somewhere' }), UsageError);
  const pluto = await startPluto({ ...request(), ip: 'no' });
  assert.deepEqual([pluto.ip, pluto.console, pluto.lines], [null, null, []]);
  await pluto.close();
  assert.deepEqual(Object.keys(PLUTO_FLAGS), ['ip', 'console']);
});
