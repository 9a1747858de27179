import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ChannelPolicy,
  channelKnowledge,
  type Sounding,
  soundingError,
} from '../../../src/link/plan/channel-knowledge.ts';
import { fadingPredictor } from '../../../src/phy/channel-est/fading-prediction.ts';
import { encodeCsi } from '../../../src/sct/allocation/csi-code.ts';

const POLICY: Omit<ChannelPolicy, 'dopplerHz' | 'airS'> = {
  mapping: 'matched' as const,
  mappingForced: true,
  maxCsiAgeS: 0.2,
  harq: 0,
  assumedSnrDb: 5,
  canSpare: () => true,
  powerLoading: false,
};
const AGE_S = 0.02;

/** Margin of coded bits below a flat report of `snrDb` that is 20 ms old, dB. */
function marginDb(
  soundings: readonly Sounding[] | undefined,
  snrDb = 10,
  dopplerHz: number | null = 5,
  airS = 0.01,
): number {
  const codes = new Uint8Array(6).fill(encodeCsi(snrDb));
  const dated = { report: { number: 1, session: 1, burst: 3, codes }, measuredAtS: 0.06 };
  const csi = channelKnowledge({ ...dated, ...(soundings ? { soundings } : {}) }, 0.06 + AGE_S, 6, {
    ...POLICY,
    dopplerHz,
    airS,
  });
  return snrDb - csi.codedSnrDb[0];
}

const train = (count: number, snr: number | null = 10) =>
  Array.from({ length: count }, (_, i) => ({ endS: 0.02 * (i + 4 - count), snr }));

test('the margin follows the error that is left: of one sounding the age, of several the prediction', () => {
  const still = marginDb(train(1), 10, null);
  // 4 dB x sqrt(1 - J0(2 pi 5 x 0.03)^2), J0(0.942478) = 0.789962 by scipy.special.j0.
  assert.ok(Math.abs(marginDb(undefined) - still - 4 * Math.sqrt(1 - 0.7899622341253824 ** 2)) < 1e-4);
  assert.equal(marginDb(train(1)), marginDb(undefined));
  const times = train(4).map((s) => s.endS);
  const { residual } = fadingPredictor(
    times,
    times.map(() => soundingError(6) / 10),
    5,
    0.06 + AGE_S + 0.01,
  );
  assert.ok(Math.abs(marginDb(train(4)) - still - 4 * Math.sqrt(residual)) < 1e-9);
  const margins = [1, 2, 3, 4].map((count) => marginDb(train(count)));
  for (let i = 1; i < 4; i++) assert.ok(margins[i] < margins[i - 1], `${margins}`);
});

test('the longer a picture is on the air, the less a report tells of it; up to 20 ms margins are those of a usual burst', () => {
  for (const soundings of [train(1), train(4)]) {
    const margin = (airS: number) => marginDb(soundings, 10, 5, airS);
    assert.equal(margin(0.001), margin(0.01));
    assert.equal(margin(0.02), margin(0.01));
    const margins = [0.02, 0.025, 0.04, 0.07].map(margin);
    for (let i = 1; i < margins.length; i++) assert.ok(margins[i] > margins[i - 1] + 0.05, `${margins}`);
    // A channel that stands still does so however long.
    assert.equal(marginDb(soundings, 10, null, 1), marginDb(soundings, 10, null));
  }
  // 65 ms of 6 subbands: 4 dB x sqrt(1 - J0(2 pi 5 x 0.0525)^2), J0(1.649336) = 0.427173 by scipy.special.j0.
  const still = marginDb(undefined, 10, null);
  assert.ok(Math.abs(marginDb(undefined, 10, 5, 0.065) - still - 4 * Math.sqrt(1 - 0.42717315197222644 ** 2)) < 1e-4);
});

test('of a channel that is expected far below what it was the prediction is worth less', () => {
  const usual = marginDb(train(4));
  const faded = marginDb(train(4), 0);
  assert.ok(faded > usual + 0.5 && faded < usual + 3.5, `${usual}, ${faded}`);
  // Reports that were lost say nothing of it.
  assert.ok(marginDb(train(4, null), 0) < faded);
  assert.ok(marginDb(train(4), -20) <= 0.6 + 4 + 1e-9);
});

test('soundings too far apart, or without Doppler, are as one', () => {
  const far = train(4).map((s) => ({ ...s, endS: 10 * s.endS - 0.54 }));
  assert.equal(marginDb(far), marginDb(undefined));
  assert.equal(marginDb(train(4), 10, null), marginDb(undefined, 10, null));
});
