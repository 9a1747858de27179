import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitsPolicy, mapOf, mapReason } from '../../../src/link/plan/bits-policy.ts';
import { type ChannelPolicy, channelKnowledge } from '../../../src/link/plan/channel-knowledge.ts';
import { sideIsSafe, sideRateFor } from '../../../src/link/plan/side-rate.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import type { SourcePlan } from '../../../src/sct/codec/codec.ts';

const N = numerology(25);

const source = (kind: 'bits' | 'analog' = 'bits', count = 3): SourcePlan => ({
  streams: Array.from({ length: count }, (_, id) => ({ id, kind, score: 200, minSize: 4, cells: 10 })),
  sideInfoBytes: 127,
  encode: () => Promise.reject(new Error('not asked')),
});

/** @param dbOf SNR of each subband by a report 20 ms old; null: no report */
function known(dbOf: ((s: number) => number) | null, more: Partial<ChannelPolicy> = {}, nowS = 0.02) {
  const codes = Uint8Array.from({ length: N.nSubbands }, (_, s) => 4 * ((dbOf?.(s) ?? 0) + 20));
  const report = { number: 1, session: 1, burst: 0, codes };
  return channelKnowledge(dbOf ? { report, measuredAtS: 0 } : null, nowS, N.nSubbands, {
    mapping: 'matched',
    mappingForced: false,
    maxCsiAgeS: 0.1,
    harq: 0,
    dopplerHz: null,
    assumedSnrDb: 30,
    airS: 0.01,
    canSpare: () => false,
    powerLoading: false,
    ...more,
  });
}

test('side information goes at the rate that holds 6 dB below the report, at 1/6 without a fresh one', () => {
  // By the decoder's table blocks of 1040 bits need -4.0, -1.9, -0.5 and 1.8 dB; beside the 6 dB stands the margin of 0.6.
  const rates = [-3, 1, 4.5, 6, 7, 10, 30].map((db) =>
    sideRateFor(
      N,
      known(() => db),
    ),
  );
  assert.deepEqual(rates, [0, 0, 0, 1, 2, 3, 3]);
  assert.equal(sideRateFor(N, known(null)), 0);
  assert.equal(
    sideRateFor(
      N,
      known(() => 30, {}, 0.2),
    ),
    0,
    'too old',
  );
  assert.equal(
    sideRateFor(
      N,
      known(() => 30, { dopplerHz: 12 }),
    ),
    0,
    'predicts nothing',
  );
  assert.equal(
    sideIsSafe(
      N,
      known(() => 1),
    ),
    true,
  );
  assert.equal(
    sideIsSafe(
      N,
      known(() => -4),
    ),
    false,
  );
  assert.equal(sideIsSafe(N, known(null)), false);
});

test('streams of bits are interleaved where the report is uncertain or a subband weak, unless a mapping is asked for', () => {
  const fading = known(() => 10, { dopplerHz: 5 });
  const weak = known((s) => (s < 3 ? -8 : 10));
  const good = known((s) => 5 + (s % 8));
  const why = (csi: typeof good, wishes = {}, plan = source()) => bitsPolicy(plan, csi, wishes).interleaved;
  assert.deepEqual(
    [fading, weak, good].map((csi) => why(csi)),
    ['uncertain', 'weak subband', null],
  );
  for (const csi of [fading, weak]) {
    assert.equal(why(csi, { mappingForced: true }), null);
    assert.equal(why(csi, {}, source('analog')), null);
    assert.equal(why(csi, {}, source('bits', 1)), null, 'one stream lies everywhere anyway');
    assert.equal(mapOf(csi, bitsPolicy(source(), csi, {})), 'uniform');
  }
  assert.equal(mapOf(good, bitsPolicy(source(), good, {})), 'matched');
  assert.match(mapReason(fading, { interleaved: 'uncertain' }, false), /predicts too little/);
  assert.match(mapReason(fading, { interleaved: null }, false), /fresh CSI report, relative error 0\.[1-9]/);
  // A sender that knows no Doppler, as by radio, claims no error.
  const unknown = known(() => 10);
  assert.match(mapReason(unknown, { interleaved: null }, false), /fresh CSI report of a channel taken to stand still/);
  assert.match(mapReason(known(null), { interleaved: null }, false), /no CSI report/);
  assert.match(
    mapReason(
      known(() => 9, {}, 1),
      { interleaved: null },
      false,
    ),
    /too old/,
  );
});

test('the more important half is protected the more, the less is known; a wish holds', () => {
  const protection = (csi: ReturnType<typeof known>, wishes = {}) => bitsPolicy(source(), csi, wishes).protectionDb;
  const exact = known(() => 9);
  assert.equal(protection(exact), 0);
  assert.equal(protection(exact, { answers: false }), 2.5);
  assert.equal(protection(known(null)), 2.5);
  assert.equal(protection(known(() => 9, {}, 1)), 2.5, 'an old report');
  const fading = protection(known(() => 9, { dopplerHz: 5 }));
  assert.ok(fading > 0.5 && fading < 2.5, `${fading}`);
  assert.equal(protection(exact, { protectionDb: 1 }), 1);
  assert.equal(protection(known(null), { protectionDb: 0 }), 0);
});
