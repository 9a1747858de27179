import assert from 'node:assert/strict';
import { test } from 'node:test';
import { genieReceive } from '../../../src/experiment/bench/modem/modem-genie.ts';
import {
  informationPerSlot,
  makeTrial,
  receiveTrial,
  rightBurst,
} from '../../../src/experiment/bench/modem/modem-trial.ts';
import { TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import { invertSymmetric } from '../../../src/phy/channel-est/cholesky.ts';
import { besselJ0 } from '../../../src/phy/channel-est/time-basis.ts';
import { snrDbForInformation } from '../../../src/phy/modulation/mutual-information.ts';
import { numerology, RB_DATA_RE } from '../../../src/phy/numerology.ts';

/** Mean error of the channel in the middle of each slot over the mean channel power, common phase and delay fitted out. */
function channelError(estimator: 'ls' | 'lmmse', channel: string, snrDb: number, trials: number): number {
  const n = numerology(25);
  let error = 0;
  let power = 0;
  for (let seed = 0; seed < trials; seed++) {
    const options = { numerology: n, seed, slots: 4, snrDb, channel: { channel }, receiver: { estimator } };
    const signal = makeTrial(options);
    const record = rightBurst(signal, receiveTrial(signal));
    assert.ok(record);
    const truth = genieReceive(signal).channel;
    for (let slot = 0; slot < 4; slot++) {
      // The estimate's phase and its delay origin are free: take out the best phase slope.
      const at = 2 * n.nCarriers * slot;
      let best = Number.POSITIVE_INFINITY;
      for (let delay = -12; delay <= 12; delay += 0.05) {
        let re = 0;
        let im = 0;
        let own = 0;
        let total = 0;
        for (let c = 0; c < n.nCarriers; c++) {
          const angle = (2 * Math.PI * n.carriers[c] * delay) / n.fftSize;
          const cos = Math.cos(angle);
          const sin = Math.sin(angle);
          const er = record.channel[at + 2 * c] * cos - record.channel[at + 2 * c + 1] * sin;
          const ei = record.channel[at + 2 * c] * sin + record.channel[at + 2 * c + 1] * cos;
          const tr = truth[at + 2 * c];
          const ti = truth[at + 2 * c + 1];
          re += er * tr + ei * ti;
          im += ei * tr - er * ti;
          own += er * er + ei * ei;
          total += tr * tr + ti * ti;
        }
        best = Math.min(best, own + total - 2 * Math.hypot(re, im));
        if (delay === -12) power += total;
      }
      error += best;
    }
  }
  return error / power;
}

test('least squares has the error of theory, LMMSE a small part of it', () => {
  // LS: a carrier's mean over 14 pilots on 12 carriers: 10 of 12 carriers have one, 2 have two: 11/12 sigma^2.
  const ls = channelError('ls', 'awgn', 15, 3);
  const theory = (11 / 12) * 10 ** -1.5;
  assert.ok(Math.abs(ls / theory - 1) < 0.15, `LS ${ls} against ${theory}`);
  // On AWGN one path is left: a handful of coefficients out of 1400 pilots, and 0.05 samples of the search's grid.
  const flat = channelError('lmmse', 'awgn', 15, 3);
  assert.ok(flat < theory / 20, `LMMSE on AWGN ${flat}`);
  const eva = channelError('lmmse', 'eva', 15, 3);
  assert.ok(eva < theory / 4, `LMMSE on EVA ${eva}`);
});

test('receiver against genie on the same samples: effective SNR within the design', () => {
  const cases = [
    { channel: 'awgn', subbands: 25, snrDb: 1, qm: 2, most: 0.2 },
    { channel: 'awgn', subbands: 25, snrDb: 15, qm: 6, most: 0.2 },
    { channel: 'awgn', subbands: 6, snrDb: 15, qm: 6, most: 0.4 },
    { channel: 'epa', subbands: 25, snrDb: 12, qm: 4, most: 0.4 },
    { channel: 'eva', subbands: 25, snrDb: 18, qm: 6, most: 0.6 },
    { channel: 'eva', subbands: 6, snrDb: 18, qm: 6, most: 0.9 },
    { channel: 'tdl-c', subbands: 50, snrDb: 12, qm: 4, most: 0.5 },
  ] as const;
  for (const { channel, subbands, snrDb, qm, most } of cases) {
    const n = numerology(subbands);
    const trials = subbands === 6 ? 12 : 5;
    let got = 0;
    let best = 0;
    for (let k = 0; k < trials; k++) {
      const seed = `${channel}/${k}`;
      const signal = makeTrial({ numerology: n, seed, slots: 4, snrDb, qm, channel: { channel, cfoHz: 9_000 } });
      const record = rightBurst(signal, receiveTrial(signal));
      assert.ok(record, seed);
      const genie = genieReceive(signal);
      for (const b of informationPerSlot(signal, record.payload, record.payloadSnr, 4)) got += b;
      for (const b of informationPerSlot(signal, genie.payload, genie.payloadSnr, 4)) best += b;
    }
    const re = trials * 4 * n.nSubbands * RB_DATA_RE;
    const loss = snrDbForInformation(qm, best / re) - snrDbForInformation(qm, got / re);
    assert.ok(loss < most, `${channel} ${subbands} subbands ${snrDb} dB: ${loss.toFixed(2)} dB`);
  }
});

test('RB SNR: bias and RMS against the true one, on AWGN and with two subbands jammed', () => {
  const n = numerology(25);
  const cases: { snrDb: number; rms: number; jam?: boolean }[] = [
    { snrDb: 0, rms: 1 },
    { snrDb: 10, rms: 0.5 },
    { snrDb: 20, rms: 0.5 },
    { snrDb: 30, rms: 0.5 },
    { snrDb: 20, rms: 0.5, jam: true },
  ];
  for (const { snrDb, rms, jam } of cases) {
    // Noise over subbands 4 and 5: 24 carriers numbers -102 to -79.
    const jammer = { kind: 'subband' as const, powerDb: -8, centreHz: -90.5 * 15_000, widthHz: 24 * 15_000 };
    const extra = new Float64Array(n.nCarriers);
    if (jam) {
      // Its power spreads over its width, and through the window of the FFT (sinc^2) over the rest, thinly.
      const perCarrier = (TRANSMIT_RMS ** 2 * 10 ** -0.8 * n.fftSize) / 24;
      for (let c = 0; c < n.nCarriers; c++) {
        for (let f = -102.375; f < -78.5; f += 0.25) {
          const x = Math.PI * (n.carriers[c] - f);
          extra[c] += 0.25 * perCarrier * (Math.abs(x) < 1e-9 ? 1 : (Math.sin(x) / x) ** 2);
        }
      }
    }
    let sum = 0;
    let squares = 0;
    let count = 0;
    let jammedSquares = 0;
    let jammedCount = 0;
    for (let seed = 0; seed < 6; seed++) {
      const channel = { cfoHz: 0, ...(jam ? { jammer } : {}) };
      const signal = makeTrial({ numerology: n, seed, slots: 4, snrDb, channel });
      const record = rightBurst(signal, receiveTrial(signal));
      assert.ok(record);
      const truth = genieReceive(signal, extra).rbSnrDb;
      for (let i = 0; i < truth.length; i++) {
        const subband = i % n.nSubbands;
        const difference = record.rbSnrDb[i] - truth[i];
        if (jam && (subband === 4 || subband === 5)) {
          jammedSquares += difference ** 2;
          jammedCount++;
        } else if (!jam || subband < 3 || subband > 6) {
          // The jammer's skirts reach into its neighbours, which have no closed-form truth.
          sum += difference;
          squares += difference ** 2;
          count++;
        }
      }
    }
    assert.ok(Math.abs(sum / count) <= 0.3, `${snrDb} dB bias ${(sum / count).toFixed(2)}`);
    assert.ok(Math.sqrt(squares / count) <= rms, `${snrDb} dB RMS ${Math.sqrt(squares / count).toFixed(2)}`);
    if (jam)
      assert.ok(Math.sqrt(jammedSquares / jammedCount) <= 1.5, `jammed ${Math.sqrt(jammedSquares / jammedCount)}`);
  }
});

test('Cholesky inverse and J0 against closed forms', () => {
  const a = Float64Array.of(4, 2, 0, 2, 5, 1, 0, 1, 3);
  const inverse = invertSymmetric(a.slice(), 3);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += a[3 * i + k] * inverse[3 * k + j];
      assert.ok(Math.abs(sum - (i === j ? 1 : 0)) < 1e-12);
    }
  }
  assert.throws(() => invertSymmetric(Float64Array.of(1, 2, 2, 1), 2), RangeError);
  for (const x of [0, 0.5, 2, 2.99, 3.01, 10]) {
    let integral = 0;
    for (let i = 0; i < 400; i++) integral += Math.cos(x * Math.sin((Math.PI * (i + 0.5)) / 400)) / 400;
    assert.ok(Math.abs(besselJ0(x) - integral) < 1e-6, `J0(${x})`);
  }
});
