import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { IiodClient } from '../../../src/radio/pluto/iiod-client.ts';
import { receiveLoop } from '../../../src/radio/pluto/rx-loop.ts';
import { TcpConnector } from '../../../src/radio/pluto/tcp-transport.ts';

/** A server whose connections are handled by the test. */
async function serverWith(t: TestContext, onConnection: (socket: Socket) => void): Promise<TcpConnector> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new TcpConnector('127.0.0.1', (server.address() as AddressInfo).port);
}

test('a reply that arrives byte by byte, and one larger than what is kept for a slow reader', async (t) => {
  const big = Buffer.alloc(5_000_000, 'x');
  const connector = await serverWith(t, (socket) => {
    socket.on('data', async (data) => {
      if (!data.toString().startsWith('VERSION')) {
        socket.write(`${big.length}\n00000003\n`);
        socket.write(big);
        return;
      }
      for (const character of '0.24.v0.24  \n') {
        socket.write(character);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });
  const client = new IiodClient(await connector.connect(20_000), 20_000);
  assert.equal((await client.version()).tag, 'v0.24');
  const into = new Uint8Array(big.length);
  assert.equal((await client.readBuffer('d', into)).bytes, big.length);
  assert.ok(into.every((byte) => byte === 0x78));
  await client.close();
});

test('nobody there, a frozen server, one that cuts the line: typed errors, in time', async (t) => {
  const frozen = await serverWith(t, () => {});
  const client = new IiodClient(await frozen.connect(20_000), 100);
  await assert.rejects(client.version(), { kind: 'timeout' });
  await assert.rejects(client.version(), { kind: 'gone' });

  const waiting = new IiodClient(await frozen.connect(20_000), 20_000);
  const pending = waiting.version();
  await waiting.abort();
  await assert.rejects(pending, { kind: 'gone' });

  const cutting = await serverWith(t, (socket) => {
    socket.once('data', () => socket.end('4096\n00000003\nhalf of it'));
  });
  const cut = new IiodClient(await cutting.connect(20_000), 20_000);
  await assert.rejects(cut.readBuffer('d', new Uint8Array(4096)), { kind: 'gone' });

  await assert.rejects(new TcpConnector('127.0.0.1', 1).connect(20_000), { kind: 'gone', exitCode: 3 });
  await assert.rejects(new TcpConnector('nowhere.invalid', 1).connect(20_000), { exitCode: 3 });
});

test('a receiver is stopped while the server says nothing, and a server that never delivers ends it', async (t) => {
  const config = {
    device: 'iio:device3',
    mask: [3],
    registers: null,
    bufferSamples: 64,
    kernelBuffers: 4,
    rateHz: 1e6,
    bursts: false,
    timeoutMs: 20_000,
  };
  const sink = { samples: () => assert.fail('no samples'), loss: () => true, warn: () => {} };
  const nowS = () => performance.now() / 1000;
  const silent = await serverWith(t, (socket) => {
    socket.on('data', (data) => {
      if (!data.toString().startsWith('READBUF')) socket.write('0\n');
    });
  });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  const beganMs = performance.now();
  await receiveLoop(silent, config, sink, stop.signal, nowS);
  assert.ok(performance.now() - beganMs < 15_000, 'long before its time-out');

  let reads = 0;
  const late = await serverWith(t, (socket) => {
    socket.on('data', (data) => {
      const isRead = data.toString().startsWith('READBUF');
      if (isRead) reads++;
      socket.write(isRead ? '-110\n' : '0\n');
    });
  });
  await assert.rejects(receiveLoop(late, config, sink, new AbortController().signal, nowS), { kind: 'timeout' });
  assert.equal(reads, 2, 'a late board gets one more chance, with a buffer opened anew');
});

test('a server that trickles has as long as one that is silent', async (t) => {
  const trickling = await serverWith(t, (socket) => {
    socket.once('data', () => {
      socket.write('1\n00000003\n.');
      const timer = setInterval(() => socket.write('1\n.'), 20);
      socket.on('error', () => {}).on('close', () => clearInterval(timer));
    });
  });
  const client = new IiodClient(await trickling.connect(1000), 200);
  const startedMs = performance.now();
  await assert.rejects(client.readBuffer('iio:device3', new Uint8Array(40_000)), { kind: 'timeout' });
  // 200 ms and 80 ms for the data; byte by byte it would take 13 minutes.
  assert.ok(performance.now() - startedMs < 5000);
  assert.equal(client.usable, false);
});

test('who is in a hurry does not wait longer, and leaves a connection alone that there was no time to use', async (t) => {
  const silent = await serverWith(t, () => {});
  const client = new IiodClient(await silent.connect(1000), 60_000);
  await assert.rejects(client.hurried(60_000, performance.now() - 1).version(), { kind: 'timeout' });
  assert.equal(client.usable, true);
  await assert.rejects(client.hurried(50).version(), { kind: 'timeout' });
  assert.equal(client.usable, false);
});
