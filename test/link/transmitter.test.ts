import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { countedRe } from '../../src/link/accounting.ts';
import { MAX_DATA_SLOTS, MAX_PARTS } from '../../src/link/plan/budget-split.ts';
import { type TransmitBurst, Transmitter, type TransmitterOptions } from '../../src/link/transmitter.ts';
import { MAX_BLOCKS } from '../../src/link/transport.ts';
import { NUMEROLOGIES, type Numerology, numerology } from '../../src/phy/numerology.ts';
import { BytesCodec, blank, unanswered } from './helpers.ts';

/** A transmitter that has just been told that every subband has this SNR. */
function informed(n: Numerology, snrDb: number, options: Partial<TransmitterOptions> = {}) {
  const transmitter = new Transmitter({ numerology: n, codec: new BytesCodec(), ...options });
  const codes = new Uint8Array(n.nSubbands).fill(4 * (snrDb + 20));
  transmitter.takeReport({ number: 1, session: 1, burst: 0, codes }, 0);
  return transmitter;
}

test('control, padding and repetitions stay within the budget of each picture, whatever is lost', async () => {
  const random = new RandomStream('budgets');
  let pictures = 0;
  let repeats = 0;
  for (let i = 0; i < 120; i++) {
    const n = NUMEROLOGIES[random.integer(NUMEROLOGIES.length)];
    const transmitter = informed(n, random.integer(30), { harq: random.integer(4) });
    for (let k = 0; k < 2; k++) {
      const before = countedRe(transmitter.budget);
      const [width, height] = [16 + random.integer(500), 16 + random.integer(500)];
      const budget = Math.floor(width * height * random.between(0.05, 2));
      let last: readonly TransmitBurst[];
      try {
        const plan = await transmitter.send(blank(width, height), budget, 0);
        last = plan.bursts;
        for (const b of plan.bursts) assert.ok(b.slots >= 1 && b.slots <= MAX_DATA_SLOTS);
      } catch (error) {
        assert.ok(error instanceof UsageError && /too small/.test(error.message), `${error}`);
        assert.equal(countedRe(transmitter.budget), before, 'nothing is sent, nothing is counted');
        continue;
      }
      pictures++;
      // No acknowledgement ever comes: everything is repeated as long as there is budget.
      for (let round = 0; round < 6; round++) {
        last = unanswered(transmitter, last);
        repeats += last.length;
      }
      const spent = countedRe(transmitter.budget) - before;
      assert.ok(spent <= budget, `${spent} RE of ${budget}, ${n.nSubbands} subbands, picture ${k}`);
      assert.ok(transmitter.retransmissionRounds <= transmitter.options.harq);
    }
  }
  assert.ok(pictures > 100 && repeats > 20, `${pictures} pictures, ${repeats} repetitions`);
});

test('a budget that is too small names one that works, and that one works', async () => {
  for (const n of NUMEROLOGIES) {
    for (const [width, height] of [
      [64, 48],
      [97, 101],
      [128, 96],
      [333, 77],
    ]) {
      const transmitter = informed(n, 12);
      const pixels = width * height;
      let hint = '';
      await assert.rejects(transmitter.send(blank(width, height), 300, 0), (e: unknown) => {
        assert.ok(e instanceof UsageError);
        hint = e.hint ?? '';
        return true;
      });
      const [, r, cbr] = /--symbols-per-pixel ([\d.e+-]+) \(--cbr ([\d.e+-]+)\)/.exec(hint)!;
      for (const budget of [Number(r) * pixels, 3 * Number(cbr) * pixels]) {
        assert.equal((await transmitter.send(blank(width, height), budget, 0)).bursts.length, 1);
        await assert.rejects(
          transmitter.send(blank(width, height), 0.98 * budget, 0),
          UsageError,
          'no more than needed',
        );
      }
    }
  }
});

test('no burst has more code blocks than 8 bits can number: a picture takes more bursts instead', async () => {
  // 96 slots x 50 subbands x 154 RE x 8 bits x 0.92 would be 644 blocks of 8448 bits.
  for (const [subbands, snrDb, share] of [
    [50, 43, 1],
    [50, 14, 1],
    [25, 43, 1],
    // A file much smaller than its budget: base graph 2, whose blocks have 3840 bits.
    [50, 43, 0.26],
    [50, 16, 0.45],
    [50, 16, 0.3],
  ]) {
    const n = numerology(subbands);
    const transmitter = informed(n, snrDb, { codec: new BytesCodec(share) });
    const budget = 2 * MAX_DATA_SLOTS * subbands * 154;
    const plan = await transmitter.send(blank(1000, 1000), budget, 0);
    const pending = transmitter.pendingBlocks / plan.bursts.length;
    assert.ok(plan.bursts.length >= 2 && pending <= MAX_BLOCKS, `${plan.bursts.length} bursts of ${pending} blocks`);
    assert.ok(countedRe(transmitter.budget) <= budget);
    assert.equal(
      plan.bursts.reduce((sum, b) => sum + b.extension!.streams[0].bytes, 0),
      plan.payloadBytes,
    );
  }
});

test('8192x8192 at the default budget fits the part numbers at every numerology; beyond them it is refused', async () => {
  const pixels = 8192 * 8192;
  for (const n of NUMEROLOGIES) {
    const slots = ((3 / 16) * pixels) / (n.nSubbands * 154);
    assert.ok(slots / MAX_DATA_SLOTS < MAX_PARTS, `${n.nSubbands}: ${slots / MAX_DATA_SLOTS} parts`);
  }
  const n = numerology(4);
  const transmitter = informed(n, 5, { harq: 0, codec: new BytesCodec(0.01) });
  const image = { ...blank(1, 1), width: 8192, height: 8192 };
  let hint = '';
  await assert.rejects(transmitter.send(image, pixels, 0), (e: unknown) => {
    assert.ok(e instanceof UsageError && /at most 256/.test(e.message), `${e}`);
    hint = e.hint!;
    return true;
  });
  const [, r] = /--symbols-per-pixel ([\d.e+-]+)/.exec(hint)!;
  const plan = await transmitter.send(image, Number(r) * pixels, 0);
  assert.ok(plan.bursts.length > 250 && plan.bursts.length <= MAX_PARTS, `${plan.bursts.length} parts`);
  assert.deepEqual(
    plan.bursts.map((b) => b.extension!.part),
    [...plan.bursts.keys()],
  );
  assert.ok(plan.bursts.every((b) => b.extension!.partsLess1 === plan.bursts.length - 1));
});

test('a file of fewer bytes than parts still gives every part something', async () => {
  const n = numerology(6);
  const transmitter = informed(n, 10, { harq: 0, codec: new BytesCodec(1e-9) });
  const plan = await transmitter.send(blank(1000, 1000), 3.5 * MAX_DATA_SLOTS * 6 * 154, 0);
  assert.equal(plan.bursts.length, 4);
  assert.deepEqual(
    plan.bursts.map((b) => b.extension!.streams[0].bytes),
    [1, 1, 1, 1],
  );
});

test('acknowledged blocks are not repeated; foreign acknowledgements change nothing', async () => {
  const n = numerology(25);
  const transmitter = informed(n, 15, { harq: 2 });
  const plan = await transmitter.send(blank(500, 400), 100_000, 0);
  const [{ burst, extension }] = plan.bursts;
  const { process, newData } = extension!;
  const count = transmitter.pendingBlocks;
  assert.ok(count > 10);
  const blocks = Array.from({ length: count }, (_, r) => r !== 3 && r !== 7);
  const ack = { session: 1, burst, extensionOk: true, process, newData, blocks };
  assert.equal(transmitter.takeAck({ ...ack, session: 2 }), 'unknown');
  assert.equal(transmitter.takeAck({ ...ack, burst: burst + 1 }), 'unknown');
  assert.equal(transmitter.takeAck({ ...ack, blocks: [...blocks, true] }), 'contradictory');
  assert.equal(transmitter.takeAck({ ...ack, process: process + 1 }), 'contradictory');
  assert.equal(transmitter.takeAck({ ...ack, newData: 1 - newData }), 'contradictory');
  assert.equal(transmitter.pendingBlocks, count);
  assert.deepEqual(transmitter.repeat(0), [], 'still waited for');
  assert.equal(transmitter.takeAck(ack), 'taken');
  assert.equal(transmitter.pendingBlocks, 2);
  const [repeat] = transmitter.repeat(0);
  assert.deepEqual(
    repeat.extension!.blocks.map((b) => b.block),
    [3, 7],
  );
  assert.equal(repeat.extension!.redundancyVersion, 2);
  assert.equal(repeat.extension!.original, burst);
  assert.equal(transmitter.takeAck({ ...ack, burst: repeat.burst, blocks: [true, true] }), 'taken');
  assert.equal(transmitter.pendingBlocks, 0);
  assert.deepEqual(transmitter.repeat(0), []);
});

test('another model set is taken from the next picture on: what is on the air keeps its own', async () => {
  const n = numerology(6);
  const transmitter = informed(n, 20, { modelSet: 1, harq: 1 });
  const codec = new BytesCodec();
  await transmitter.send(blank(64, 64), 4000, 0);
  transmitter.change({ codec, modelSet: 2 });
  assert.equal(transmitter.options.modelSet, 1, 'a repetition of the picture names its set');
  assert.equal(transmitter.understudy().options.modelSet, 2);
  await transmitter.send(blank(64, 64), 4000, 1);
  assert.deepEqual([transmitter.options.modelSet, transmitter.options.codec], [2, codec]);
});
