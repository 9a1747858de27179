import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/common/errors.ts';
import { HostClock, MOST_DRIFT, parseClockMessage, provenOffsetMs } from '../../src/link/clock-offset.ts';
import { decodeReverseMessage } from '../../src/link/reverse/reverse-messages.ts';
import '../fixed-seed.js';

const START_MS = Date.UTC(2026, 0, 1);

/** Two hosts in modelled time: the far clock is off by so much and drifts. */
function hosts(offsetMs: number, drift = 0) {
  let trueMs = START_MS;
  const farAt = () => trueMs + offsetMs + drift * (trueMs - START_MS);
  const said: { near: Uint8Array[]; far: Uint8Array[] } = { near: [], far: [] };
  const near = new HostClock({ nowMs: () => trueMs, say: (m) => void said.near.push(m) });
  const far = new HostClock({ nowMs: farAt, say: (m) => void said.far.push(m) });
  return {
    near,
    far,
    said,
    wait: (ms: number) => {
      trueMs += ms;
    },
    /** What the far clock shows less what the near one does. */
    between: () => farAt() - trueMs,
  };
}

/** One exchange with these delays, ms; the far end has it for a while. */
function exchange(h: ReturnType<typeof hosts>, thereMs: number, backMs: number): void {
  h.near.begin();
  again(h, thereMs, backMs);
}

function again(h: ReturnType<typeof hosts>, thereMs: number, backMs: number): void {
  h.wait(thereMs);
  assert.ok(h.far.take(h.said.near.at(-1)!));
  h.wait(backMs);
  assert.ok(h.near.take(h.said.far.at(-1)!));
}

test('equal delays give the offset exactly; unequal ones err by half their difference, which the uncertainty says', () => {
  for (const [there, back] of [
    [20, 20],
    [5, 45],
    [45, 5],
    [0, 0],
  ]) {
    const h = hosts(-1234.5);
    exchange(h, there, back);
    const { offsetMs, uncertaintyMs, delayMs, samples } = h.near.estimate()!;
    assert.ok(Math.abs(offsetMs - (-1234.5 + (there - back) / 2)) < 1e-2);
    assert.ok(Math.abs(delayMs - (there + back)) < 1e-2);
    assert.ok(uncertaintyMs >= delayMs / 2 && uncertaintyMs < delayMs / 2 + 0.02);
    assert.equal(samples, 1);
    h.near.stop();
  }
});

test('the true offset lies within offset ± uncertainty, whatever the delays, the drift and the wait', () => {
  const ms = fc.double({ min: 0, max: 2000, noNaN: true });
  fc.assert(
    fc.property(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: -MOST_DRIFT, max: MOST_DRIFT, noNaN: true }),
      fc.array(fc.tuple(ms, ms, ms), { minLength: 1, maxLength: 12 }),
      (offsetMs, drift, rounds) => {
        const h = hosts(offsetMs, drift);
        try {
          for (const [there, back, waitMs] of rounds) {
            exchange(h, there, back);
            h.wait(60 + waitMs);
            const e = h.near.estimate()!;
            assert.ok(Math.abs(e.offsetMs - h.between()) <= e.uncertaintyMs, JSON.stringify(e));
          }
        } finally {
          h.near.stop();
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('of the last exchanges the fastest counts, until drift makes a newer one better', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const h = hosts(7);
  const next = (ms: number) => {
    h.wait(ms);
    t.mock.timers.tick(ms);
  };
  const offset = () => h.near.estimate()!.offsetMs;
  exchange(h, 1, 1);
  for (let i = 0; i < 3; i++) {
    next(250);
    again(h, 80, 20);
  }
  assert.ok(Math.abs(offset() - 7) < 1e-2);
  assert.equal(h.near.estimate()!.samples, 4);
  for (let i = 0; i < 9; i++) {
    next(4000);
    again(h, 30, 10);
  }
  assert.ok(Math.abs(offset() - 17) < 1e-2, 'only the last eight are kept');
  assert.equal(h.near.estimate()!.samples, 13);
  h.near.stop();
  h.wait(3600e3);
  assert.ok(h.near.estimate()!.uncertaintyMs > 360, 'what is old is not believed for exact');
  h.near.begin();
  assert.equal(h.near.estimate(), null, 'another peer, another clock');
  h.near.stop();
});

test('lost messages: asked again, late answers refused; who never answers is asked seldom; nobody after the end', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const h = hosts(3);
  const tick = (ms: number) => {
    h.wait(ms);
    t.mock.timers.tick(ms);
  };
  h.near.begin();
  assert.ok(h.far.take(h.said.near[0]));
  tick(4000);
  assert.equal(h.said.near.length, 2);
  h.near.take(h.said.far[0]);
  assert.deepEqual([h.near.estimate(), h.near.counters.refused], [null, 1], 'the answer to the first came too late');
  again(h, 1, 1);
  assert.equal(h.near.estimate()!.samples, 1);
  for (let i = 0; i < 40; i++) tick(60_000);
  assert.ok(h.near.counters.asked < 55, `asked ${h.near.counters.asked} times`);
  h.near.stop();
  const { asked } = h.near.counters;
  tick(600_000);
  assert.equal(h.near.counters.asked, asked);
});

test('hostile answers and requests change nothing: not asked for, replayed, impossible times, floods', () => {
  const h = hosts(3);
  const answer = (...times: (number | bigint)[]) => {
    const out = Buffer.alloc(25);
    out[0] = 0x22;
    for (const [i, time] of times.entries()) out.writeBigUInt64BE(BigInt(time), 1 + 8 * i);
    return out;
  };
  const us = 1e3 * START_MS;
  h.near.take(answer(us, us, us));
  assert.deepEqual([h.near.estimate(), h.near.counters.refused], [null, 1], 'nothing was asked');
  h.near.begin();
  h.wait(10);
  for (const [t0, t1, t2] of [
    [us + 1, us, us],
    [us, us + 1, us],
    [us, us, us + 20_000],
    [us, us, 2n ** 64n - 1n],
    [us, 2n ** 64n - 1n, 2n ** 64n - 1n],
    [2n ** 64n - 1n, us, us],
  ]) {
    assert.ok(h.near.take(answer(t0, t1, t2)));
  }
  assert.deepEqual([h.near.estimate(), h.near.counters.refused], [null, 7]);
  assert.ok(h.near.take(answer(us, us, us)));
  assert.ok(h.near.take(answer(us, us + 9e9, us + 9e9)), 'again');
  assert.deepEqual([h.near.estimate()!.samples, h.near.counters.refused], [1, 8]);
  for (let i = 0; i < 1000; i++) h.near.take(Uint8Array.from([0x21, ...new Uint8Array(8)]));
  assert.equal(h.near.counters.answered, 1, 'one in 50 ms');
  h.near.stop();
});

test('whatever bytes come: never an error, never a report, and an end without a clock takes it for damaged', () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  const nearly = fc
    .tuple(fc.constantFrom(0x21, 0x22), fc.constantFrom(8, 24), fc.nat({ max: 2 }))
    .chain(([kind, length, more]) =>
      fc
        .uint8Array({ minLength: length - 1 + more, maxLength: length - 1 + more })
        .map((rest) => Uint8Array.from([kind, ...rest])),
    );
  fc.assert(
    fc.property(fc.oneof(bytes, nearly), (message) => {
      const h = hosts(0);
      h.near.begin();
      const taken = h.near.take(message);
      h.near.stop();
      assert.equal(taken, parseClockMessage(message) !== null);
      assert.equal(h.near.estimate(), null);
      if (taken) assert.throws(() => decodeReverseMessage(message), FormatError);
    }),
    { numRuns: 1000 },
  );
});

test('only what is certain is corrected', () => {
  const h = hosts(500);
  exchange(h, 30, 10);
  const { uncertaintyMs } = h.near.estimate()!;
  const now = START_MS + 40;
  assert.ok(Math.abs(now + provenOffsetMs(h.near.estimate()) - (now + 500)) <= uncertaintyMs, 'the far time');
  h.near.stop();
  const estimate = { offsetMs: -30, delayMs: 40, samples: 4 };
  assert.equal(provenOffsetMs({ ...estimate, uncertaintyMs: 20 }), -30);
  assert.equal(provenOffsetMs({ ...estimate, uncertaintyMs: 31 }), 0);
  assert.equal(provenOffsetMs(null), 0);
});
