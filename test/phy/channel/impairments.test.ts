import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { EnvelopeClipStage, QuantiserStage, RappAmplifierStage } from '../../../src/phy/channel/amplitude.ts';
import { AwgnStage } from '../../../src/phy/channel/awgn.ts';
import { CfoStage } from '../../../src/phy/channel/cfo.ts';
import { CLOCK_DELAY_SAMPLES, ClockStage } from '../../../src/phy/channel/clock.ts';
import { DropStage } from '../../../src/phy/channel/drops.ts';
import { DcOffsetStage, GainStage, IqImbalanceStage, imageRejectionDb } from '../../../src/phy/channel/iq-dc.ts';
import { JammerStage } from '../../../src/phy/channel/jammer.ts';
import { lineWidthHz, PhaseNoiseStage } from '../../../src/phy/channel/phase-noise.ts';
import { buildChannel } from '../../../src/phy/channel/scenario.ts';
import { ChannelChain, type ChannelStage } from '../../../src/phy/channel/stage.ts';
import { fftKernel } from '../../../src/phy/kernels/fft/fft.ts';
import { blockSizes, errorDb, kolmogorov, noise, power, throughBlocks, tone, toneDb } from './helpers.ts';

const RATE = 7.68e6;
const random = new RandomStream('impairments');

describe('every stage', () => {
  const makers: [string, () => ChannelStage][] = [
    ['awgn', () => new AwgnStage(0.1, random)],
    ['cfo', () => new CfoStage(12345.6, RATE, 1)],
    ['clock fast', () => new ClockStage(50, 12.34)],
    ['clock slow', () => new ClockStage(-1000, 0)],
    ['phase noise', () => new PhaseNoiseStage(100, RATE, random)],
    ['iq', () => new IqImbalanceStage(0.5, 3)],
    ['dc', () => new DcOffsetStage(-20)],
    ['gain', () => new GainStage(-3)],
    ['pa', () => new RappAmplifierStage(0)],
    ['clip', () => new EnvelopeClipStage(0)],
    ['quantiser', () => new QuantiserStage(8)],
    ['tone jammer', () => new JammerStage({ kind: 'tone', powerDb: 0, centreHz: 1e6 }, 1, RATE, random)],
    [
      'subband jammer',
      () =>
        new JammerStage(
          { kind: 'subband', powerDb: 0, widthHz: 5e5, dutyCycle: 0.3, periodS: 1e-4, startS: 1e-5 },
          1,
          RATE,
          random,
        ),
    ],
    [
      'noise jammer',
      () => new JammerStage({ kind: 'noise', powerDb: 0, dutyCycle: 0.5, periodS: 1e-4 }, 1, RATE, random),
    ],
    ['drops', () => new DropStage({ at: [{ index: 700, length: 33 }], perSecond: 10000 }, RATE, random)],
  ];
  const input = noise(4000, 0.5, 'input');
  const before = input.slice();
  for (const [name, make] of makers) {
    it(`${name}: any cut into blocks gives the same samples, also after reset, and the input is left alone`, () => {
      const stage = make();
      const whole = throughBlocks(stage, input, [4000]);
      assert.ok(errorDb(whole.subarray(0, 2000), input.subarray(0, 2000)) > -90, 'does something');
      fc.assert(
        fc.property(blockSizes, (sizes) => {
          stage.reset();
          assert.deepEqual(throughBlocks(stage, input, sizes), whole);
        }),
        { numRuns: 8 },
      );
      assert.deepEqual(input, before);
      assert.match(stage.describe(), /^[^\n]+$/);
    });
  }

  it('chains: delays add up and skip() is the same as zeros', () => {
    const build = () =>
      new ChannelChain([new ClockStage(20), new PhaseNoiseStage(50, RATE, random), new AwgnStage(0.1, random)]);
    const a = build();
    assert.equal(a.delaySamples, CLOCK_DELAY_SAMPLES);
    a.skip(20000);
    const b = build();
    b.process(new Float32Array(40000));
    assert.deepEqual(a.process(input).slice(), b.process(input).slice());
    assert.match(a.describe(), /clock.* > .*line width.* > awgn/);
  });
});

describe('skip() of stages that fall silent', () => {
  const input = noise(4000, 0.5, 'input');
  const build = (dopplerHz: number) => buildChannel({ rateHz: RATE, channel: 'eva', dopplerHz, seed: 'skip' });

  it('is the same as zeros to the last bit, in one piece or in many, also right behind a signal', () => {
    for (const dopplerHz of [0, 5, 300]) {
      const a = build(dopplerHz);
      const b = build(dopplerHz);
      for (const count of [1, 17, 40, 100_003, 5, 3_000_017]) {
        assert.deepEqual(a.process(input).slice(), b.process(input).slice(), `before ${count} zeros`);
        for (let left = count; left > 0; left -= 70_000) a.skip(Math.min(left, 70_000));
        for (let left = count; left > 0; left -= 16384) b.process(new Float32Array(2 * Math.min(left, 16384)));
      }
      assert.deepEqual(a.process(input).slice(), b.process(input).slice());
    }
  });

  it('goes for a clock and a carrier that are off, too, and says how many samples would have come', () => {
    for (const sfoPpm of [-13, 0, 40]) {
      const offset = () =>
        buildChannel({
          rateHz: RATE,
          channel: 'epa',
          seed: 'skip',
          sfoPpm,
          startDelaySamples: 33.25,
          cfoHz: 12_345,
        });
      const a = offset();
      const b = offset();
      for (const count of [3, 100, 700_001, 20, 3_000_017]) {
        assert.deepEqual(a.process(input).slice(), b.process(input).slice(), `before ${count} zeros, ${sfoPpm} ppm`);
        let samples = 0;
        for (let left = count; left > 0; left -= 16384) {
          samples += b.process(new Float32Array(2 * Math.min(left, 16384))).length / 2;
        }
        assert.equal(a.skip(count), samples);
      }
      assert.deepEqual(a.process(input).slice(), b.process(input).slice());
    }
  });

  it('costs no more for a day than for a moment, and the fading stands where it would have', () => {
    const a = build(5);
    const dc = new Float32Array(2 * 600).map((_, i) => 1 - (i % 2));
    const count = 86_400 * RATE;
    a.skip(count);
    const out = a.process(dc);
    const truth = a.frequencyResponse(count + 599, [0]);
    assert.ok(Math.hypot(out[1198] - truth[0], out[1199] - truth[1]) < 2e-3, `${out.slice(1198)}, not ${truth}`);
  });
});

describe('awgn', () => {
  it('has the asked variance, circular and Gaussian', () => {
    const n = 200_000;
    const out = new AwgnStage(0.25, random).process(new Float32Array(2 * n));
    // Standard error of the variance: 1/sqrt(200 000) = 0.2 %.
    assert.ok(Math.abs(power(out) / 0.25 - 1) < 0.01);
    let cross = 0;
    let difference = 0;
    for (let i = 0; i < 2 * n; i += 2) {
      cross += out[i] * out[i + 1];
      difference += out[i] ** 2 - out[i + 1] ** 2;
    }
    assert.ok(Math.abs(cross / n) < 0.125 * 0.012 && Math.abs(difference / n) < 0.25 * 0.01);
    const envelope = Float64Array.from({ length: 20000 }, (_, i) => Math.hypot(out[2 * i], out[2 * i + 1]));
    assert.ok(kolmogorov(envelope, (x) => 1 - Math.exp(-(x * x) / 0.25)) < 1.63 / Math.sqrt(20000));
  });
});

describe('cfo', () => {
  it('is the exact rotation, far into the stream too', () => {
    const stage = new CfoStage(-12345.678, RATE, 0.5);
    const ones = new Float32Array(2 * 65536).map((_, i) => (i % 2 === 0 ? 1 : 0));
    for (let block = 0; block < 50; block++) {
      const out = stage.process(ones);
      for (const i of [0, 255, 256, 40_000, 65_535]) {
        const angle = 2 * Math.PI * (((-12345.678 * (block * 65536 + i)) / RATE) % 1) + 0.5;
        // Float32 output: 6e-8.
        assert.ok(Math.hypot(out[2 * i] - Math.cos(angle), out[2 * i + 1] - Math.sin(angle)) < 3e-7);
      }
    }
  });
});

describe('clock', () => {
  it('changes a tone by exactly its ratio, with the stated delay, error below -70 dB up to 0.4 of the rate', () => {
    for (const [ppm, start] of [
      [50, 0],
      [-50, 3.7],
      [1000, 100.25],
      [0, 0.5],
      [0, 0],
    ]) {
      for (const cycles of [0.01, -0.3, 0.4]) {
        const stage = new ClockStage(ppm, start);
        const out = throughBlocks(stage, tone(30_000, cycles), [1000]);
        const want = new Float32Array(out.length);
        for (let m = 0; m < out.length / 2; m++) {
          const angle = 2 * Math.PI * cycles * stage.inputIndexOf(m);
          want[2 * m] = Math.cos(angle);
          want[2 * m + 1] = Math.sin(angle);
        }
        const from = 2 * Math.ceil(stage.outputIndexOf(0) + CLOCK_DELAY_SAMPLES + 1);
        const db = errorDb(out.subarray(from), want.subarray(from));
        assert.ok(db < -70, `${ppm} ppm, start ${start}, f ${cycles}: ${db} dB`);
      }
    }
  });

  it('puts out as many samples as its clock ticks', () => {
    const n = 200_000;
    for (const ppm of [100, -100]) {
      const out = throughBlocks(new ClockStage(ppm, 10), new Float32Array(2 * n), [4096]);
      assert.ok(Math.abs(out.length / 2 - (n * (1 + ppm * 1e-6) + 10)) < 2, `${out.length / 2}`);
    }
    const stage = new ClockStage(37, 1234.5);
    assert.ok(Math.abs(stage.inputIndexOf(stage.outputIndexOf(5555)) - 5555) < 1e-6);
    assert.ok(Math.abs(new ClockStage(0, 1234.5).outputIndexOf(0) - 1234.5 - CLOCK_DELAY_SAMPLES) < 1e-9);
  });
});

describe('phase noise', () => {
  it('wanders with variance 2 pi B t', () => {
    const width = 1000;
    const n = 400_000;
    const ones = new Float32Array(2 * n).map((_, i) => (i % 2 === 0 ? 1 : 0));
    const out = new PhaseNoiseStage(width, RATE, random).process(ones);
    for (const lag of [1, 10, 40]) {
      let sum = 0;
      let count = 0;
      for (let i = lag; i < n; i += lag, count++) {
        const re = out[2 * i] * out[2 * (i - lag)] + out[2 * i + 1] * out[2 * (i - lag) + 1];
        const im = out[2 * i + 1] * out[2 * (i - lag)] - out[2 * i] * out[2 * (i - lag) + 1];
        sum += Math.atan2(im, re) ** 2;
      }
      const want = (2 * Math.PI * width * lag) / RATE;
      // Relative standard error sqrt(2/count): at most 1.4 %.
      assert.ok(Math.abs(sum / count / want - 1) < 5 * Math.sqrt(2 / count), `lag ${lag}`);
    }
  });

  it('has the density its profile names', () => {
    // L(f) = B/(2 pi f^2): -80 dBc/Hz at 10 kHz is B = 2 pi.
    assert.ok(Math.abs(lineWidthHz('hackrf') - 2 * Math.PI) < 1e-9);
    assert.equal(lineWidthHz('none'), 0);
    assert.throws(() => lineWidthHz('lime'), /one of none, hackrf, pluto/);
    const figure = { dbcHz: -60, offsetHz: 100e3 };
    const stage = new PhaseNoiseStage(lineWidthHz(figure), RATE, random);
    const size = 16384;
    const bins = [Math.round((100e3 / RATE) * size), -Math.round((100e3 / RATE) * size)];
    const window = Float64Array.from({ length: size }, (_, i) => 1 - Math.cos((2 * Math.PI * (i + 0.5)) / size));
    let density = 0;
    const runs = 300;
    const ones = new Float32Array(2 * size).map((_, i) => (i % 2 === 0 ? 1 : 0));
    for (let r = 0; r < runs; r++) {
      const x = stage.process(ones).slice();
      for (let i = 0; i < size; i++) {
        x[2 * i] *= window[i];
        x[2 * i + 1] *= window[i];
      }
      fftKernel(size).forward(x, 0, x, 0);
      for (const k of bins) {
        const at = 2 * ((k + size) % size);
        density += (x[at] ** 2 + x[at + 1] ** 2) / (runs * bins.length * 1.5 * size * RATE);
      }
    }
    // 600 periodogram values: 4 % = 0.18 dB standard error; the window smears the slope by less than 0.1 dB.
    const b = stage.lineWidthHz;
    const want = 10 * Math.log10(b / (2 * Math.PI * (100e3 ** 2 + (b / 2) ** 2)));
    assert.ok(Math.abs(10 * Math.log10(density) - want) < 0.8, `${10 * Math.log10(density)} for ${want} dBc/Hz`);
  });
});

describe('iq imbalance and dc', () => {
  it('has the closed-form image rejection and keeps the power', () => {
    for (const [db, deg] of [
      [0.5, 3],
      [-1, 0],
      [0, 5],
      [2, -10],
    ]) {
      const out = new IqImbalanceStage(db, deg).process(tone(8192, 0.123));
      const rejection = toneDb(out, 0.123) - toneDb(out, -0.123);
      assert.ok(Math.abs(rejection - imageRejectionDb(db, deg)) < 0.01, `${db} dB ${deg} deg: ${rejection}`);
      // Whole signal power of a circular signal is kept.
      assert.ok(Math.abs(toneDb(out, 0.123) + 10 * Math.log10(1 + 10 ** (-rejection / 10))) < 0.01);
    }
    // Published rule of thumb: 0.5 dB and 3 degrees give about 28 dB.
    assert.ok(Math.abs(imageRejectionDb(0.5, 3) - 28.2) < 0.3);
  });

  it('adds DC of the stated power', () => {
    const out = new DcOffsetStage(-20).process(new Float32Array(200));
    assert.ok(Math.abs(10 * Math.log10(power(out)) + 20) < 1e-5);
  });
});

describe('amplitude stages', () => {
  it('follows the Rapp curve', () => {
    for (const p of [1, 2, 3]) {
      const stage = new RappAmplifierStage(-6, p);
      const a = 10 ** (-6 / 20);
      for (const r of [1e-3, 0.2, a, 1, 100]) {
        const [re, im] = stage.process(Float32Array.of(r * Math.cos(1), r * Math.sin(1)));
        const want = r / (1 + (r / a) ** (2 * p)) ** (1 / (2 * p));
        assert.ok(Math.abs(Math.hypot(re, im) / want - 1) < 1e-6);
        assert.ok(Math.abs(Math.atan2(im, re) - 1) < 1e-6);
      }
      // At the saturation amplitude the compression is 10 log10(2)/p dB.
      const [x] = stage.process(Float32Array.of(a, 0));
      assert.ok(Math.abs(20 * Math.log10(a / x) - (10 * Math.log10(2)) / p) < 1e-4);
    }
  });

  it('clips the envelope of Gaussian samples as often as it should and counts it', () => {
    const n = 100_000;
    const clip = new EnvelopeClipStage(3);
    const out = clip.process(noise(n));
    // P(|x|^2 > 10^0.3) = exp(-10^0.3) = 0.136; standard error 0.0011.
    assert.ok(Math.abs(clip.clippedSamples / n - Math.exp(-(10 ** 0.3))) < 0.005);
    for (let i = 0; i < n; i++) assert.ok(Math.hypot(out[2 * i], out[2 * i + 1]) < 10 ** (3 / 20) + 1e-6);
  });

  it('quantises a full-scale sine to 6.02 N + 1.76 dB', () => {
    for (const bits of [4, 6, 8, 10, 12]) {
      const stage = new QuantiserStage(bits);
      // Just inside the codes, so that the top of the sine is not clamped.
      const amplitude = 1 - 2 ** -(bits - 1);
      const input = tone(65536, 0.1234567, amplitude);
      const snr = -errorDb(stage.process(input), input);
      const want = 6.0206 * bits + 1.7609 + 20 * Math.log10(amplitude);
      // The formula takes the error as uniform; the sine dwells on its top code a share of time that falls as 2^(-N/2).
      assert.ok(Math.abs(snr - want) < 2 * 2 ** (-bits / 2), `${bits} bits: ${snr} for ${want}`);
      assert.equal(stage.clippedSamples, 0);
    }
  });

  it('clamps and counts what exceeds full scale', () => {
    const stage = new QuantiserStage(8);
    const out = stage.process(Float32Array.of(1, 0, -1.5, 0.25, 0.3, 127.4 / 128, -1, 0));
    assert.deepEqual([...out], [127 / 128, 0, -1, 0.25, 38 / 128, 127 / 128, -1, 0]);
    assert.equal(stage.clippedSamples, 2);
    assert.throws(() => new QuantiserStage(17), /allowed 1 to 16/);
  });
});
