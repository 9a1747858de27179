import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { LossTracker, type M0Poll } from '../../../src/radio/hackrf/loss-tracker.ts';
import '../../fixed-seed.js';
import { M0Model } from './m0-model.ts';

const BYTES_PER_S = 40e6;

/** A reading by hand, taken at once. */
function reading(timeS: number, bytes: number, shortfalls: number, longest: number, full = false): M0Poll {
  return {
    sentS: timeS,
    receivedS: timeS,
    hostBytes: Math.max(0, bytes - 32_768),
    hostBytesAfter: bytes,
    state: {
      requestedMode: 2,
      requestFlag: 0,
      activeMode: 'rx',
      m0Count: bytes % 2 ** 32,
      m4Count: (bytes - (full ? 32_768 : 0)) % 2 ** 32,
      shortfalls,
      longestShortfallBytes: longest,
      shortfallLimitBytes: 0,
      threshold: 0,
      nextMode: 2,
      error: 'none',
    },
  };
}

test('counters alone: what is certain and what is possible', () => {
  const tracker = new LossTracker(BYTES_PER_S);
  assert.equal(tracker.poll(reading(1, 1_000_000, 0, 0)), null);
  // One shortfall that is the longest so far is exactly as long as it says.
  assert.deepEqual(tracker.poll(reading(2, 2_000_000, 1, 640)), {
    minBytes: 640,
    maxBytes: 640,
    fromByte: 1_000_000,
    toByte: 2_000_000,
  });
  // Two that do not beat the record: each 32 to 640.
  const two = tracker.poll(reading(3, 3_000_000, 3, 640));
  assert.deepEqual([two?.minBytes, two?.maxBytes], [64, 1280]);
  // Three, one of which made the new record.
  const three = tracker.poll(reading(4, 4_000_000, 6, 960));
  assert.deepEqual([three?.minBytes, three?.maxBytes], [960 + 64, 2880]);
  assert.equal(tracker.poll(reading(5, 5_000_000, 6, 960)), null);
});

test('a shortfall under way at a reading may have grown by the next', () => {
  const tracker = new LossTracker(BYTES_PER_S);
  assert.equal(tracker.poll(reading(1, 1_000_000, 1, 320, true))?.maxBytes, 320);
  // Not counted again, not longer than the record: up to 288 more are possible, none is certain.
  const carried = tracker.poll(reading(2, 2_000_000, 1, 320));
  assert.deepEqual([carried?.minBytes, carried?.maxBytes], [0, 288]);
  assert.equal(tracker.poll(reading(3, 3_000_000, 1, 320)), null);
});

test('time narrows what the counters leave open, once the clocks have agreed', () => {
  const tracker = new LossTracker(BYTES_PER_S);
  let bytes = 0;
  for (let i = 1; i <= 8; i++) assert.equal(tracker.poll(reading(i * 0.05, (bytes += 2_000_000), 0, 0)), null);
  // One of 32 000 bytes, and in the next interval three that sum to 50 016 of at most 96 000.
  tracker.poll(reading(9 * 0.05, (bytes += 2_000_000 - 32_000), 1, 32_000));
  const loss = tracker.poll(reading(10 * 0.05, (bytes += 2_000_000 - 50_016), 4, 32_000))!;
  assert.ok(loss.minBytes <= 50_016 && loss.maxBytes >= 50_016);
  // 600 ppm of 2 MB, and the grain of the counter.
  assert.ok(loss.maxBytes - loss.minBytes <= 2 * (1200 + 64 + 32), `${loss.minBytes} to ${loss.maxBytes}`);
});

test('a board slower than time is not believed to lose what it never made', () => {
  const tracker = new LossTracker(BYTES_PER_S);
  let bytes = 0;
  for (let i = 1; i <= 8; i++) tracker.poll(reading(i * 0.05, (bytes += 200_000), 0, 0));
  const loss = tracker.poll(reading(9 * 0.05, (bytes += 200_000), 2, 320))!;
  assert.deepEqual([loss.minBytes, loss.maxBytes], [352, 640]);
});

test('counters that wrap, and readings that are missing meanwhile', () => {
  const tracker = new LossTracker(BYTES_PER_S);
  tracker.poll(reading(1, 2 ** 32 - 64, 0, 0));
  assert.equal(tracker.acceptedBytes, 2 ** 32 - 64);
  tracker.poll(reading(2, 2 ** 32 + 640, 0, 0));
  assert.equal(tracker.acceptedBytes, 2 ** 32 + 640);
  // 250 s of 20 Msps later: more than one wrap, told by what the host received.
  const loss = tracker.poll(reading(252, 10_000_000_000, 1, 3200));
  assert.equal(tracker.acceptedBytes, 10_000_000_000);
  assert.deepEqual(loss, { minBytes: 3200, maxBytes: 3200, fromByte: 2 ** 32 + 640, toByte: 10_000_000_000 });
});

test('readings that cannot be true are refused and change nothing', () => {
  const tracker = new LossTracker(BYTES_PER_S);
  tracker.poll(reading(1, 1_000_000, 1, 320));
  assert.throws(
    () => tracker.poll({ ...reading(2, 3e9, 1, 320), hostBytesAfter: 2_000_000, hostBytes: 0 }),
    FormatError,
  );
  assert.throws(() => tracker.poll(reading(2, 1_000_064, 1000, 320)), FormatError);
  assert.throws(() => tracker.poll(reading(2, 2_000_000, 2, 0xffff_fff0)), FormatError);
  assert.equal(tracker.poll(reading(3, 2_000_000, 2, 640))?.minBytes, 640);
});

test('against a model of the core: truth always inside bounds and spans', () => {
  let reported = 0;
  let exact = 0;
  let narrow = 0;
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(1e9),
        stallEvery: fc.constantFrom(300, 3000, 30_000),
        stallSteps: fc.constantFrom(1500, 3000, 20_000),
        dmaBytes: fc.constantFrom(8192, 16_384),
        maxDelay: fc.constantFrom(0, 3, 300, 5000),
        between: fc.constantFrom(10, 2000, 20_000),
        clockPpm: fc.double({ min: -300, max: 300, noNaN: true }),
        offset: fc.constantFrom(0, 2 ** 32 - 3_200_000),
      }),
      (c) => {
        const random = new RandomStream(c.seed);
        const model = new M0Model(random.fork('stalls'), c);
        const secondsAStep = (32 / BYTES_PER_S) * (1 + c.clockPpm * 1e-6);
        const tracker = new LossTracker(BYTES_PER_S);
        // With an offset the stream is taken up in the middle, before anything was lost.
        if (c.offset) tracker.poll(model.poll(secondsAStep, { before: 0, after: 0 }, c.offset));
        let discarded = 0;
        let entries = 0;
        for (let i = 0; i < 40; i++) {
          model.step(random.integer(c.between));
          if (random.uniform() < 0.1) continue; // a reading that did not come
          const poll = model.poll(secondsAStep, { before: random.integer(c.maxDelay + 1), after: 0 }, c.offset);
          const truly = model.discardedBytes - discarded;
          discarded += truly;
          // One that goes on at the reading belongs to both sides of it: its place is the same.
          const places = model.truth.slice(Math.max(0, entries - 1)).map(({ atByte }) => atByte + c.offset);
          const begun = entries;
          entries = model.truth.length;
          model.step(random.integer(c.maxDelay + 1));
          const loss = tracker.poll({ ...poll, receivedS: model.steps * secondsAStep });
          const { minBytes, maxBytes, fromByte, toByte } = loss ?? { minBytes: 0, maxBytes: 0, fromByte: 0, toByte: 0 };
          assert.ok(minBytes <= truly && truly <= maxBytes, `${truly} is not in ${minBytes} to ${maxBytes}`);
          if (!loss) continue;
          for (const place of places.slice(begun > 0 ? 1 : 0)) assert.ok(place >= fromByte && place <= toByte);
          reported++;
          if (minBytes === maxBytes) exact++;
          else if (maxBytes - minBytes < 0.1 * maxBytes) narrow++;
        }
      },
    ),
    { numRuns: 120 },
  );
  assert.ok(reported > 300, `${reported} losses reported`);
  assert.ok(exact > 30, `${exact} of them exact`);
  assert.ok(narrow > 30, `${narrow} of them within a tenth`);
});
