import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../src/common/errors.ts';
import { LinkTrace } from '../../src/experiment/metrics/link-trace.ts';
import { RxChain } from '../../src/link/chains.ts';
import { isComplete, Receiver } from '../../src/link/receiver.ts';
import { type TransmitBurst, Transmitter } from '../../src/link/transmitter.ts';
import { frontendFor } from '../../src/phy/frontend/frontend.ts';
import type { SampleBlock } from '../../src/radio/radio.ts';
import { air, BytesCodec, blank, block, SMALL } from './helpers.ts';

let bursts: TransmitBurst[];
let samples: Float32Array;
let starts: number[];
let length: number;
let sent: Uint8Array;

before(async () => {
  const codec = new BytesCodec();
  const transmitter = new Transmitter({ numerology: SMALL, codec, assumedSnrDb: 8, harq: 0 });
  const plan = await transmitter.send(blank(100, 100), 10_000, 0);
  bursts = [transmitter.sounding(), ...plan.bursts, transmitter.sounding()];
  ({ samples, starts } = air(SMALL, bursts, { snrDb: 15 }));
  length = samples.length / 2;
  sent = codec.sent;
});

/** Receives blocks; the trace is what metrics and frames.jsonl are made of. */
function receive(blocks: Iterable<SampleBlock>) {
  const frontend = frontendFor(SMALL.sampleRateHz, (SMALL.nCarriers + 1) * 15e3, SMALL.sampleRateHz);
  const codec = new BytesCodec();
  const chain = new RxChain(frontend, new Receiver({ numerology: SMALL, codecs: [codec] }));
  const trace = new LinkTrace();
  for (const b of blocks) for (const event of chain.push(b)) trace.add(event, chain);
  for (const event of chain.flush()) trace.add(event, chain);
  return { chain, trace, codec };
}

function* cut(at: readonly number[]): Generator<SampleBlock> {
  const edges = [0, ...at.filter((x) => x > 0 && x < length).sort((a, b) => a - b), length];
  for (let i = 0; i + 1 < edges.length; i++) if (edges[i + 1] > edges[i]) yield block(samples, edges[i], edges[i + 1]);
}

test('any cutting into blocks gives the same bursts, to the last bit', async () => {
  const whole = receive(cut([]));
  assert.deepEqual(
    whole.trace.bursts.map((b) => [b.use, b.suspect]),
    [
      ['sounding', null],
      ['data', null],
      ['sounding', null],
    ],
  );
  whole.trace.bursts.forEach((b, i) => {
    assert.ok(Math.abs(b.startSample - starts[i]) < 3, `${b.startSample} for ${starts[i]}`);
  });
  const [picture] = whole.chain.receiver.received;
  await whole.chain.receiver.picture(picture);
  assert.deepEqual(whole.codec.arrived, sent);
  fc.assert(
    fc.property(fc.array(fc.nat(length), { maxLength: 30 }), (at) => {
      const other = receive(cut(at));
      assert.deepEqual(other.trace, whole.trace);
      assert.equal(other.chain.samples, length);
    }),
    { numRuns: 6 },
  );
  assert.deepEqual(receive(cut(Array.from({ length: Math.ceil(length / 100) }, (_, i) => 100 * i))).trace, whole.trace);
});

test('a gap inside a burst is counted and located, the burst marked; everything else is decoded', () => {
  const from = starts[1] + Math.round(0.6 * bursts[1].layout.samples);
  const lostBefore = { min: 700, max: 700, exact: true, from, to: from + 700 };
  const { chain, trace } = receive([block(samples, 0, from), block(samples, from + 700, length, { lostBefore })]);
  assert.equal(chain.lostSamples, 700);
  assert.equal(chain.samples, length - 700);
  assert.deepEqual(chain.losses, [lostBefore]);
  assert.deepEqual(
    trace.bursts.map((b) => b.use),
    ['sounding', 'data', 'sounding'],
  );
  assert.deepEqual(
    trace.bursts.map((b) => b.suspect),
    [null, '700 samples lost inside', null],
  );
  assert.ok(Math.abs(trace.bursts[2].startSample - starts[2]) < 3, 'indices behind the gap stay times');
});

test('a jump of the index without a loss record is a loss too; an overlap is an error', () => {
  const quiet = starts[1] - 800;
  const { chain, trace } = receive([block(samples, 0, quiet), block(samples, quiet + 300, length)]);
  assert.equal(chain.lostSamples, 300);
  assert.equal(chain.losses[0].exact, true);
  assert.ok(trace.bursts.every((b) => b.suspect === null));
  assert.ok(isComplete(chain.receiver.received[0]));
  assert.throws(() => receive([block(samples, 0, 1000), block(samples, 999, 2000)]), UsageError);
});

test('a loss known only within bounds marks every burst it may have hit', () => {
  const middle = starts[1] + 2000;
  const lostBefore = { min: 0, max: 50, exact: false, from: starts[0] + 100, to: middle };
  const { trace, chain } = receive([block(samples, 0, middle), block(samples, middle, length, { lostBefore })]);
  assert.equal(chain.lostSamples, 50);
  // The first burst had been decoded before the loss was known.
  const may = 'up to 50 samples lost inside';
  assert.deepEqual(
    trace.bursts.map((b) => b.suspect),
    [may, may, null],
  );
});

test('after a long gap the receiver starts anew, and indices before and behind it are right', () => {
  const jump = Math.ceil(0.6 * SMALL.sampleRateHz);
  // The stream stops inside the second burst and goes on with the third.
  const stop = starts[1] + Math.round(0.7 * bursts[1].layout.samples);
  const go = starts[2] - 1000;
  const { trace, chain } = receive([block(samples, 0, stop), block(samples, go, length, { index: go + jump })]);
  assert.deepEqual(
    trace.bursts.map((b) => b.use),
    ['sounding', 'data', 'sounding'],
  );
  assert.match(trace.bursts[1].suspect ?? '', /cut off after \d+ of \d+ slots/);
  assert.ok(Math.abs(trace.bursts[1].startSample - starts[1]) < 3, `${trace.bursts[1].startSample}`);
  assert.ok(Math.abs(trace.bursts[2].startSample - (starts[2] + jump)) < 3, `${trace.bursts[2].startSample}`);
  assert.equal(chain.lostSamples, go + jump - stop);
});

test('a stream that starts with a loss keeps its indices', () => {
  const offset = 5000;
  const lostBefore = { min: 40, max: 40, exact: true, from: offset - 40, to: offset };
  const { trace, chain } = receive([block(samples, 0, length, { index: offset, lostBefore })]);
  assert.ok(Math.abs(trace.bursts[0].startSample - (starts[0] + offset)) < 3);
  assert.equal(chain.lostSamples, 40);
});

test('samples that are no numbers are counted, set to zero, and hurt nobody far away', () => {
  const broken = samples.slice();
  const at = starts[2] + 400;
  broken.fill(Number.NaN, 2 * at, 2 * (at + 50));
  broken[2 * at + 200] = Number.POSITIVE_INFINITY;
  const { trace, chain } = receive([block(broken, 0, length)]);
  assert.ok(chain.nonFiniteSamples >= 51, `${chain.nonFiniteSamples}`);
  assert.ok(isComplete(chain.receiver.received[0]));
  assert.ok(trace.bursts.length >= 2);
  for (const b of trace.bursts) assert.ok(Number.isFinite(b.snrDb) && Number.isFinite(b.cfoHz));
});

test('a stream that ends anywhere in a burst never throws, and gives what had come', () => {
  const size = bursts[1].layout.samples;
  let suspects = 0;
  for (let i = 1; i < 24; i++) {
    const end = starts[1] + Math.round((i / 24) * size);
    const { trace } = receive([block(samples, 0, end)]);
    assert.equal(trace.bursts[0].use, 'sounding');
    for (const b of trace.bursts) {
      for (const v of b.subbandSnrDb) assert.ok(Number.isFinite(v));
      if (b.use === 'data') assert.match(b.suspect ?? '', /cut off/);
      if (b.suspect) suspects++;
    }
  }
  assert.ok(suspects > 10, `${suspects} cut bursts were seen`);
});
