import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelKnowledge } from '../../../src/link/plan/channel-knowledge.ts';
import { PaidScores } from '../../../src/link/plan/paid-scores.ts';
import { planPicture } from '../../../src/link/plan/picture-plan.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import type { SourcePlan, StreamPlan } from '../../../src/sct/codec/codec.ts';
import { scoreWeight } from '../../../src/sct/importance/scores.ts';

const N = numerology(25);

/** A sign (2 cells, most important a cell), two large SFVs, and a scrap that matters least. */
const STREAMS: readonly Omit<StreamPlan, 'kind'>[] = [
  { id: 0, score: 140, minSize: 14, cells: 2 },
  { id: 1, score: 240, minSize: 40, cells: 300 },
  { id: 2, score: 230, minSize: 40, cells: 380 },
  { id: 3, score: 120, minSize: 14, cells: 2 },
];
const source = (kind: StreamPlan['kind'], streams = STREAMS): SourcePlan => ({
  streams: streams.map((s) => ({ ...s, kind })),
  ranking: streams.map((s) => s.id),
  sideInfoBytes: 60,
  encode: () => Promise.reject(new Error('not asked')),
});

const csi = channelKnowledge(null, 0, N.nSubbands, {
  mapping: 'matched',
  mappingForced: false,
  maxCsiAgeS: 0.1,
  harq: 0,
  dopplerHz: null,
  assumedSnrDb: 5,
  airS: 0.01,
  canSpare: () => false,
  powerLoading: false,
});
const planned = (plan: SourcePlan, known = csi) =>
  planPicture({
    numerology: N,
    source: plan,
    csi: known,
    seed: 1,
    budgetRe: 22_000,
    pixels: 172_800,
    controlRe: 2000,
    reserve: 0,
    overheadRe: () => 2000,
  });

test('a packet of something small and important gets its least size; one that matters little does not', () => {
  const { grants, dropped } = planned(source('bits'));
  const sign = grants.find((g) => g.id === 0)!;
  assert.ok(sign.size >= 14 && sign.size < 40, `${sign.size} bytes`);
  assert.deepEqual(dropped, [3]);
  // What the sign takes, the large ones hardly feel: without it they have the same to 2 %.
  const without = planned(
    source(
      'bits',
      STREAMS.slice(1, 3).map((s, id) => ({ ...s, id })),
    ),
  );
  for (const [i, id] of [1, 2].entries()) {
    const [now, before] = [grants.find((g) => g.id === id)!.size, without.grants.find((g) => g.id === i)!.size];
    assert.ok(now > 0.98 * before && now <= before, `${now} of ${before}`);
  }
});

test('scores are raised for important packets only, step by step, and not beyond their price', () => {
  const paid = new PaidScores(source('bits'));
  assert.equal(paid.raise(new Set([0, 1, 2])), false, 'all that matters got through');
  assert.equal(paid.raise(new Set([1, 2])), true);
  assert.deepEqual([...paid.scores], [148, 240, 230, 120]);
  while (paid.raise(new Set([1, 2])));
  // 212 would be a share of 0.148 more, of 0.87 in all.
  assert.deepEqual([...paid.scores], [204, 240, 230, 120]);
  const rare = new PaidScores(source('bits', [{ ...STREAMS[0], score: 20 }, ...STREAMS.slice(1)]));
  while (rare.raise(new Set([1, 2])));
  assert.equal(rare.scores[0], 100, 'ten steps of 8');

  // Analog symbols have no least size worth the name; a picture of one stream has nobody to share with.
  assert.equal(new PaidScores(source('analog')).raise(new Set()), false);
  assert.equal(new PaidScores(source('bits', STREAMS.slice(0, 1))).raise(new Set()), false);
});

test('many small packets together cost the others at most 15 % of all importance', () => {
  const many = Array.from({ length: 24 }, (_, id) => ({ id, score: 150, minSize: 30, cells: 2 }));
  const paid = new PaidScores(source('bits', [...many, { id: 24, score: 250, minSize: 40, cells: 600 }]));
  const sum = () => [...paid.scores].reduce((total, score) => total + scoreWeight(score), 0);
  const before = sum();
  while (paid.raise(new Set([24])));
  assert.ok(sum() > 1.1 * before && sum() <= 1.15 * before, `${sum() / before}`);
});

test('into a deep fade packets go at rate 1/10: the sender may be wrong about it', () => {
  const faded = channelKnowledge(null, 0, N.nSubbands, {
    mapping: 'matched',
    mappingForced: false,
    maxCsiAgeS: 0.1,
    harq: 0,
    dopplerHz: null,
    assumedSnrDb: -25,
    airS: 0.01,
    canSpare: () => false,
    powerLoading: false,
  });
  const { grants } = planned(source('bits'), faded);
  // 22000 RE of QPSK at 1/10, less control and side information at 1/6.
  const bytes = grants.reduce((sum, g) => sum + g.size, 0);
  assert.ok(bytes > 350 && bytes < (22_000 * 2 * 0.1) / 8, `${bytes} bytes`);
});
