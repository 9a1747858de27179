import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adaptationRow } from '../../../../src/experiment/bench/adaptation/adaptation-row.ts';
import { type AdaptationTrial, adaptationTrial } from '../../../../src/experiment/bench/adaptation/adaptation-trial.ts';

const AWGN = { channel: 'awgn', snrDb: 12, numerology: 6, budgetRe: 12_000 };
const EVA = { ...AWGN, channel: 'eva', dopplerHz: 5 };

test('a trial on AWGN delivers less than capacity and more than two thirds of it', async () => {
  const trial = await adaptationTrial({ ...AWGN, seed: 1 });
  assert.ok(Math.abs(trial.capacity - Math.log2(1 + 10 ** 1.2)) < 1e-9, `${trial.capacity}`);
  assert.equal(trial.failedBlocks, 0);
  assert.equal(trial.deliveredBits, trial.offeredBits);
  const rate = trial.firstBits / trial.payloadRe;
  assert.ok(rate < trial.capacity && rate > 0.67 * trial.capacity, `${rate} of ${trial.capacity}`);
  assert.deepEqual(await adaptationTrial({ ...AWGN, seed: 1 }), trial);
});

test('capacity on EVA differs from seed to seed; what is delivered was offered', async () => {
  const trials = [await adaptationTrial({ ...EVA, seed: 1 }), await adaptationTrial({ ...EVA, seed: 2 })];
  assert.notEqual(trials[0].capacity, trials[1].capacity);
  for (const t of trials) {
    assert.ok(t.firstBits <= t.deliveredBits && t.deliveredBits <= t.offeredBits);
    assert.ok(t.firstRe > t.payloadRe && t.countedRe <= EVA.budgetRe);
  }
});

test('a row holds its rates, and an interval that knows that blocks of a burst fade together', () => {
  const trial = (failedBlocks: number): AdaptationTrial => ({
    offeredBits: 1000,
    map: 'matched',
    payloadRe: 400,
    firstRe: 500,
    countedRe: failedBlocks > 0 ? 1000 : 500,
    blocks: 10,
    failedBlocks,
    firstBits: 100 * (10 - failedBlocks),
    deliveredBits: 1000,
    capacity: failedBlocks > 0 ? 1 : 3,
  });
  const trials = Array.from({ length: 100 }, (_, i) => trial(i < 20 ? 10 : 0));
  const awgn = adaptationRow(AWGN, 1, trials);
  assert.equal(awgn.firstBler, 0.2);
  assert.ok(Math.abs(awgn.throughput - 1.6) < 1e-12 && Math.abs(awgn.harqThroughput - 1.8) < 1e-12);
  assert.ok(Math.abs(awgn.capacity - 2.6) < 1e-12);
  assert.deepEqual([awgn.outageCapacity10, awgn.burstsWithLoss, awgn.burstsNeverWhole], [1, 20, 0]);
  assert.deepEqual([awgn.blocks, awgn.failedBlocks, awgn.target, awgn.seeds], [1000, 200, 'missed', [1, 100]]);
  const eva = adaptationRow(EVA, 1, trials);
  const width = ({ firstBlerInterval: [low, high] }: { firstBlerInterval: readonly [number, number] }) => high - low;
  // sd of 0.4 over 100 bursts against 1000 blocks: about sqrt(10) times as wide.
  assert.ok(width(eva) > 2.9 * width(awgn) && width(eva) < 3.6 * width(awgn), `${width(eva)}, ${width(awgn)}`);
  const clean = adaptationRow(EVA, 1, trials.slice(50));
  assert.equal(clean.target, 'open');
  assert.ok(clean.firstBlerInterval[0] === 0 && clean.firstBlerInterval[1] > 0.05);
});
