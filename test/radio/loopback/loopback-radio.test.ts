import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { fromFloat, toFloat } from '../../../src/radio/format/convert.ts';
import type { ChannelFn } from '../../../src/radio/loopback/loopback-path.ts';
import { type LoopbackOptions, LoopbackRadio } from '../../../src/radio/loopback/loopback-radio.ts';
import type { LoopbackRx } from '../../../src/radio/loopback/loopback-streams.ts';
import type { SampleBlock, SampleData } from '../../../src/radio/radio.ts';
import { noise } from '../helpers.ts';

const wire: ChannelFn = { process: (x) => x, describe: () => 'wire' };

function takeAll(rx: LoopbackRx): SampleBlock[] {
  const blocks: SampleBlock[] = [];
  for (let block = rx.readAvailable(); block; block = rx.readAvailable()) blocks.push(block);
  return blocks;
}

function joined(blocks: readonly SampleBlock[]): number[] {
  return blocks.flatMap((block) => [...toFloat(block.data, block.fullScale).reIm]);
}

test('bursts arrive at their index with silence around them, whatever the block size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(3000), fc.nat(2000)), { maxLength: 6 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.constantFrom('cf32_le', 'ci8', 'ci16_le'),
      async (plan, blockSamples, format) => {
        const radio = LoopbackRadio.create({ channel: wire, blockSamples, format } as LoopbackOptions);
        const rx = await radio.openRx();
        const tx = await radio.openTx();
        const expected: number[] = [];
        const blocks: SampleBlock[] = [];
        for (const [gap, length] of plan) {
          const at = expected.length / 2 + gap;
          const burst = noise(at, length, 0.2);
          const placed = await tx.write(burst, at);
          assert.deepEqual(placed, { index: at, samples: length });
          for (let i = 0; i < 2 * gap; i++) expected.push(0);
          const scale = rx.settings.fullScale;
          expected.push(...toFloat(fromFloat(burst, format as 'ci8', scale).data, scale).reIm);
          blocks.push(...takeAll(rx));
        }
        let index = 0;
        for (const block of blocks) {
          assert.equal(block.index, index);
          index += block.data.length / 2;
        }
        // An empty burst after a gap moves no time.
        const seen = joined(blocks);
        assert.deepEqual(seen, expected.slice(0, seen.length));
        assert.ok(expected.slice(seen.length).every((v) => v === 0));
      },
    ),
    { seed: 3, numRuns: 40 },
  );
});

test('the channel sees every sample of simulated time once and in order, heard or not', async () => {
  let seen = 0;
  const counting: ChannelFn = {
    process: (x) => {
      const y = x.slice();
      for (let i = 0; i < y.length; i += 2) y[i] = seen++ / 2 ** 20;
      return y;
    },
    describe: () => 'counting',
  };
  const radio = LoopbackRadio.create({ channel: counting });
  radio.advance(40_000);
  assert.equal(seen, 40_000);
  const rx = await radio.openRx();
  radio.advance(100_000);
  const blocks = takeAll(rx);
  assert.equal(blocks[0].data[0], 40_000 / 2 ** 20);
  assert.equal(blocks[0].index, 40_000);
  assert.equal(
    blocks.reduce((n, b) => n + b.data.length / 2, 0),
    100_000,
  );
  assert.equal(radio.now, 140_000);
});

test('converters quantise and clip on both sides, and count it', async () => {
  const double: ChannelFn = { process: (x) => x.map((v) => 2 * v), describe: () => '+6 dB' };
  const radio = LoopbackRadio.create({ channel: double, format: 'ci8' });
  const rx = await radio.openRx();
  const tx = await radio.openTx();
  await tx.write(Float32Array.of(0.3, 0, 0.7, 0, 3, 0, Number.NaN, 0));
  const [block] = takeAll(rx);
  // 0.3 -> 38 -> 76; 0.7 -> 90 -> 180, limited; 3 -> limited to 127 -> 254, limited; NaN -> 0.
  assert.deepEqual([...block.data], [76, 0, 127, 0, 127, 0, 0, 0]);
  assert.equal(tx.counters.clippedSamples, 1);
  assert.equal(tx.counters.nonFinite, 1);
  assert.equal(rx.counters.clippedSamples, 2);
});

test('injected drops become loss records; every index obeys the rule of the stream', async () => {
  const drops = [
    { at: 100, samples: 50 },
    { at: 150, samples: 10 },
    { at: 20_000, samples: 300, bounds: { min: 200, max: 900 } },
  ];
  const radio = LoopbackRadio.create({ channel: wire, drops, blockSamples: 64 });
  const rx = await radio.openRx();
  const tx = await radio.openTx();
  const burst = noise(1, 30_000);
  await tx.write(burst);
  const blocks = takeAll(rx);
  let end = 0;
  for (const block of blocks) {
    assert.equal(block.index, end + (block.lostBefore?.min ?? 0));
    end = block.index + block.data.length / 2;
  }
  const losses = blocks.flatMap((b) => (b.lostBefore ? [b.lostBefore] : []));
  assert.deepEqual(losses, [
    { min: 60, max: 60, exact: true, from: 100, to: 160 },
    { min: 200, max: 900, exact: false, from: 20_000, to: 20_200 },
  ]);
  const kept = [...burst.slice(0, 200), ...burst.slice(320, 40_000), ...burst.slice(40_600)];
  assert.deepEqual(joined(blocks), kept);
  assert.deepEqual([rx.counters.lostMin, rx.counters.lostMax, rx.counters.gaps], [260, 960, 2]);
  assert.throws(
    () =>
      LoopbackRadio.create({
        channel: wire,
        drops: [
          { at: 5, samples: 10 },
          { at: 9, samples: 1 },
        ],
      }),
    UsageError,
  );
});

test('a channel with another sample clock sets the index by what comes out', async () => {
  const faster: ChannelFn = { process: (x) => x.subarray(0, x.length - 2), describe: () => 'fast clock' };
  const radio = LoopbackRadio.create({ channel: faster, blockSamples: 1000 });
  const rx = await radio.openRx();
  radio.advance(3000);
  assert.deepEqual(
    takeAll(rx).map((b) => [b.index, b.data.length / 2]),
    [
      [0, 999],
      [999, 999],
      [1998, 999],
    ],
  );
});

test('half-duplex refuses both directions at once; late bursts, closed radios and foreign rates are refused', async () => {
  const radio = LoopbackRadio.create({ channel: wire, duplex: 'half' });
  const rx = await radio.openRx();
  await assert.rejects(radio.openTx(), DeviceError);
  await rx.close();
  const tx = await radio.openTx({ rateHz: 1.92e6 });
  assert.equal(tx.settings.rateHz, 1.92e6);
  await tx.write(new Float32Array(2000), 500);
  await assert.rejects(tx.write(new Float32Array(2), 1499), DeviceError);
  assert.deepEqual(await tx.write(new Float32Array(2)), { index: 1500, samples: 1 });
  await tx.close();
  await assert.rejects(tx.write(new Float32Array(2)), DeviceError);
  await assert.rejects(radio.openTx({ rateHz: 0 }), UsageError);
  await assert.rejects(radio.openTx({ gainsDb: { lna: 8 } }), UsageError);
  await radio.close();
  await assert.rejects(radio.openRx(), DeviceError);
});

test('a pair talks both ways on one clock', async () => {
  const half: ChannelFn = { process: (x) => x.map((v) => v / 2), describe: () => '-6 dB' };
  const [a, b] = LoopbackRadio.pair({ channel: wire, duplex: 'full' }, half);
  const [aRx, bRx] = [await a.openRx(), await b.openRx()];
  const [aTx, bTx] = [await a.openTx(), await b.openTx()];
  await aTx.write(Float32Array.of(0.5, 0.5));
  await bTx.write(Float32Array.of(0.25, 0));
  assert.deepEqual(joined(takeAll(bRx)), [0.5, 0.5, 0, 0]);
  assert.deepEqual(joined(takeAll(aRx)), [0, 0, 0.125, 0]);
  assert.equal(a.now, 2);
  assert.equal(b.now, 2);
});

test('iteration waits for time to pass and ends at close; a full queue makes the transmitter wait', async () => {
  const radio = LoopbackRadio.create({ channel: wire, maxPendingSamples: 1000, blockSamples: 500 });
  const rx = await radio.openRx();
  const tx = await radio.openTx();
  const got: SampleData[] = [];
  const reading = (async () => {
    for await (const block of rx) got.push(block.data);
  })();
  for (let i = 0; i < 20; i++) await tx.write(noise(i, 700));
  while (got.reduce((n, d) => n + d.length / 2, 0) < 14_000) await new Promise((resolve) => setImmediate(resolve));
  await rx.close();
  await reading;
  assert.equal(rx.ended, 'closed');
  assert.deepEqual(
    got.flatMap((d) => [...d]),
    Array.from({ length: 20 }, (_, i) => [...noise(i, 700)]).flat(),
  );
});
