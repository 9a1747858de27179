import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import { UsbipBus } from '../../../src/radio/usb/usbip-bus.ts';
import { COUNTER_NUMBERS, CounterDevice, ECHO } from './counter-device.ts';

/** What happens to a connection after so many bytes of the server. */
interface Harm {
  readonly afterBytes: number;
  readonly kind: 'close' | 'stall' | 'flip';
}

const folder = tmpdir();
const serverPath = join(folder, `sct-cut-server-${process.pid}.sock`);
const proxyPath = join(folder, `sct-cut-proxy-${process.pid}.sock`);
const counter = new CounterDevice();
const port = new UsbPort(counter);
const sockets = new Set<Socket>();
let harm: Harm | null = null;
let passed = 0;

/** Passes bytes on; harms what the server sends as the test says, counted over all connections. */
const proxy = createServer((client) => {
  const server = connect(serverPath);
  for (const socket of [client, server]) {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      client.destroy();
      server.destroy();
    });
  }
  client.on('data', (bytes) => server.write(bytes));
  server.on('data', (bytes: Buffer) => {
    const at = harm ? harm.afterBytes - passed : Number.POSITIVE_INFINITY;
    passed += bytes.length;
    if (at >= bytes.length) client.write(bytes);
    else if (harm?.kind === 'flip') {
      if (at >= 0) bytes[at] ^= 0x5a;
      client.write(bytes);
    } else {
      if (at > 0) client.write(bytes.subarray(0, at));
      if (harm?.kind === 'close') client.end();
    }
  });
});
let usbip: UsbIpServer;

before(async () => {
  usbip = await UsbIpServer.listen({ boards: [{ busId: '1-1', port }], at: { path: serverPath } });
  await new Promise<void>((resolve) => proxy.listen(proxyPath, resolve));
});

after(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => proxy.close(resolve));
  await usbip.close();
});

/** Lists, opens, asks, receives and sends; every step ends in time or the test does. */
async function session(stepMs: number): Promise<void> {
  const bus = new UsbipBus({ kind: 'usbip-unix', path: proxyPath }, stepMs);
  const [board] = await bus.list([COUNTER_NUMBERS]);
  if (!board) return;
  const device = await bus.open(board);
  try {
    await device.claim(0);
    await device.controlIn({ requestType: 0xc0, request: ECHO, value: 1, index: 2 }, 4, stepMs);
    counter.allow(4096 - counter.available);
    const reads = [1, 2, 3, 4].map(() => device.bulkIn(0x81, new Uint8Array(1024), stepMs));
    const writes = [1, 2].map(() => device.bulkOut(2, new Uint8Array(700), stepMs));
    const results = await Promise.allSettled([...reads, ...writes]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  } finally {
    await device.close();
  }
}

test('without harm the session works, and this many bytes come from the server', async () => {
  passed = 0;
  await session(20_000);
  assert.ok(passed > 5000 && passed < 20_000, `${passed} bytes`);
});

test('a connection that is cut, freezes or spoils a byte anywhere: a UsbError or the result, never a hang', async () => {
  const all = passed;
  const outcomes = new Map<string, number>();
  const cases = fc.record({
    // Half of them in the first kilobyte and a half, where lists, imports and descriptors are.
    afterBytes: fc.oneof(fc.nat({ max: 1500 }), fc.nat({ max: all })),
    kind: fc.constantFrom('close' as const, 'stall' as const, 'flip' as const),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (drawn) => {
      harm = drawn;
      passed = 0;
      let outcome = 'done';
      const start = performance.now();
      try {
        await session(250);
      } catch (error) {
        assert.ok(error instanceof UsbError, String(error));
        outcome = error.kind;
      }
      // Steps of 0.25 s, of which a session has some twenty; retries while the board is busy.
      assert.ok(performance.now() - start < 60_000, 'it ends');
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      harm = null;
      for (const socket of sockets) socket.destroy();
      while (port.busy) await new Promise((resolve) => setTimeout(resolve, 2));
    }),
    { numRuns: 50, endOnFailure: true },
  );
  assert.ok(outcomes.size >= 3, JSON.stringify([...outcomes]));
  passed = 0;
  await session(20_000);
  assert.equal(passed > 5000, true, 'and the next session is as good as the first');
});
