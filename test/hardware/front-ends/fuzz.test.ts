import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteQueue } from '../../../hardware/emulated/front-ends/byte-queue.ts';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { UsbRedirServer } from '../../../hardware/emulated/front-ends/usbredir.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { Peer, until } from './peer.ts';
import { BULK_IN, TestDevice, TestRequest } from './test-device.ts';
import { operation, submit, UsbIpClient } from './usbip-client.ts';
import { UsbRedirClient } from './usbredir-client.ts';

/** Bytes that begin as messages do, so that the fuzz gets behind the first check. */
const word = fc.oneof(fc.constantFrom(0, 1, 2, 3, 0x81, 48, 0x10001, 0xffff_ffff), fc.nat(0xffff_ffff));

const garbage = fc.uint8Array({ maxLength: 600 });

const usbipMessage = fc.oneof(
  garbage.map((bytes) => Buffer.from(bytes)),
  fc.array(word, { minLength: 1, maxLength: 14 }).map((words) => {
    const bytes = Buffer.alloc(4 * words.length);
    for (const [i, value] of words.entries()) bytes.writeUInt32BE(value >>> 0, 4 * i);
    return bytes;
  }),
  fc
    .record({
      sequence: word,
      endpoint: fc.nat(17),
      isIn: fc.boolean(),
      length: fc.oneof(fc.nat(70_000), word),
      flags: word,
      command: fc.constantFrom(1, 1, 1, 2, 7),
      setup: fc.tuple(fc.nat(255), fc.nat(255), fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffff)),
      data: garbage,
    })
    .map((urb) => submit(urb)),
);

const usbredirMessage = fc.oneof(
  garbage.map((bytes) => ({ type: -1, id: 0, body: bytes })),
  fc.record({ type: fc.oneof(fc.nat(28), fc.constantFrom(100, 101, 102, 103, 104)), id: fc.nat(20), body: garbage }),
  fc.tuple(fc.nat(20), fc.constantFrom(0x81, 0x02, 0x83, 0x00, 0x80), fc.nat(70_000)).map(([id, endpoint, length]) => {
    const body = Buffer.alloc(10);
    body[0] = endpoint;
    body.writeUInt16LE(length & 0xffff, 2);
    body.writeUInt16LE(length >>> 16, 8);
    return { type: 101, id, body: new Uint8Array(body) };
  }),
);

describe('hostile peers', () => {
  const devices = [new TestDevice('serial-1'), new TestDevice('serial-2')];
  const ports = devices.map((device) => new UsbPort(device));
  let usbip: UsbIpServer;
  let usbredir: UsbRedirServer;
  before(async () => {
    const at = { host: '127.0.0.1', port: 0 };
    usbip = await UsbIpServer.listen({ boards: [{ busId: '1-1', port: ports[0] }], at });
    usbredir = await UsbRedirServer.listen({ port: ports[1], at });
  });
  after(async () => {
    await usbip.close();
    await usbredir.close();
  });

  /** The board still serves a client that behaves, and nothing of the hostile one is left. */
  async function stillServes(): Promise<void> {
    await until(() => ports.every((port) => !port.busy));
    for (const device of devices) {
      device.stallsNext = false;
      device.serve();
    }
    const first = await UsbIpClient.importing(usbip.address);
    assert.deepEqual((await first.control([0xc0, TestRequest.give, 2, 0, 2])).data, Buffer.from([0, 1]));
    first.peer.close();
    const second = await UsbRedirClient.configured(usbredir.address);
    second.bulk(1, BULK_IN, 4);
    assert.equal((await second.answer())[1], 0);
    second.peer.close();
    await until(() => ports.every((port) => !port.busy));
  }

  it('USB/IP: any bytes before and after an import, cut anywhere', async () => {
    const session = fc.tuple(fc.boolean(), fc.array(usbipMessage, { maxLength: 8 }), fc.nat(2000));
    await fc.assert(
      fc.asyncProperty(session, async ([imports, messages, cut]) => {
        const peer = await Peer.open(usbip.address);
        const bytes = Buffer.concat([...(imports ? [operation(0x8003, '1-1')] : []), ...messages]);
        peer.write(bytes.subarray(0, imports ? 40 + cut : cut));
        await settled();
        peer.close();
        await stillServes();
      }),
      { numRuns: 60 },
    );
  });

  it('usbredir: any packets after the hello, and any bytes in its place', async () => {
    const session = fc.tuple(fc.boolean(), fc.array(usbredirMessage, { maxLength: 8 }), fc.nat(0xff));
    await fc.assert(
      fc.asyncProperty(session, async ([saysHello, messages, capabilities]) => {
        if (saysHello) {
          const client = await UsbRedirClient.open(usbredir.address, capabilities);
          for (const { type, id, body } of messages) {
            if (type < 0) client.peer.write(body);
            else client.send(type, id, body);
          }
          await settled();
          client.peer.close();
        } else {
          const peer = await Peer.open(usbredir.address);
          peer.write(...messages.map(({ body }) => body));
          await settled();
          peer.close();
        }
        await stillServes();
      }),
      { numRuns: 60 },
    );
  });

  it('an importer that never reads what it asked for holds a bounded amount of memory', async () => {
    const client = await UsbIpClient.importing(usbip.address);
    client.peer.socket.pause();
    for (let i = 0; i < 400; i++) client.send({ endpoint: 1, isIn: true, length: 1 << 20 });
    await until(() => devices[0].given > 32 << 20);
    const given = devices[0].given;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(devices[0].given - given < 128 << 20);
    assert.ok(devices[0].given < 160 << 20, `${devices[0].given} bytes were taken from the device`);
    client.peer.close();
    devices[0].given = 0;
    await stillServes();
  });
});

describe('ByteQueue', () => {
  it('gives the bytes in order however they are cut', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 });
    fc.assert(
      fc.property(chunks, fc.array(fc.nat(30), { maxLength: 40 }), (pieces, takes) => {
        const queue = new ByteQueue();
        for (const piece of pieces) queue.push(piece);
        const all = Buffer.concat(pieces);
        let at = 0;
        for (const wanted of takes) {
          const count = Math.min(wanted, queue.length);
          assert.throws(() => queue.peek(queue.length + 1), RangeError);
          assert.deepEqual(queue.peek(count), all.subarray(at, at + count));
          assert.deepEqual(queue.take(count), all.subarray(at, at + count));
          at += count;
        }
        assert.equal(queue.length, all.length - at);
      }),
    );
  });
});

/** A turn of the event loop or two: what was sent has arrived on this machine. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
