import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeviceError } from '../../src/common/errors.ts';
import { LoopbackRadio } from '../../src/radio/loopback/loopback-radio.ts';
import { exactLoss, newRxCounters, type RxStream, type SampleBlock, type StreamEnd } from '../../src/radio/radio.ts';
import { record, tapRx, tapTx } from '../../src/radio/recorder.ts';
import { validateCapture } from '../../src/radio/sigmf/capture-info.ts';
import { CaptureReader } from '../../src/radio/sigmf/capture-reader.ts';
import { CaptureWriter } from '../../src/radio/sigmf/capture-writer.ts';
import { noise, noiseBlock, temporaryFolder } from './helpers.ts';

/** A source that hands out what it is given, then waits for close() or fails. */
function source(blocks: readonly SampleBlock[], ending: 'end' | 'wait' | Error): RxStream {
  let release: () => void = () => {};
  const closed = new Promise<void>((resolve) => (release = resolve));
  const stream = {
    settings: { frequencyHz: 0, rateHz: 8e6, bandwidthHz: null, gainsDb: {}, format: 'ci8', fullScale: 128 } as const,
    counters: newRxCounters(),
    ended: null as StreamEnd | null,
    async close() {
      stream.ended ??= 'closed';
      release();
    },
    describe: () => 'source',
    async *[Symbol.asyncIterator]() {
      yield* blocks;
      if (ending instanceof Error) throw ending;
      if (ending === 'wait') await closed;
      else stream.ended = 'source-ended';
    },
  };
  return stream;
}

async function newWriter(folder: string): Promise<CaptureWriter> {
  return CaptureWriter.create(join(folder, 'x'), { format: 'ci8', rateHz: 8e6, startTime: null });
}

test('a recording ends with its source, at its limit, when interrupted, or with the device, and is valid each time', async (t) => {
  const blocks = [
    noiseBlock('ci8', 0, 1000),
    noiseBlock('ci8', 1000, 1000),
    noiseBlock('ci8', 2050, 1000, exactLoss(2000, 2050)),
  ];
  for (const { ending, options, reason, samples } of [
    { ending: 'end', options: {}, reason: 'source-ended', samples: 3000 },
    { ending: 'wait', options: { maxSamples: 1500 }, reason: 'max-samples', samples: 1500 },
    { ending: 'wait', options: { maxSamples: 3000 }, reason: 'max-samples', samples: 3000 },
    { ending: 'wait', options: { stop: true }, reason: 'interrupted', samples: 3000 },
    { ending: new DeviceError('unplugged'), options: {}, reason: 'error', samples: 3000 },
  ] as const) {
    for (const realtime of [true, false]) {
      const writer = await newWriter(await temporaryFolder(t));
      const interrupt = new AbortController();
      if ('stop' in options) setImmediate(() => interrupt.abort());
      const result = await record(source(blocks, ending), writer, { realtime, signal: interrupt.signal, ...options });
      assert.equal(result.reason, reason);
      assert.equal(result.summary.samples, samples);
      assert.equal(result.error, ending instanceof Error ? ending : null);
      const check = await validateCapture(writer.paths.base);
      assert.deepEqual(check.problems, []);
      assert.equal(check.info?.complete, true);
      assert.equal(check.info?.lostSamples.min, samples === 3000 ? 50 : 0);
    }
  }
});

test('a real-time source never waits: what finds no room is dropped, counted, and stands as a gap', async (t) => {
  const writer = await newWriter(await temporaryFolder(t));
  // The disk takes nothing until all ten blocks have come; the queue holds four.
  let openDisk: () => void = () => {};
  const disk = new Promise<void>((resolve) => (openDisk = resolve));
  const slowWriter: CaptureWriter = Object.create(writer, {
    write: { value: (block: SampleBlock) => disk.then(() => writer.write(block)) },
  });
  const blocks = Array.from({ length: 10 }, (_, i) => noiseBlock('ci8', 1000 * i, 1000));
  const late = noiseBlock('ci8', 10_007, 500, exactLoss(10_000, 10_007));
  const stream: RxStream = {
    ...source([], 'end'),
    async *[Symbol.asyncIterator]() {
      yield* blocks;
      openDisk();
      while (writer.samples < 4000) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      yield late;
    },
  };
  const result = await record(stream, slowWriter, { realtime: true, bufferBytes: 8000 });
  assert.equal(result.droppedSamples, 6000);
  assert.equal(result.summary.samples, 4500);
  assert.equal(result.summary.lostMin, 6007);
  const reader = await CaptureReader.open(writer.paths.base);
  t.after(() => reader.close());
  const all = [...blocks, late];
  for await (const block of reader.blocks({ blockSamples: 1000 })) {
    const original = all.find((b) => b.index <= block.index && block.index < b.index + b.data.length / 2)!;
    assert.equal(block.data[0], original.data[2 * (block.index - original.index)]);
  }
  const lost = reader.layout.segments.at(-1)?.lostBefore;
  assert.deepEqual(lost, exactLoss(4000, 10_007));
});

test('a failing disk ends the recording with an error of its own', async (t) => {
  const writer = await newWriter(await temporaryFolder(t));
  const bad = { ...noiseBlock('ci16_le', 0, 10) };
  const result = await record(source([noiseBlock('ci8', 0, 100), { ...bad, index: 100 }], 'end'), writer, {
    realtime: false,
  });
  assert.equal(result.reason, 'error');
  assert.match(result.error?.message ?? '', /capture of ci8/);
  assert.deepEqual((await validateCapture(writer.paths.base)).problems, []);
});

test('taps record what is sent and what is heard, at the same indices', async (t) => {
  const folder = await temporaryFolder(t);
  const radio = LoopbackRadio.create({ channel: { process: (x) => x, describe: () => 'wire' }, format: 'ci8' });
  const options = { format: 'ci8', rateHz: 7.68e6, startTime: null } as const;
  const [txWriter, rxWriter] = [
    await CaptureWriter.create(join(folder, 'tx'), options),
    await CaptureWriter.create(join(folder, 'rx'), options),
  ];
  const rx = tapRx(await radio.openRx(), rxWriter);
  const tx = tapTx(await radio.openTx(), txWriter);
  await tx.write(noise(1, 5000, 0.2), 300);
  await tx.write(noise(2, 5000, 0.2), 9000);
  let samples = 0;
  for await (const block of rx) if ((samples += block.data.length / 2) >= 14_000) break;
  const [sent, heard] = [await txWriter.close(), await rxWriter.close()];
  assert.equal(sent.samples, 14_000);
  // A wire and equal converters: the two recordings are the same.
  assert.equal(sent.sha512, heard.sha512);
});

test('what a board tells of only once its stream is over stands in the recording, and what had a block to stand before does not again', async (t) => {
  const blocks = [noiseBlock('ci8', 0, 1000), noiseBlock('ci8', 1050, 1000, exactLoss(1000, 1050))];
  const stream = source(blocks, 'end');
  const { close } = stream;
  stream.close = async () => {
    await close();
    Object.assign(stream.counters, { lostMin: 50 + 16, lostMax: 50 + 90 });
  };
  const writer = await newWriter(await temporaryFolder(t));
  await record(stream, writer, { realtime: true });
  const reader = await CaptureReader.open(writer.paths.base);
  const { global } = reader.meta as { global: Record<string, unknown> };
  await reader.close();
  assert.deepEqual(
    [global['sct:lost_samples'], global['sct:lost_at_end']],
    [
      { min: 50, max: 50 },
      { min: 16, max: 90 },
    ],
  );
});
