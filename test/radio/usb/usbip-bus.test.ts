import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { openBoard, type UsbipSpec } from '../../../src/radio/usb/bus.ts';
import { type UsbDevice, UsbError, type UsbErrorKind } from '../../../src/radio/usb/usb.ts';
import { UsbipBus } from '../../../src/radio/usb/usbip-bus.ts';
import { COUNTER_NUMBERS, CounterDevice, counterBytes, ECHO, KEPT, NAK, STALL } from './counter-device.ts';

const IN = 0xc0;
const OUT = 0x40;
const control = (requestType: number, request: number, value = 0, index = 0) => ({
  requestType,
  request,
  value,
  index,
});

function isUsb(kind: UsbErrorKind): (error: unknown) => boolean {
  return (error) => error instanceof UsbError && error.kind === kind;
}

async function serve(t: TestContext, devices: readonly CounterDevice[], unixName?: string) {
  const ports = devices.map((device) => new UsbPort(device));
  const boards = ports.map((port, i) => ({ busId: `1-${i + 1}`, port }));
  const path = unixName && join(tmpdir(), `${unixName}-${process.pid}.sock`);
  const server = await UsbIpServer.listen({ boards, at: path ? { path } : { host: '127.0.0.1', port: 0 } });
  t.after(() => server.close());
  const port = Number(server.address.split(':').at(-1));
  const spec: UsbipSpec = path ? { kind: 'usbip-unix', path } : { kind: 'usbip', host: '127.0.0.1', port };
  return { server, ports, spec, bus: new UsbipBus(spec) };
}

async function openOne(t: TestContext, device: CounterDevice, unixName?: string) {
  const served = await serve(t, [device], unixName);
  const opened = await openBoard({ bus: served.spec, wanted: [COUNTER_NUMBERS], serial: null, name: 'Counter' });
  t.after(() => opened.close());
  return { ...served, device: opened };
}

test('boards are listed with their strings, opened by serial or its end; over TCP and a UNIX socket', async (t) => {
  for (const unixName of [undefined, 'sct-usbip-test']) {
    const { bus, spec } = await serve(t, [new CounterDevice('000aa1'), new CounterDevice('000AB1')], unixName);
    const listed = await bus.list([COUNTER_NUMBERS]);
    assert.deepEqual(listed, [
      { ...COUNTER_NUMBERS, bcdDevice: 0x0112, product: 'Counter', serial: '000aa1', path: '1-1' },
      { ...COUNTER_NUMBERS, bcdDevice: 0x0112, product: 'Counter', serial: '000AB1', path: '1-2' },
    ]);
    assert.deepEqual(await bus.list([{ vendorId: 1, productId: 2 }]), []);
    const wanted = { bus: spec, wanted: [COUNTER_NUMBERS], name: 'Counter' };
    const device = await openBoard({ ...wanted, serial: 'ab1' });
    assert.equal(device.board.serial, '000AB1');
    assert.deepEqual(device.interfaces, [
      {
        number: 0,
        name: 'Counting',
        endpoints: [
          { address: 0x81, maxPacketBytes: 512 },
          { address: 0x02, maxPacketBytes: 512 },
        ],
      },
    ]);
    await device.claim(0);
    await assert.rejects(device.claim(1), /no interface 1/);
    await device.close();
    await device.close();
    await assert.rejects(device.controlIn(control(IN, ECHO), 4), isUsb('gone'));
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
  const { bus } = await openOne(t, new CounterDevice());
  const [board] = await bus.list([COUNTER_NUMBERS]);
  assert.equal(board.serial, null);
  await assert.rejects(bus.open(board), isUsb('busy'));
});

test('control requests: data both ways, stall, time-out, and the device works afterwards', async (t) => {
  const { device } = await openOne(t, new CounterDevice());
  assert.deepEqual([...(await device.controlIn(control(IN, ECHO, 0x1234, 0x5678), 64))], [0x34, 0x12, 0x78, 0x56]);
  assert.deepEqual([...(await device.controlIn(control(IN, ECHO, 0x1234, 0x5678), 2))], [0x34, 0x12]);
  await device.controlOut(control(OUT, ECHO), Uint8Array.of(1, 2, 3));
  assert.deepEqual([...(await device.controlIn(control(IN, KEPT), 64))], [1, 2, 3]);
  await device.controlOut(control(OUT, ECHO));
  assert.equal((await device.controlIn(control(IN, KEPT), 64)).length, 0);
  await assert.rejects(device.controlIn(control(IN, STALL), 4), isUsb('stall'));
  await assert.rejects(device.controlOut(control(OUT, STALL), new Uint8Array(9)), isUsb('stall'));
  await assert.rejects(device.controlIn(control(IN, NAK), 4, 50), isUsb('timeout'));
  await assert.rejects(device.controlOut(control(OUT, NAK), new Uint8Array(9), 50), isUsb('timeout'));
  assert.equal((await device.controlIn(control(IN, ECHO), 4)).length, 4);
});

test('bulk transfers: many under way arrive in order and whole; out too; cancel ends only its endpoint', async (t) => {
  const counter = new CounterDevice();
  const { device } = await openOne(t, counter);
  const buffers = Array.from({ length: 32 }, (_, i) => new Uint8Array(i % 3 === 0 ? 100_000 : 512));
  const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  const under = buffers.map((buffer) => device.bulkIn(0x81, buffer, 0));
  counter.allow(total);
  const lengths = await Promise.all(under);
  assert.deepEqual(
    lengths,
    buffers.map((buffer) => buffer.length),
  );
  let index = 0;
  for (const buffer of buffers) {
    assert.ok(Buffer.from(buffer).equals(counterBytes(index, buffer.length)));
    index += buffer.length;
  }

  counter.room = 0;
  const sent = [1, 2, 3].map((fill) => device.bulkOut(0x02, new Uint8Array(70_000).fill(fill), 0));
  const read = device.bulkIn(0x81, new Uint8Array(512), 0);
  counter.allow(0, 140_000);
  assert.deepEqual(await Promise.all(sent.slice(0, 2)), [70_000, 70_000]);
  await device.cancel(0x02);
  await assert.rejects(sent[2], isUsb('cancelled'));
  assert.deepEqual(
    counter.kept.map((data) => [data.length, data[0], data[69_999]]),
    [
      [70_000, 1, 1],
      [70_000, 2, 2],
    ],
  );
  counter.allow(512);
  assert.equal(await read, 512);
  await assert.rejects(device.bulkIn(0x81, new Uint8Array(512), 40), isUsb('timeout'));
  const dropped = device.bulkIn(0x81, new Uint8Array(512), 0);
  await Promise.all([device.cancel(0x81), assert.rejects(dropped, isUsb('cancelled'))]);
  counter.stallBulk = true;
  await assert.rejects(device.bulkIn(0x81, new Uint8Array(512), 1000), isUsb('stall'));
});

test('a pulled board, a dying server: everything pending and later is gone, and said once', async (t) => {
  for (const pull of ['unplug', 'server'] as const) {
    const counter = new CounterDevice();
    const { device, ports, server, bus } = await openOne(t, counter);
    let gone = 0;
    device.onGone(() => gone++);
    const pending: Promise<unknown>[] = [
      device.bulkIn(0x81, new Uint8Array(512), 0),
      device.bulkIn(0x81, new Uint8Array(512), 60_000),
      device.controlIn(control(IN, NAK), 4, 60_000),
    ];
    const ended = Promise.all(pending.map((promise) => assert.rejects(promise, isUsb('gone'))));
    if (pull === 'unplug') ports[0].unplug();
    else await server.close();
    await ended;
    await assert.rejects(device.controlIn(control(IN, ECHO), 4), isUsb('gone'));
    await assert.rejects(device.bulkOut(0x02, new Uint8Array(4), 0), isUsb('gone'));
    await assert.rejects(device.claim(0), isUsb('gone'));
    await device.close();
    assert.equal(gone, 1);
    if (pull === 'server') continue;
    assert.deepEqual(await bus.list([COUNTER_NUMBERS]), []);
    ports[0].plug();
    const [board] = await bus.list([COUNTER_NUMBERS]);
    const again: UsbDevice = await bus.open(board);
    assert.equal((await again.controlIn(control(IN, ECHO), 4)).length, 4);
    await again.close();
  }
});
