import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFrame, encodeFrame, type Frame } from '../../src/dashboard/frames.ts';
import { Snapshot, stateKey } from '../../src/dashboard/snapshot.ts';

function video(frame: number, pictureBytes: number): Frame {
  const bytes = new Uint8Array(pictureBytes).fill(frame);
  return { topic: 'video', sequence: frame, timeS: 0, data: { frame }, arrays: { bytes } };
}

test('of a video a page that comes late is given the latest frame, and the latest that has a picture', () => {
  const snapshot = new Snapshot();
  const kept = () => snapshot.frames().map((bytes) => decodeFrame(bytes).data.frame);
  for (let n = 0; n < 100; n++) {
    const frame = video(n, n % 3 === 0 ? 40_000 : 0);
    snapshot.add(frame, encodeFrame(frame));
    const shown = n - (n % 3);
    assert.deepEqual(kept(), shown === n && n > 0 ? [n - 1, n] : n === 0 ? [0] : [shown, n]);
  }
  assert.equal(stateKey({ ...video(1, 0), arrays: {} }), stateKey(video(2, 0)), 'no picture, or none in it');
});
