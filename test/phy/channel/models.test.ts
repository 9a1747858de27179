import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { powerDelayProfile, rmsDelaySpreadNs } from '../../../src/phy/channel/power-delay-profiles.ts';
import { buildChannel, type ChannelOptions } from '../../../src/phy/channel/scenario.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { besselJ0, kolmogorov } from './helpers.ts';
import { received, transmission } from './trace-helpers.ts';

/** The fading models by name as `--channel` takes them, against closed forms, over the ensemble of seeds. */
const rateHz = 7.68e6;

/** H of `count` seeds at instants (s) and frequencies (Hz), [seed][instant][frequency] as pairs re, im. */
function ensemble(options: Omit<ChannelOptions, 'rateHz' | 'seed'>, count: number, times: number[], freqs: number[]) {
  return Array.from({ length: count }, (_, i) => {
    const channel = buildChannel({ rateHz, seed: `models ${i}`, ...options });
    return times.map((t) => channel.frequencyResponse(Math.round(t * rateHz), freqs));
  });
}

/** Mean of a conj(b) over pairs of complex values. */
function correlation(pairs: readonly (readonly [number, number, number, number])[]): [number, number] {
  let [re, im] = [0, 0];
  for (const [ar, ai, br, bi] of pairs) {
    re += (ar * br + ai * bi) / pairs.length;
    im += (ai * br - ar * bi) / pairs.length;
  }
  return [re, im];
}

describe('channel models over the ensemble of seeds', () => {
  const count = 1600;
  // Standard error of a mean of products of unit complex Gaussians: 1/sqrt(1600) = 0.025; four of them.
  const tolerance = 0.1;

  it('Doppler: autocorrelation J0(2 pi fd tau), at the default of each model and at --doppler', () => {
    const cases: [string, number | undefined, number][] = [
      ['epa', undefined, 5],
      ['eva', undefined, 70],
      ['etu', undefined, 70],
      ['tdl-a', undefined, 5],
      ['tdl-c', 30, 30],
    ];
    for (const [channel, dopplerHz, expectedHz] of cases) {
      const lags = [0, 1, 2.405, 3.83].map((x) => x / (2 * Math.PI * expectedHz));
      const given = dopplerHz === undefined ? {} : { dopplerHz };
      const h = ensemble(
        { channel, ...given },
        count,
        lags.map((lag) => 0.4 + lag),
        [330e3],
      );
      lags.forEach((lag, k) => {
        const [re, im] = correlation(h.map((at) => [at[k][0], at[k][1], at[0][0], at[0][1]]));
        const want = besselJ0(2 * Math.PI * expectedHz * lag);
        assert.ok(
          Math.abs(re - want) < tolerance && Math.abs(im) < tolerance,
          `${channel} lag ${lag}: ${re} ${im} for ${want}`,
        );
      });
    }
  });

  it('delay spread: tap powers have the RMS delay asked for, and H decorrelates over frequency as their transform', () => {
    for (const [channel, delaySpreadNs] of [
      ['tdl-a', 50],
      ['tdl-b', 300],
      ['tdl-c', 300],
      ['tdl-c', 900],
    ] as const) {
      const { delaysNs, powers } = powerDelayProfile(channel, delaySpreadNs);
      assert.ok(
        Math.abs(rmsDelaySpreadNs({ name: '', delaysNs, powers, defaultDopplerHz: 0 }) / delaySpreadNs - 1) < 0.02,
      );
      const steps = [0, 0.05, 0.15, 0.4].map((x) => (x * 1e9) / delaySpreadNs);
      const h = ensemble({ channel, delaySpreadNs }, count, [0.1], steps);
      steps.forEach((step, k) => {
        const [re, im] = correlation(h.map(([at]) => [at[2 * k], at[2 * k + 1], at[0], at[1]]));
        let [wantRe, wantIm] = [0, 0];
        powers.forEach((p, i) => {
          wantRe += p * Math.cos(-2e-9 * Math.PI * step * delaysNs[i]);
          wantIm += p * Math.sin(-2e-9 * Math.PI * step * delaysNs[i]);
        });
        assert.ok(Math.hypot(re - wantRe, im - wantIm) < 1.4 * tolerance, `${channel} ${delaySpreadNs} ns, ${step} Hz`);
      });
      let [mean, square, total] = [0, 0, 0];
      for (let i = 0; i < 400; i++) {
        const gains = buildChannel({ rateHz, seed: `spread ${i}`, channel, delaySpreadNs }).fading!.tapGains(0);
        delaysNs.forEach((delay, tap) => {
          const power = gains[2 * tap] ** 2 + gains[2 * tap + 1] ** 2;
          mean += power * delay;
          square += power * delay * delay;
          total += power;
        });
      }
      const spread = Math.sqrt(square / total - (mean / total) ** 2);
      // 400 draws of each tap's power: 5 % of it, less over all taps.
      assert.ok(Math.abs(spread / delaySpreadNs - 1) < 0.12, `${channel}: ${spread} ns for ${delaySpreadNs}`);
    }
  });

  it('|H| is Rayleigh on every carrier, |H|^2 has mean 1: the SNR is that of the ensemble', () => {
    for (const channel of ['epa', 'etu', 'tdl-b']) {
      const h = ensemble({ channel }, count, [0.2], [-2.1e6, 1.2e6]);
      for (const k of [0, 1]) {
        const envelopes = Float64Array.from(h, ([at]) => Math.hypot(at[2 * k], at[2 * k + 1]));
        const mean = envelopes.reduce((sum, v) => sum + v * v, 0) / count;
        assert.ok(Math.abs(mean - 1) < tolerance, `${channel}: mean ${mean}`);
        assert.ok(kolmogorov(envelopes, (x) => 1 - Math.exp(-x * x)) < 1.63 / Math.sqrt(count), channel);
      }
    }
  });

  it('the seed is the channel: the same again from the same, another from another, whatever lies before', () => {
    const at = (seed: number, index: number) => [
      ...buildChannel({ rateHz, seed, channel: 'eva' }).frequencyResponse(index, [1e6]),
    ];
    assert.deepEqual(at(7, 1e6), at(7, 1e6));
    assert.notDeepEqual(at(7, 1e6), at(8, 1e6));
    // 20 ms later at 70 Hz it is another channel; a quarter of a millisecond later nearly the same.
    const [a, near, far] = [1e6, 1e6 + 2e3, 1e6 + 154e3].map((index) => at(7, index));
    assert.ok(Math.hypot(a[0] - near[0], a[1] - near[1]) < 0.3 * Math.hypot(a[0] - far[0], a[1] - far[1]));
  });
});

describe('ETU, the stress case', () => {
  it("exceeds the cyclic prefix: its bursts decode at 20 dB, but without noise its SNR stays bounded where EVA's is not", () => {
    const n = numerology(25);
    const prefixNs = (n.cpLength / n.sampleRateHz) * 1e9;
    assert.ok(Math.max(...powerDelayProfile('etu').delaysNs) > prefixNs);
    assert.ok(Math.max(...powerDelayProfile('eva').delaysNs) < prefixNs);
    const sent = transmission(n, 3);
    const snr = (channel: string) => {
      const records = received(n, buildChannel({ rateHz, seed: 3, channel, dopplerHz: 1 }).process(sent));
      assert.equal(records.length, 3);
      return records.reduce((sum, r) => sum + r.snrDb / 3, 0);
    };
    const [etu, eva] = ['etu', 'eva'].map(snr);
    assert.ok(etu > 20 && eva > etu + 3, `ETU ${etu} dB, EVA ${eva} dB`);
  });
});
