import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBoard } from './helpers.ts';

function plan(stepHz: number, offsetHz: number, style: number, ranges: readonly (readonly [number, number])[]) {
  const view = new DataView(new ArrayBuffer(9 + 4 * ranges.length));
  view.setUint32(0, stepHz, true);
  view.setUint32(4, offsetHz, true);
  view.setUint8(8, style);
  ranges.forEach(([low, high], i) => {
    view.setUint16(9 + 4 * i, low, true);
    view.setUint16(11 + 4 * i, high, true);
  });
  return new Uint8Array(view.buffer);
}

async function sweep(apiVersion: number, bytesPerStep: number, data: Uint8Array, blocks: number) {
  const opened = await openBoard({ apiVersion, rxCounter: true });
  await opened.setRate(20e6);
  await opened.out(26, bytesPerStep & 0xffff, bytesPerStep >> 16, data);
  await opened.setMode(5);
  const bytes = new Uint8Array(0x4000 * blocks);
  const read = opened.usb.bulkIn(0x81, bytes, 0);
  await opened.clock.advance((blocks * 3 * 0x2000) / 20e6 + 0.01);
  await read;
  const view = new DataView(bytes.buffer);
  return {
    ...opened,
    frequencies: Array.from({ length: blocks }, (_, i) => Number(view.getBigUint64(0x4000 * i + 2, true)) / 1e6),
    marks: Array.from({ length: blocks }, (_, i) => view.getUint16(0x4000 * i)),
    // Counter at sample 100 of each block.
    times: Array.from({ length: blocks }, (_, i) => view.getUint16(0x4000 * i + 200, true)),
  };
}

test('blocks carry their frequency, one in three is sent, and steps go through all ranges and around', async () => {
  for (const apiVersion of [0x0107, 0x0112]) {
    const ranges = [[100, 160] as const, [2400, 2440] as const];
    const { frequencies, marks, times, m0 } = await sweep(apiVersion, 0x4000, plan(20e6, 7_500_000, 0, ranges), 12);
    assert.deepEqual(frequencies, [100, 120, 140, 2400, 2420, 100, 120, 140, 2400, 2420, 100, 120]);
    assert.ok(marks.every((mark) => mark === 0x7f7f));
    times.forEach((n, i) => {
      assert.equal(n, (100 + i * 3 * 0x2000) & 0xffff);
    });
    assert.equal((await m0()).error, 0);
  }
});

test('several blocks a step; interleaved steps are a quarter and three quarters', async () => {
  const two = await sweep(0x0107, 0x8000, plan(10e6, 0, 0, [[1000, 1030]]), 8);
  assert.deepEqual(two.frequencies, [1000, 1000, 1010, 1010, 1020, 1020, 1000, 1000]);
  // hackrf_sweep's way: steps of 20 MHz seen twice, 5 MHz apart.
  const interleaved = await sweep(0x0107, 0x4000, plan(20e6, 7_500_000, 1, [[2400, 2440]]), 6);
  assert.deepEqual(interleaved.frequencies, [2400, 2405, 2420, 2425, 2400, 2405]);
});

test('a slow host loses time, not blocks, and the counters say so', async () => {
  const { usb, clock, m0, board } = await sweep(0x0107, 0x4000, plan(1e6, 0, 0, [[100, 2000]]), 2);
  await clock.advance(0.5);
  const state = await m0();
  assert.equal(state.shortfalls, 1);
  assert.ok(state.longest > 0.4 * 40e6, `${state.longest}`);
  const bytes = new Uint8Array(0x8000);
  const read = usb.bulkIn(0x81, bytes, 0);
  await clock.advance(0.01);
  await read;
  const view = new DataView(bytes.buffer);
  assert.deepEqual(
    [0, 0x4000].map((at) => Number(view.getBigUint64(at + 2, true))),
    [102e6, 103e6],
  );
  assert.ok(board.inspect().lostSamples > 0);
});

test('sweeps that cannot be are refused', async () => {
  const { out } = await openBoard();
  const good = plan(20e6, 0, 0, [[100, 200]]);
  await out(26, 0x4000, 0, good);
  for (const [bytes, data, what] of [
    [0x3fff, good, 'less than a block'],
    [0x4000, plan(0, 0, 0, [[100, 200]]), 'no step'],
    [0x4000, plan(1, 0, 2, [[100, 200]]), 'style 2'],
    [0x4000, plan(1, 0, 0, []), 'no range'],
    [0x4000, plan(1, 0, 0, new Array(11).fill([1, 2])), '11 ranges'],
  ] as const) {
    await assert.rejects(out(26, bytes, 0, data), /refused/, what);
  }
});
