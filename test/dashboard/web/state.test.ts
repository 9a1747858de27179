import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeFrame } from '../../../src/dashboard/frames.ts';
import { fixed, hertz, linearMeanDb } from '../../../src/dashboard/web/draw/format.ts';
import { histogram, topMs } from '../../../src/dashboard/web/draw/latency-bins.ts';
import { commandWord, eventOf } from '../../../src/dashboard/web/state/events.ts';
import { Ring } from '../../../src/dashboard/web/state/ring.ts';
import { Store } from '../../../src/dashboard/web/state/store.ts';
import { check, type OptionsSchema } from '../../../src/dashboard/web/state/validate.ts';
import type { TelemetryEvent } from '../../../src/link/telemetry.ts';
import { frameOf, run } from './made-run.ts';
import { video } from './made-video.ts';

test('a ring keeps the newest and counts all', () => {
  const ring = new Ring<number>(3);
  assert.equal(ring.fromEnd(0), undefined);
  for (let i = 0; i < 8; i++) ring.push(i);
  assert.deepEqual([...ring.newest()], [7, 6, 5]);
  assert.deepEqual([ring.length, ring.total, ring.fromEnd(3), ring.fromEnd(-1)], [3, 8, undefined, undefined]);
  assert.equal(
    ring.last((v) => v < 7),
    6,
  );
  ring.clear();
  assert.deepEqual([ring.length, ring.total, [...ring.newest()]], [0, 0, []]);
});

const SCHEMA: OptionsSchema = {
  properties: {
    snr: { type: 'number', minimum: -20, maximum: 60 },
    n: { type: 'integer', exclusiveMinimum: 0 },
    codec: { enum: ['integrated', 'modular'] },
    name: { type: 'string', pattern: '^[a-z]+$', maxLength: 4 },
    quiet: { type: 'boolean' },
    on: { type: 'boolean', default: true },
  },
  required: ['n'],
};

test('options are sent as the schema types them; what is empty is left out', () => {
  const values = new Map<string, string | boolean>([
    ['snr', ' -3.5 '],
    ['n', '4'],
    ['codec', ''],
    ['name', 'abc'],
    ['quiet', true],
    ['on', false],
  ]);
  const { options, problems } = check(SCHEMA, values);
  assert.deepEqual(options, { snr: -3.5, n: 4, name: 'abc', quiet: true, on: false });
  assert.equal(problems.size, 0);
});

for (const [field, text, says] of [
  ['snr', '61', 'is from -20 to 60'],
  ['snr', 'ten', 'is a number'],
  ['n', '', 'is needed'],
  ['n', '0', 'is above 0'],
  ['n', '1.5', 'is a whole number'],
  ['codec', 'jpeg', 'is one of integrated, modular'],
  ['name', 'abcde', 'has 4 characters at most'],
  ['name', 'A', 'does not have the form ^[a-z]+$'],
] as const) {
  test(`${field} = '${text}' ${says}`, () => {
    const { problems, options } = check(
      SCHEMA,
      new Map([
        ['n', '1'],
        [field, text],
      ]),
    );
    assert.equal(problems.get(field), says);
    assert.ok(!(field in options));
  });
}

test('the command of a run is its first word', () => {
  assert.equal(commandWord('sct sound --json --period=50'), 'sound');
  assert.equal(commandWord('loopback'), 'loopback');
  assert.equal(commandWord(''), '');
});

test('arrays that a frame leaves out are empty', () => {
  const event = eventOf({
    topic: 'spectrum',
    sequence: 0,
    timeS: 0,
    data: { timeS: 1 },
    arrays: { meanDbfs: new Float32Array(2) },
  });
  assert.ok(event.topic === 'spectrum');
  assert.deepEqual([event.meanDbfs.length, event.peakDbfs.length, event.timeS], [2, 0, 1]);
});

test('of a video the latest frame is kept, the latest with a picture, and what came of the others; a new run begins with none', async () => {
  const store = new Store();
  const take = (event: TelemetryEvent) => store.take(encodeFrame(frameOf(event)), 0);
  take(run());
  const shown = await video(129);
  take(shown);
  take(await video(130));
  take(await video(193));
  assert.equal(store.video.latest?.frame, 193);
  assert.equal(store.video.shown?.frame, 129);
  assert.deepEqual(store.video.shown?.bytes, shown.bytes);
  assert.deepEqual(
    [...store.frames.newest()].map(({ frame, state, latencyMs }) => [frame, state, latencyMs]),
    [
      [193, 'late', 141],
      [130, 'lost', null],
      [129, 'shown', shown.latencyMs],
    ],
  );
  take(await video(128));
  assert.equal(store.video.shown?.frame, 129, 'it was overtaken');
  take(await video(0));
  assert.equal(store.video.shown?.frame, 0, 'the sender began anew');
  take(run({ startedAt: '2026-11-22T09:00:00.000Z' }));
  assert.deepEqual([store.video.latest, store.video.shown, store.frames.length], [null, null, 0]);
});

test('latencies: the axis holds the deadline and all that was shown; each latency is in its bin, what is beyond in the last', () => {
  const frames = [10, 59.9, 60, 141, 1e6, Number.NaN].map((latencyMs, frame) => {
    return { frame, state: latencyMs > 120 ? ('late' as const) : ('shown' as const), latencyMs };
  });
  assert.equal(topMs({ frames, deadlineMs: 120 }), 180);
  assert.equal(topMs({ frames: [], deadlineMs: null }), 100);
  assert.equal(topMs({ frames: [{ frame: 0, state: 'shown', latencyMs: 200 }], deadlineMs: 120 }), 220);
  assert.deepEqual([...histogram(frames, 180, 3)], [2, 1, 2]);
  assert.deepEqual([...histogram([{ frame: 0, state: 'lost', latencyMs: null }], 180, 2)], [0, 0]);
});

test('numbers as people read them: what rounds to nothing has no sign', () => {
  assert.equal(hertz(-0.3), '0 Hz');
  assert.equal(hertz(-12.4), '−12 Hz');
  assert.equal(fixed(-0.04), '0.0');
});

test('a mean of powers is above a mean of dB', () => {
  assert.ok(Math.abs(linearMeanDb([0, 10])! - 10 * Math.log10(5.5)) < 1e-9);
  assert.equal(linearMeanDb([]), null);
});
