import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../../src/common/errors.ts';
import { besideModule, startWorker } from '../../../src/radio/stream/start-worker.ts';
import type { InStream } from '../../../src/radio/stream/stream-board.ts';
import { openWorkerBoard, openWorkerThread } from '../../../src/radio/stream/worker-host.ts';
import type { BoardSpec } from '../../../src/radio/usb/bus.ts';
import { UsbError, type UsbErrorKind } from '../../../src/radio/usb/usb.ts';
import { counterBytes, ECHO, NAK, STALL } from '../usb/counter-device.ts';
import { startCounter } from './counter-server.ts';

const ECHO_IN = { requestType: 0xc0, request: ECHO, value: 7, index: 0 };
const OUT = { endpoint: 2, transferBytes: 512, transfers: 3, stallMs: 0 };

const isUsb = (kind: UsbErrorKind) => (error: unknown) => error instanceof UsbError && error.kind === kind;

async function serveAndOpen(t: TestContext) {
  const served = await startCounter('worker-test');
  t.after(() => served.server.close());
  const board = await openWorkerBoard(served.spec);
  t.after(() => board.close());
  return { ...served, board };
}

/** Blocks this thread as a long computation does: no event, no promise, until a condition of shared memory holds. */
function blockUntil(condition: () => boolean, atLeastMs: number): number {
  const start = performance.now();
  const word = new Int32Array(new SharedArrayBuffer(4));
  while (performance.now() - start < atLeastMs || !condition()) {
    assert.ok(performance.now() - start < 120_000, 'the worker does not get on while this thread is blocked');
    Atomics.wait(word, 0, 0, 10);
  }
  return performance.now() - start;
}

async function countTo(stream: InStream, total: number): Promise<number> {
  let at = 0;
  while (at < total) {
    const entry = await stream.read();
    if (entry.kind === 'side') continue;
    assert.equal(entry.kind, 'bytes');
    assert.equal(entry.lostBytes, 0, 'nothing is lost');
    assert.equal(entry.index, at, 'no byte is missing');
    const { data } = entry as { data: Uint8Array };
    assert.equal(Buffer.compare(data, counterBytes(at, data.length)), 0, 'bytes are those of their index');
    at += data.length;
  }
  return at;
}

test('a board in a worker: requests, errors with their kind, transfers, a queue', async (t) => {
  const { board, counter } = await serveAndOpen(t);
  assert.equal(board.board.serial, '0123456789abcdef');
  assert.equal(board.interfaces[0].name, 'Counting');
  await board.claim(0);
  assert.deepEqual([...(await board.controlIn(ECHO_IN, 64))], [7, 0, 0, 0]);
  await assert.rejects(board.controlIn({ ...ECHO_IN, request: STALL }, 4), isUsb('stall'));
  await assert.rejects(board.controlIn({ ...ECHO_IN, request: NAK }, 4, 40), isUsb('timeout'));
  counter.allow(5000);
  const into = new Uint8Array(5000);
  assert.equal(await board.bulkIn(0x81, into, 0), 5000);
  assert.equal(Buffer.compare(into, counterBytes(0, 5000)), 0);
  const waiting = board.bulkIn(0x81, new Uint8Array(10), 0);
  await Promise.all([assert.rejects(waiting, isUsb('cancelled')), board.cancel(0x81)]);
  assert.equal(await board.bulkOut(2, Uint8Array.of(1, 2, 3), 0), 3);
  const shared = new Uint8Array(new SharedArrayBuffer(1300)).fill(4);
  const queue = await board.startOut(OUT);
  const done = await Promise.all([queue.write(shared), queue.write(new Uint8Array(7).fill(5))]);
  assert.deepEqual(
    done.map((entry) => entry.sentBytes),
    [1300, 1307],
  );
  assert.equal(queue.sentBytes, 1307);
  const wanted = Buffer.concat([Buffer.of(1, 2, 3), shared, Buffer.alloc(7, 5)]);
  assert.equal(Buffer.compare(Buffer.concat(counter.kept), wanted), 0);
  await queue.cancel();
  await assert.rejects(queue.write(new Uint8Array(1)), isUsb('cancelled'));
  await assert.rejects(board.startOut({ ...OUT, transfers: 0 }), UsageError);
  await assert.rejects(openWorkerBoard({ ...(await startElsewhere(t)), serial: 'ffff' }), isUsb('gone'));
  await board.close();
  await board.close();
  await assert.rejects(board.controlIn(ECHO_IN, 4), isUsb('gone'));
});

async function startElsewhere(t: TestContext): Promise<BoardSpec> {
  const other = await startCounter('other');
  t.after(() => other.server.close());
  return other.spec;
}

test('the main thread blocked for a second and more: 10 MB (5 Msps of 2 bytes for 1 s) arrive without loss', async (t) => {
  const bytes = 10_485_760;
  const source = startWorker(besideModule('counter-server', import.meta.url), { counterServer: { bytes, pieces: 80 } });
  const [spec] = (await once(source, 'message')) as [BoardSpec];
  const board = await openWorkerBoard(spec);
  const poll = { request: ECHO_IN, length: 4, periodMs: 50 };
  const ring = { transferBytes: 131_072, transfers: 8, ringBytes: 2 * bytes };
  const stream = await board.startIn({ endpoint: 0x81, ...ring, poll });
  const blockedMs = blockUntil(() => stream.endIndex >= bytes, 1000);
  t.diagnostic(`blocked for ${Math.round(blockedMs)} ms`);
  assert.equal(await countTo(stream, bytes), bytes);
  assert.equal(stream.lostBytes, 0);
  await board.setFarewell([{ requestType: 0x40, request: ECHO, value: 3, index: 0 }]);
  assert.equal(board.silenceNow(20_000), true, 'the farewell is sent while this thread does not give way');
  await board.close();
  source.postMessage('end');
  await once(source, 'exit');
});

test('a ring that is too small for the block: the loss is exact and located', async (t) => {
  const { board, counter } = await serveAndOpen(t);
  const stream = await board.startIn({ endpoint: 0x81, transferBytes: 4096, transfers: 4, ringBytes: 65_536 });
  counter.allow(2 ** 20);
  while (stream.endIndex < 2 ** 20) await new Promise((resolve) => setTimeout(resolve, 5));
  const lost = stream.lostBytes;
  assert.ok(lost > 2 ** 19, `${lost} lost`);
  await stream.stop();
  let at = 0;
  let entry = await stream.read();
  for (; entry.kind === 'bytes'; entry = await stream.read()) {
    assert.equal(Buffer.compare(entry.data, counterBytes(entry.index, entry.data.length)), 0);
    at = entry.index + entry.data.length;
  }
  assert.deepEqual(entry, { kind: 'end', index: 2 ** 20, lostBytes: lost, error: null });
  assert.equal(at + lost, 2 ** 20);
});

test('a pulled board: everything pending and later is gone, the stream ends after what came', async (t) => {
  const { board, counter, port } = await serveAndOpen(t);
  const stream = await board.startIn({ endpoint: 0x81, transferBytes: 512, transfers: 4, ringBytes: 65_536 });
  counter.allow(512);
  counter.room = 0;
  const queue = await board.startOut(OUT);
  const pending = [queue.write(new Uint8Array(2048)), board.controlIn({ ...ECHO_IN, request: NAK }, 4, 60_000)];
  const gone = new Promise<void>((resolve) => board.onGone(resolve));
  assert.equal((await stream.read()).kind, 'bytes');
  port.unplug();
  await Promise.all([gone, ...pending.map((promise) => assert.rejects(promise, isUsb('gone')))]);
  const end = await stream.read();
  assert.equal(end.kind === 'end' && end.error?.kind, 'gone');
  await assert.rejects(board.controlIn(ECHO_IN, 4), isUsb('gone'));
  await stream.stop();
  await queue.cancel();
});

test('tasks: without a board, failing, and one that kills its thread', async (t) => {
  const module = new URL('./tasks.ts', import.meta.url).href;
  const request = { module, ringBytes: 65_536, chunkBytes: 1000 };
  const thread = await openWorkerThread();
  const stream = await thread.startTask({ ...request, parameters: null });
  assert.equal(await countTo(stream, 1000), 1000);
  await stream.stop();
  const failing = await thread.startTask({ ...request, parameters: 'fail' });
  const end = await failing.read();
  assert.ok(end.kind === 'end' && end.error instanceof UsbError, 'the error has its class');
  assert.deepEqual(
    [end.error.kind, end.error.message, end.error.hint],
    ['stall', 'refused in the task', 'do it otherwise'],
  );
  await assert.rejects(thread.startTask({ ...request, module: 'file:///nowhere.js', parameters: null }));
  await thread.close();

  const { board, counter } = await serveAndOpen(t);
  await board.setFarewell([{ requestType: 0x40, request: ECHO, value: 3, index: 0 }]);
  const gone = new Promise<void>((resolve) => board.onGone(resolve));
  const dying = await board.startTask({ ...request, parameters: 'crash' });
  const pending = assert.rejects(board.bulkIn(0x81, new Uint8Array(10), 0), UsbError);
  let last = await dying.read();
  while (last.kind !== 'end') last = await dying.read();
  await Promise.all([gone, pending]);
  assert.equal(counter.controls.at(-1)?.value, 3, 'the farewell was sent');
  await assert.rejects(board.controlIn(ECHO_IN, 4), isUsb('gone'));
});

test('silenceNow and the end of a process: the farewell reaches the board, and nothing after it', async (t) => {
  const ends = ['exit', 'exception'].map(async (how) => {
    const { spec, counter, server } = await startCounter(how);
    t.after(() => server.close());
    counter.room = 512;
    const script = fileURLToPath(new URL('./sender.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(spec), how], { stdio: 'pipe' });
    child.stderr.resume();
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, how === 'exit' ? 0 : 1);
    const values = counter.controls.map((setup) => setup.value);
    assert.deepEqual(values.slice(-2), [1, 0xdead], how);
    counter.allow(0, 10_000);
    assert.equal(Buffer.concat(counter.kept).length, 512, 'what was not taken was cancelled');
  });
  await Promise.all(ends);
});
