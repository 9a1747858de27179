// Boards on a bus, and why some cannot be used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findIiodBoard, findUsbBoards } from '../../../src/experiment/board/find-boards.ts';
import { LibusbBus } from '../../../src/radio/usb/libusb-bus.ts';
import { type UsbBoard, type UsbBus, UsbError } from '../../../src/radio/usb/usb.ts';
import { bench, SERIAL } from '../../radio/hackrf/emulated.ts';

const LIBUSB = { kind: 'libusb' } as const;

test('a HackRF that can be used: the URI that the other commands take', async () => {
  const { bus } = bench();
  const found = await findUsbBoards(LIBUSB, bus);
  assert.equal(found.problem, null);
  assert.equal(found.boards.length, 1);
  const [board] = found.boards;
  assert.equal(board.uri, `hackrf:${SERIAL}`);
  assert.equal(board.version, 'USB API 1.07');
  assert.equal(board.problem, null);
  const behind = await findUsbBoards({ kind: 'usbip', host: '::1', port: 3240 }, bus);
  assert.equal(behind.boards[0].uri, `hackrf:${SERIAL}?usbip=[::1]:3240`);
});

test('a board without permission or in use says so, with the fix', async () => {
  for (const kind of ['permission', 'busy'] as const) {
    const listed: UsbBoard = {
      vendorId: 0x0456,
      productId: 0xb673,
      bcdDevice: 0x0419,
      product: null,
      serial: null,
      path: '1-2',
    };
    const bus: UsbBus = {
      list: async () => [listed],
      open: async () => {
        throw new UsbError(kind, `1-2: ${kind}`);
      },
      describe: () => 'bus',
    };
    const [board] = (await findUsbBoards(LIBUSB, bus)).boards;
    assert.equal(board.uri, null);
    assert.equal(board.board, 'Pluto');
    assert.equal(board.problem?.reason, `1-2: ${kind}`);
    if (kind === 'permission') assert.match(board.problem?.hint ?? '', /60-sct\.rules.*udevadm/);
  }
});

test('a machine without libusb: the reason, and what to install', async () => {
  const bus = new LibusbBus(async () => {
    throw new Error('libudev.so.1: cannot open shared object file');
  });
  const found = await findUsbBoards(LIBUSB, bus);
  assert.deepEqual(found.boards, []);
  assert.match(found.problem?.reason ?? '', /libudev\.so\.1/);
  assert.match(found.problem?.hint ?? '', /apt install libudev1/);
});

test('nothing at an address is a problem of that place, not an exception', async () => {
  const found = await findIiodBoard('127.0.0.1', 9);
  assert.equal(found.boards.length, 0);
  assert.match(found.problem?.reason ?? '', /127\.0\.0\.1:9/);
});

test("a program's own mistake is not taken for a board's", async () => {
  const bus: UsbBus = {
    list: () => Promise.reject(new TypeError('planted')),
    open: () => Promise.reject(new TypeError('planted')),
    describe: () => 'bus',
  };
  await assert.rejects(findUsbBoards(LIBUSB, bus), /planted/);
});
