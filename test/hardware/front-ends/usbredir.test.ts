import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsbRedirServer } from '../../../hardware/emulated/front-ends/usbredir.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { Peer, until } from './peer.ts';
import { BULK_IN, BULK_OUT, counter, TestDevice, TestRequest } from './test-device.ts';
import { UsbRedirClient } from './usbredir-client.ts';

async function withServer(
  use: (s: { address: string; device: TestDevice; port: UsbPort; problems: string[] }) => Promise<void>,
): Promise<void> {
  const device = new TestDevice();
  const port = new UsbPort(device);
  const problems: string[] = [];
  const onProblem = (text: string) => void problems.push(text);
  const server = await UsbRedirServer.listen({ port, at: { host: '127.0.0.1', port: 0 }, onProblem });
  try {
    await use({ address: server.address, device, port, problems });
  } finally {
    await server.close();
  }
}

describe('usbredir server: the board shows itself', () => {
  it('interfaces, endpoints, then the device, laid out as usbredirproto.h says', async () => {
    await withServer(async ({ address }) => {
      const client = await UsbRedirClient.open(address);
      const { body: interfaces } = await client.expect(4);
      assert.equal(interfaces.length, 132);
      assert.equal(interfaces.readUInt32LE(0), 2);
      assert.deepEqual([interfaces[4], interfaces[5]], [0, 1]);
      assert.deepEqual([interfaces[36], interfaces[37]], [0xff, 0xfe]);
      assert.deepEqual([interfaces[100], interfaces[101]], [0xff, 2]);
      const { body: endpoints } = await client.expect(5);
      assert.equal(endpoints.length, 160);
      const types = [...endpoints.subarray(0, 32)];
      assert.deepEqual(
        types.flatMap((type, i) => (type === 255 ? [] : [[i, type]])),
        [
          [0, 0],
          [2, 2],
          [16, 0],
          [17, 2],
        ],
      );
      assert.equal(endpoints.readUInt16LE(96 + 2 * 17), 512);
      const { body: device } = await client.expect(1);
      assert.deepEqual([...device], [2, 0, 0, 0, 0x09, 0x12, 0x01, 0x00, 0x07, 0x01]);
    });
  });

  it('speaks to a host without capabilities: short ids, short lengths, no packet sizes, no version', async () => {
    await withServer(async ({ address }) => {
      const client = await UsbRedirClient.open(address, 0);
      assert.equal((await client.expect(4)).body.length, 132);
      assert.equal((await client.expect(5)).body.length, 96);
      assert.equal((await client.expect(1)).body.length, 8);
      client.send(6, 1, [1]);
      for (const type of [4, 5, 8]) await client.expect(type);
      client.bulk(7, BULK_IN, 1000);
      assert.deepEqual(await client.answer(), [7, 0, 1000, Buffer.from(counter(0, 1000))]);
    });
  });

  it('one host at a time', async () => {
    await withServer(async ({ address, port, problems }) => {
      const client = await UsbRedirClient.configured(address);
      const second = await Peer.open(address);
      assert.equal((await second.end()).length, 0);
      assert.match(problems.join(), /has another host/);
      client.peer.close();
      await until(() => !port.busy);
      (await UsbRedirClient.configured(address)).peer.close();
    });
  });
});

describe('usbredir server: requests', () => {
  it('configuration and alternate settings', async () => {
    await withServer(async ({ address }) => {
      const client = await UsbRedirClient.configured(address);
      client.send(7, 2);
      assert.deepEqual([...(await client.expect(8)).body], [0, 1]);
      client.send(9, 3, [1, 1]);
      await client.expect(4);
      assert.equal((await client.expect(5)).body[19], 2, 'endpoint 83 is there now');
      assert.deepEqual([...(await client.expect(11)).body], [0, 1, 1]);
      client.send(10, 4, [1]);
      assert.deepEqual([...(await client.expect(11)).body], [0, 1, 1]);
      client.send(9, 5, [1, 9]);
      assert.deepEqual([...(await client.expect(11)).body], [4, 1, 9]);
      client.send(6, 6, [5]);
      assert.deepEqual([...(await client.expect(8)).body], [4, 1]);
      client.send(3, 0);
      client.send(7, 7);
      assert.deepEqual([...(await client.expect(8)).body], [0, 0]);
    });
  });

  it('control packets: data, done, STALL, a model that throws, lengths that do not fit', async () => {
    await withServer(async ({ address, device, problems }) => {
      const client = await UsbRedirClient.configured(address);
      const ask = async (setup: readonly number[], data?: Uint8Array) => {
        client.control(9, setup, data);
        const { id, body } = await client.expect(100);
        assert.equal(id, 9);
        return [body[3], body.readUInt16LE(8), ...body.subarray(10)];
      };
      assert.deepEqual(await ask([0x80, 6, 0x0100, 0, 64]), [0, 18, ...device.descriptors.device]);
      assert.deepEqual(await ask([0x40, TestRequest.keep, 0, 0, 2], Uint8Array.of(5, 6)), [0, 2]);
      assert.deepEqual(await ask([0x40, 99, 0, 0, 0]), [4, 0]);
      assert.deepEqual(await ask([0xc0, TestRequest.throws, 0, 0, 4]), [3, 0]);
      assert.deepEqual(await ask([0x40, TestRequest.keep, 0, 0, 3], Uint8Array.of(5, 6)), [2, 0]);
      assert.match(problems.join(), /the model is wrong here/);
      assert.deepEqual(device.kept, [Uint8Array.of(5, 6)]);
    });
  });

  it('bulk transfers queue, are served in order, and can be cancelled without loss', async () => {
    await withServer(async ({ address, device }) => {
      const client = await UsbRedirClient.configured(address);
      device.isGiving = false;
      for (const [id, length] of [
        [10, 100_000],
        [11, 64],
        [12, 8],
      ])
        client.bulk(id, BULK_IN, length);
      client.bulk(13, BULK_OUT, 3, Uint8Array.of(1, 2, 3));
      assert.deepEqual(await client.answer(), [13, 0, 3, Buffer.alloc(0)]);
      client.send(21, 11);
      assert.deepEqual(await client.answer(), [11, 1, 0, Buffer.alloc(0)]);
      device.isGiving = true;
      device.serve();
      assert.deepEqual(await client.answer(), [10, 0, 100_000, Buffer.from(counter(0, 100_000))]);
      assert.deepEqual(await client.answer(), [12, 0, 8, Buffer.from(counter(100_000, 8))]);
      client.send(21, 12); // done already: no answer
      device.stallsNext = true;
      client.bulk(14, BULK_IN, 8);
      assert.equal((await client.answer())[1], 4);
      client.bulk(15, BULK_OUT, 5, Uint8Array.of(1));
      assert.equal((await client.answer())[1], 2);
    });
  });

  it('interrupt endpoints answer NAK, isochronous ones are not there', async () => {
    await withServer(async ({ address }) => {
      const client = await UsbRedirClient.configured(address);
      client.send(15, 1, [0x84]);
      assert.deepEqual([...(await client.expect(17)).body], [0, 0x84]);
      client.send(12, 2, [0x85, 1, 1]);
      assert.deepEqual([...(await client.expect(14)).body], [4, 0x85]);
      client.send(103, 3, [0x05, 0, 0, 0]);
      assert.equal((await client.expect(103)).body[1], 4);
    });
  });
});

describe('usbredir server: cable', () => {
  it('unplug tells the host; a board that comes back waits until the host has let go', async () => {
    await withServer(async ({ address, device, port }) => {
      const client = await UsbRedirClient.configured(address);
      device.isGiving = false;
      client.bulk(20, BULK_IN, 8);
      client.send(7, 21);
      await client.expect(8);
      port.unplug();
      await client.expect(2);
      port.plug();
      client.bulk(22, BULK_IN, 8); // meant for the board before
      client.send(24, 0);
      for (const type of [4, 5, 1]) await client.expect(type);
      device.isGiving = true;
      client.send(6, 23, [1]);
      for (const type of [4, 5, 8]) await client.expect(type);
      client.bulk(24, BULK_IN, 8);
      assert.deepEqual(await client.answer(), [24, 0, 8, Buffer.from(counter(0, 8))]);
    });
  });

  it('a host that connects while the cable is out waits for the board', async () => {
    await withServer(async ({ address, port }) => {
      port.unplug();
      const client = await UsbRedirClient.open(address);
      client.send(7, 1);
      port.plug();
      for (const type of [4, 5, 1]) await client.expect(type);
    });
  });

  it('a host that goes away takes its transfers with it, and the device is reset', async () => {
    await withServer(async ({ address, device, port }) => {
      const client = await UsbRedirClient.configured(address);
      device.isGiving = false;
      client.bulk(1, BULK_IN, 8);
      client.send(7, 2);
      await client.expect(8);
      const resets = device.log.filter((line) => line === 'reset').length;
      client.peer.close();
      await until(() => !port.busy);
      assert.equal(device.log.filter((line) => line === 'reset').length, resets + 1);
      device.isGiving = true;
      device.serve();
      assert.equal(device.given, 0);
    });
  });
});
