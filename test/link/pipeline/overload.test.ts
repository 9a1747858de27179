import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { createRecordRing, RecordRingReader, RecordRingWriter } from '../../../src/common/record-ring.ts';
import type { FrontRecord } from '../../../src/link/front-record.ts';
import { Demodulator, type DemodulatorSetup } from '../../../src/link/pipeline/demodulator.ts';
import { OverloadPolicy } from '../../../src/link/pipeline/overload.ts';
import { ReceivePipeline } from '../../../src/link/pipeline/receive-pipeline.ts';
import { decodeRecord } from '../../../src/link/pipeline/record-wire.ts';
import { SAMPLE_HEADER_BYTES, SAMPLES, writeSamples } from '../../../src/link/pipeline/sample-wire.ts';
import { Transmitter } from '../../../src/link/transmitter.ts';
import { air, BytesCodec, block, SMALL } from '../helpers.ts';

const occupiedHz = (SMALL.nCarriers + 1) * 15e3;
const STREAM = { subbands: 6, estimator: 'lmmse', occupiedHz, rateHz: SMALL.sampleRateHz, loOffsetHz: 0 } as const;
const NATIVE = { format: 'cf32_le', fullScale: 1 } as const;
const PIECE = 1024;
const BURSTS = 16;

let samples: Float32Array;
let starts: number[];

before(() => {
  const transmitter = new Transmitter({ numerology: SMALL, codec: new BytesCodec() });
  const bursts = Array.from({ length: BURSTS }, () => transmitter.sounding());
  ({ samples, starts } = air(SMALL, bursts, { snrDb: 20 }));
});

/** The front half in this thread, with rings of so many bytes; all samples wait for it. */
function demodulator(recordBytes: number, sampleBytes = 4 * samples.byteLength) {
  const setup: DemodulatorSetup = {
    ...STREAM,
    ...NATIVE,
    live: true,
    keptSymbols: [],
    samples: createRecordRing(sampleBytes),
    records: createRecordRing(recordBytes),
    dropped: new SharedArrayBuffer(4),
  };
  const writer = new RecordRingWriter(setup.samples);
  for (let at = 0; at < samples.length / 2; at += PIECE) {
    const data = samples.subarray(2 * at, 2 * Math.min(samples.length / 2, at + PIECE));
    writeSamples(writer.reserve(SAMPLE_HEADER_BYTES + data.byteLength)!, data, at, null);
    writer.commit(SAMPLES, data.length / 2);
  }
  const dropped = () => new Int32Array(setup.dropped)[0];
  return { demodulator: new Demodulator(setup), reader: new RecordRingReader(setup.records), dropped };
}

function drain(reader: RecordRingReader): FrontRecord[] {
  const out: FrontRecord[] = [];
  for (let entry = reader.peek(); entry; entry = reader.peek()) {
    out.push(decodeRecord(entry.bytes));
    reader.release();
  }
  return out;
}

/** Every burst that was sent is there, read or dropped, once and in its place. */
function checkAll(records: readonly FrontRecord[]): ('burst' | 'skip')[] {
  const heard = records.filter((r) => r.type === 'burst' || r.type === 'skip');
  assert.equal(heard.length, BURSTS);
  heard.forEach((r, i) => {
    assert.ok(Math.abs(r.startSample - starts[i]) < 3, `${r.startSample} for ${starts[i]}`);
    assert.equal(r.header.burst, i);
    if (r.type === 'skip') assert.equal(r.reason, 'overload');
  });
  return heard.map((r) => r.type);
}

test('above the high-water mark payloads are left out, from the low-water mark on they are read again', () => {
  // All that waits fills three quarters of the ring: a third of it has to go before a payload is read.
  const used = Math.ceil(samples.length / 2 / PIECE) * (8 * PIECE + 80);
  const { demodulator: d, reader, dropped } = demodulator(1 << 25, Math.round(used / 0.75));
  while (d.step());
  d.finish();
  const types = checkAll(drain(reader));
  const first = types.indexOf('burst');
  assert.ok(first > 0 && first < BURSTS - 2, types.join());
  assert.ok(types.slice(first).every((type) => type === 'burst'));
  // A quarter of the ring is a third of what waited.
  const whole = samples.length / 2;
  assert.ok(starts[first] > 0.5 * whole && starts[first] < 0.8 * whole, `${starts[first]} of ${whole}`);
  assert.equal(dropped(), first);
});

test('bursts that nobody takes in time are dropped whole, counted and located; notes are not', () => {
  const { demodulator: d, reader, dropped } = demodulator(1 << 18, 1 << 25);
  while (d.step());
  d.finish();
  const records = drain(reader);
  const types = checkAll(records);
  const read = types.lastIndexOf('burst') + 1;
  assert.ok(read >= 1 && read < BURSTS, types.join());
  assert.equal(types.filter((type) => type === 'skip').length, dropped());
  const last = records.at(-1);
  assert.equal(last?.type === 'progress' && last.samples, samples.length / 2);
});

test('where even the search cannot keep up, whole blocks are lost: exactly as many as are said, where it is said', async () => {
  const pipeline = await ReceivePipeline.start({ ...STREAM, ...NATIVE, live: true, bufferS: 1e-6 });
  const total = 4_000_000;
  const zeros = new Float32Array(2 * 8000);
  const losses: { from: number; to: number; min: number; max: number; exact: boolean }[] = [];
  let progress = 0;
  try {
    const heard = (async () => {
      for await (const record of pipeline) {
        if (record.type === 'loss') losses.push(record.loss);
        if (record.type === 'progress') progress = record.samples;
      }
    })();
    // The ring holds a small part of this, which is written faster than it can be looked at.
    for (let at = 0; at < total; at += 8000) await pipeline.push(block(zeros, 0, 8000, { index: at }));
    await pipeline.flush();
    await heard;
    const lost = losses.reduce((sum, { max }) => sum + max, 0);
    assert.ok(lost > 0);
    assert.equal(progress + lost, total);
    assert.equal(pipeline.depths().droppedSamples, lost);
    let end = 0;
    for (const { from, to, min, max, exact } of losses) {
      assert.ok(exact && min === max && to - from === max && from >= end && max % 8000 === 0);
      end = to;
    }
  } finally {
    await pipeline.close();
  }
});

test('the policy knows nothing but what waits', () => {
  const policy = new OverloadPolicy(0.6, 0.2);
  const shares = [0, 0.59, 0.6, 0.5, 0.21, 0.2, 0.59, 0.9, 0];
  assert.deepEqual(
    shares.map((share) => policy.headersOnly(share)),
    [false, false, true, true, true, false, false, true, false],
  );
  assert.throws(() => new OverloadPolicy(0.2, 0.6), UsageError);
});
