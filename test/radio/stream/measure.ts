// Measures the way of samples from a USB/IP socket through the worker and its ring to the main thread; prints, asserts nothing about speed.
//   node --import tsx test/radio/stream/measure.ts rate [BYTES]    bytes and CPU seconds a second (default 400e6 bytes)
//   node --import tsx test/radio/stream/measure.ts losses [BYTES]  a reader that blocks: are losses exact and in place? (default 2e9)
// CPU seconds are those of this process (main thread and worker), not of the board's.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../../src/common/errors.ts';
import type { StreamBoard } from '../../../src/radio/stream/stream-board.ts';
import { openWorkerBoard } from '../../../src/radio/stream/worker-host.ts';
import type { BoardSpec } from '../../../src/radio/usb/bus.ts';
import { ECHO } from '../usb/counter-device.ts';
import { startCounter } from './counter-server.ts';

const TRANSFER = 262_144;
/** Bytes of a second at 20 Msps of 2 bytes. */
const SECOND_BYTES = 40e6;

/** The board: its process counts as fast as it is asked. */
async function serve(): Promise<void> {
  const { counter, spec, server } = await startCounter('measure');
  counter.available = Number.MAX_SAFE_INTEGER;
  process.send!(spec);
  process.on('disconnect', () => void server.close().then(() => process.exit()));
}

async function rate(board: StreamBoard, total: number): Promise<string> {
  const poll = { request: { requestType: 0xc0, request: ECHO, value: 0, index: 0 }, length: 4, periodMs: 50 };
  const cpu = process.cpuUsage();
  const start = performance.now();
  const stream = await board.startIn({ endpoint: 0x81, transferBytes: TRANSFER, transfers: 8, ringBytes: 64e6, poll });
  let got = 0;
  while (got < total) {
    const entry = await stream.read();
    if (entry.kind === 'bytes') got += entry.data.length;
    if (entry.kind === 'end') throw entry.error ?? new Error('the stream ended');
  }
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1000;
  const cpuOfSecond = (user + system) / 1e6 / (got / SECOND_BYTES);
  return `${(got / seconds / 1e6).toFixed(1)} MB/s; ${cpuOfSecond.toFixed(3)} CPU s for the bytes of 1 s at 20 Msps; lost ${stream.lostBytes}`;
}

async function losses(board: StreamBoard, total: number): Promise<string> {
  const stream = await board.startIn({ endpoint: 0x81, transferBytes: TRANSFER, transfers: 8, ringBytes: 8e6 });
  const word = new Int32Array(new SharedArrayBuffer(4));
  const sum = { got: 0, lost: 0, gaps: 0, wrong: 0 };
  let at = 0;
  for (let blockAt = 20e6; ; ) {
    const entry = await stream.read();
    if (entry.kind === 'side') continue;
    if (entry.index - entry.lostBytes !== at) sum.wrong++;
    sum.lost += entry.lostBytes;
    if (entry.lostBytes > 0) sum.gaps++;
    at = entry.index;
    if (entry.kind === 'end') break;
    const { data } = entry;
    at += data.length;
    sum.got += data.length;
    // Words of the stream count: the first and the last of a chunk tell where it really was.
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    if (view.getUint32(0, true) !== entry.index / 4 || view.getUint32(data.length - 4, true) !== at / 4 - 1)
      sum.wrong++;
    if (at >= total) void stream.stop();
    else if (at > blockAt) {
      blockAt = at + 30e6;
      Atomics.wait(word, 0, 0, 60);
    }
  }
  const adds = sum.got + sum.lost === at && sum.lost === stream.lostBytes;
  return `${at} bytes: ${sum.got} read, ${sum.lost} lost in ${sum.gaps} gaps; they add up: ${adds}; in the wrong place: ${sum.wrong}`;
}

async function main(what: string, bytes: string | undefined): Promise<void> {
  const measure = { rate, losses }[what];
  if (!measure) throw new UsageError('measure.ts rate|losses [BYTES]');
  const server = fork(fileURLToPath(import.meta.url), ['serve']);
  const [spec] = (await once(server, 'message')) as [BoardSpec];
  const board = await openWorkerBoard(spec);
  const text = await measure(board, Number(bytes ?? (what === 'rate' ? 400e6 : 2e9)));
  process.stdout.write(`${text}\n`);
  await board.close();
  server.disconnect();
}

if (process.argv[2] === 'serve') await serve();
else await main(process.argv[2], process.argv[3]);
