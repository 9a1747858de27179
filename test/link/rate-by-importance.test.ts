import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelKnowledge } from '../../src/link/plan/channel-knowledge.ts';
import { type PlanInput, planPicture } from '../../src/link/plan/picture-plan.ts';
import { numerology } from '../../src/phy/numerology.ts';
import type { SourcePlan, StreamPlan } from '../../src/sct/codec/codec.ts';

const N = numerology(15);

/** Four streams of bits of 10, 30, 40 and 20 cells, alike in score; placed in the order 2, 0, 3, 1. */
function source(): SourcePlan {
  const streams = [10, 30, 40, 20].map(
    (cells, id): StreamPlan => ({ id, kind: 'bits', score: 200, minSize: 20, cells }),
  );
  return { streams, ranking: [2, 0, 3, 1], sideInfoBytes: 0, encode: () => Promise.reject(new Error('not asked')) };
}

/** @param dbOf SNR of each subband by the report */
function plan(more: Partial<PlanInput>, dbOf: (subband: number) => number = () => 9) {
  const codes = Uint8Array.from({ length: N.nSubbands }, (_, s) => 4 * (dbOf(s) + 20));
  const dated = { report: { number: 1, session: 1, burst: 0, codes }, measuredAtS: 0 };
  const policy = {
    mapping: 'matched' as const,
    mappingForced: true,
    maxCsiAgeS: 1,
    harq: 0,
    dopplerHz: null,
    assumedSnrDb: 5,
    airS: 0.01,
    canSpare: () => false,
    powerLoading: false,
  };
  const csi = channelKnowledge(dated, 0, N.nSubbands, policy);
  const room = { controlRe: 1000, reserve: 0, overheadRe: () => 1000 };
  return planPicture({
    numerology: N,
    source: source(),
    csi,
    seed: 1,
    budgetRe: 40_000,
    pixels: 160_000,
    ...room,
    ...more,
  });
}

test('the more important half of the cells gets a margin, the rest keeps its rate; nothing moves', () => {
  const plain = plan({});
  const safer = plan({ protectionDb: 3 });
  assert.deepEqual(
    safer.bursts.map((b) => b.map),
    plain.bursts.map((b) => b.map),
  );
  const size = ({ grants }: typeof plain, id: number) => grants.find((g) => g.id === id)!.size;
  // 40 cells of stream 2, then 10 of stream 0: half of the 100.
  for (const id of [2, 0]) {
    const ratio = size(safer, id) / size(plain, id);
    // log2(1 + snr) at 6 and 9 dB less the code's gap: 0.72; a gap of 1 dB makes it 0.69
    assert.ok(ratio > 0.64 && ratio < 0.78, `${id}: ${ratio}`);
  }
  for (const id of [3, 1]) assert.equal(size(safer, id), size(plain, id));
});

test('one MCS: one modulation, and bytes in proportion to the resource elements whatever their SNR', () => {
  const unequal = (subband: number) => (subband < 7 ? 15 : 3);
  const own = plan({}, unequal);
  const one = plan({ oneMcs: true }, unequal);
  assert.ok(new Set(own.modulation).size > 1);
  assert.equal(new Set(one.modulation).size, 1);
  const perRe = one.bursts[0].parts.map((p) => p.size / p.re);
  assert.ok(Math.max(...perRe) / Math.min(...perRe) < 1.03, perRe.join()); // CRCs of different blocks
  const spread = own.bursts[0].parts.map((p) => p.size / p.re);
  assert.ok(Math.max(...spread) / Math.min(...spread) > 1.5, spread.join());
});
