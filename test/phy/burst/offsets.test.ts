import assert from 'node:assert/strict';
import { test } from 'node:test';
import { genieReceive } from '../../../src/experiment/bench/modem/modem-genie.ts';
import {
  informationPerSlot,
  makeTrial,
  receiveTrial,
  rightBurst,
  type TrialOptions,
} from '../../../src/experiment/bench/modem/modem-trial.ts';
import type { BurstRecord } from '../../../src/phy/burst/record.ts';
import { snrDbForInformation } from '../../../src/phy/modulation/mutual-information.ts';
import type { ModulationOrder } from '../../../src/phy/modulation/qam.ts';
import { numerology, RB_DATA_RE } from '../../../src/phy/numerology.ts';

/** Effective SNR over some slots: at which ideal AWGN reception would carry as many bits as the LLRs do. */
function effectiveDb(bits: Float64Array, re: number, qm: ModulationOrder, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += bits[i];
  return snrDbForInformation(qm, Math.max(1e-3, sum / ((to - from) * re)));
}

function run(options: TrialOptions) {
  const signal = makeTrial(options);
  const record = rightBurst(signal, receiveTrial(signal));
  assert.ok(record, 'burst received');
  return { signal, record };
}

for (const subbands of [6, 25]) {
  for (const sfoPpm of [-100, 100]) {
    test(`${subbands} subbands, 100 ms at ${sfoPpm} ppm between the clocks: start and end alike`, () => {
      const n = numerology(subbands);
      const slots = 93;
      const channel = { sfoPpm, cfoHz: 231_000, startDelaySamples: 0.4 };
      const { signal, record } = run({ numerology: n, seed: subbands, slots, snrDb: 10, channel });
      const re = n.nSubbands * RB_DATA_RE;
      const bits = informationPerSlot(signal, record.payload, record.payloadSnr, slots);
      const genie = genieReceive(signal);
      const best = informationPerSlot(signal, genie.payload, genie.payloadSnr, slots);
      for (const [from, to] of [
        [0, 10],
        [83, 93],
      ]) {
        const loss = effectiveDb(best, re, 4, from, to) - effectiveDb(bits, re, 4, from, to);
        assert.ok(loss < 0.3, `slots ${from} to ${to} lose ${loss.toFixed(2)} dB`);
      }
      // The tracked clock's error at the end of the burst is the timing error there.
      const endError = (record.sfoPpm - sfoPpm) * 1e-6 * signal.layout.samples;
      assert.ok(Math.abs(endError) <= 0.1 * n.cpLength, `timing error at the end ${endError.toFixed(2)} samples`);
      assert.ok(Math.abs(record.cfoHz - 231_000) < 150 + 231_000 * 1e-4);
    });
  }
}

test('100 ms of EVA at 70 Hz and 50 ppm: no slot loses its timing', () => {
  const n = numerology(25);
  const channel = { channel: 'eva', sfoPpm: 50, cfoHz: -40_000 };
  const { signal, record } = run({ numerology: n, seed: 'eva-long', slots: 93, snrDb: 15, channel });
  const re = n.nSubbands * RB_DATA_RE;
  const bits = informationPerSlot(signal, record.payload, record.payloadSnr, 93);
  const genie = genieReceive(signal);
  const best = informationPerSlot(signal, genie.payload, genie.payloadSnr, 93);
  for (const [from, to] of [
    [0, 10],
    [40, 50],
    [83, 93],
  ]) {
    const loss = effectiveDb(best, re, 4, from, to) - effectiveDb(bits, re, 4, from, to);
    assert.ok(loss < 1, `slots ${from} to ${to} lose ${loss.toFixed(2)} dB`);
  }
});

/** Error power of each subband over a record's slots, unbiased symbols. */
function subbandErrors(signal: ReturnType<typeof makeTrial>, record: BurstRecord, out: Float64Array): void {
  for (let rb = 0; rb < record.slots * out.length; rb++) {
    for (let p = rb * RB_DATA_RE; p < (rb + 1) * RB_DATA_RE; p++) {
      const g = (1 + record.payloadSnr[p]) / record.payloadSnr[p];
      const re = g * record.payload[2 * p] - signal.payload[2 * p];
      out[rb % out.length] += re * re + (g * record.payload[2 * p + 1] - signal.payload[2 * p + 1]) ** 2;
    }
  }
}

test('receiver DC 10 dB above a subcarrier: no subband loses 0.5 dB at any offset', () => {
  for (const subbands of [6, 25]) {
    const n = numerology(subbands);
    // -11 dBFS over nCarriers, plus 10 dB.
    const dcDbfs = -11 - 10 * Math.log10(n.nCarriers) + 10;
    for (const cfoHz of [0, 7_500, 45_000, 100_000]) {
      const clean = new Float64Array(subbands);
      const spoilt = new Float64Array(subbands);
      for (let seed = 0; seed < 4; seed++) {
        // The receiver has listened for a moment before the burst, as one does.
        const base = { numerology: n, seed, slots: 4, snrDb: 15, leadSamples: 6000 };
        const a = run({ ...base, channel: { cfoHz } });
        subbandErrors(a.signal, a.record, clean);
        const b = run({ ...base, channel: { cfoHz, dcDbfs } });
        subbandErrors(b.signal, b.record, spoilt);
      }
      for (let s = 0; s < subbands; s++) {
        const loss = 10 * Math.log10(spoilt[s] / clean[s]);
        assert.ok(loss < 0.5, `${subbands} subbands, CFO ${cfoHz}: subband ${s} loses ${loss.toFixed(2)} dB`);
      }
    }
  }
});

test('front-end faults at both ends cost at most 1 dB of effective SNR at 15 dB', () => {
  const faults = { iqDb: 0.5, iqDeg: 3, dcDbfs: -20, bits: 8, phaseNoise: 'hackrf' };
  const channel = { ...faults, rxLevelDbfs: -12, tx: faults, cfoHz: 12_000 };
  for (const subbands of [6, 25, 50]) {
    const n = numerology(subbands);
    const slots = 4;
    const re = n.nSubbands * RB_DATA_RE;
    let bits = 0;
    const trials = subbands === 6 ? 12 : 4;
    for (let seed = 0; seed < trials; seed++) {
      const { signal, record } = run({ numerology: n, seed, slots, snrDb: 15, qm: 4, leadSamples: 6000, channel });
      for (const b of informationPerSlot(signal, record.payload, record.payloadSnr, slots)) bits += b;
    }
    const loss = 15 - snrDbForInformation(4, bits / (trials * slots * re));
    assert.ok(loss <= 1, `${subbands} subbands lose ${loss.toFixed(2)} dB`);
  }
});
