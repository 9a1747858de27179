import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualAirClock, WallAirClock } from '../../../hardware/emulated/clock.ts';

test('the manual clock wakes in order of time, and lets who was woken wait again', async () => {
  const clock = new ManualAirClock();
  const seen: string[] = [];
  const ticks = async (name: string, stepS: number) => {
    for (let i = 1; i <= 3; i++) {
      await clock.at(i * stepS);
      seen.push(`${name}${clock.nowS().toFixed(2)}`);
    }
  };
  const all = Promise.all([ticks('a', 0.02), ticks('b', 0.03)]);
  await clock.advance(0.05);
  assert.deepEqual(seen, ['a0.02', 'b0.03', 'a0.04']);
  await clock.advance(1);
  await all;
  assert.deepEqual(seen.slice(3).sort(), ['a0.06', 'b0.06', 'b0.09']);
  assert.equal(clock.nowS(), 1.05);
});

test('waiting ends when it is aborted', async () => {
  for (const clock of [new ManualAirClock(), new WallAirClock(1)]) {
    const abort = new AbortController();
    const waiting = clock.at(1e6, abort.signal);
    abort.abort();
    await waiting;
    await clock.at(2e6, abort.signal);
  }
});

test('the wall clock runs at its speed and is never early', async () => {
  const clock = new WallAirClock(20);
  const before = performance.now();
  const startS = clock.nowS();
  await clock.at(startS + 1);
  assert.ok(clock.nowS() >= startS + 1);
  assert.ok(performance.now() - before >= 49);
  assert.throws(() => new WallAirClock(0), /speed 0 is out of range/);
});
