import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../../src/experiment/telemetry/pace.ts';

/** Time that goes by only where somebody sleeps. */
function clock() {
  let nowMs = 1000;
  return {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
    late: (ms: number) => {
      nowMs += ms;
    },
  };
}

test('simulated time goes at the pace that was asked for, and never faster to make up for what was late', async () => {
  const time = clock();
  const pace = new Pace(0.05, new AbortController().signal, time);
  await pace.due(2);
  assert.equal(time.nowMs(), 1000, 'it begins at once');
  await pace.due(2.01);
  assert.ok(Math.abs(time.nowMs() - 1200) < 1e-6);
  time.late(10_000);
  await pace.due(2.02);
  const atMs = time.nowMs();
  await pace.due(2.03);
  assert.ok(Math.abs(time.nowMs() - atMs - 200) < 1e-6, 'the same pace from there on');
});

test('nothing is held back once the run is to stop', async () => {
  const controller = new AbortController();
  const time = clock();
  const pace = new Pace(0.001, controller.signal, {
    ...time,
    sleep: (ms) => {
      controller.abort();
      return time.sleep(ms);
    },
  });
  await pace.due(0);
  await pace.due(1e6);
  assert.ok(time.nowMs() < 1100);
});
