import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { SctError, UsageError } from '../../../src/common/errors.ts';
import { RecordRingReader } from '../../../src/common/record-ring.ts';
import { LinkTrace } from '../../../src/experiment/metrics/link-trace.ts';
import { RxChain } from '../../../src/link/chains.ts';
import type { FrontRecord } from '../../../src/link/front-record.ts';
import { type PipelineOptions, ReceivePipeline } from '../../../src/link/pipeline/receive-pipeline.ts';
import { RecordStream } from '../../../src/link/pipeline/record-stream.ts';
import { Receiver } from '../../../src/link/receiver.ts';
import { RxBack } from '../../../src/link/rx-back.ts';
import { Transmitter } from '../../../src/link/transmitter.ts';
import { frontendFor } from '../../../src/phy/frontend/frontend.ts';
import type { SampleBlock } from '../../../src/radio/radio.ts';
import { air, BytesCodec, blank, block, SMALL } from '../helpers.ts';

const occupiedHz = (SMALL.nCarriers + 1) * 15e3;
const OPTIONS: PipelineOptions = {
  subbands: 6,
  estimator: 'lmmse',
  occupiedHz,
  rateHz: SMALL.sampleRateHz,
  loOffsetHz: 0,
  format: 'cf32_le',
  fullScale: 1,
  live: false,
};
const frontend = () => frontendFor(SMALL.sampleRateHz, occupiedHz, SMALL.sampleRateHz);

let samples: Float32Array;
let starts: number[];
let length: number;

before(async () => {
  const transmitter = new Transmitter({ numerology: SMALL, codec: new BytesCodec(), assumedSnrDb: 8, harq: 0 });
  const plans = [];
  for (let i = 0; i < 3; i++) plans.push(await transmitter.send(blank(100, 100), 6000, i));
  const bursts = [transmitter.sounding(), ...plans.flatMap((plan) => plan.bursts), transmitter.sounding()];
  ({ samples, starts } = air(SMALL, bursts, { snrDb: 15 }));
  length = samples.length / 2;
});

/** Blocks of so many samples; some are lost on the way, where the second burst of data is. */
function* blocks(size: number): Generator<SampleBlock> {
  const lost = [starts[3] - 4500, starts[3] - 4000];
  for (let at = 0; at < length; at += size) {
    const to = Math.min(length, at + size);
    if (to <= lost[0] || at >= lost[1]) yield block(samples, at, to);
    else {
      if (at < lost[0]) yield block(samples, at, lost[0]);
      if (to > lost[1]) yield block(samples, lost[1], to);
    }
  }
}

function alone(size: number) {
  const chain = new RxChain(frontend(), new Receiver({ numerology: SMALL, codecs: [new BytesCodec()] }));
  const trace = new LinkTrace();
  for (const b of blocks(size)) for (const event of chain.push(b)) trace.add(event, chain);
  for (const event of chain.flush()) trace.add(event, chain);
  trace.markLosses(chain);
  return { back: chain as RxBack, trace };
}

async function piped(size: number, more: Partial<PipelineOptions> = {}) {
  const back = new RxBack(frontend(), new Receiver({ numerology: SMALL, codecs: [new BytesCodec()] }));
  const trace = new LinkTrace();
  const records: FrontRecord[] = [];
  const pipeline = await ReceivePipeline.start({ ...OPTIONS, ...more });
  try {
    const taken = (async () => {
      for await (const record of pipeline) {
        records.push(record);
        const event = back.take(record);
        if (event) trace.add(event, back);
      }
    })();
    for (const b of blocks(size)) await pipeline.push(b);
    await pipeline.flush();
    await taken;
    trace.markLosses(back);
    return { back, trace, records, depths: pipeline.depths() };
  } finally {
    await pipeline.close();
  }
}

test('two threads give what one gives, to the last bit, for blocks of any length', async () => {
  const one = alone(4096);
  assert.equal(one.trace.bursts.filter((b) => b.use === 'data').length, 3);
  assert.equal(one.back.lostSamples, 500);
  for (const size of [97, 5000, length]) {
    const two = await piped(size);
    assert.deepEqual(two.trace, one.trace, `blocks of ${size}`);
    for (const key of ['samples', 'lostSamples', 'losses', 'nonFiniteSamples', 'carriersRemoved', 'imbalance'] as const)
      assert.deepEqual(two.back[key], one.back[key], key);
    assert.equal(two.back.droppedBursts, 0);
    const { samplesMs, samplesShare, bursts, droppedBursts, droppedSamples } = two.depths;
    assert.deepEqual([samplesMs, samplesShare, bursts, droppedBursts, droppedSamples], [0, 0, 0, 0, 0]);
  }
});

test('what the thread cannot go on with is an error here, for whoever pushes, flushes or listens', async () => {
  const pipeline = await ReceivePipeline.start(OPTIONS);
  const heard = (async () => {
    for await (const _ of pipeline);
  })();
  const failed = /thread that demodulates failed: sample block at index 500 overlaps/;
  const rejected = assert.rejects(heard, (e) => e instanceof SctError && e.exitCode === 2 && failed.test(e.message));
  await pipeline.push(block(samples, 0, 1000));
  await pipeline.push(block(samples, 500, 1500));
  await rejected;
  await assert.rejects(pipeline.push(block(samples, 1500, 2000)), failed);
  await assert.rejects(pipeline.flush(), failed);
  await pipeline.close();
  await pipeline.close();
});

test('a thread that dies is an error, not a wait for ever', async () => {
  const pipeline = await ReceivePipeline.start(OPTIONS);
  const heard = (async () => {
    for await (const _ of pipeline);
  })();
  const rejected = assert.rejects(heard, (e) => e instanceof SctError && /it ended/.test(e.message));
  await (pipeline as unknown as { worker: Worker }).worker.terminate();
  await rejected;
  await pipeline.close();
});

test('another reader of the ring of records hears what an iteration hears, and is told of nothing but the end', async () => {
  const listened: FrontRecord[] = [];
  const here = await ReceivePipeline.start(OPTIONS);
  const heard = (async () => {
    for await (const record of here) listened.push(record);
  })();
  for (const b of blocks(5000)) await here.push(b);
  await here.flush();
  await Promise.all([heard, here.finished()]);
  await here.close();
  for (const passing of [false, true]) {
    const there = await ReceivePipeline.start(OPTIONS);
    let count = 0;
    const reading = (async () => {
      for await (const record of new RecordStream(new RecordRingReader(there.recordRing), passing)) {
        assert.deepEqual(record, listened[count++]);
      }
    })();
    for (const b of blocks(5000)) await there.push(b);
    await there.flush();
    await there.finished();
    await reading;
    assert.equal(count, listened.length);
    await there.close();
  }
});

test('whoever waits until all is told hears why it is not', async () => {
  const pipeline = await ReceivePipeline.start(OPTIONS);
  const reading = (async () => {
    for await (const _ of new RecordStream(new RecordRingReader(pipeline.recordRing), true));
  })();
  const failed = /thread that demodulates failed: sample block at index 500 overlaps/;
  const rejected = assert.rejects(pipeline.finished(), failed);
  await pipeline.push(block(samples, 0, 1000));
  await pipeline.push(block(samples, 500, 1500));
  await rejected;
  await reading;
  await pipeline.close();
});

test('options that cannot be are refused before a thread is started, or by it', async () => {
  await assert.rejects(ReceivePipeline.start({ ...OPTIONS, bufferS: 0 }), UsageError);
  await assert.rejects(ReceivePipeline.start({ ...OPTIONS, subbands: 7 }), UsageError);
  await assert.rejects(ReceivePipeline.start({ ...OPTIONS, rateHz: 1e5 }), /device rate/);
  const pipeline = await ReceivePipeline.start(OPTIONS);
  await assert.rejects(pipeline.push({ ...block(samples, 0, 10), fullScale: 2 }), UsageError);
  await pipeline.close();
});

test('closed in the middle nothing is left that would keep the process', async () => {
  const handles = () => process.getActiveResourcesInfo().filter((name) => /Worker|Port|Timeout/.test(name)).length;
  const before = handles();
  const pipeline = await ReceivePipeline.start({ ...OPTIONS, live: true });
  for (const b of blocks(5000)) await pipeline.push(b);
  await pipeline.close();
  const records: FrontRecord[] = [];
  for await (const record of pipeline) records.push(record);
  assert.deepEqual(records, []);
  assert.equal(handles(), before);
});
