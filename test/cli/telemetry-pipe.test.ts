import assert from 'node:assert/strict';
import test from 'node:test';
import { TelemetryPipe } from '../../src/cli/telemetry-pipe.ts';
import { decodeFrame, type Frame } from '../../src/dashboard/frames.ts';
import type { SpectrumEvent } from '../../src/link/telemetry.ts';

/** A socket that takes nothing until it is told to. */
function slowSocket() {
  const frames: Frame[] = [];
  const socket = {
    destroyed: false,
    writableLength: 0,
    cork: () => {},
    uncork: () => {},
    on: () => socket,
    write(bytes: Uint8Array) {
      frames.push(decodeFrame(bytes));
      socket.writableLength += bytes.length;
      return false;
    },
    end(done: () => void) {
      done();
    },
  };
  return { frames, socket, pipe: new TelemetryPipe(socket as never) };
}

const spectrum = (timeS: number): SpectrumEvent => ({
  topic: 'spectrum',
  timeS,
  durationS: 1,
  centreHz: 0,
  spanHz: 1e6,
  meanDbfs: new Float32Array(65_536),
  peakDbfs: new Float32Array(65_536),
});

test('an event is a frame: arrays apart, everything else as it is', () => {
  const { pipe, frames } = slowSocket();
  pipe.tell({ ...spectrum(2.5), meanDbfs: new Float32Array([-1, -2]) });
  pipe.tell({ topic: 'loss', fromS: 1, toS: 2, min: 3, max: 4, exact: false });
  assert.deepEqual([frames[0].topic, frames[0].timeS, [...frames[0].arrays.meanDbfs]], ['spectrum', 2.5, [-1, -2]]);
  assert.deepEqual(frames[1].data, { fromS: 1, toS: 2, min: 3, max: 4, exact: false });
});

test('a watcher that takes nothing is told less, and what it must know longest', async () => {
  const { pipe, frames, socket } = slowSocket();
  for (let i = 0; i < 100; i++) pipe.tell(spectrum(i));
  assert.ok(socket.writableLength < 6e6 && pipe.leftOut > 80, `${socket.writableLength}, ${pipe.leftOut} left out`);
  pipe.tell({ topic: 'log', level: 'error', at: '', text: 'still told' });
  assert.equal(frames.at(-1)?.data.text, 'still told');
  socket.destroyed = true;
  pipe.tell({ topic: 'log', level: 'note', at: '', text: 'nobody' });
  assert.equal(frames.at(-1)?.data.text, 'still told');
  await pipe.end();
});

test('a descriptor that is none is nobody watching', () => {
  for (const fd of [undefined, '', '0', '2', '1e3', 'x', '254']) {
    assert.equal(TelemetryPipe.fromEnvironment({ SCT_TELEMETRY_FD: fd }), null, String(fd));
  }
});
