import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { EmulatedPluto } from '../../../src/cli/emulation/emulated-pluto.ts';
import { Emulation } from '../../../src/cli/emulation/emulation.ts';
import { planEmulation } from '../../../src/cli/emulation/emulation-options.ts';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { parseRadioUri } from '../../../src/radio/uri.ts';
import { Coil } from './coil.ts';
import { SERIAL, settle } from './helpers.ts';

const anyPort = { host: '127.0.0.1', port: 0 };

function pluto(): EmulatedPluto {
  const air = new Coil(new ManualAirClock());
  return new EmulatedPluto({ name: 'pluto', serial: SERIAL, air, ppm: 0, firmware: 'v0.35', seed: 1, counter: false });
}

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
  const board = pluto();
  await board.listen(anyPort, { path });
  try {
    const port = Number(board.iioAddress!.split(':')[1]);
    assert.equal(await talk({ host: '127.0.0.1', port }, 'VERSION\r\n', '\n'), '0.24.v0.24  \n');
    assert.match(await talk({ path }, 'root\ranalog\rhostname\r', 'pluto\r\n# '), /# hostname\r\npluto\r\n# $/);
    assert.equal(board.consoleAddress, `unix:${path}`);
    assert.equal(board.port.serial, SERIAL);
    assert.equal(board.inspect().mode, 'idle');
    await assert.rejects(pluto().listen({ host: '127.0.0.1', port }, null), DeviceError);
    await board.close();
    assert.equal(board.inspect().mode, 'off');
    await assert.rejects(talk({ host: '127.0.0.1', port }, 'VERSION\r\n', '\n'));
  } finally {
    await board.close();
    rmSync(folder, { recursive: true });
  }
});

test('many connections at once, each with its own answers; a host that goes in the middle of a command', async () => {
  const board = pluto();
  await board.listen(anyPort, null);
  try {
    const where = { host: '127.0.0.1', port: Number(board.iioAddress!.split(':')[1]) };
    const many = Array.from({ length: 20 }, (_, i) =>
      talk(where, `READ iio:device1 INPUT voltage${i % 9} raw\r\n`, '\0\n'),
    );
    for (const reply of await Promise.all(many)) assert.match(reply, /^\d+\n\d+\0\n$/);
    const broken = connect(where);
    broken.on('error', () => {});
    broken.write('OPEN iio:device2 64 00000003\r\nWRITEBUF iio:device2 256\r\nhalf');
    await new Promise((resolve) => broken.once('data', resolve));
    broken.destroy();
    await settle();
    assert.equal(await talk(where, 'OPEN iio:device2 64 00000003\r\n', '\n'), '0\n');
  } finally {
    await board.close();
  }
});

test('where Plutos listen: from 30431 on, told one by one, or not; to this machine alone', () => {
  const { iiod, usbip } = planEmulation(['pluto', 'pluto'], {});
  assert.deepEqual(
    iiod,
    [30_431, 30_432].map((port) => ({ host: '127.0.0.1', port })),
  );
  assert.equal(usbip, null);
  const mixed = planEmulation(['hackrf', 'pluto'], { iiod: 'no', console: '30500' });
  assert.deepEqual([mixed.iiod, mixed.console], [[null], [{ host: '127.0.0.1', port: 30_500 }]]);
  assert.deepEqual(mixed.usbip, { host: '127.0.0.1', port: 3240 });
  assert.throws(() => planEmulation(['pluto'], { iiod: 'somewhere' }), UsageError);
  assert.throws(() => planEmulation(['pluto'], { iiod: '1,2' }), UsageError);
  assert.throws(() => planEmulation(['pluto'], { iiod: '0.0.0.0:30431' }), UsageError);
  assert.deepEqual(planEmulation(['pluto'], { iiod: '0.0.0.0:30431', allowRemote: true }).iiod, [
    { host: '0.0.0.0', port: 30_431 },
  ]);
});

test('beside a HackRF on one air: URIs that open them, unplug and plug by the end of a serial', async () => {
  const plan = planEmulation(['hackrf', 'pluto', 'pluto'], { iiod: '0,no', usbip: '0', console: '0,0', speed: '0.1' });
  const emulation = await Emulation.start(plan, () => {});
  try {
    const [hackrf, byTcp, byUsb] = emulation.ready();
    assert.equal(parseRadioUri(hackrf.uri!).kind, 'hackrf');
    const uri = parseRadioUri(byTcp.uri!);
    assert.equal(uri.kind, 'pluto-ip');
    assert.deepEqual(
      { ...parseRadioUri(byUsb.uri!), usbip: null },
      { kind: 'pluto-usb', serial: byUsb.serial, usbip: null },
    );
    assert.ok(byUsb.iiod === null && byUsb.console !== null);
    const where = { host: '127.0.0.1', port: uri.kind === 'pluto-ip' ? uri.port : 0 };
    assert.match(await talk(where, 'PRINT\r\n', '</context>\n'), /<context-attribute name="sct,speed" value="0.1" \/>/);
    emulation.command(`unplug ${byTcp.serial.slice(-3)}`);
    await assert.rejects(talk(where, 'VERSION\r\n', '\n'), 'a board without power ends the connection');
    const console = { host: '127.0.0.1', port: Number(byTcp.console!.split(':')[1]) };
    await assert.rejects(talk(console, '\r', 'login'), 'nor is there a console');
    assert.equal(emulation.state()[1].mode, 'off');
    emulation.command(`plug ${byTcp.serial.slice(-3)}`);
    assert.equal(await talk(where, 'VERSION\r\n', '\n'), '0.24.v0.24  \n');
    assert.throws(() => emulation.command(`trigger ${byTcp.serial.slice(-3)}`), UsageError);
  } finally {
    await emulation.close();
  }
});
