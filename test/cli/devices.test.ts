// sct devices: this machine may have boards or none, USB or none; what a named server has is known.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { WallAirClock } from '../../hardware/emulated/clock.ts';
import { UsbIpServer } from '../../hardware/emulated/front-ends/usbip.ts';
import { HackrfBoard } from '../../hardware/emulated/hackrf/hackrf-board.ts';
import { UsbPort } from '../../hardware/emulated/usb-port.ts';
import { scratch, sctInside } from './helpers.ts';

const SERIAL = '0000000000000000457863c82f1a2b3c';

test('boards of a USB/IP server, by the URI that opens them', async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'boards&more');
  const board = new HackrfBoard({ name: 'a', serial: SERIAL, air: null, clock: new WallAirClock(0.1) });
  const server = await UsbIpServer.listen({ boards: [{ busId: '1-1', port: new UsbPort(board) }], at: { path } });
  t.after(() => server.close());
  const ended = await sctInside(['devices', '--usbip', `unix:${path}`, '--iiod', '127.0.0.1:9', '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  const said = JSON.parse(ended.stdout);
  assert.equal(said.ok, true);
  const found = said.devices.find((device: { serial?: string }) => device.serial === SERIAL);
  assert.equal(found.uri, `hackrf:${SERIAL}?usbip=unix:${path.replace('&', '%26')}`);
  assert.equal(found.version, 'USB API 1.07');
  assert.ok(said.unavailable.some(({ uri }: { uri: string }) => uri === 'IIOD at 127.0.0.1:9'));
  const text = await sctInside(['devices', '--usbip', `unix:${path}`]);
  assert.match(text.stdout, new RegExp(`hackrf:${SERIAL}.*USB API 1\\.07`));
  assert.match(text.stdout, /^loopback /m);
});

test('addresses that are none', async () => {
  for (const [words, message] of [
    [['--usbip', ':1'], /--usbip: ":1" is not HOST\[:PORT\]/],
    [['--usbip', 'a&amp=1'], /--usbip/],
    [['--iiod', 'host:99999'], /--iiod: "host:99999"/],
  ] as const) {
    const ended = await sctInside(['devices', ...words]);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, message);
  }
});
