import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { openBoard, type UsbipSpec } from '../../../src/radio/usb/bus.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import { UsbipBus } from '../../../src/radio/usb/usbip-bus.ts';
import { busContract, isUsb, type MakeBus, openOne } from './bus-contract.ts';
import { COUNTER_NUMBERS, CounterDevice, ECHO } from './counter-device.ts';

async function serve(t: TestContext, ports: readonly UsbPort[], unixName?: string) {
  const boards = ports.map((port, i) => ({ busId: `1-${i + 1}`, port }));
  const path = unixName && join(tmpdir(), `${unixName}-${process.pid}.sock`);
  const server = await UsbIpServer.listen({ boards, at: path ? { path } : { host: '127.0.0.1', port: 0 } });
  t.after(() => server.close());
  const port = Number(server.address.split(':').at(-1));
  const spec: UsbipSpec = path ? { kind: 'usbip-unix', path } : { kind: 'usbip', host: '127.0.0.1', port };
  return { server, spec, bus: new UsbipBus(spec) };
}

const oneServer: MakeBus = async (t, ports) => (await serve(t, ports)).bus;

busContract('USB/IP', oneServer);

test('boards are listed with their strings, opened by serial or its end; over TCP and a UNIX socket', async (t) => {
  for (const unixName of [undefined, 'sct-usbip-test']) {
    const ports = ['000aa1', '000AB1'].map((serial) => new UsbPort(new CounterDevice(serial)));
    const { bus, spec } = await serve(t, ports, unixName);
    const listed = await bus.list([COUNTER_NUMBERS]);
    assert.deepEqual(listed, [
      { ...COUNTER_NUMBERS, bcdDevice: 0x0112, product: 'Counter', serial: '000aa1', path: '1-1' },
      { ...COUNTER_NUMBERS, bcdDevice: 0x0112, product: 'Counter', serial: '000AB1', path: '1-2' },
    ]);
    assert.deepEqual(await bus.list([{ vendorId: 1, productId: 2 }]), []);
    const wanted = { bus: spec, wanted: [COUNTER_NUMBERS], name: 'Counter' };
    const device = await openBoard({ ...wanted, serial: 'ab1' });
    assert.equal(device.board.serial, '000AB1');
    await device.close();
    for (const [serial, part] of [
      [null, /2 Counter boards.*000aa1/],
      ['1', /fits 2 Counter boards: 000aa1/],
      ['77', /no Counter with serial 77.*there: 000aa1/],
    ] as const) {
      await assert.rejects(openBoard({ ...wanted, serial }), part);
    }
    const again = await openBoard({ ...wanted, serial: '000ab1' });
    await again.close();
  }
});

test('a board that is in use is busy, and is listed without its strings', async (t) => {
  const { bus } = await openOne(t, oneServer);
  const [board] = await bus.list([COUNTER_NUMBERS]);
  assert.equal(board.serial, null);
  await assert.rejects(bus.open(board), isUsb('busy'));
  // Whose serial cannot be read need not be the one that is wanted.
  const wanted = { wanted: [COUNTER_NUMBERS], serial: 'dead', name: 'counter' };
  await assert.rejects(openBoard({ ...wanted, bus: { kind: 'libusb' } }, bus), (error: unknown) => {
    assert.ok(error instanceof UsbError && error.kind === 'gone');
    return /no counter with serial dead .*one in use or not readable at/.test(error.message);
  });
});

test('a server that dies: everything pending and later is gone', async (t) => {
  const { spec, server } = await serve(t, [new UsbPort(new CounterDevice())]);
  const device = await openBoard({ bus: spec, wanted: [COUNTER_NUMBERS], serial: null, name: 'Counter' });
  const pending = assert.rejects(device.bulkIn(0x81, new Uint8Array(512), 0), isUsb('gone'));
  const gone = new Promise<void>((resolve) => device.onGone(resolve));
  await server.close();
  await Promise.all([pending, gone]);
  await assert.rejects(device.controlIn({ requestType: 0xc0, request: ECHO, value: 0, index: 0 }, 4), isUsb('gone'));
  await device.close();
});
