import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { type UsbBus, UsbError, type UsbErrorKind } from '../../../src/radio/usb/usb.ts';
import { COUNTER_NUMBERS, CounterDevice, counterBytes, ECHO, KEPT, NAK, STALL } from './counter-device.ts';

/** What every bus owes to a driver, tested on a device that counts. */

const IN = 0xc0;
const OUT = 0x40;
const control = (requestType: number, request: number, value = 0, index = 0) => ({
  requestType,
  request,
  value,
  index,
});

export function isUsb(kind: UsbErrorKind): (error: unknown) => boolean {
  return (error) => error instanceof UsbError && error.kind === kind;
}

/** Makes a bus with these boards; the test's end takes it down. */
export type MakeBus = (t: TestContext, ports: readonly UsbPort[]) => Promise<UsbBus>;

export async function openOne(t: TestContext, makeBus: MakeBus) {
  const counter = new CounterDevice();
  const port = new UsbPort(counter);
  const bus = await makeBus(t, [port]);
  const [board] = await bus.list([COUNTER_NUMBERS]);
  const device = await bus.open(board);
  t.after(() => device.close());
  return { counter, port, bus, device };
}

export function busContract(name: string, makeBus: MakeBus): void {
  test(`${name}: control requests: data both ways, stall, time-out, and the device works afterwards`, async (t) => {
    const { device } = await openOne(t, makeBus);
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
    await assert.rejects(device.claim(1), UsbError);
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

  test(`${name}: bulk transfers: many under way arrive in order and whole; cancel ends only its endpoint`, async (t) => {
    const { device, counter } = await openOne(t, makeBus);
    await device.claim(0);
    let index = 0;
    for (let round = 0; round < 2; round++) {
      const buffers = Array.from({ length: 24 }, (_, i) => new Uint8Array(i % 3 === 0 ? 30_000 : 512));
      const under = buffers.map((buffer) => device.bulkIn(0x81, buffer, 0));
      counter.allow(buffers.reduce((sum, buffer) => sum + buffer.length, 0));
      const lengths = await Promise.all(under);
      for (const [i, buffer] of buffers.entries()) {
        assert.equal(lengths[i], buffer.length);
        assert.equal(Buffer.compare(buffer, counterBytes(index, buffer.length)), 0, `transfer ${i}`);
        index += buffer.length;
      }
    }
    counter.room = 0;
    const sent = [1, 2, 3].map((fill) => device.bulkOut(0x02, new Uint8Array(70_000).fill(fill), 0));
    const read = device.bulkIn(0x81, new Uint8Array(512), 0);
    counter.allow(0, 140_000);
    assert.deepEqual(await Promise.all(sent.slice(0, 2)), [70_000, 70_000]);
    await Promise.all([assert.rejects(sent[2], isUsb('cancelled')), device.cancel(0x02)]);
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
    counter.allow(512);
    assert.equal(await device.bulkIn(0x81, new Uint8Array(512), 5000), 512, 'a cancelled transfer takes nothing');
    await assert.rejects(device.bulkIn(0x81, new Uint8Array(2 ** 25), 0), UsbError);
    counter.stall();
    await assert.rejects(device.bulkIn(0x81, new Uint8Array(512), 5000), isUsb('stall'));
  });

  test(`${name}: a pulled board: everything pending and later is gone, said once; plugged in again it opens`, async (t) => {
    const { device, port, bus } = await openOne(t, makeBus);
    let gone = 0;
    device.onGone(() => gone++);
    const pending: Promise<unknown>[] = [
      device.bulkIn(0x81, new Uint8Array(512), 0),
      device.bulkIn(0x81, new Uint8Array(512), 60_000),
      device.controlIn(control(IN, NAK), 4, 60_000),
    ];
    const ended = Promise.all(pending.map((promise) => assert.rejects(promise, isUsb('gone'))));
    port.unplug();
    await ended;
    await assert.rejects(device.controlIn(control(IN, ECHO), 4), isUsb('gone'));
    await assert.rejects(device.bulkOut(0x02, new Uint8Array(4), 0), isUsb('gone'));
    await assert.rejects(device.claim(0), isUsb('gone'));
    await device.close();
    assert.equal(gone, 1);
    assert.deepEqual(await bus.list([COUNTER_NUMBERS]), []);
    port.plug();
    const [board] = await bus.list([COUNTER_NUMBERS]);
    const again = await bus.open(board);
    assert.equal((await again.controlIn(control(IN, ECHO), 4)).length, 4);
    await again.close();
  });

  test(`${name}: close ends what is under way, and the board can be opened again`, async (t) => {
    const { device, bus } = await openOne(t, makeBus);
    await device.claim(0);
    const pending = [device.bulkIn(0x81, new Uint8Array(512), 0), device.controlIn(control(IN, NAK), 4, 60_000)];
    const ended = pending.map((promise) => assert.rejects(promise, UsbError));
    await Promise.all([device.close(), device.close(), ...ended]);
    await assert.rejects(device.controlIn(control(IN, ECHO), 4), isUsb('gone'));
    const [board] = await bus.list([COUNTER_NUMBERS]);
    const again = await bus.open(board);
    await again.close();
  });
}
