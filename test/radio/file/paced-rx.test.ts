import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import type { WaitClock } from '../../../src/common/wait-clock.ts';
import { FileRadio } from '../../../src/radio/file/file-radio.ts';
import { openRadio } from '../../../src/radio/open-radio.ts';
import { exactLoss, type LossRecord } from '../../../src/radio/radio.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { noiseBlock, temporaryFolder } from '../helpers.ts';

const RATE_HZ = 100_000;

/** Time that passes only where somebody waits or says so. */
function fakeClock(): WaitClock & { now: number } {
  const clock = {
    now: 0,
    nowMs: () => clock.now,
    sleep: async (ms: number) => {
      clock.now += ms;
    },
  };
  return clock;
}

/** 70 000 samples from index 1000 on, of which 5000 in the middle never came: 0.75 s. */
async function capture(t: TestContext): Promise<string> {
  const path = join(await temporaryFolder(t), 'c');
  const writer = await CaptureWriter.create(path, {
    format: 'ci8',
    fullScale: 128,
    rateHz: RATE_HZ,
    frequencyHz: null,
    hardware: 'test',
  });
  await writer.write({ ...noiseBlock('ci8', 1, 40_000), index: 1000 });
  await writer.write({ ...noiseBlock('ci8', 2, 30_000), index: 46_000, lostBefore: exactLoss(41_000, 46_000) });
  await writer.close();
  return path;
}

test('a capture is played again and again: indices go on, gaps stay where they are', async (t) => {
  const path = await capture(t);
  const rx = await new FileRadio(path, { play: { loops: 3 } }).openRx();
  let next = 1000;
  const losses: LossRecord[] = [];
  let first: Int8Array | undefined;
  let starts = 0;
  for await (const block of rx) {
    next += block.lostBefore?.min ?? 0;
    assert.equal(block.index, next);
    if (block.lostBefore) losses.push(block.lostBefore);
    if ((block.index - 1000) % 75_000 === 0) {
      first ??= block.data as Int8Array;
      assert.deepEqual(block.data, first);
      starts++;
    }
    next += block.data.length / 2;
  }
  assert.equal(starts, 3);
  assert.equal(next, 1000 + 3 * 75_000);
  assert.deepEqual(
    losses,
    [0, 75_000, 150_000].map((by) => exactLoss(41_000 + by, 46_000 + by)),
  );
  assert.deepEqual([rx.counters.samples, rx.counters.lostMax, rx.ended], [210_000, 15_000, 'source-ended']);
});

test('at a pace nothing comes before its time, and all of it takes the time of the capture', async (t) => {
  for (const pace of [0.5, 1, 4]) {
    const clock = fakeClock();
    const radio = new FileRadio(await capture(t), { play: { pace, loops: 2 }, clock });
    assert.equal(radio.capabilities.realtime, true);
    for await (const block of await radio.openRx()) {
      const streamS = (block.index + block.data.length / 2 - 1000) / RATE_HZ;
      assert.ok((clock.now / 1e3) * pace >= streamS - 1e-9, `${clock.now} ms for ${streamS} s`);
    }
    const askedMs = (1e3 * 1.5) / pace;
    assert.ok(clock.now >= askedMs - 1e-6 && clock.now <= askedMs + 2, `${clock.now} for ${askedMs}`);
  }
});

test('a slow reader loses whole blocks, counted and located; the rest is as it was', async (t) => {
  const clock = fakeClock();
  const rx = await new FileRadio(await capture(t), { play: { pace: 1, loops: 8 }, clock }).openRx();
  let next = 1000;
  let lost = 0;
  let blocks = 0;
  for await (const block of rx) {
    const loss = block.lostBefore;
    if (loss) {
      assert.equal(loss.exact, true);
      assert.equal(loss.to, block.index);
      lost += loss.max;
      next += loss.max;
    }
    assert.equal(block.index, next);
    next += block.data.length / 2;
    if (++blocks === 4) clock.now += 2500;
  }
  assert.ok(lost - 8 * 5000 >= 1.4 * RATE_HZ, `${lost} lost`);
  assert.equal(rx.counters.samples + rx.counters.lostMax, 8 * 75_000);
  assert.equal(rx.counters.lostMax, lost);
});

test('what has no pace is refused, and so is sending at one', async (t) => {
  const path = await capture(t);
  const writer = await CaptureWriter.create(`${path}2`, {
    format: 'ci8',
    fullScale: 128,
    rateHz: RATE_HZ,
    frequencyHz: null,
    hardware: 'test',
  });
  await writer.write(noiseBlock('ci8', 1, 1000));
  await writer.flush();
  const growing = await openRadio(`file:${path}2?pace=1`);
  await assert.rejects(growing.openRx({}), (e) => e instanceof UsageError && /still being written/.test(e.message));
  await writer.close();
  const radio = await openRadio(`file:${path}?pace=1&loop=2`);
  assert.equal(radio.uri, `file:${path}?pace=1&loop=2`);
  await assert.rejects(radio.openRx({ rateHz: 5 }), /100000 samples a second, not 5/);
  await assert.rejects(radio.openTx({ rateHz: RATE_HZ }), /for receiving/);
  await assert.rejects((await openRadio(`file:${path}9?pace=1`)).openRx({}), /cannot read/);
});

test('closing ends it, and twice is once', async (t) => {
  const rx = await new FileRadio(await capture(t), { play: { loops: 1_000_000 } }).openRx();
  let blocks = 0;
  for await (const _ of rx) if (++blocks === 3) await rx.close();
  assert.equal(blocks, 3);
  assert.equal(rx.ended, 'closed');
  await rx.close();
});
