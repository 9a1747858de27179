import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormatError, NoSignalError, UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { hearSweep, parseSweepRanges, SWEEP_RATE_HZ, sweepPlan } from '../../../src/experiment/board/sweep-spectrum.ts';
import { type SweepFrame, type SweepPlan, sweepFrequencies } from '../../../src/radio/hackrf/sweep.ts';

/** What a board in a field with one carrier gives: the LO of a step is offsetHz above the step's frequency. */
async function* field(
  plan: SweepPlan,
  carrierHz: number,
  amplitude: number,
  passes: number,
): AsyncGenerator<SweepFrame> {
  const random = new RandomStream(1);
  for (let pass = 0; pass < passes; pass++) {
    for (const frequencyHz of sweepFrequencies(plan)) {
      const offsetHz = carrierHz - frequencyHz - plan.offsetHz;
      const samples = new Int8Array(16_384);
      const heard = Math.abs(offsetHz) < SWEEP_RATE_HZ / 2 ? amplitude : 0;
      for (let n = 5; n < 8192; n++) {
        const phase = (2 * Math.PI * offsetHz * n) / SWEEP_RATE_HZ;
        samples[2 * n] = Math.round(128 * heard * Math.cos(phase) + 3 * random.normal());
        samples[2 * n + 1] = Math.round(128 * heard * Math.sin(phase) + 3 * random.normal());
      }
      yield { frequencyHz, samples };
    }
  }
}

const OPTIONS = { bins: 1024, marginDb: 6, isEnough: () => false } as const;

test('every bin of the ranges once, the carrier where it is, at any place in a step', async () => {
  const plan = sweepPlan(parseSweepRanges('860:880, 900:930'));
  const binHz = SWEEP_RATE_HZ / 1024;
  for (const bin of [3, 130, 400, 700, 1000]) {
    const carrierHz = 900e6 + bin * binHz;
    const swept = await hearSweep(field(plan, carrierHz, 0.5, 2), plan, { ...OPTIONS, isEnough: passesOver(2) });
    assert.equal(swept.passes, 2);
    assert.equal(swept.binHz, binHz);
    assert.equal(swept.frequencyHz.length, (20e6 + 30e6) / binHz);
    for (let i = 1; i < swept.frequencyHz.length; i++) {
      const step = swept.frequencyHz[i] - swept.frequencyHz[i - 1];
      assert.ok(step === binHz || (step === 20e6 + binHz && swept.frequencyHz[i] === 900e6), `${step} Hz at ${i}`);
    }
    const strongest = swept.mean.reduce((best, power, i) => (power > swept.mean[best] ? i : best), 0);
    assert.equal(swept.frequencyHz[strongest], carrierHz);
    // Hann: 2/3 of the power in the middle bin; 0.5^2 of a carrier.
    assert.ok(Math.abs(10 * Math.log10(swept.mean[strongest] / ((2 / 3) * 0.25))) < 0.2);
    // Two components of variance 9 and the rounding's 1/12, over 128^2, in one of 1024 bins.
    const noise = (2 * (9 + 1 / 12)) / 128 ** 2 / 1024;
    assert.ok(Math.abs(10 * Math.log10(swept.floor / noise)) < 1, `${swept.floor} of ${noise}`);
    assert.ok(swept.occupancy.meanShare < 0.01);
  }
});

/** Enough with the last frame of so many passes of the plan above: three steps, two tunings each. */
function passesOver(passes: number): () => boolean {
  let frames = 0;
  // Asked only from the first whole pass on.
  return () => ++frames > 6 * (passes - 1);
}

test('a sweep that ends early, a frame of nowhere, words that are no ranges', async () => {
  const plan = sweepPlan([{ low: 100, high: 140 }]);
  const three = async function* () {
    let count = 0;
    for await (const frame of field(plan, 0, 0, 1)) if (count++ < 3) yield frame;
  };
  await assert.rejects(hearSweep(three(), plan, OPTIONS), NoSignalError);
  const nowhere = async function* () {
    yield { frequencyHz: 99e6, samples: new Int8Array(16_384) };
  };
  await assert.rejects(hearSweep(nowhere(), plan, OPTIONS), FormatError);
  for (const text of ['', '100', '200:100', '100:200:300', '0.5:1', '100:100', '-1:5']) {
    assert.throws(() => parseSweepRanges(text), UsageError);
  }
  await assert.rejects(hearSweep(field(plan, 0, 0, 1), plan, { ...OPTIONS, bins: 8 }), UsageError);
  await assert.rejects(hearSweep(field(plan, 0, 0, 1), plan, { ...OPTIONS, bins: 1000 }), UsageError);
});
