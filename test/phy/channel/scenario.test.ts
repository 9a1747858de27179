import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { buildChannel, CHANNELS, type ChannelOptions, randomOffsets } from '../../../src/phy/channel/scenario.ts';
import { noiseVarianceFor } from '../../../src/phy/channel/snr.ts';
import { frontendFor } from '../../../src/phy/frontend/frontend.ts';
import { fftKernel } from '../../../src/phy/kernels/fft/fft.ts';
import { blockSizes, noise, power, throughBlocks } from './helpers.ts';

const RATE = 7.68e6;

/** Unitary OFDM with QPSK on `occupied` carriers around an empty DC: values [symbol][carrier][re, im] and samples. */
function ofdm(symbols: number, fftSize: number, occupied: number, seed: number) {
  const rng = new RandomStream(seed);
  const prefix = (fftSize * 9) / 128;
  const values = new Float32Array(2 * symbols * occupied);
  const samples = new Float32Array(2 * symbols * (fftSize + prefix));
  const grid = new Float32Array(2 * fftSize);
  for (let s = 0; s < symbols; s++) {
    grid.fill(0);
    for (let c = 0; c < occupied; c++) {
      const at = 2 * (s * occupied + c);
      values[at] = rng.integer(2) ? Math.SQRT1_2 : -Math.SQRT1_2;
      values[at + 1] = rng.integer(2) ? Math.SQRT1_2 : -Math.SQRT1_2;
      grid.set(values.subarray(at, at + 2), 2 * binOf(c, occupied, fftSize));
    }
    fftKernel(fftSize).inverse(grid, 0, grid, 0);
    for (let i = 0; i < 2 * fftSize; i++) grid[i] /= Math.sqrt(fftSize);
    const start = 2 * s * (fftSize + prefix);
    samples.set(grid.subarray(2 * (fftSize - prefix)), start);
    samples.set(grid, start + 2 * prefix);
  }
  return { values, samples, prefix };
}

function binOf(carrier: number, occupied: number, fftSize: number): number {
  const k = carrier < occupied / 2 ? carrier - occupied / 2 : carrier - occupied / 2 + 1;
  return (k + fftSize) % fftSize;
}

describe('noiseVarianceFor', () => {
  it('is S N / (nOcc snr) x device rate / modem rate', () => {
    const setting = { snrDb: 10, signalPower: 0.5, fftSize: 512, occupiedCarriers: 300, modemRateHz: RATE };
    assert.ok(Math.abs(noiseVarianceFor(setting) - (0.5 * 512) / 300 / 10) < 1e-12);
    assert.ok(Math.abs(noiseVarianceFor({ ...setting, deviceRateHz: 2 * RATE }) - (0.5 * 512) / 300 / 5) < 1e-12);
    assert.throws(() => noiseVarianceFor({ ...setting, snrDb: Number.NaN }), UsageError);
    assert.throws(() => noiseVarianceFor({ ...setting, occupiedCarriers: 513 }), /allowed 1 to 512/);
  });

  for (const [fftSize, occupied, modemRate, deviceRate, snrDb] of [
    [512, 300, RATE, RATE, 10],
    [512, 300, RATE, 10e6, 15],
    [128, 72, 1.92e6, 8e6, 5],
    [1024, 600, 15.36e6, 20e6, 20],
  ]) {
    it(`holds the SNR per occupied RE to 0.05 dB: ${occupied} of ${fftSize} at ${modemRate / 1e6} -> ${deviceRate / 1e6} Msps, ${snrDb} dB`, () => {
      const symbols = Math.ceil(150_000 / occupied);
      const { values, samples, prefix } = ofdm(symbols, fftSize, occupied, 1);
      const signalPower = power(samples);
      // Unitary OFDM: mean square occupied/fftSize (the prefix repeats typical samples).
      assert.ok(Math.abs(signalPower / (occupied / fftSize) - 1) < 0.01);
      const noiseVariance = noiseVarianceFor({
        snrDb,
        signalPower: occupied / fftSize,
        fftSize,
        occupiedCarriers: occupied,
        modemRateHz: modemRate,
        deviceRateHz: deviceRate,
      });
      const frontend = frontendFor(modemRate, (occupied + 1) * 15e3, deviceRate);
      const up = frontend.upconverter();
      const down = frontend.downconverter();
      const channel = buildChannel({ rateHz: deviceRate, noiseVariance, seed: 3 });
      const padded = new Float32Array(samples.length + 400);
      padded.set(samples);
      // Blocks are joined by copy, the stages reuse their buffers.
      const got = throughBlocks({ process: (x) => down.process(channel.process(up.process(x))) }, padded, [4096]);
      const delay = frontend.roundTripModemSamples;
      const bins = new Float32Array(2 * fftSize);
      let error = 0;
      for (let s = 0; s < symbols; s++) {
        // The window starts a little inside the prefix; the exact fractional delay is a phase slope.
        const start = Math.round(s * (fftSize + prefix) + prefix + delay) - 2;
        const late = s * (fftSize + prefix) + prefix + delay - start;
        fftKernel(fftSize).forward(got, 2 * start, bins, 0);
        for (let c = 0; c < occupied; c++) {
          const bin = binOf(c, occupied, fftSize);
          const k = bin >= fftSize / 2 ? bin - fftSize : bin;
          const angle = (2 * Math.PI * k * late) / fftSize;
          const at = 2 * (s * occupied + c);
          const re = (bins[2 * bin] * Math.cos(angle) - bins[2 * bin + 1] * Math.sin(angle)) / Math.sqrt(fftSize);
          const im = (bins[2 * bin] * Math.sin(angle) + bins[2 * bin + 1] * Math.cos(angle)) / Math.sqrt(fftSize);
          error += (re - values[at]) ** 2 + (im - values[at + 1]) ** 2;
        }
      }
      const measured = -10 * Math.log10(error / (symbols * occupied));
      // 150 000 RE: standard error 0.26 % = 0.011 dB.
      assert.ok(Math.abs(measured - snrDb) < 0.05, `measured ${measured} dB`);
    });
  }

  it('keeps the ensemble mean signal power through a fading channel to 0.05 dB', () => {
    // The same in-band stream through 12 000 realisations, energy out (tail included) over energy in.
    const input = new Float32Array(2 * 400);
    const stream = throughBlocks(frontendFor(RATE, 4.5e6, 10e6).upconverter(), noise(200, 1, 'signal'), [200]);
    input.set(stream, 0);
    const n = 12_000;
    let sum = 0;
    for (let seed = 0; seed < n; seed++) {
      const channel = buildChannel({ rateHz: 10e6, channel: 'epa', dopplerHz: 0, seed });
      sum += power(channel.process(input)) / power(input) / n;
    }
    // |H|^2 over 4.5 MHz of EPA has a standard deviation of about 0.6: 0.55 % = 0.024 dB.
    assert.ok(Math.abs(10 * Math.log10(sum)) < 0.05, `${10 * Math.log10(sum)} dB`);
  });
});

describe('buildChannel', () => {
  const everything: ChannelOptions = {
    rateHz: RATE,
    channel: 'eva',
    seed: 11,
    noiseVariance: 0.01,
    signalPower: 0.08,
    cfoHz: 5e3,
    phaseRad: 1,
    sfoPpm: -10,
    startDelaySamples: 321.5,
    phaseNoise: 'hackrf',
    iqDb: 0.5,
    iqDeg: 3,
    dcDbfs: -20,
    bits: 8,
    rxLevelDbfs: -12,
    jammer: { kind: 'subband', powerDb: 0, centreHz: 1e6, widthHz: 360e3 },
    drops: { at: [{ index: 2000, length: 100 }] },
    tx: { clipDbfs: 0, bits: 8, iqDb: 0.5, iqDeg: 3, dcDbfs: -20, phaseNoise: 'pluto', paSaturationDbfs: 0 },
  };
  const input = noise(4000, 0.08);

  it('assembles the physical order', () => {
    const words = buildChannel(everything)
      .stages.map((s) => s.describe().split(' ')[0])
      .join(' ');
    assert.equal(
      words,
      'envelope 8-bit iq dc tx-phase-noise pa eva clock cfo rx-phase-noise awgn jammer gain iq dc 8-bit drops:',
    );
    const channel = buildChannel(everything);
    assert.equal(channel.delaySamples, 12 + 16);
    assert.ok(
      channel.fading && channel.clock && channel.drops && channel.transmitConverter && channel.receiveConverter,
    );
    assert.notEqual(channel.transmitConverter, channel.receiveConverter);
  });

  it('does not depend on block sizes, and repeats after reset and from the same seed', () => {
    const channel = buildChannel(everything);
    const whole = throughBlocks(channel, input, [4000]);
    assert.equal(channel.drops?.droppedSamples, 100);
    assert.deepEqual(throughBlocks(buildChannel(everything), input, [4000]), whole);
    assert.notDeepEqual(throughBlocks(buildChannel({ ...everything, seed: 12 }), input, [4000]), whole);
    fc.assert(
      fc.property(blockSizes, (sizes) => {
        channel.reset();
        assert.deepEqual(throughBlocks(channel, input, sizes), whole);
      }),
      { numRuns: 10 },
    );
  });

  it('adding a random stage does not change what the others draw', () => {
    const base: ChannelOptions = { rateHz: RATE, channel: 'epa', noiseVariance: 0.1, seed: 5, signalPower: 0.08 };
    const silence = new Float32Array(2000);
    const plain = buildChannel(base).process(silence).slice();
    // On silence phase noise shows nothing: if it drew from the noise's stream, the noise would change.
    const more = buildChannel({ ...base, phaseNoise: 'hackrf', drops: { perSecond: 1 }, tx: { phaseNoise: 'pluto' } });
    assert.deepEqual(more.process(silence).slice(), plain);
    const gains = buildChannel(base).fading?.tapGains(0);
    assert.deepEqual(more.fading?.tapGains(0), gains);
  });

  it('sets the receive level over the ensemble', () => {
    const channel = buildChannel({
      rateHz: RATE,
      seed: 1,
      noiseVariance: 0.02,
      signalPower: 0.08,
      rxLevelDbfs: -12,
      bits: 12,
    });
    const level = 10 * Math.log10(power(throughBlocks(channel, noise(50_000, 0.08), [5000])));
    assert.ok(Math.abs(level + 12) < 0.1, `${level} dBFS`);
  });

  it('leaves samples untouched when everything is ideal, with a response of 1', () => {
    const channel = buildChannel({ rateHz: RATE, seed: 1 });
    assert.deepEqual(channel.process(input).slice(), input);
    assert.deepEqual([...channel.frequencyResponse(0, [0, 1e6])], [1, 0, 1, 0]);
    assert.deepEqual(CHANNELS, ['awgn', 'epa', 'eva', 'etu', 'tdl-a', 'tdl-b', 'tdl-c']);
  });

  it('refuses unknown names and values with the list or the range', () => {
    const bad: [Partial<ChannelOptions>, RegExp][] = [
      [{ channel: 'rayleigh' }, /unknown channel "rayleigh": one of awgn, epa, eva/],
      [{ rateHz: 0 }, /channel rate 0 Hz is out of range/],
      [{ cfoHz: 1e9 }, /CFO/],
      [{ sfoPpm: 2000 }, /allowed -1000 to 1000 ppm/],
      [{ iqDb: 20 }, /IQ gain/],
      [{ iqDeg: 90 }, /IQ phase/],
      [{ dcDbfs: 3 }, /DC offset/],
      [{ bits: 0 }, /converter bits/],
      [{ phaseNoise: 'x' }, /one of none, hackrf, pluto/],
      [{ channel: 'epa', delaySpreadNs: 100 }, /fixed/],
      [{ dopplerHz: 5 }, /not for awgn/],
      [{ channel: 'epa', dopplerHz: -5 }, /Doppler/],
      [{ channel: 'epa', snrNorm: 'burst' }, /extent of the burst/],
      [{ channel: 'epa', snrNorm: 'x' as 'burst' }, /one of ensemble, burst/],
      [{ noiseVariance: -1 }, /noise variance/],
      [{ jammer: { kind: 'tone', powerDb: 0 } }, /signal power/],
      [{ rxLevelDbfs: -12 }, /signal power/],
      [{ startDelaySamples: -1 }, /start delay/],
    ];
    for (const [options, pattern] of bad) {
      assert.throws(
        () => buildChannel({ rateHz: RATE, seed: 1, ...options }),
        (e) => e instanceof UsageError && pattern.test(e.message),
        JSON.stringify(options),
      );
    }
  });

  it('draws offsets inside their limits', () => {
    for (let i = 0; i < 200; i++) {
      const o = randomOffsets(new RandomStream(i), { maxStartDelaySamples: 5000 });
      assert.ok(o.startDelaySamples >= 0 && o.startDelaySamples < 5000);
      assert.ok(Math.abs(o.cfoHz) <= 20e3 && Math.abs(o.sfoPpm) <= 10);
      assert.ok(o.phaseRad >= 0 && o.phaseRad < 2 * Math.PI);
    }
  });
});
