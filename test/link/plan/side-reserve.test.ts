import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelKnowledge } from '../../../src/link/plan/channel-knowledge.ts';
import { reserveOf } from '../../../src/link/plan/side-reserve.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import type { SourcePlan } from '../../../src/sct/codec/codec.ts';

const n = numerology(25);
const BUDGET = 22_540;

/** A picture of one stream with 160 bytes of side information. */
function source(kind: 'analog' | 'bits', sideInfoBytes = 160): SourcePlan {
  return { streams: [{ id: 0, kind, score: 1, minSize: 16 }], sideInfoBytes } as unknown as SourcePlan;
}

/** The whole band at one SNR after margins. */
function at(snrDb: number, fresh = true): ChannelKnowledge {
  return {
    codes: fresh ? new Uint8Array(25) : null,
    codedSnrDb: new Array(25).fill(snrDb),
    uncertainty: 0.1,
    power: null,
    reserve: 0.2,
  } as unknown as ChannelKnowledge;
}

const kept = (snrDb: number, { harq = 3, budget = BUDGET, fresh = true, plan = source('analog') } = {}) =>
  reserveOf(n, plan, at(snrDb, fresh), harq, budget, 4000);

test('room for repeating side information is kept where it may be lost', () => {
  assert.equal(kept(5), 0, 'a good band needs none');
  const burst = kept(-12);
  assert.ok(burst > 3000 && burst < 0.45 * BUDGET, `${burst} RE: one burst with the side information`);
  assert.equal(kept(-2), 0, 'where it is likely to arrive, a quarter of a small budget is too much');
  assert.equal(kept(-2, { budget: 10 * BUDGET }), burst, 'and little of a large one');
  assert.equal(kept(-12, { budget: 2 * burst }), 0, 'never more than 45 %');
  assert.equal(kept(-12, { fresh: false }), burst, 'an old report that says as much counts the same');
});

test('without repetitions or side information nothing is kept, and coded streams keep their share', () => {
  assert.equal(kept(-12, { harq: 0 }), 0);
  assert.equal(kept(-12, { plan: source('analog', 0) }), 0);
  assert.equal(kept(-12, { plan: source('bits') }), 0.2 * BUDGET);
});
