import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseListenAddress } from '../../../hardware/emulated/front-ends/listen.ts';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { Peer, until } from './peer.ts';
import { BULK_OUT, counter, TestDevice, TestRequest } from './test-device.ts';
import { DEVICE_ID, operation, UsbIpClient } from './usbip-client.ts';

const IN = { endpoint: 1, isIn: true } as const;
const OUT = { endpoint: BULK_OUT, isIn: false } as const;
const folder = mkdtempSync(join(tmpdir(), 'sct-usbip-'));
after(() => rmSync(folder, { recursive: true }));

async function withServer(
  use: (s: { address: string; devices: TestDevice[]; ports: UsbPort[]; problems: string[] }) => Promise<void>,
  at = '127.0.0.1:0',
): Promise<void> {
  const devices = [new TestDevice('serial-1'), new TestDevice('serial-2')];
  const ports = devices.map((device) => new UsbPort(device));
  const problems: string[] = [];
  const boards = ports.map((port, i) => ({ busId: `1-${i + 1}`, port }));
  const onProblem = (text: string) => void problems.push(text);
  const server = await UsbIpServer.listen({ boards, at: parseListenAddress('--usbip', at), onProblem });
  try {
    await use({ address: server.address, devices, ports, problems });
  } finally {
    await server.close();
  }
}

describe('USB/IP server: operations', () => {
  it('lists every board that is plugged in, as usbip_protocol.rst lays it out', async () => {
    await withServer(async ({ address, ports }) => {
      const peer = await Peer.open(address);
      peer.write(operation(0x8005));
      const list = await peer.end();
      assert.equal(list.toString('hex', 0, 12), '011100050000000000000002');
      assert.equal(list.length, 12 + 2 * (312 + 2 * 4));
      const first = list.subarray(12);
      assert.equal(first.toString('latin1', 0, 20), '/emulated/serial-1\0\0');
      assert.equal(first.toString('latin1', 256, 260), '1-1\0');
      assert.deepEqual(
        [288, 292, 296].map((at) => first.readUInt32BE(at)),
        [1, 1, 3],
      );
      assert.equal(first.toString('hex', 300, 306), '120900010107');
      assert.deepEqual([...first.subarray(306, 312)], [0, 0, 0, 1, 1, 2]);
      assert.equal(first.toString('hex', 312, 320), 'ffffff00fe010200');
      ports[0].unplug();
      const again = await Peer.open(address);
      again.write(operation(0x8005));
      assert.equal((await again.end()).readUInt32BE(8), 1);
    });
  });

  it('refuses an import of a board that is busy, unplugged or not there', async () => {
    await withServer(async ({ address, ports }) => {
      const client = await UsbIpClient.importing(address);
      await assert.rejects(UsbIpClient.importing(address), /import refused: 2/);
      await assert.rejects(UsbIpClient.importing(address, '1-9'), /import refused: 4/);
      ports[1].unplug();
      await assert.rejects(UsbIpClient.importing(address, '1-2'), /import refused: 4/);
      client.peer.close();
      await until(() => !ports[0].busy);
      (await UsbIpClient.importing(address)).peer.close();
    });
  });

  it('listens on a UNIX socket of this user, replaces a dead one and leaves other files alone', async () => {
    const path = join(folder, 'boards.sock');
    await withServer(async ({ address }) => {
      assert.equal(address, `unix:${path}`);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const client = await UsbIpClient.importing(address);
      assert.deepEqual((await client.control([0xc0, TestRequest.give, 3, 0, 8])).data, Buffer.from([0, 1, 2]));
      await assert.rejects(
        withServer(async () => {}, path),
        /another program listens there/,
      );
    }, path);
    const file = join(folder, 'file');
    writeFileSync(file, 'kept');
    await assert.rejects(
      withServer(async () => {}, file),
      /no socket stands there/,
    );
  });

  it('reads addresses and refuses what is none', () => {
    assert.deepEqual(parseListenAddress('--usbip', '3240'), { host: '127.0.0.1', port: 3240 });
    assert.deepEqual(parseListenAddress('--usbip', '[::1]:1'), { host: '::1', port: 1 });
    assert.deepEqual(parseListenAddress('--usbip', './x'), { path: './x' });
    for (const text of ['', '70000', 'a b:1', 'host:', '-1', 'unix:', `/${'x'.repeat(120)}`]) {
      assert.throws(() => parseListenAddress('--usbip', text), { name: 'UsageError' }, text);
    }
  });
});

describe('USB/IP server: URBs', () => {
  it('control requests: data, done, STALL; a model that throws is an error of that request', async () => {
    await withServer(async ({ address, devices, problems }) => {
      const client = await UsbIpClient.importing(address);
      const { data, actual, status } = await client.control([0x80, 6, 0x0100, 0, 64]);
      assert.deepEqual([[...data], actual, status], [[...devices[0].descriptors.device], 18, 0]);
      const kept = await client.control([0x40, TestRequest.keep, 0, 0, 2], Uint8Array.of(5, 6));
      assert.deepEqual([kept.status, kept.actual], [0, 2]);
      assert.equal((await client.control([0x40, 99, 0, 0, 0])).status, -32);
      assert.equal((await client.control([0xc0, TestRequest.throws, 0, 0, 4])).status, -71);
      assert.match(problems.join(), /the model is wrong here/);
      assert.equal((await client.control([0x23, 3, 4, 0, 0])).status, 0);
      assert.deepEqual((await client.control([0x80, 8, 0, 0, 1])).data, Buffer.from([0]), 'reset: not configured');
    });
  });

  it('bulk transfers queue at an endpoint and are served in order, while others are answered', async () => {
    await withServer(async ({ address, devices: [device] }) => {
      const client = await UsbIpClient.importing(address);
      device.isGiving = false;
      const sequences = [100_000, 512, 0, 7].map((length) => client.send({ ...IN, length }));
      const out = client.send({ ...OUT, length: 3, data: Uint8Array.of(1, 2, 3) });
      assert.deepEqual(pick(await client.next()), [out, 0, 3]);
      assert.equal((await client.control([0x80, 8, 0, 0, 1])).status, 0);
      device.isGiving = true;
      device.serve();
      let at = 0;
      for (const [i, length] of [100_000, 512, 0, 7].entries()) {
        const answer = await client.next();
        assert.deepEqual(pick(answer), [sequences[i], 0, length]);
        assert.deepEqual(answer.data, Buffer.from(counter(at, length)));
        at += length;
      }
      assert.deepEqual(device.kept, [Uint8Array.of(1, 2, 3)]);
    });
  });

  it('a short answer is an error only where the importer says so; STALL halts the endpoint', async () => {
    await withServer(async ({ address, devices: [device] }) => {
      const client = await UsbIpClient.importing(address);
      device.longestAnswer = 10;
      const short = client.send({ ...IN, length: 64 });
      assert.deepEqual(pick(await client.next()), [short, 0, 10]);
      const notOk = client.send({ ...IN, length: 64, flags: 1 });
      assert.deepEqual(pick(await client.next()), [notOk, -121, 10]);
      device.stallsNext = true;
      client.send({ ...IN, length: 64 });
      assert.equal((await client.next()).status, -32);
      client.send({ ...IN, length: 64 });
      assert.equal((await client.next()).status, -32);
      await client.control([0x02, 1, 0, 0x81, 0]);
      client.send({ ...IN, length: 4 });
      assert.equal((await client.next()).status, 0);
    });
  });

  it('UNLINK takes back what is under way, loses nothing of the stream, and answers 0 for what is done', async () => {
    await withServer(async ({ address, devices: [device] }) => {
      const client = await UsbIpClient.importing(address);
      device.isGiving = false;
      const [first, second] = [client.send({ ...IN, length: 8 }), client.send({ ...IN, length: 8 })];
      const taken = client.unlink(first);
      assert.deepEqual(await client.next(), returned(4, taken, -104));
      device.isGiving = true;
      device.serve();
      const answer = await client.next();
      assert.deepEqual([answer.sequence, answer.data], [second, Buffer.from(counter(0, 8))]);
      const late = client.unlink(second);
      assert.deepEqual(await client.next(), returned(4, late, 0));
      const open = client.send({ endpoint: 0, isIn: true, length: 4, setup: [0xc0, TestRequest.never, 0, 0, 4] });
      const unlinked = client.unlink(open);
      assert.deepEqual(await client.next(), returned(4, unlinked, -104));
      assert.equal((await client.control([0x80, 8, 0, 0, 1])).status, 0);
    });
  });

  it('more under way than the bounds: refused with ENOMEM, what is under way goes on', async () => {
    await withServer(async ({ address, devices: [device] }) => {
      const client = await UsbIpClient.importing(address);
      device.isGiving = false;
      for (let i = 0; i < 4; i++) client.send({ ...IN, length: (16 << 20) - 64 });
      client.send({ ...IN, length: 1024 });
      assert.equal((await client.next()).status, -12);
      client.unlink(2);
      await client.next();
      device.isGiving = true;
      device.longestAnswer = 16;
      device.serve();
      assert.deepEqual((await client.next()).data, Buffer.from(counter(0, 16)));
    });
  });
});

describe('USB/IP server: cable', () => {
  it('unplug answers what is pending with ENODEV and ends the connection; after plug the board comes back', async () => {
    await withServer(async ({ address, devices: [device], ports: [port] }) => {
      const client = await UsbIpClient.importing(address);
      device.isGiving = false;
      const pending = [client.send({ ...IN, length: 8 }), client.send({ ...IN, length: 8 })];
      await client.control([0x80, 8, 0, 0, 1]);
      port.unplug();
      for (const sequence of pending) assert.deepEqual(pick(await client.next()), [sequence, -19, 0]);
      assert.equal((await client.peer.end()).length, 0);
      assert.ok(device.log.includes('unplug'));
      await until(() => !port.busy);
      port.plug();
      device.isGiving = true;
      const again = await UsbIpClient.importing(address);
      again.send({ ...IN, length: 8 });
      assert.equal((await again.next()).status, 0);
    });
  });

  it('a device that leaves the bus by itself is unplugged', async () => {
    await withServer(async ({ address, ports: [port] }) => {
      const client = await UsbIpClient.importing(address);
      client.send({ endpoint: 0, isIn: false, length: 0, setup: [0x40, TestRequest.restart, 0, 0, 0] });
      await client.peer.end();
      assert.equal(port.plugged, false);
    });
  });

  it('a client that goes away takes its transfers with it, and the device is reset', async () => {
    await withServer(async ({ address, devices: [device], ports: [port] }) => {
      const client = await UsbIpClient.importing(address);
      device.isGiving = false;
      client.send({ ...IN, length: 8 });
      await client.control([0x80, 8, 0, 0, 1]);
      const resets = device.log.filter((line) => line === 'reset').length;
      client.peer.close();
      await until(() => !port.busy);
      assert.equal(device.log.filter((line) => line === 'reset').length, resets + 1);
      device.isGiving = true;
      device.serve();
      assert.equal(device.given, 0, 'nothing is taken for a client that is gone');
    });
  });

  it('protocol errors cost the client its connection and nobody else anything', async () => {
    await withServer(async ({ address, ports: [, other], problems }) => {
      const bystander = await UsbIpClient.importing(address, '1-2');
      const wrong: [RegExp, (client: UsbIpClient) => void][] = [
        [/was not imported/, (c) => c.send({ ...IN, length: 1, deviceId: DEVICE_ID('1-2') })],
        [/command 9/, (c) => c.send({ ...IN, length: 1, command: 9 })],
        [/isochronous/, (c) => c.send({ ...IN, length: 1, packets: 3 })],
        [/endpoint 16/, (c) => c.send({ ...IN, endpoint: 16, length: 1 })],
        [/bytes/, (c) => c.send({ ...IN, length: 0xffff_ffff })],
      ];
      for (const [text, act] of wrong) {
        const client = await UsbIpClient.importing(address);
        act(client);
        await client.peer.end();
        assert.match(problems.at(-1) ?? '', text);
      }
      assert.ok(other.busy);
      bystander.send({ ...IN, length: 4, deviceId: DEVICE_ID('1-2') });
      assert.equal((await bystander.next()).status, 0);
    });
  });
});

function pick(answer: { sequence: number; status: number; actual: number }) {
  return [answer.sequence, answer.status, answer.actual];
}

function returned(command: number, sequence: number, status: number) {
  return { command, sequence, status, actual: 0, data: Buffer.alloc(0) };
}
