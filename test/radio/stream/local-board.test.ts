import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { LocalBoard } from '../../../src/radio/stream/local-board.ts';
import type { InRequest, InStream, StreamEntry } from '../../../src/radio/stream/stream-board.ts';
import { UsbError, type UsbErrorKind } from '../../../src/radio/usb/usb.ts';
import { DirectUsbBus } from '../../hardware/direct-usb.ts';
import { type FaultPlan, NO_FAULTS, randomFaults } from '../../hardware/usb-faults.ts';
import { COUNTER_NUMBERS, CounterDevice, counterBytes, ECHO, NAK, STALL } from '../usb/counter-device.ts';

const TRANSFER = 1024;
const IN_REQUEST: InRequest = { endpoint: 0x81, transferBytes: TRANSFER, transfers: 4, ringBytes: 64 * TRANSFER };
const ECHO_IN = { requestType: 0xc0, request: ECHO, value: 7, index: 0 };

async function openLocal(faults: FaultPlan = NO_FAULTS) {
  const counter = new CounterDevice();
  const bus = new DirectUsbBus([counter]);
  const [info] = await bus.list([COUNTER_NUMBERS]);
  const device = await bus.open(info);
  bus.faults = faults;
  return { counter, bus, device, board: new LocalBoard(device) };
}

const isUsb = (kind: UsbErrorKind) => (error: unknown) => error instanceof UsbError && error.kind === kind;

/** Reads to the end; checks that indices and losses add up and that every byte is the one of its index. */
async function readAll(stream: InStream): Promise<{ entries: StreamEntry[]; lost: number; error: UsbError | null }> {
  const entries: StreamEntry[] = [];
  let at = 0;
  let lost = 0;
  for (;;) {
    const entry = await stream.read();
    entries.push(entry);
    if (entry.kind === 'side') continue;
    assert.equal(entry.index - entry.lostBytes, at);
    lost += entry.lostBytes;
    if (entry.kind === 'end') return { entries, lost, error: entry.error };
    assert.ok(Buffer.from(entry.data).equals(counterBytes(entry.index, entry.data.length)));
    at = entry.index + entry.data.length;
  }
}

test('a stream: in order, polled, stopped; the next one goes on', async () => {
  const { counter, board } = await openLocal();
  const begin = [{ requestType: 0x40, request: ECHO, value: 1, index: 0 }];
  const poll = { request: ECHO_IN, length: 4, periodMs: 1 };
  const stream = await board.startIn({ ...IN_REQUEST, begin, poll });
  await assert.rejects(board.startIn(IN_REQUEST), isUsb('busy'));
  counter.allow(10 * TRANSFER);
  const first = await stream.read();
  assert.equal(first.kind, 'bytes');
  assert.equal(counter.controls[0].requestType, 0x40, 'begin comes before everything else');
  for (let polls = 0, bytes = TRANSFER; polls < 3 || bytes < 10 * TRANSFER; ) {
    const entry = await stream.read();
    if (entry.kind === 'bytes') {
      assert.equal(entry.index, bytes);
      assert.equal(entry.lostBytes, 0);
      assert.ok(Buffer.from(entry.data).equals(counterBytes(bytes, TRANSFER)));
      bytes += entry.data.length;
    } else if (entry.kind === 'side') {
      polls++;
      assert.deepEqual([...entry.data!], [7, 0, 0, 0]);
      assert.ok(entry.fromIndex <= entry.toIndex && entry.askedNs <= entry.timeNs);
      assert.ok(Math.abs(Number(entry.timeNs) / 1e6 - Date.now()) < 60_000);
    } else assert.fail('the stream ended');
  }
  await stream.stop();
  await stream.stop();
  let entry = await stream.read();
  while (entry.kind !== 'end') entry = await stream.read();
  assert.deepEqual(entry, { kind: 'end', index: 10 * TRANSFER, lostBytes: 0, error: null });
  assert.deepEqual(stream.tryRead(), entry);
  const second = await board.startIn(IN_REQUEST);
  counter.allow(TRANSFER);
  assert.equal((await second.read()).kind, 'bytes');
  await board.close();
  assert.equal((await second.read()).kind, 'end');
  await assert.rejects(board.startIn(IN_REQUEST), isUsb('gone'));
});

test('a transfer that was filled after one before it was cancelled is not taken for the next bytes', async () => {
  const { device, board } = await openLocal();
  const waiting: { into: Uint8Array; done(count: number): void; fail(error: UsbError): void }[] = [];
  device.bulkIn = (_endpoint, into) =>
    new Promise((done, fail) => {
      waiting.push({ into, done, fail });
    });
  device.cancel = async () => {
    const [first, second, ...rest] = waiting.splice(0);
    first.fail(new UsbError('cancelled', 'cancelled'));
    second.done(second.into.length);
    for (const { fail } of rest) fail(new UsbError('cancelled', 'cancelled'));
  };
  const stream = await board.startIn(IN_REQUEST);
  await new Promise((resolve) => setImmediate(resolve));
  await stream.stop();
  assert.deepEqual(await stream.read(), { kind: 'end', index: 0, lostBytes: 0, error: null });
  await board.close();
});

test('a mode that is not answered in time: the second list is sent, once', async () => {
  const { device, board } = await openLocal();
  const sent: number[] = [];
  let late = 1;
  device.controlOut = async ({ value }) => {
    sent.push(value);
    if (value === 2 && late-- > 0) throw new UsbError('timeout', 'late');
  };
  const preset = (value: number) => ({ requestType: 0x40, request: ECHO, value, index: 0 });
  const request = { ...IN_REQUEST, begin: [preset(1), preset(2)], beginAgain: [preset(3), preset(2)] };
  const stream = await board.startIn(request);
  await new Promise((resolve) => setImmediate(resolve));
  await stream.stop();
  assert.deepEqual(sent, [1, 2, 3, 2]);
  late = 2;
  const failing = await board.startIn(request);
  const end = await failing.read();
  assert.ok(end.kind === 'end' && end.error?.kind === 'timeout');
  await board.close();
});

test('a reader that is too slow: losses are exact and where they were', async () => {
  const { counter, board } = await openLocal();
  const stream = await board.startIn({ ...IN_REQUEST, ringBytes: 8 * TRANSFER });
  const total = 100 * TRANSFER;
  counter.allow(total);
  while (stream.endIndex < total) await new Promise((resolve) => setImmediate(resolve));
  const early = stream.lostBytes;
  assert.ok(early > 0 && early <= total - 8 * TRANSFER);
  for (let i = 0; i < 4; i++) assert.equal((await stream.read()).kind, 'bytes');
  counter.allow(3 * TRANSFER);
  while (stream.endIndex < total + 3 * TRANSFER) await new Promise((resolve) => setImmediate(resolve));
  await stream.stop();
  let lost = 0;
  let last = 4 * TRANSFER;
  for (let entry = await stream.read(); entry.kind !== 'end'; entry = await stream.read()) {
    if (entry.kind !== 'bytes') continue;
    assert.equal(entry.index - entry.lostBytes, last);
    assert.ok(Buffer.from(entry.data).equals(counterBytes(entry.index, entry.data.length)), 'index is the true one');
    lost += entry.lostBytes;
    last = entry.index + entry.data.length;
  }
  assert.equal(lost, early);
  assert.equal(last, total + 3 * TRANSFER);
  await board.close();
});

test('silence, a stall, a pulled board end a stream with their error, after everything that came', async () => {
  for (const [kind, happen] of [
    ['timeout', () => {}],
    ['stall', ({ counter }: Opened) => counter.stall()],
    ['gone', ({ bus }: Opened) => bus.unplug()],
  ] as const) {
    const opened = await openLocal();
    const silenceMs = kind === 'timeout' ? 200 : 0;
    const stream = await opened.board.startIn({ ...IN_REQUEST, silenceMs });
    opened.counter.allow(6 * TRANSFER);
    while (stream.endIndex < 6 * TRANSFER) await new Promise((resolve) => setImmediate(resolve));
    happen(opened);
    const { entries, lost, error } = await readAll(stream);
    assert.equal(entries.length, 7);
    assert.equal(lost, 0);
    assert.equal(error?.kind, kind);
    await opened.board.close();
  }
});
type Opened = Awaited<ReturnType<typeof openLocal>>;

test('polls that are refused or late are records without data; pollNow does not wait', async () => {
  for (const request of [STALL, NAK]) {
    const { board } = await openLocal();
    const poll = { request: { ...ECHO_IN, request }, length: 4, periodMs: 1e5, timeoutMs: 30 };
    const stream = await board.startIn({ ...IN_REQUEST, poll });
    const first = await stream.read();
    stream.pollNow();
    const second = await stream.read();
    for (const entry of [first, second]) assert.equal(entry.kind === 'side' && entry.data, null);
    await stream.stop();
    await board.close();
  }
});

test('a queue: whole, in order, done when taken; cancelled; stalled', async () => {
  const { counter, board } = await openLocal();
  const queue = await board.startOut({ endpoint: 2, transferBytes: 512, transfers: 3, stallMs: 0 });
  const writes = [1300, 512, 0, 7].map((length, i) => new Uint8Array(length).fill(i + 1));
  const done = await Promise.all(writes.map((data) => queue.write(data)));
  assert.deepEqual(
    done.map((entry) => entry.sentBytes),
    [1300, 1812, 1812, 1819],
  );
  assert.deepEqual(Buffer.concat(counter.kept), Buffer.concat(writes));
  assert.deepEqual(
    counter.kept.map((piece) => piece.length),
    [512, 512, 276, 512, 7],
  );
  counter.room = 512;
  const half = queue.write(new Uint8Array(1024));
  const never = queue.write(new Uint8Array(3));
  while (queue.sentBytes < 1819 + 512) await new Promise((resolve) => setImmediate(resolve));
  await queue.cancel();
  await assert.rejects(half, isUsb('cancelled'));
  await assert.rejects(never, isUsb('cancelled'));
  await assert.rejects(queue.write(new Uint8Array(1)), isUsb('cancelled'));
  assert.equal(queue.sentBytes, 1819 + 512);

  const stalled = await board.startOut({ endpoint: 2, transferBytes: 512, transfers: 3, stallMs: 60 });
  await assert.rejects(stalled.write(new Uint8Array(600)), isUsb('timeout'));
  await stalled.cancel();
  counter.room = 1e6;
  counter.stall();
  const refused = await board.startOut({ endpoint: 2, transferBytes: 512, transfers: 3, stallMs: 0 });
  await assert.rejects(refused.write(new Uint8Array(600)), isUsb('stall'));
  await board.close();
});

test('the farewell is sent when the board is closed, after what was being sent was cancelled', async () => {
  const { counter, board } = await openLocal();
  await board.setFarewell([
    { requestType: 0x40, request: STALL, value: 0, index: 0 },
    { requestType: 0x40, request: ECHO, value: 9, index: 0 },
  ]);
  counter.room = 0;
  const queue = await board.startOut({ endpoint: 2, transferBytes: 512, transfers: 2, stallMs: 0 });
  const direct = board.bulkOut(2, new Uint8Array(10), 0);
  const unanswered = board.controlIn({ ...ECHO_IN, request: NAK }, 4, 60_000);
  const ended = [assert.rejects(queue.write(new Uint8Array(2000))), assert.rejects(direct)];
  ended.push(assert.rejects(unanswered, isUsb('cancelled')));
  await board.close();
  await Promise.all(ended);
  assert.deepEqual(
    counter.controls.map((setup) => [setup.request, setup.value]),
    [
      [NAK, 7],
      [STALL, 0],
      [ECHO, 9],
    ],
  );
  assert.equal(counter.kept.length, 0);
});

test('requests that cannot be are refused', async () => {
  const { board } = await openLocal();
  for (const wrong of [{ endpoint: 2 }, { transfers: 0 }, { transferBytes: 0 }, { ringBytes: 1 }, { silenceMs: -1 }]) {
    await assert.rejects(board.startIn({ ...IN_REQUEST, ...wrong }), UsageError);
  }
  for (const wrong of [{ endpoint: 0x81 }, { transfers: 65 }, { transferBytes: Number.NaN }]) {
    const request = { endpoint: 2, transferBytes: 512, transfers: 2, stallMs: 0, ...wrong };
    await assert.rejects(board.startOut(request), UsageError);
  }
  await board.close();
});

test('any fault at any step: what arrives is right, the end comes, nothing hangs', async () => {
  const ends = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(0.02, 0.1), async (seed, rate) => {
      // A short transfer takes less from the counter, and lost answers take bytes with them: the bytes are checked only without those.
      const kinds = ['short', 'stall', 'io', 'unplug'] as const;
      const { counter, board } = await openLocal(randomFaults({ seed, rate, kinds }));
      const poll = { request: ECHO_IN, length: 4, periodMs: 1, timeoutMs: 20 };
      const stream = await board.startIn({ ...IN_REQUEST, poll, silenceMs: 1000 });
      counter.allow(60 * TRANSFER);
      setTimeout(() => void stream.stop(), 10);
      const { error, lost } = await readAll(stream);
      assert.equal(lost, 0);
      ends.set(error?.kind ?? 'stopped', (ends.get(error?.kind ?? 'stopped') ?? 0) + 1);
      const queue = await board.startOut({ endpoint: 2, transferBytes: 512, transfers: 3, stallMs: 100 });
      try {
        await queue.write(new Uint8Array(5000));
      } catch (failure) {
        assert.ok(failure instanceof UsbError);
      }
      await board.close();
    }),
    { numRuns: 60 },
  );
  assert.ok((ends.get('stopped') ?? 0) > 0 && ends.size > 2, JSON.stringify([...ends]));
});
