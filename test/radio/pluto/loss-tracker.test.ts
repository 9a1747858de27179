import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { CaptureClock } from '../../../src/radio/pluto/capture-clock.ts';
import { LossTracker } from '../../../src/radio/pluto/loss-tracker.ts';

interface Said {
  min: number;
  max: number;
  from: number;
  to: number;
}

interface Run {
  said: Said[];
  /** True losses: where (position of the first sample behind it) and how many. */
  truth: { at: number; lost: number }[];
  delivered: number;
}

/**
 * A board with `blocks` DMA buffers filled in turn at its own clock, and a host that asks for one after the other with random delays and
 * stalls: the DMA stops when none is free. Time is computed, nothing waits, so a run covers any number of samples.
 */
function simulate(options: {
  seed: number;
  buffers: number;
  ppm: number;
  stallChance: number;
  blocks: number;
  bit: boolean;
  room?: () => boolean;
}): Run {
  const { seed, buffers, ppm, stallChance, blocks } = options;
  const random = new RandomStream(seed);
  const rateHz = 1e6;
  const trueHz = rateHz * (1 + ppm * 1e-6);
  const bufferSamples = 50_000;
  const fillS = bufferSamples / trueHz;
  const run: Run = { said: [], truth: [], delivered: 0 };
  const tracker = new LossTracker({ rateHz, kernelBuffers: blocks, bufferSamples }, (bounds, from, to) => {
    if (options.room && !options.room()) return false;
    run.said.push({ ...bounds, from, to });
    return true;
  });
  tracker.byTimingOnly = !options.bit;
  let hostS = 100;
  tracker.opened(hostS - 0.002, hostS + 0.004);
  // When buffer i is full; buffer i + 1 begins then, or when a block becomes free.
  const fullS: number[] = [];
  /** When block of buffer i was given back. */
  const freeS: number[] = [];
  const startOf = (i: number) => {
    const before = i === 0 ? 100 : fullS[i - 1];
    const free = i < blocks ? 0 : (freeS[i - blocks] ?? Number.POSITIVE_INFINITY);
    return Math.max(before, free);
  };
  let overflowedAt = -1;
  for (let i = 0; i < buffers; i++) {
    hostS += 1e-4 + (random.uniform() < stallChance ? random.uniform() * 0.8 : random.uniform() * 0.01);
    const requestS = hostS;
    // The request reaches the board, which gives back the block that the host held.
    if (i > 0) freeS[i - 1] = requestS + random.uniform() * 1e-3;
    // Everything that the DMA fills until now, as far as blocks are free.
    while (fullS.length <= i || startOf(fullS.length) < requestS) {
      const next = fullS.length;
      const startS = startOf(next);
      if (startS === Number.POSITIVE_INFINITY) break;
      const lost = next === 0 ? 0 : Math.round((startS - fullS[next - 1]) * trueHz);
      if (lost > 0) run.truth.push({ at: next * bufferSamples, lost });
      fullS.push(startS + fillS);
    }
    hostS = Math.max(requestS, fullS[i]) + 1e-4 + random.uniform() * 0.003;
    const arrivedS = hostS;
    hostS += 2e-4;
    // Set when the last block was filled with none free by then, since the last look.
    let overflowed: boolean | null = null;
    if (options.bit) {
      const stalled = fullS.length - 1;
      const noneFree =
        startOf(fullS.length) > hostS && fullS[stalled] <= hostS && startOf(fullS.length) === Number.POSITIVE_INFINITY;
      const passed = run.truth.at(-1);
      overflowed =
        (noneFree && stalled > overflowedAt) || (passed !== undefined && passed.at / bufferSamples - 1 > overflowedAt);
      if (overflowed) overflowedAt = Math.max(noneFree ? stalled : -1, passed ? passed.at / bufferSamples - 1 : -1);
    }
    tracker.buffer({ samples: bufferSamples, requestS, arrivedS, overflowed });
  }
  tracker.end();
  run.delivered = buffers * bufferSamples;
  // A loss behind the last delivered sample is none of this stream.
  run.truth = run.truth.filter(({ at }) => at < run.delivered);
  return run;
}

/** Every true loss lies in the span of exactly one record, and the sum of those in a span within its bounds. */
function check(run: Run): void {
  let before = 0;
  for (const { min, max, from, to } of run.said) {
    assert.ok(from >= before && to >= from && min <= max, 'spans follow each other');
    before = to;
    const inside = run.truth.filter(({ at }) => at >= from && at <= to);
    const lost = inside.reduce((sum, one) => sum + one.lost, 0);
    assert.ok(lost >= min && lost <= max, `${lost} samples lost in [${from}, ${to}], said: ${min} to ${max}`);
  }
  for (const { at, lost } of run.truth) {
    assert.ok(
      run.said.some(({ from, to }) => at >= from && at <= to),
      `${lost} samples lost at ${at} and never said`,
    );
  }
}

test('1.2e9 samples with random stalls: the true loss is always within the bounds and the span that are said', () => {
  const kinds = { all: 0, short: 0, long: 0, single: 0, several: 0, atStart: 0, atEnd: 0 };
  for (let seed = 0; seed < 24; seed++) {
    // Some hosts stand still only now and then, others all the time.
    const stallChance = [0.005, 0.02, 0.1][seed % 3];
    const run = simulate({ seed, buffers: 1000, ppm: (seed % 9) * 20 - 80, stallChance, blocks: 4, bit: true });
    check(run);
    for (const { at, lost } of run.truth) {
      kinds.all++;
      if (lost < 10_000) kinds.short++;
      if (lost > 400_000) kinds.long++;
      if (at <= 500_000) kinds.atStart++;
      if (at >= run.delivered - 500_000) kinds.atEnd++;
    }
    for (const { from, to } of run.said) {
      const inside = run.truth.filter(({ at }) => at >= from && at <= to).length;
      if (inside > 1) kinds.several++;
      else if (inside === 1) kinds.single++;
    }
  }
  assert.ok(kinds.all > 200, JSON.stringify(kinds));
  assert.ok(
    Object.values(kinds).every((count) => count > 0),
    JSON.stringify(kinds),
  );
});

test('bounds are of use: for a stall of half a second they lie three buffers apart at most', () => {
  const run = simulate({ seed: 5, buffers: 3000, ppm: 10, stallChance: 0.005, blocks: 4, bit: true });
  check(run);
  const widths = run.said.map(({ min, max }) => max - min).sort((a, b) => a - b);
  assert.ok(widths.length > 5);
  assert.ok(widths[widths.length >> 1] <= 150_000, `median width ${widths[widths.length >> 1]}`);
});

test('random boards and hosts', () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(),
        buffers: fc.integer({ min: 1, max: 400 }),
        ppm: fc.integer({ min: -90, max: 90 }),
        stallChance: fc.constantFrom(0, 0.01, 0.1, 0.6, 1),
        blocks: fc.integer({ min: 2, max: 6 }),
      }),
      (options) => check(simulate({ ...options, bit: true })),
    ),
    { numRuns: 400 },
  );
});

test('without a bit nothing is said that was not lost, and long stalls are found', () => {
  const quiet = simulate({ seed: 3, buffers: 2000, ppm: 50, stallChance: 0, blocks: 4, bit: false });
  assert.deepEqual([quiet.said, quiet.truth], [[], []]);
  const run = simulate({ seed: 3, buffers: 2000, ppm: 50, stallChance: 0.01, blocks: 4, bit: false });
  assert.ok(run.truth.length > 3 && run.said.length > 0);
  let before = 0;
  for (const { min, max, from, to } of run.said) {
    assert.ok(from >= before && min > 0);
    before = to;
    const lost = run.truth.filter(({ at }) => at >= from && at <= to).reduce((sum, one) => sum + one.lost, 0);
    assert.ok(lost >= min && lost <= max, `${lost} in ${min} to ${max}`);
  }
});

test('a loss that finds no room is said later, with the others', () => {
  let calls = 0;
  const run = simulate({
    seed: 8,
    buffers: 1500,
    ppm: 0,
    stallChance: 0.02,
    blocks: 4,
    bit: true,
    room: () => ++calls % 3 === 0,
  });
  assert.ok(run.truth.length > 5);
  for (const { min, max, from, to } of run.said) {
    const lost = run.truth.filter(({ at }) => at >= from && at <= to).reduce((sum, one) => sum + one.lost, 0);
    assert.ok(lost >= min && lost <= max);
  }
  const said = run.said.reduce((sum, one) => sum + one.max, 0);
  assert.ok(said >= run.truth.reduce((sum, one) => sum + one.lost, 0));
});

test('a buffer that had to be opened anew: what passed meanwhile is bounded, at the first buffer that comes', () => {
  const said: Said[] = [];
  const rateHz = 1e6;
  const tracker = new LossTracker({ rateHz, kernelBuffers: 4, bufferSamples: 50_000 }, (bounds, from, to) => {
    said.push({ ...bounds, from, to });
    return true;
  });
  tracker.opened(9.999, 10.001);
  for (let i = 1; i <= 20; i++) {
    const fullS = 10 + 0.05 * i;
    tracker.buffer({ samples: 50_000, requestS: fullS - 0.049, arrivedS: fullS + 0.001, overflowed: false });
  }
  // The board stood still from 11.0 s on; the buffer opened at 13.5 s began at 13.502 s.
  tracker.reopened(13.5);
  tracker.buffer({ samples: 50_000, requestS: 13.504, arrivedS: 13.553, overflowed: false });
  assert.equal(said.length, 1);
  const [{ min, max, from, to }] = said;
  assert.deepEqual([from, to], [1_000_000, 1_000_000]);
  assert.ok(min <= 2_502_000 && max >= 2_502_000 && max - min < 20_000, `${min} to ${max}`);
});

test('the interval of the last sample narrows without a loss', () => {
  const clock = new CaptureClock(1000, 1e-4);
  clock.opened(0, 0.1);
  assert.ok(clock.advance(1000, 1.0, 1.3));
  assert.ok(clock.lastSampleS <= 1.1002);
  assert.ok(clock.advance(1000, 2.05, 2.4));
  const { min, max } = clock.advanceWithLoss(1000, 3.5, 3.6);
  assert.ok(min >= 398 && max <= 552 && min < max, `${min} to ${max}`);
  assert.equal(clock.advance(1000, 6, 6.1), false, 'a sample that late cannot follow without a loss');
});
