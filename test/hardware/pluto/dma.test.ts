import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { StatusRegister } from '../../../hardware/emulated/pluto/registers.ts';
import { RxDma } from '../../../hardware/emulated/pluto/rx-dma.ts';
import { SampleClock } from '../../../hardware/emulated/pluto/sample-clock.ts';
import { TxDma } from '../../../hardware/emulated/pluto/tx-dma.ts';

const RATE_HZ = 1000;
const never = new AbortController().signal;

function receiver() {
  const clock = new ManualAirClock();
  const samples = new SampleClock(() => RATE_HZ, 0);
  const status = new StatusRegister();
  const source = (index: number, count: number, into: Int16Array, offset: number) => {
    for (let i = 0; i < count; i++) {
      into[2 * (offset + i)] = (index + i) & 0x7fff;
      into[2 * (offset + i) + 1] = ((index + i) >> 15) & 0x7fff;
    }
  };
  return { clock, status, dma: new RxDma({ samples, clock, source, status }) };
}

const numberOf = (iq: Int16Array, i: number) => iq[2 * i] + iq[2 * i + 1] * 0x8000;

test('what the host is late for is lost, to the sample: delivered and lost samples are all that there were', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 2, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 25 }),
      async (blockSamples, blocks, pausesMs) => {
        const { clock, dma, status } = receiver();
        dma.open(blockSamples, blocks);
        let expected = 0;
        const gaps: { from: number; samples: number }[] = [];
        for (const pauseMs of pausesMs) {
          await clock.advance(pauseMs / 1000);
          const next = dma.next(0, never);
          await clock.advance((blockSamples + 1) / RATE_HZ);
          const { index, iq } = await next;
          if (index !== expected) gaps.push({ from: expected, samples: index - expected });
          for (let i = 0; i < blockSamples; i++) assert.equal(numberOf(iq, i), index + i);
          expected = index + blockSamples;
        }
        // Gaps that the host has seen are the first ones that the board counted.
        assert.deepEqual(dma.gaps.slice(0, gaps.length), gaps);
        const seen = gaps.reduce((sum, gap) => sum + gap.samples, 0);
        assert.ok(dma.lostSamples >= seen);
        assert.equal(status.read() !== 0, dma.overruns > 0);
        if (gaps.length) assert.ok(dma.overruns >= gaps.length);
      },
    ),
    { numRuns: 150 },
  );
});

test('a host that keeps up loses nothing; one that is late by the blocks it has loses', async () => {
  const { clock, dma, status } = receiver();
  dma.open(100, 4);
  for (let block = 0; block < 50; block++) {
    const next = dma.next(0, never);
    await clock.advance(0.1);
    assert.equal((await next).index, 100 * block);
  }
  assert.equal(dma.lostSamples, 0);
  assert.equal(status.read(), 0);
  // The host holds one block, three are free: 300 samples find room, the next 77 do not.
  await clock.advance(0.377);
  assert.equal((await dma.next(0, never)).index, 5000);
  assert.equal(status.read(), 4);
  assert.deepEqual(dma.gaps, [{ from: 5300, samples: 77 }]);
  status.write(4);
  assert.equal(status.read(), 0);
});

test('time-out, and the end of a buffer under a waiting host', async () => {
  const { clock, dma } = receiver();
  dma.open(1000, 4);
  const late = assert.rejects(dma.next(0.5, never), { errno: 110 });
  await clock.advance(0.6);
  await late;
  const closed = assert.rejects(dma.next(0, never), { errno: 9 });
  dma.close();
  await clock.advance(0.2);
  await closed;
});

interface Out {
  readonly index: number;
  readonly value: number;
}

function transmitter() {
  const clock = new ManualAirClock();
  const samples = new SampleClock(() => RATE_HZ, 0);
  const status = new StatusRegister();
  const out: Out[] = [];
  const sink = (index: number, count: number, iq: Int16Array | null, offset: number) => {
    for (let i = 0; i < count; i++) out.push({ index: index + i, value: iq ? iq[2 * (offset + i)] : 0 });
  };
  return { clock, status, out, dma: new TxDma({ samples, clock, sink, status }) };
}

const block = (samples: number, value: number) => new Int16Array(2 * samples).fill(value);

test('blocks are played whole, in order and without a gap while one is queued; zeros else, counted to the sample', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ pauseMs: fc.integer({ min: 0, max: 60 }), pairs: fc.integer({ min: 1, max: 20 }) }), {
        minLength: 1,
        maxLength: 20,
      }),
      async (pushes) => {
        const { clock, dma, out, status } = transmitter();
        dma.open(40, 3, false);
        let sent = 0;
        for (const [i, { pauseMs, pairs }] of pushes.entries()) {
          await clock.advance(pauseMs / 1000);
          const room = dma.room(0, never);
          await clock.advance(0.2);
          await room;
          dma.push(block(2 * pairs, i + 1), 2 * pairs);
          sent += 2 * pairs;
        }
        await clock.advance(2);
        dma.advance(clock.nowS());
        assert.deepEqual(
          out.map(({ index }) => index),
          out.map((_, i) => i),
          'every sample once',
        );
        const values = out.map(({ value }) => value).filter((value) => value !== 0);
        assert.deepEqual(
          values,
          pushes.flatMap(({ pairs }, i) => Array(2 * pairs).fill(i + 1)),
        );
        assert.equal(dma.playedSamples, sent);
        const first = out.findIndex(({ value }) => value !== 0);
        const last = out.findLastIndex(({ value }) => value !== 0);
        assert.equal(dma.gapSamples, last + 1 - first - sent, 'zeros between the first and the last block');
        assert.equal(status.read(), 1);
      },
    ),
    { numRuns: 100 },
  );
});

test('closing cuts what is left; an odd sample is not sent; a cyclic block goes on until it is closed', async () => {
  const { clock, dma, out } = transmitter();
  dma.open(100, 4, false);
  dma.push(block(100, 1), 100);
  dma.push(block(51, 2), 51);
  await clock.advance(0.12);
  dma.close();
  assert.equal(dma.playedSamples, 120);
  assert.equal(dma.cutSamples, 30);
  await clock.advance(0.1);
  dma.advance(clock.nowS());
  assert.equal(out.filter(({ value }) => value !== 0).length, 120);

  dma.open(100, 4, true);
  dma.push(block(30, 3), 30);
  assert.throws(() => dma.push(block(30, 3), 30), { errno: 16 });
  await clock.advance(10.005);
  dma.close();
  await clock.advance(1);
  dma.advance(clock.nowS());
  assert.equal(out.filter(({ value }) => value === 3).length, 10_005);
});

test('a fourth block has to wait for the first to be over', async () => {
  const { clock, dma } = transmitter();
  dma.open(100, 3, false);
  for (let i = 0; i < 3; i++) dma.push(block(100, 1), 100);
  let ready = false;
  const room = dma.room(0, never).then(() => {
    ready = true;
  });
  await clock.advance(0.099);
  assert.equal(ready, false);
  await clock.advance(0.002);
  await room;
  const late = assert.rejects(
    (async () => {
      dma.push(block(100, 1), 100);
      await dma.room(0.05, never);
    })(),
    { errno: 110 },
  );
  await clock.advance(0.06);
  await late;
});
