import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { FadingProcess } from '../../../src/phy/channel/fading.ts';
import { FADING_CHANNELS, powerDelayProfile, rmsDelaySpreadNs } from '../../../src/phy/channel/power-delay-profiles.ts';
import { FADING_DELAY_SAMPLES, TappedDelayLine } from '../../../src/phy/channel/tapped-delay.ts';
import { besselJ0, blockSizes, errorDb, kolmogorov, noise, power, throughBlocks, tone } from './helpers.ts';

describe('power delay profiles', () => {
  it('have unit power and the published RMS delay spreads', () => {
    // EPA, EVA, ETU: TS 36.101 table B.2.1-1 (45, 357, 991 ns, rounded there); TDL: normalised to 1 (TR 38.901 §7.7.3).
    const published: Record<string, number> = { epa: 45, eva: 357, etu: 991, 'tdl-a': 300, 'tdl-b': 300, 'tdl-c': 300 };
    for (const name of FADING_CHANNELS) {
      const profile = powerDelayProfile(name);
      assert.ok(Math.abs(profile.powers.reduce((a, b) => a + b) - 1) < 1e-12);
      assert.equal(profile.powers.length, profile.delaysNs.length);
      const spread = rmsDelaySpreadNs(profile);
      assert.ok(Math.abs(spread / published[name] - 1) < 0.05, `${name}: ${spread} ns`);
    }
    assert.ok(Math.abs(rmsDelaySpreadNs(powerDelayProfile('tdl-c', 100)) - 100) < 2);
  });

  it('keep the tables (spot values) and defaults', () => {
    const eva = powerDelayProfile('eva');
    assert.equal(eva.delaysNs[8], 2510);
    assert.ok(Math.abs(10 * Math.log10(eva.powers[8] / eva.powers[0]) + 16.9) < 1e-9);
    assert.equal(eva.defaultDopplerHz, 70);
    assert.equal(powerDelayProfile('tdl-a').powers.length, 23);
    assert.equal(powerDelayProfile('tdl-c').powers.length, 24);
    assert.equal(powerDelayProfile('epa').defaultDopplerHz, 5);
  });

  it('refuse unknown names and misplaced spreads', () => {
    assert.throws(() => powerDelayProfile('tdl-z'), /epa, eva, etu, tdl-a/);
    assert.throws(() => powerDelayProfile('toString'), /unknown/);
    assert.throws(() => powerDelayProfile('tdl-a', 0), /allowed 1 to 1000 ns/);
    assert.throws(() => powerDelayProfile('epa', 300), /fixed/);
  });
});

describe('fading process', () => {
  const h = new Float64Array(2);
  const g = new Float64Array(2);

  it('has Rayleigh envelopes over the ensemble', () => {
    const n = 6000;
    const root = new RandomStream('ks');
    const envelopes = new Float64Array(n);
    const phases = new Float64Array(n);
    let fourth = 0;
    for (let i = 0; i < n; i++) {
      new FadingProcess(50, 0, root.fork(`${i}`)).at(0.123, h, 0);
      envelopes[i] = Math.hypot(h[0], h[1]);
      phases[i] = Math.atan2(h[1], h[0]);
      fourth += envelopes[i] ** 4 / n;
    }
    // 99 % points; the finite sum of sinusoids is itself within 0.005 of Rayleigh.
    assert.ok(kolmogorov(envelopes, (x) => 1 - Math.exp(-x * x)) < 1.63 / Math.sqrt(n) + 0.005);
    assert.ok(kolmogorov(phases, (x) => x / (2 * Math.PI) + 0.5) < 1.63 / Math.sqrt(n));
    // E|h|^4 = 2 - 1/32 for 32 unit phasors; standard error sqrt(20)/sqrt(6000) = 0.06.
    assert.ok(Math.abs(fourth - (2 - 1 / 32)) < 0.2, `fourth moment ${fourth}`);
  });

  it('has the autocorrelation J0(2 pi fd tau) over the ensemble, and independent processes are uncorrelated', () => {
    const n = 8000;
    const dopplerHz = 70;
    const root = new RandomStream('acf');
    const lags = [0.001, 0.002, 0.004, 0.0055, 0.008, 0.012];
    const sums = lags.map(() => [0, 0]);
    const cross = [0, 0];
    for (let i = 0; i < n; i++) {
      const process = new FadingProcess(dopplerHz, 0, root.fork(`${i}`));
      process.at(0.5, h, 0);
      lags.forEach((lag, k) => {
        process.at(0.5 + lag, g, 0);
        sums[k][0] += (h[0] * g[0] + h[1] * g[1]) / n;
        sums[k][1] += (h[0] * g[1] - h[1] * g[0]) / n;
      });
      new FadingProcess(dopplerHz, 0, root.fork(`other ${i}`)).at(0.5, g, 0);
      cross[0] += (h[0] * g[0] + h[1] * g[1]) / n;
      cross[1] += (h[0] * g[1] - h[1] * g[0]) / n;
    }
    // Standard error about 1/sqrt(8000) = 0.011; five of them allowed.
    lags.forEach((lag, k) => {
      const want = besselJ0(2 * Math.PI * dopplerHz * lag);
      assert.ok(Math.abs(sums[k][0] - want) < 0.055, `lag ${lag}: ${sums[k][0]} for ${want}`);
      assert.ok(Math.abs(sums[k][1]) < 0.055);
    });
    assert.ok(Math.hypot(cross[0], cross[1]) < 0.055);
  });

  it('has the Rician line-of-sight share: E|h|^2 = 1, var |h|^2 = (1 + 2K)/(1 + K)^2', () => {
    const n = 6000;
    const k = 4;
    const root = new RandomStream('rice');
    let mean = 0;
    let square = 0;
    for (let i = 0; i < n; i++) {
      new FadingProcess(20, k, root.fork(`${i}`)).at(1, h, 0);
      const p = h[0] ** 2 + h[1] ** 2;
      mean += p / n;
      square += (p * p) / n;
    }
    assert.ok(Math.abs(mean - 1) < 0.04);
    assert.ok(Math.abs(square - mean * mean - (1 + 2 * k) / (1 + k) ** 2) < 0.05);
  });
});

describe('tapped delay line', () => {
  const rateHz = 7.68e6;

  it('has the table mean tap powers, and ensemble mean power 1 within 0.05 dB', () => {
    const profile = powerDelayProfile('eva');
    const root = new RandomStream('powers');
    const n = 10000;
    const mean = new Float64Array(profile.powers.length);
    for (let i = 0; i < n; i++) {
      const gains = new TappedDelayLine({ profile, rateHz }, root.fork(`${i}`)).tapGains(0);
      for (let k = 0; k < mean.length; k++) mean[k] += (gains[2 * k] ** 2 + gains[2 * k + 1] ** 2) / n;
    }
    // A tap's power has relative standard deviation 1: 1 % after 10 000 draws; the sum of all about 0.45 %.
    profile.powers.forEach((p, k) => {
      assert.ok(Math.abs(mean[k] / p - 1) < 0.05, `tap ${k}: ${mean[k]} for ${p}`);
    });
    const totalDb = 10 * Math.log10(mean.reduce((a, b) => a + b));
    assert.ok(Math.abs(totalDb) < 0.05, `total ${totalDb} dB`);
  });

  it('filters as its frequencyResponse says, at every rate, over 80 % of the band', () => {
    for (const [name, rate] of [
      ['epa', 0.96e6],
      ['epa', 1.92e6],
      ['eva', 3.84e6],
      ['tdl-c', 8e6],
      ['etu', 20e6],
      ['tdl-a', 15.36e6],
    ] as const) {
      const line = new TappedDelayLine({ profile: powerDelayProfile(name), rateHz: rate }, new RandomStream('h'));
      for (const share of [-0.4, -0.3, 0.004, 0.21, 0.4]) {
        line.reset();
        const n = 2600;
        const out = throughBlocks(line, tone(n, share), [n]);
        let error = 0;
        let count = 0;
        const start = Math.ceil((Math.max(...line.profile.delaysNs) * rate) / 1e9) + 2 * FADING_DELAY_SAMPLES;
        for (let i = start; i < n; i += 101) {
          const [hr, hi] = line.frequencyResponse(i, [share * rate]);
          const angle = 2 * Math.PI * (((share * (i - line.delaySamples)) % 1) + 1);
          const re = hr * Math.cos(angle) - hi * Math.sin(angle);
          const im = hr * Math.sin(angle) + hi * Math.cos(angle);
          error += (out[2 * i] - re) ** 2 + (out[2 * i + 1] - im) ** 2;
          count++;
        }
        // Relative to the ensemble mean of 1: a fade must not hide the error.
        const db = 10 * Math.log10(error / count);
        assert.ok(db < -60, `${name} ${rate} f = ${share}: ${db} dB`);
      }
    }
  });

  it('keeps interpolation error below -60 dB at high Doppler and low rate', () => {
    for (const [rate, dopplerHz] of [
      [0.96e6, 300],
      [0.96e6, 1000],
      [7.68e6, 70],
      [1.92e6, 5],
    ]) {
      const line = new TappedDelayLine(
        { profile: powerDelayProfile('epa'), rateHz: rate, dopplerHz },
        new RandomStream('d'),
      );
      const n = 6000;
      const ones = new Float32Array(2 * n).map((_, i) => (i % 2 === 0 ? 1 : 0));
      const out = throughBlocks(line, ones, [n]);
      let error = 0;
      for (let i = 100; i < n; i++) {
        const [hr, hi] = line.frequencyResponse(i, [0]);
        error += ((out[2 * i] - hr) ** 2 + (out[2 * i + 1] - hi) ** 2) / (n - 100);
      }
      assert.ok(10 * Math.log10(error) < -60, `${rate} ${dopplerHz}: ${10 * Math.log10(error)} dB`);
    }
  });

  it('gives the same samples for any cut into blocks, and again after reset', () => {
    const input = noise(4000);
    for (const dopplerHz of [0, 70, 1500]) {
      const line = new TappedDelayLine({ profile: powerDelayProfile('eva'), rateHz, dopplerHz }, new RandomStream(5));
      const whole = throughBlocks(line, input, [4000]);
      assert.equal(whole.length, input.length);
      fc.assert(
        fc.property(blockSizes, (sizes) => {
          line.reset();
          assert.deepEqual(throughBlocks(line, input, sizes), whole);
        }),
        { numRuns: 8 },
      );
    }
  });

  it('passes white in-band noise with the mean power of its response', () => {
    const line = new TappedDelayLine(
      { profile: powerDelayProfile('epa'), rateHz: 7.68e6, dopplerHz: 0 },
      new RandomStream('p'),
    );
    const freqs = Float64Array.from({ length: 301 }, (_, i) => (i - 150) * 15e3);
    const mean = line.frequencyResponse(0, freqs).reduce((a, v) => a + v * v, 0) / freqs.length;
    // A sum of 301 carriers with random phases: its power through the channel is the mean of |H|^2.
    const rng = new RandomStream('q');
    const n = 5120;
    const input = new Float32Array(2 * n);
    for (const f of freqs) {
      const t = tone(n, f / 7.68e6, 1 / Math.sqrt(301));
      const a = 2 * Math.PI * rng.uniform();
      const [c, s] = [Math.cos(a), Math.sin(a)];
      for (let i = 0; i < n; i++) {
        input[2 * i] += t[2 * i] * c - t[2 * i + 1] * s;
        input[2 * i + 1] += t[2 * i] * s + t[2 * i + 1] * c;
      }
    }
    const out = line.process(input);
    // Eight whole periods of 512 samples: orthogonal carriers, so the power is exact but for the sinc's error.
    const got = power(out, 1024, 5120);
    assert.ok(Math.abs(10 * Math.log10(got / mean)) < 0.01, `${got} for ${mean}`);
  });

  it('is normalised over the burst only when asked', () => {
    const occupiedHz = 4.5e6;
    const burst = { startSample: 50_000, lengthSamples: 40_000, occupiedHz };
    const freqs = Float64Array.from({ length: 64 }, (_, i) => (i / 63 - 0.5) * occupiedHz);
    const levels: number[] = [];
    for (const normaliseOver of [undefined, burst]) {
      const line = new TappedDelayLine(
        { profile: powerDelayProfile('epa'), rateHz, normaliseOver },
        new RandomStream('fade'),
      );
      let sum = 0;
      for (let t = 0; t < 9; t++) {
        for (const v of line.frequencyResponse(50_000 + 5000 * t, freqs)) sum += v * v;
      }
      levels.push(10 * Math.log10(sum / (9 * freqs.length)));
    }
    assert.ok(Math.abs(levels[0]) > 0.3, 'this seed is not at the mean');
    assert.ok(Math.abs(levels[1]) < 0.1, `${levels[1]} dB`);
  });

  it('draws every tap from its own stream', () => {
    const profile = powerDelayProfile('epa');
    const a = new TappedDelayLine({ profile, rateHz }, new RandomStream(9)).tapGains(0);
    const rician = new TappedDelayLine({ profile, rateHz, ricianKDb: 10 }, new RandomStream(9)).tapGains(0);
    assert.notEqual(a[0], rician[0]);
    assert.deepEqual(a.subarray(2), rician.subarray(2));
    assert.ok(errorDb(Float32Array.from(a), Float32Array.from(rician)) > -60);
  });

  it('refuses rates and Dopplers out of range', () => {
    const profile = powerDelayProfile('epa');
    assert.throws(() => new TappedDelayLine({ profile, rateHz: 1e9 }, new RandomStream(1)), /allowed/);
    assert.throws(() => new TappedDelayLine({ profile, rateHz, dopplerHz: -1 }, new RandomStream(1)), /Doppler/);
    assert.throws(() => new TappedDelayLine({ profile, rateHz, ricianKDb: 99 }, new RandomStream(1)), /Rician/);
  });
});
