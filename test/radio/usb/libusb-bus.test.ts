import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { openBoard } from '../../../src/radio/usb/bus.ts';
import { LibusbBus } from '../../../src/radio/usb/libusb-bus.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import { busContract, isUsb } from './bus-contract.ts';
import { COUNTER_NUMBERS, CounterDevice, ECHO } from './counter-device.ts';
import { FakeLibusb } from './fake-libusb.ts';

busContract('libusb', async (_t, ports) => {
  const fake = new FakeLibusb(ports);
  return new LibusbBus(async () => fake.libusb);
});

function twoBoards() {
  const fake = new FakeLibusb(['0aa1', '0ab1'].map((serial) => new UsbPort(new CounterDevice(serial))));
  return { fake, bus: new LibusbBus(async () => fake.libusb) };
}
const WANTED = { bus: { kind: 'libusb' }, wanted: [COUNTER_NUMBERS], name: 'Counter' } as const;

test('boards are listed without disturbing one that is open, and opened by serial', async () => {
  const { fake, bus } = twoBoards();
  const first = await openBoard({ ...WANTED, serial: 'aa1' }, bus);
  const listed = await bus.list([COUNTER_NUMBERS]);
  assert.deepEqual(
    listed.map((board) => [board.serial, board.path, board.product, board.bcdDevice]),
    [
      ['0aa1', '1-1', 'Counter', 0x0112],
      ['0ab1', '1-2', 'Counter', 0x0112],
    ],
  );
  assert.equal((await first.controlIn({ requestType: 0xc0, request: ECHO, value: 0, index: 0 }, 4)).length, 4);
  await assert.rejects(bus.open(listed[0]), isUsb('busy'));
  await assert.rejects(openBoard({ ...WANTED, serial: null }, bus), /2 Counter boards/);
  await first.close();
  assert.equal(fake.devices[0].link, null, 'it was let go');
  await assert.rejects(bus.open({ ...listed[0], serial: '77' }), isUsb('gone'));
  await assert.rejects(bus.open({ ...listed[0], path: '9-9' }), isUsb('gone'));
});

test('no permission, no library, an interface in use: the kind and what to do', async () => {
  const { fake, bus } = twoBoards();
  fake.devices[0].denied = true;
  const [board] = await bus.list([COUNTER_NUMBERS]);
  assert.deepEqual([board.serial, board.product], [null, null]);
  await assert.rejects(
    bus.open(board),
    (error) =>
      error instanceof UsbError &&
      error.kind === 'permission' &&
      /hardware\/udev\/60-sct\.rules/.test(error.hint ?? ''),
  );
  await assert.rejects(openBoard({ ...WANTED, serial: '0aa1' }, bus), isUsb('permission'));
  fake.devices[1].taken.add(0);
  fake.devices[1].configDescriptor = undefined;
  const second = await openBoard({ ...WANTED, serial: '0ab1' }, bus);
  assert.deepEqual(fake.devices[1].configurations, [1], 'a device that is not configured is');
  await assert.rejects(second.claim(0), isUsb('busy'));
  await second.controlOut({ requestType: 0x02, request: 1, value: 0, index: 0x81 });
  assert.deepEqual(fake.devices[1].halts, [0x81], 'the library clears a halt, since it keeps the toggle');
  await second.close();
  fake.initError = -99;
  for (const broken of [
    bus,
    new LibusbBus(async () => {
      throw new Error('libudev.so.1: cannot open shared object file');
    }),
  ]) {
    await assert.rejects(
      broken.list([COUNTER_NUMBERS]),
      (error) => error instanceof UsbError && error.kind === 'no-library' && /libudev1/.test(error.hint ?? ''),
    );
  }
});

test('an idle board that is pulled is noticed', async () => {
  const { fake, bus } = twoBoards();
  const device = await openBoard({ ...WANTED, serial: 'aa1' }, bus);
  const gone = new Promise<void>((resolve) => device.onGone(resolve));
  fake.devices[0].port.unplug();
  const keepAlive = setTimeout(() => {}, 20_000);
  await gone;
  clearTimeout(keepAlive);
  await device.close();
});

test('the real library: loads, lists, and says when a board is not there', async () => {
  try {
    assert.ok(Array.isArray(await new LibusbBus().list([])));
    await assert.rejects(
      openBoard({ ...WANTED, wanted: [{ vendorId: 1, productId: 1 }], serial: null }),
      isUsb('gone'),
    );
  } catch (error) {
    assert.ok(isUsb('no-library')(error), String(error));
  }
});
