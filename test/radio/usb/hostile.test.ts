import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import {
  MAX_CONFIGURATION_BYTES,
  parseConfigurationDescriptor,
  parseDeviceDescriptor,
  parseLanguage,
  parseStringDescriptor,
} from '../../../src/radio/usb/descriptors.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import { UsbipBus } from '../../../src/radio/usb/usbip-bus.ts';
import { ReplyParser, type TransferReply } from '../../../src/radio/usb/usbip-wire.ts';
import { COUNTER_NUMBERS, counterDescriptors } from './counter-device.ts';

/** What a device or a server may send: anything at all, or something valid with a few bytes changed. */
function mutations(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat({ max: valid.length - 1 }), fc.integer({ min: 0, max: 255 }));
  return fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.tuple(fc.array(change, { maxLength: 4 }), fc.nat({ max: valid.length })).map(([changes, cut]) => {
      const bytes = Uint8Array.from(valid);
      for (const [at, value] of changes) bytes[at] = value;
      return cut % 3 === 0 ? bytes.subarray(0, cut) : bytes;
    }),
  );
}

function orUsbError<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    assert.ok(error instanceof UsbError, String(error));
    return null;
  }
}

test('descriptors: whatever a device sends is read within its bounds or refused', () => {
  const { device, configuration } = counterDescriptors('0123');
  assert.deepEqual(parseDeviceDescriptor(device), {
    ...COUNTER_NUMBERS,
    bcdDevice: 0x0112,
    productString: 2,
    serialString: 3,
  });
  assert.deepEqual(parseConfigurationDescriptor(configuration), {
    value: 1,
    interfaces: [
      {
        number: 0,
        nameString: 4,
        endpoints: [
          { address: 0x81, maxPacketBytes: 512 },
          { address: 2, maxPacketBytes: 512 },
        ],
      },
    ],
  });
  let refused = 0;
  fc.assert(
    fc.property(mutations(configuration), (bytes) => {
      const parsed = orUsbError(() => parseConfigurationDescriptor(bytes));
      if (!parsed) refused++;
      else assert.ok(parsed.interfaces.length <= MAX_CONFIGURATION_BYTES / 9);
    }),
  );
  assert.ok(refused > 10);
  fc.assert(fc.property(mutations(device), (bytes) => void orUsbError(() => parseDeviceDescriptor(bytes))));
});

test('strings of a device cannot steer a terminal', () => {
  const text = (string: string) => Uint8Array.from([2 + 2 * string.length, 3, ...Buffer.from(string, 'utf16le')]);
  assert.equal(parseStringDescriptor(text('HackRF One')), 'HackRF One');
  assert.equal(parseStringDescriptor(text('a\u001b[2Jb\u009b\n\u202ec')), 'a [2Jb   c');
  assert.equal(parseStringDescriptor(Uint8Array.of(2, 3)), '');
  assert.equal(parseStringDescriptor(Uint8Array.of(200, 3, 65, 0)), 'A');
  assert.equal(parseStringDescriptor(Uint8Array.of(4, 1, 65, 0)), null);
  assert.equal(parseLanguage(Uint8Array.of(4, 3, 7, 4)), 0x0407);
  assert.equal(parseLanguage(new Uint8Array(0)), 0x0409);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 255 }), (bytes) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      assert.doesNotMatch(parseStringDescriptor(bytes) ?? '', /[\u0000-\u001f\u007f-\u009f]/);
    }),
  );
});

test('replies: however a stream is cut, the same replies and data come out', () => {
  const reply = fc.record({ command: fc.constantFrom(3, 4), data: fc.uint8Array({ maxLength: 90 }) });
  fc.assert(
    fc.property(
      fc.array(reply, { maxLength: 12 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 70 })),
      (replies, cuts) => {
        const bytes = Buffer.concat(
          replies.flatMap(({ command, data }, i) => {
            const header = Buffer.alloc(48);
            header.writeUInt32BE(command, 0);
            header.writeUInt32BE(i, 4);
            header.writeInt32BE(-i, 20);
            header.writeUInt32BE(data.length, 24);
            return command === 3 ? [header, data] : [header];
          }),
        );
        const seen: { reply: TransferReply; data: number[] }[] = [];
        let data: number[] = [];
        const parser = new ReplyParser({
          dataBytes: (next) => next.length,
          data: (_reply, offset, piece) => {
            assert.equal(offset, data.length);
            data.push(...piece);
          },
          done: (next) => {
            seen.push({ reply: next, data });
            data = [];
          },
        });
        for (let at = 0; at < bytes.length; ) {
          const cut = cuts.next().value;
          parser.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        assert.equal(seen.length, replies.length);
        for (const [i, { command, data: wanted }] of replies.entries()) {
          const length = command === 3 ? wanted.length : 0;
          assert.deepEqual(seen[i].reply, { command, sequence: i, status: -i + 0, length });
          assert.deepEqual(seen[i].data, command === 3 ? [...wanted] : []);
        }
      },
    ),
  );
});

/** A server that answers every connection with the same bytes and then waits, or closes. */
async function rawServer(t: TestContext, answer: (socket: Socket) => void): Promise<UsbipBus> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return new UsbipBus({ kind: 'usbip', host: '127.0.0.1', port }, 300);
}

const listHeader = (count: number) => Buffer.from([1, 0x11, 0, 5, 0, 0, 0, 0, 0, 0, 0, count]);

function listedDevice(): Buffer {
  const bytes = Buffer.alloc(312);
  bytes.write('/path', 0);
  bytes.write('1-1', 256);
  bytes.writeUInt16BE(COUNTER_NUMBERS.vendorId, 300);
  bytes.writeUInt16BE(COUNTER_NUMBERS.productId, 302);
  return bytes;
}

test('a server that is silent, hangs up, lies about lengths or speaks something else: a UsbError soon', async (t) => {
  const answers: [(socket: Socket) => void, RegExp][] = [
    [() => {}, /did not answer/],
    [(socket) => socket.end(), /closed the connection/],
    [(socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /version/],
    [(socket) => socket.write(listHeader(1)), /did not answer/],
    [(socket) => socket.write(Buffer.concat([listHeader(1), Buffer.alloc(312)])), /bus id/],
    [(socket) => socket.write(Buffer.from([1, 0x11, 0, 5, 0, 0, 0, 0, 255, 255, 255, 255])), /lists 4294967295/],
    [(socket) => socket.write(Buffer.from([1, 0x11, 0, 5, 0, 0, 0, 1])), /refuses to list/],
    [(socket) => socket.write(Buffer.from([1, 0x11, 0, 3, 0, 0, 0, 0])), /reply 3/],
  ];
  for (const [answer, part] of answers) {
    const bus = await rawServer(t, answer);
    await assert.rejects(bus.list([COUNTER_NUMBERS]), (error) => error instanceof UsbError && part.test(error.message));
  }
  const nowhere = new UsbipBus({ kind: 'usbip-unix', path: '/nonexistent/socket' });
  await assert.rejects(
    nowhere.list([]),
    (error) => error instanceof UsbError && /cannot be reached/.test(error.message),
  );
});

test('a server that trickles has no longer than one that is silent for two steps', async (t) => {
  const bytes = Buffer.concat([listHeader(200), ...new Array<Buffer>(200).fill(listedDevice())]);
  const bus = await rawServer(t, (socket) => {
    socket.on('error', () => {});
    let at = 0;
    const timer = setInterval(() => socket.write(bytes.subarray(at, (at += 100))), 50);
    socket.on('close', () => clearInterval(timer));
  });
  const startedMs = performance.now();
  await assert.rejects(bus.list([COUNTER_NUMBERS]), UsbError);
  // 600 ms; at 2 kB/s the list itself would take half a minute.
  assert.ok(performance.now() - startedMs < 6000);
});

test('a server that goes wrong after the import: opening ends with a UsbError', async (t) => {
  const imported = Buffer.concat([Buffer.from([1, 0x11, 0, 3, 0, 0, 0, 0]), listedDevice()]);
  const reply = (fields: (bytes: Buffer) => void, data = Buffer.alloc(0)) => {
    const header = Buffer.alloc(48);
    header.writeUInt32BE(3, 0);
    header.writeUInt32BE(1, 4);
    fields(header);
    return Buffer.concat([header, data]);
  };
  const after: (Buffer | null)[] = [
    null,
    Buffer.alloc(48, 0xff),
    reply((bytes) => bytes.writeUInt32BE(99, 4)), // a transfer that nobody waits for
    reply((bytes) => bytes.writeUInt32BE(0x7fffffff, 24)), // more data than asked for
    reply((bytes) => bytes.writeUInt32BE(19, 24), Buffer.alloc(19)), // a byte too many
    reply((bytes) => bytes.writeInt32BE(-5, 24)),
    reply((bytes) => bytes.writeUInt32BE(18, 24), Buffer.alloc(18)), // no descriptor
    reply((bytes) => bytes.writeInt32BE(-32, 20)),
    reply((bytes) => bytes.writeInt32BE(-19, 20)),
    reply((bytes) => bytes.writeUInt32BE(18, 24), Buffer.alloc(5)), // cut off, then nothing: time-out
  ];
  const board = { ...COUNTER_NUMBERS, bcdDevice: 0, product: null, serial: null, path: '1-1' };
  const opened = after.map(async (bytes) => {
    const bus = await rawServer(t, (socket) => {
      socket.write(imported);
      socket.once('data', () => (bytes ? socket.write(bytes) : socket.end()));
    });
    await assert.rejects(bus.open(board), UsbError);
  });
  await Promise.all(opened);
});

test('garbage at every stage never gets further than a UsbError', async (t) => {
  const begin = Buffer.concat([
    listHeader(1),
    listedDevice(),
    Buffer.from([1, 0x11, 0, 3, 0, 0, 0, 0]),
    listedDevice(),
  ]);
  await fc.assert(
    fc.asyncProperty(mutations(begin), async (bytes) => {
      const bus = await rawServer(t, (socket) => socket.end(bytes));
      try {
        await bus.list([COUNTER_NUMBERS]);
      } catch (error) {
        assert.ok(error instanceof UsbError, String(error));
      }
    }),
    { numRuns: 40 },
  );
});
