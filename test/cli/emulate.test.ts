import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Emulation } from '../../src/cli/emulation/emulation.ts';
import { type EmulationWords, planEmulation } from '../../src/cli/emulation/emulation-options.ts';
import { Peer, until } from '../hardware/front-ends/peer.ts';
import { UsbIpClient } from '../hardware/front-ends/usbip-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'sct-emulate-'));
after(() => rmSync(folder, { recursive: true }));

async function running(names: readonly string[], words: EmulationWords, use: (e: Emulation) => Promise<void>) {
  const emulation = await Emulation.start(planEmulation(names, { usbip: '0', ...words }), () => {});
  try {
    await use(emulation);
  } finally {
    await emulation.close();
  }
}

describe('sct emulate: words', () => {
  it('boards get serials, clock errors and addresses in order', () => {
    const plan = planEmulation(['hackrf'], { count: '2', ppm: '12.5,-3', serial: 'AB,cd', usbredir: './a,./b' });
    assert.deepEqual(plan.boards, [
      { kind: 'hackrf', serial: 'ab'.padStart(32, '0'), ppm: 12.5 },
      { kind: 'hackrf', serial: 'cd'.padStart(32, '0'), ppm: -3 },
    ]);
    assert.equal(plan.usbip, null, 'QEMU alone was asked for');
    assert.deepEqual(plan.usbredir, [{ path: './a' }, { path: './b' }]);
    assert.deepEqual(planEmulation(['hackrf'], {}).usbip, { host: '127.0.0.1', port: 3240 });
  });

  it('refuses what is out of range, unknown, or open to other machines', () => {
    const wrong: [EmulationWords, RegExp][] = [
      [{ count: '0' }, /--count 0 is out of range: allowed 1 to/],
      [{ count: '1.5' }, /whole number/],
      [{ count: '2', ppm: '1' }, /--ppm names 1 for 2 boards/],
      [{ count: '2', serial: 'a,A' }, /--serial: two boards/],
      [{ serial: 'xyz' }, /hexadecimal/],
      [{ channel: 'tdl-z' }, /one of awgn, /],
      [{ speed: '2' }, /--speed 2 is out of range/],
      [{ pathLoss: '-1' }, /--path-loss/],
      [{ usbip: '0.0.0.0:3240' }, /can be reached from other machines/],
      [{ api: '99' }, /--api/],
      [{ firmware: 'v1' }, /--firmware v1: one of v0\.32, v0\.35, v0\.39/],
      [{ doppler: '5' }, /--doppler: not for awgn/],
      [{ channel: 'epa', delaySpread: '100' }, /--delay-spread: not for epa/],
      [{ channel: 'tdl-a', delaySpread: '1001' }, /--delay-spread 1001 ns is out of range/],
    ];
    for (const [words, message] of wrong) assert.throws(() => planEmulation(['hackrf'], words), message);
    assert.throws(() => planEmulation(['bladerf'], {}), /unknown board "bladerf"/);
    assert.ok(planEmulation(['hackrf'], { usbip: '0.0.0.0:3240', allowRemote: true }).usbip);
  });
});

describe('sct emulate: boards', () => {
  it('two HackRFs behind one USB/IP server; what is unplugged is gone, and the state says so', async () => {
    await running(['hackrf'], { count: '2' }, async (emulation) => {
      const [first, second] = emulation.ready();
      assert.match(first.uri ?? '', /^hackrf:0{16}e5c7000000000001\?usbip=127\.0\.0\.1:\d+$/);
      assert.equal(second.busId, '1-2');
      const client = await UsbIpClient.importing(first.usbip ?? '', '1-2');
      assert.deepEqual((await client.control([0xc0, 14, 0, 0, 1])).data, Buffer.from([2]), 'BOARD_ID_READ');
      assert.equal((await client.control([0xc0, 15, 0, 0, 255])).status, 0);
      emulation.command('unplug 2');
      await client.peer.end();
      assert.deepEqual(
        emulation.state().map((s) => s.plugged),
        [true, false],
      );
      await assert.rejects(UsbIpClient.importing(first.usbip ?? '', '1-2'), /refused: 4/);
      emulation.command('plug 2');
      (await UsbIpClient.importing(first.usbip ?? '', '1-2')).peer.close();
      assert.throws(() => emulation.command('unplug 0000'), /0 boards have a serial number that ends in "0000"/);
      for (const line of ['explode 1', 'unplug', 'unplug 1 2', 'toString 1', '\0']) {
        assert.throws(() => emulation.command(line), /is no command: state, unplug SERIAL/);
      }
    });
  });

  it('a transmitting client that is killed leaves silence', async () => {
    await running(['hackrf'], { speed: '0.1' }, async (emulation) => {
      const client = await UsbIpClient.importing(emulation.ready()[0].usbip ?? '');
      await client.control([0x40, 1, 2, 0, 0]);
      assert.equal(emulation.state()[0].mode, 'tx');
      client.peer.close();
      await until(() => emulation.state()[0].mode === 'off');
    });
  });

  it('listens for QEMU and for USB/IP at once; a board has one host at a time', async () => {
    const path = join(folder, 'r0.sock');
    await running(['hackrf'], { usbredir: path }, async (emulation) => {
      const [board] = emulation.ready();
      assert.equal(board.usbredir, `unix:${path}`);
      const qemu = await Peer.open(`unix:${path}`);
      await qemu.read(12);
      await assert.rejects(UsbIpClient.importing(board.usbip ?? ''), /refused: 2/);
      qemu.close();
    });
  });

  it('fading channels and faults are built for every pair', async () => {
    await running(['hackrf'], { count: '3', channel: 'EPA', faults: true, ownLoss: '40' }, async (emulation) => {
      assert.match(emulation.describe(), /3 boards, epa, 60 dB between them, own signal after 40 dB/);
      assert.equal(emulation.state().length, 3);
    });
  });

  it('an address that is taken is an error of the device, and nothing stays open', async () => {
    await running(['hackrf'], {}, async (emulation) => {
      const port = (emulation.ready()[0].usbip ?? '').split(':')[1];
      await assert.rejects(
        running(['hackrf'], { usbip: port }, async () => {}),
        { name: 'DeviceError' },
      );
    });
  });
});
