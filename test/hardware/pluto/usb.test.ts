import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IIO_COUPLES, IIO_INTERFACE } from '../../../hardware/emulated/pluto/usb/descriptors.ts';
import { PlutoUsb } from '../../../hardware/emulated/pluto/usb/pluto-usb.ts';
import { configurationInfo, deviceInfo } from '../../../hardware/emulated/usb-descriptors.ts';
import { type Rig, rig, settle } from './helpers.ts';

const never = new AbortController().signal;
const RESET_PIPES = 0;
const OPEN_PIPE = 1;
const CLOSE_PIPE = 2;

function plugged(options: Parameters<typeof rig>[0] = {}): Rig & { usb: PlutoUsb } {
  const r = rig(options);
  return { ...r, usb: new PlutoUsb(r.iiod) };
}

function pipeRequest(usb: PlutoUsb, request: number, value = 0) {
  return usb.control({ requestType: 0x41, request, value, index: IIO_INTERFACE, length: 0 }, new Uint8Array(0));
}

/** Sends to a pipe. */
const say = (usb: PlutoUsb, pipe: number, text: string | Uint8Array) =>
  usb.bulkOut(IIO_COUPLES[pipe].out, typeof text === 'string' ? Buffer.from(text, 'latin1') : text, never);

/** One IN transfer of at most `length` bytes, as text. */
async function hear(usb: PlutoUsb, pipe: number, length = 4096): Promise<string> {
  const reply = await usb.bulkIn(IIO_COUPLES[pipe].in, length, never);
  return reply === 'stall' ? 'stall' : Buffer.from(reply).toString('latin1');
}

test('descriptors: a composite device with an interface named IIO of three couples, and a console', () => {
  const { descriptors } = plugged().usb;
  const device = deviceInfo(descriptors.device);
  assert.deepEqual([device.vendorId, device.productId, device.classCode], [0x0456, 0xb673, 0xef]);
  const { interfaces } = configurationInfo(descriptors.configuration);
  assert.deepEqual(
    interfaces.map(({ number, classCode }) => [number, classCode]),
    [
      [0, 2],
      [1, 10],
      [2, 2],
    ],
  );
  const endpoints = interfaces[IIO_INTERFACE].endpoints;
  assert.equal(endpoints.length, 6);
  for (const [i, { address, transferType, maxPacketBytes }] of endpoints.entries()) {
    assert.deepEqual([address >= 0x80, transferType, maxPacketBytes], [i % 2 === 0, 2, 512]);
  }
  // iInterface, the last byte of the interface descriptor.
  const at = descriptors.configuration.findIndex(
    (_, i) =>
      descriptors.configuration[i] === 9 &&
      descriptors.configuration[i + 1] === 4 &&
      descriptors.configuration[i + 2] === IIO_INTERFACE,
  );
  assert.equal(descriptors.strings[descriptors.configuration[at + 8] - 1], 'IIO');
});

test('a pipe answers once it is open, each write of the server a transfer; closed, it answers NAK', async () => {
  const { usb } = plugged();
  const early = hear(usb, 0);
  void say(usb, 0, 'VERSION\r\n');
  await settle();
  assert.equal(pipeRequest(usb, RESET_PIPES), 'ok');
  assert.equal(pipeRequest(usb, OPEN_PIPE, 0), 'ok');
  assert.equal(await early, '0.24.v0.24  \n');
  await say(usb, 0, 'READ iio:device0 INPUT voltage0 hardwaregain\r\n');
  assert.equal(await hear(usb, 0), '13\n');
  assert.equal(await hear(usb, 0), '71.000000 dB\0\n');
  assert.equal(pipeRequest(usb, CLOSE_PIPE, 0), 'ok');
  let answered = false;
  void hear(usb, 0).then(() => {
    answered = true;
  });
  void say(usb, 0, 'VERSION\r\n');
  await settle();
  assert.ok(!answered);
});

test('requests that the board does not know are refused', () => {
  const { usb } = plugged();
  assert.equal(pipeRequest(usb, OPEN_PIPE, 3), 'stall');
  assert.equal(pipeRequest(usb, 3, 0), 'stall');
  assert.equal(
    usb.control({ requestType: 0x41, request: 0, value: 0, index: 0, length: 0 }, new Uint8Array(0)),
    'stall',
  );
});

test('three pipes at once: attributes on one while two stream', async () => {
  const { usb, clock, board } = plugged();
  for (const pipe of [0, 1, 2]) pipeRequest(usb, OPEN_PIPE, pipe);
  await say(usb, 1, 'OPEN iio:device3 256 00000003\r\n');
  await say(usb, 2, 'OPEN iio:device2 256 00000003\r\n');
  assert.deepEqual([await hear(usb, 1), await hear(usb, 2)], ['0\n', '0\n']);
  await say(usb, 1, 'READBUF iio:device3 2048\r\n');
  await say(usb, 2, 'WRITEBUF iio:device2 1024\r\n');
  assert.equal(await hear(usb, 2), '0\n');
  await say(usb, 2, new Uint8Array(1024).fill(1));
  assert.equal(await hear(usb, 2), '1024\n');
  await say(usb, 0, 'READ iio:device3 DEBUG direct_reg_access\r\n');
  assert.deepEqual([await hear(usb, 0), await hear(usb, 0)], ['4\n', '0x0\0\n']);
  await clock.advance(1e-3);
  assert.deepEqual([await hear(usb, 1), await hear(usb, 1)], ['1024\n', '00000003\n']);
  assert.equal((await hear(usb, 1, 1024)).length, 1024, 'whole packets: the transfer ends when it is full');
  assert.equal(board.statistics().tx.playedSamples, 256);
});

test('whole packets run on into the next write; too small a transfer is babble', async () => {
  const { usb, clock } = plugged();
  pipeRequest(usb, OPEN_PIPE, 0);
  await say(usb, 0, 'OPEN iio:device3 128 00000003\r\n');
  assert.equal(await hear(usb, 0), '0\n');
  await say(usb, 0, 'READBUF iio:device3 1024\r\n');
  await clock.advance(1e-3);
  assert.equal(await hear(usb, 0), '512\n');
  assert.equal(await hear(usb, 0), '00000003\n');
  const joined = await hear(usb, 0);
  assert.equal(joined.length, 512 + 4, '512 bytes of samples, then the next length, a short packet');
  assert.ok(joined.endsWith('512\n'));
  assert.equal(await hear(usb, 0, 100), 'stall');
});

test('a cancelled transfer takes nothing from the board', async () => {
  const { usb, clock } = plugged();
  pipeRequest(usb, OPEN_PIPE, 0);
  await say(usb, 0, 'OPEN iio:device3 128 00000003\r\n');
  assert.equal(await hear(usb, 0), '0\n');
  await say(usb, 0, 'READBUF iio:device3 512\r\n');
  await clock.advance(1e-3);
  assert.equal(await hear(usb, 0), '512\n');
  assert.equal(await hear(usb, 0), '00000003\n');
  const cancel = new AbortController();
  const first = usb.bulkIn(IIO_COUPLES[0].in, 4096, cancel.signal);
  await settle();
  cancel.abort();
  assert.equal((await first).length, 0);
  assert.equal((await hear(usb, 0, 512)).length, 512);
});

test('reset and unplug silence the board and end what was open; plugged in again it is as new', async () => {
  const { usb, clock, board, air } = plugged();
  const start = async () => {
    pipeRequest(usb, RESET_PIPES);
    pipeRequest(usb, OPEN_PIPE, 0);
    await say(usb, 0, 'WRITE iio:device0 OUTPUT altvoltage1 frequency 10\r\n900000000\0');
    assert.equal(await hear(usb, 0), '10\n');
    await say(usb, 0, 'OPEN iio:device2 256 00000003 CYCLIC\r\n');
    assert.equal(await hear(usb, 0), '0\n');
    await say(usb, 0, 'WRITEBUF iio:device2 1024\r\n');
    assert.equal(await hear(usb, 0), '0\n');
    await say(usb, 0, new Uint8Array(1024).fill(0x55));
    assert.equal(await hear(usb, 0), '1024\n');
    await clock.advance(1e-3);
  };
  const silentNow = async () => {
    board.statistics();
    const { length } = air.emissions;
    await clock.advance(1);
    board.statistics();
    return length > 0 && air.emissions.length === length;
  };
  await start();
  usb.reset();
  await settle();
  assert.ok(!board.tx.isOpen && (await silentNow()));
  await start();
  const waiting = hear(usb, 0);
  usb.unplug();
  assert.equal(await waiting, '');
  assert.ok(!board.powered && (await silentNow()));
  usb.plug();
  pipeRequest(usb, OPEN_PIPE, 0);
  await say(usb, 0, 'READ iio:device0 OUTPUT altvoltage1 frequency\r\n');
  assert.equal(await hear(usb, 0), '11\n');
  assert.equal(await hear(usb, 0), '2450000000\0\n');
});
