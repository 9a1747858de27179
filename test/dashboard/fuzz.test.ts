import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Client } from '../../src/dashboard/client.ts';
import { encodeFrame, type Frame, type FrameArray, MAX_FRAME_BYTES, TOPICS } from '../../src/dashboard/frames.ts';
import { Hub } from '../../src/dashboard/hub.ts';
import { measurements } from '../../src/dashboard/measurements.ts';
import { exposition } from '../../src/dashboard/prometheus.ts';
import { answer } from '../../src/dashboard/requests.ts';
import { TestController } from './helpers.ts';
import { parseExposition } from './prometheus-reader.ts';

/** Messages of each kind; SCT_FUZZ=1000000 is the long form. */
const RUNS = Number(process.env.SCT_FUZZ ?? 2000);

/** Who watches without a socket: what it was given and told is counted. */
function watcher(access: 'read' | 'control') {
  const seen = { frames: 0, messages: [] as Record<string, unknown>[] };
  const client = {
    access,
    skipped: 0,
    heldBytes: 0,
    give: () => void seen.frames++,
    giveAll() {},
    say: (message: Record<string, unknown>) => void seen.messages.push(message),
  };
  return { seen, client: client as unknown as Client };
}

const array: fc.Arbitrary<FrameArray> = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.float32Array({ maxLength: 10 }),
  fc.float64Array({ maxLength: 5 }),
);
const names = fc.constantFrom(
  ...[
    'state',
    'samples',
    'lostMin',
    'blocks',
    'blocksLost',
    'cfoHz',
    'subbandSnrDb',
    'stage',
    'text',
    'budget',
    'queues',
    'counts',
    'bytes',
    'exitCode',
  ],
);
const told: fc.Arbitrary<Frame> = fc.record({
  topic: fc.constantFrom(...TOPICS),
  sequence: fc.nat(),
  timeS: fc.double(),
  data: fc.dictionary(names, fc.oneof(fc.constantFrom('starting', 'ended', 'before'), fc.jsonValue({ maxDepth: 2 }))),
  arrays: fc.dictionary(names, array, { maxKeys: 3 }),
});
/** Bytes of a frame, some of them changed, and where they are divided. */
const change = fc.tuple(fc.nat(4000), fc.nat(255));
const piece = fc.tuple(
  told,
  fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(change, { maxLength: 3 })),
  fc.nat(),
);

it('whatever a job tells, the dashboard goes on, counts it, and its /metrics can be read', () => {
  const controller = new TestController();
  const hub = new Hub(controller);
  const { seen, client } = watcher('control');
  hub.join(client);
  let fed = 0;
  let whole = 0;
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
      void hub.start({ command: 'loopback', options: {} });
      for (const [frame, changes, at] of pieces) {
        const bytes = encodeFrame({ ...frame, data: { ...frame.data }, arrays: { ...frame.arrays } });
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        controller.listener!.bytes(bytes.subarray(0, at % bytes.length));
        controller.listener!.bytes(bytes.subarray(at % bytes.length));
        fed++;
        if (changes.length === 0) whole++;
      }
      const text = exposition(measurements(hub, 0));
      if (fed % 50 === 0) parseExposition(text);
      controller.end(0);
      assert.ok(hub.snapshot.frames().length < 1300);
      seen.messages.length = 0;
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
  assert.ok(seen.frames > whole / 3, `${seen.frames} frames of ${fed}, ${whole} of them as they should be`);
});

it('a frame that would never end holds no more than the longest one', () => {
  const controller = new TestController();
  const hub = new Hub(controller);
  void hub.start({ command: 'loopback', options: {} });
  const head = encodeFrame({ topic: 'log', sequence: 0, timeS: 0, data: {}, arrays: {} });
  new DataView(head.buffer).setUint32(20, MAX_FRAME_BYTES - 4096, true);
  controller.listener!.bytes(head);
  const before = process.memoryUsage().arrayBuffers;
  const zeros = new Uint8Array(65_536);
  for (let i = 0; i < 4 * (MAX_FRAME_BYTES / zeros.length); i++) controller.listener!.bytes(zeros);
  assert.equal(hub.counters.badStreams, 1);
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 1.5 * MAX_FRAME_BYTES, `${grown} bytes`);
  controller.end(0);
});

const value = fc.oneof(
  fc.anything({ maxDepth: 1 }),
  fc.double(),
  fc.constantFrom('loopback', 'sound', 'pause', 'seek', '../x'),
);
const asked = fc
  .record(
    {
      id: fc.oneof(fc.nat(), value),
      do: fc.oneof(fc.constantFrom('start', 'stop', 'replay', 'export'), value),
      command: value,
      options: fc.oneof(fc.dictionary(fc.string({ maxLength: 8 }), value, { maxKeys: 4 }), value),
      source: value,
      action: value,
      value,
    },
    { requiredKeys: [] },
  )
  .map((message) => {
    try {
      return JSON.stringify(message) ?? '';
    } catch {
      return 'cannot be written';
    }
  });

it('whatever a page asks, it is answered once, and the dashboard goes on', async () => {
  const controller = new TestController();
  const hub = new Hub(controller);
  const [owner, reader] = [watcher('control'), watcher('read')];
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: asked }, fc.string(), fc.json({ maxDepth: 2 })), async (text) => {
      for (const { client, seen } of [owner, reader]) {
        seen.messages.length = 0;
        await answer(text, client, hub);
        assert.equal(seen.messages.length, 1, text);
        const { ok, error, reply } = seen.messages[0] as { ok: boolean; error?: { message: unknown }; reply: unknown };
        assert.ok(ok === true || typeof error?.message === 'string', text);
        assert.ok(reply === null || typeof reply === 'number', text);
        if (client.access === 'read') assert.equal(ok, false, text);
      }
    }),
    { numRuns: RUNS },
  );
});
