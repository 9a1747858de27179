import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { SctError } from '../../../src/common/errors.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import type { BurstTrace } from '../../../src/experiment/metrics/burst-trace.ts';
import { linkMetrics } from '../../../src/experiment/metrics/link-metrics.ts';
import { traceWarnings } from '../../../src/experiment/metrics/link-trace.ts';
import { DroppedBursts } from '../../../src/experiment/receive/dropped-bursts.ts';
import { receiveStream, type StreamHooks } from '../../../src/experiment/receive/receive-stream.ts';
import type { PipelineQueues } from '../../../src/link/telemetry.ts';
import { Transmitter } from '../../../src/link/transmitter.ts';
import { openRadio } from '../../../src/radio/open-radio.ts';
import { exactLoss, type SampleBlock } from '../../../src/radio/radio.ts';
import { CaptureWriter } from '../../../src/radio/sigmf/capture-writer.ts';
import { air, BytesCodec, blank, block, SMALL } from '../../link/helpers.ts';
import { temporaryFolder } from '../../radio/helpers.ts';

const RATE_HZ = SMALL.sampleRateHz;
let samples: Float32Array;
let lost: readonly [number, number];

before(async () => {
  const transmitter = new Transmitter({ numerology: SMALL, codec: new BytesCodec(), assumedSnrDb: 8, harq: 0 });
  const bursts = [transmitter.sounding()];
  for (let i = 0; i < 6; i++) bursts.push(...(await transmitter.send(blank(100, 100), 5000, i)).bursts);
  const sent = air(SMALL, bursts, { snrDb: 15 });
  samples = sent.samples;
  lost = [sent.starts[4] - 4500, sent.starts[4] - 4000];
});

/** What was sent, with 500 samples lost in a burst, as a capture. */
async function capture(t: TestContext): Promise<string> {
  const path = join(await temporaryFolder(t), 'c');
  const native = { format: 'cf32_le', fullScale: 1 } as const;
  const writer = await CaptureWriter.create(path, { ...native, rateHz: RATE_HZ, frequencyHz: null, hardware: 'test' });
  await writer.write(block(samples, 0, lost[0]));
  await writer.write(block(samples, lost[1], samples.length / 2, { lostBefore: exactLoss(...lost) }));
  await writer.close();
  return path;
}

async function receive(path: string, query: string, piped: boolean, hooks: StreamHooks = {}, mostBursts?: number) {
  const radio = await openRadio(`file:${path}${query}`);
  const rx = await radio.openRx({});
  const { rateHz, format, fullScale } = rx.settings;
  const live = radio.capabilities.realtime;
  const pipeline = piped ? { pipeline: { format, fullScale, live } } : {};
  const settings = { numerology: 6, loOffsetHz: 0, rateHz, estimator: 'lmmse', ...pipeline } as const;
  const limited = mostBursts === undefined ? settings : { ...settings, mostBursts };
  try {
    const { trace, heard, chain } = await receiveStream(rx, limited, hooks);
    const { lostSamples, losses, droppedBursts, imbalance } = chain;
    return { trace, heard, samples: chain.samples, lostSamples, losses, droppedBursts, imbalance };
  } finally {
    await rx.close();
  }
}

test('a recording gives the same through two threads and through one: bursts, pictures, losses, counters', async (t) => {
  const path = await capture(t);
  for (const query of ['', '?loop=2']) {
    const alone = await receive(path, query, false);
    assert.ok(alone.trace.bursts.length >= 7 && alone.heard.length >= 6);
    assert.ok(alone.trace.bursts.some((b) => b.suspect?.startsWith('500 samples lost inside')));
    assert.deepEqual(await receive(path, query, true), alone);
  }
});

test('from a source that does not wait it is the same where nothing was dropped, and queues are told of', async (t) => {
  const path = await capture(t);
  const depths: PipelineQueues[] = [];
  let read: () => PipelineQueues = () => assert.fail('not told');
  const hooks: StreamHooks = {
    queues: (tell) => {
      read = tell;
    },
    progress: () => depths.push(read()),
  };
  const paced = await receive(path, '?pace=1', true, hooks);
  const alone = await receive(path, '', false);
  // A machine that stands still drops something, and says so.
  if (paced.droppedBursts === 0 && paced.lostSamples === alone.lostSamples) assert.deepEqual(paced.trace, alone.trace);
  assert.equal(paced.samples + paced.lostSamples, samples.length / 2);
  assert.ok(depths.length > 0);
  for (const d of depths) {
    assert.ok(d.samplesShare >= 0 && d.samplesShare <= 1 && d.samplesMs >= 0 && d.bursts >= 0);
  }
});

test('a stream that the other thread cannot take is an error, and its source is let go', async () => {
  let closed = false;
  async function* blocks(): AsyncGenerator<SampleBlock> {
    try {
      for (let i = 0; i < 1000; i++) {
        const data = new Int8Array(2 * 4096);
        yield { data, format: 'ci8', fullScale: 128, index: 5, lostBefore: null, timestampNs: null };
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    } finally {
      closed = true;
    }
  }
  const settings = {
    ...({ numerology: 6, loOffsetHz: 0, rateHz: 1_920_000, estimator: 'lmmse' } as const),
    pipeline: { format: 'ci8', fullScale: 128, live: false },
  } as const;
  await assert.rejects(receiveStream(blocks(), settings), (e) => e instanceof SctError && /overlaps/.test(e.message));
  assert.ok(closed);
});

test('what a hook throws ends the reception', async (t) => {
  const hooks: StreamHooks = {
    burst: () => {
      throw new Error('enough');
    },
  };
  await assert.rejects(receive(await capture(t), '', true, hooks), /enough/);
});

test('of a long stream the trace keeps the last bursts; means and counts are of all, those that leave are told in order', async (t) => {
  const path = await capture(t);
  const all = await receive(path, '', false);
  const gone: BurstTrace[] = [];
  const hooks: StreamHooks = { leaves: (burst) => void gone.push(burst) };
  const few = await receive(path, '', false, hooks, 3);
  assert.equal(few.trace.bursts.length, 3);
  assert.equal(few.trace.left, all.trace.bursts.length - 3);
  assert.deepEqual(
    [...gone, ...few.trace.bursts],
    [
      ...all.trace.bursts.slice(0, -3),
      // Points are kept of the first burst that is there.
      ...few.trace.bursts,
    ],
  );
  const config = resolveLinkConfig({ numerology: 6 });
  const metricsOf = ({ trace, samples: count }: typeof all) =>
    linkMetrics({
      config,
      trace,
      facts: null,
      source: undefined,
      decoded: undefined,
      samples: count,
      lostSamples: 500,
      clippedSamples: 0,
      modelled: false,
    });
  const { csiAgeMs: _, ...metrics } = metricsOf(few);
  const { csiAgeMs: __, ...expected } = metricsOf(all);
  assert.ok(expected.rbSnrDb && expected.cfoHz !== null && expected.evmDb !== null);
  assert.deepEqual(metrics, expected);
  assert.equal(few.trace.csiAgeMs, all.trace.csiAgeMs);
  assert.match(traceWarnings(few.trace, 0).join('; '), /^7 bursts came: lists and pictures show the last 3, means/);
  assert.equal(few.heard.length, all.heard.length);
});

test('bursts that are left out count as dropped, and nothing of them is decoded', async (t) => {
  const path = await capture(t);
  const all = await receive(path, '', false);
  const chosen = all.trace.bursts.filter((b) => b.use === 'data').slice(1, 3);
  const leftOut = new DroppedBursts(chosen.map((b) => ({ burst: b.burst, index: Math.round(b.startSample) })));
  assert.equal(leftOut.count, 2);
  assert.ok(!leftOut.has(chosen[0].burst, chosen[0].startSample + 50) && !leftOut.has(999, chosen[0].startSample));
  const radio = await openRadio(`file:${path}`);
  const settings = { numerology: 6, loOffsetHz: 0, rateHz: RATE_HZ, estimator: 'lmmse', leftOut } as const;
  const { trace } = await receiveStream(await radio.openRx({}), settings);
  const numbers = (of: readonly { burst: number }[]) => of.map((b) => b.burst);
  assert.deepEqual(numbers(trace.droppedBursts), numbers(chosen));
  const others = all.trace.bursts.filter((b) => !chosen.includes(b));
  assert.deepEqual(numbers(trace.bursts), numbers(others));
});
