import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AirPace } from '../../../src/experiment/video/air-pace.ts';

/** Looks from 0 to `untilMs` at bursts [from, to), of which the air knows from when they were sent to when it has computed their end. */
function looks(bursts: readonly (readonly [number, number])[], untilMs: number): number[] {
  const pace = new AirPace(2.5);
  const at: number[] = [];
  for (let now = 0; now <= untilMs; ) {
    at.push(now);
    const burst = bursts.find(([from, to]) => from <= now && now < to);
    now = pace.next(now, burst ? burst[1] : null);
  }
  return at;
}

test('every 5 ms while nothing is sent', () => {
  assert.deepEqual(looks([], 20), [0, 5, 10, 15, 20]);
});

test('at the end of a burst, and every millisecond for a while', () => {
  assert.deepEqual(looks([[0, 13.5]], 26), [0, 5, 10, 13.5, 14.5, 15.5, 16.5, 21.5]);
});

test('a burst right behind another, and one that ends while the one before is waited for', () => {
  const bursts = [
    [0, 7],
    [7, 8.5],
    [30, 52],
  ] as const;
  assert.deepEqual(
    looks(bursts, 55),
    [0, 5, 7, 8, 8.5, 9.5, 10.5, 11.5, 16.5, 21.5, 26.5, 31.5, 36.5, 41.5, 46.5, 51.5, 52, 53, 54, 55],
  );
});

test('a burst far away does not make it look more often', () => {
  const pace = new AirPace(2.5);
  assert.equal(pace.next(100, 1000), 105);
  assert.equal(pace.next(998, 1000), 1000);
  assert.equal(pace.next(1000, null), 1001);
  assert.equal(pace.next(1003, null), 1008);
  // The end passes between two looks, and the next burst waits already.
  assert.equal(pace.next(1007, 1010), 1010);
  assert.equal(pace.next(1011, 1050), 1012);
  assert.equal(pace.next(1012, 1050), 1013);
  assert.equal(pace.next(1013, 1050), 1018);
});
