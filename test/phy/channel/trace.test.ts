import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { checkCoverage, checkTrace, reflectedTime, traceSnrDb } from '../../../src/phy/channel/channel-trace.ts';
import { buildChannel } from '../../../src/phy/channel/scenario.ts';
import { type BurstChannel, buildTrace, TRACE_LEAD_S } from '../../../src/phy/channel/trace-builder.ts';
import { TraceChannelStage } from '../../../src/phy/channel/trace-stage.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { blockSizes, noise, throughBlocks, tone, toneAmplitude } from './helpers.ts';
import { carriersHz, replayError, signalPower, syntheticTrace, variance } from './trace-helpers.ts';

const n25 = numerology(25);
const n6 = numerology(6);
const flat = () => 0.01;

describe('recorded channel replayed', () => {
  // The receiver's own RMS error of a subband of 4 slots is 0.2 to 0.3 dB here, in the record and again in the replay.
  it('gives the RB SNR of the record on EVA: RMS <= 0.5 dB from 10 dB up', () => {
    const { rmsDb, biasDb, count } = replayError(
      n25,
      { channel: 'eva', noiseVariance: variance(n25, 18), startDelaySamples: 20.4, cfoHz: 4000 },
      4,
      [1, 2],
      10,
    );
    assert.ok(count > 150);
    assert.ok(rmsDb <= 0.5 && Math.abs(biasDb) < 0.2, `RMS ${rmsDb} dB, bias ${biasDb} dB of ${count}`);
  });

  it('gives it with an interferer on two subbands, on them and beside them: RMS <= 0.5 dB', () => {
    // 12.5 of 25 subbands' share: -8 dB of the whole signal is 3 dB over it in two subbands.
    const jammer = { kind: 'subband', powerDb: -8, centreHz: 637.5e3, widthHz: 360e3 } as const;
    const result = replayError(n25, { noiseVariance: variance(n25, 20), cfoHz: 2000, jammer }, 4, [1, 2], -10);
    const { rmsDb, biasDb, recorded } = result;
    const jammed = [15, 16].map((s) => recorded[0].subbandSnrDb[s]);
    assert.ok(Math.max(...jammed) < 0 && recorded[0].subbandSnrDb[3] > 18, 'two subbands are jammed');
    assert.ok(rmsDb <= 0.5 && Math.abs(biasDb) < 0.2, `RMS ${rmsDb} dB, bias ${biasDb} dB`);
  });
});

describe('trace channel stage', () => {
  const paths = [
    { delayS: -0.4e-6, gain: 0.8 },
    { delayS: 0.9e-6, gain: 0.5, turnHz: 60 },
    { delayS: 2.1e-6, gain: 0.33, turnHz: -40 },
  ];

  it('filters as the record says on every carrier, at device rates of its own and with an LO offset', () => {
    const trace = syntheticTrace(n25, paths, flat);
    for (const [rateHz, centreHz] of [
      [7.68e6, 0],
      [8e6, 0],
      [12.5e6, -2.6e6],
    ]) {
      const stage = new TraceChannelStage(trace, rateHz, centreHz);
      for (const carrier of [-150, -61, 1, 90, 150]) {
        const hz = 15e3 * carrier;
        const from = Math.round(5e-3 * rateHz);
        const window = Math.round(0.1e-3 * rateHz);
        stage.reset();
        const out = stage.process(tone(from + window, (hz + centreHz) / rateHz));
        // The middle of the window stands for it: the paths turn by 2 degrees within.
        const [re, im] = toneAmplitude(out, (hz + centreHz) / rateHz, from, from + window);
        const t = (from + window / 2) / rateHz;
        let error = 0;
        for (const part of [0, 1]) {
          const turned = (angle: number) => (part === 0 ? Math.cos(angle) : Math.sin(angle));
          const want = paths.reduce((sum, { delayS, gain, turnHz = 0 }) => {
            const lag = delayS + stage.delaySamples / rateHz;
            return (
              sum + gain * turned(2 * Math.PI * (turnHz * t - hz * lag - (centreHz * stage.delaySamples) / rateHz))
            );
          }, 0);
          error += ((part === 0 ? re : im) - want) ** 2;
        }
        assert.ok(10 * Math.log10(error) < -45, `${rateHz} carrier ${carrier}: ${10 * Math.log10(error)} dB`);
        const [hr, hi] = stage.frequencyResponse(from + window / 2, [hz + centreHz]);
        assert.ok(Math.abs(Math.hypot(hr, hi) - Math.hypot(re, im)) < 0.01);
      }
    }
  });

  it('gives the same samples for any cut into blocks, again after reset, and other noise for another seed', () => {
    const trace = syntheticTrace(n6, paths, (s) => (s === 2 ? 0.5 : 0.01), 2e-3);
    const options = { rateHz: 1.92e6, trace: { trace, unitVariance: variance(n6, 0) } };
    const channel = buildChannel({ ...options, seed: 3 });
    const input = noise(6000, 0.1);
    const whole = throughBlocks(channel, input, [6000]);
    fc.assert(
      fc.property(blockSizes, (sizes) => {
        channel.reset();
        assert.deepEqual(throughBlocks(channel, input, sizes), whole);
      }),
      { numRuns: 8 },
    );
    assert.deepEqual(throughBlocks(buildChannel({ ...options, seed: 3 }), input, [999]), whole);
    assert.notDeepEqual(throughBlocks(buildChannel({ ...options, seed: 4 }), input, [6000]), whole);
  });

  it('runs backwards behind its end, without a jump', () => {
    assert.deepEqual(
      [-1, 0, 1, 2, 3, 4, 5].map((t) => reflectedTime(t, 2)),
      [0, 0, 1, 2, 1, 0, 1],
    );
    assert.equal(reflectedTime(7, 0), 0);
    const stage = new TraceChannelStage(syntheticTrace(n6, paths, flat, 2e-3), 1.92e6);
    const at = (s: number) => [...stage.frequencyResponse(Math.round(s * 1.92e6), [150e3])];
    assert.deepEqual(at(2.5e-3), at(1.5e-3));
    assert.notDeepEqual(at(2.5e-3), at(2e-3));
  });

  it('refuses what a trace holds itself, and a band that is too narrow', () => {
    const trace = { trace: syntheticTrace(n6, paths, flat, 1e-3), unitVariance: 1 };
    const rateHz = 1.92e6;
    assert.throws(() => buildChannel({ rateHz, seed: 1, trace, dopplerHz: 5 }), /dopplerHz: not for a channel trace/);
    assert.throws(() => buildChannel({ rateHz, seed: 1, trace, channel: 'epa' }), /channel: not for/);
    assert.throws(() => checkCoverage(trace.trace, carriersHz(n25)), /covers 1\.080 MHz.*occupies 4\.500 MHz/);
    checkCoverage(syntheticTrace(n25, paths, flat, 1e-3), carriersHz(n6));
  });

  it('sets the receive level by the mean noise of the record', () => {
    const trace = syntheticTrace(n6, [{ delayS: 0, gain: 1 }], () => 10);
    const unitVariance = variance(n6, 0);
    const channel = buildChannel({
      rateHz: 1.92e6,
      seed: 1,
      signalPower,
      trace: { trace, unitVariance },
      rxLevelDbfs: -12,
    });
    const out = channel.process(new Float32Array(2 * 30_000));
    let power = 0;
    for (const v of out.subarray(8000)) power += (2 * v * v) / (out.length - 8000);
    const want = -12 + 10 * Math.log10((10 * unitVariance) / (10 * unitVariance + signalPower));
    // 26 000 samples of noise: 0.03 dB standard error, and the sample count of its bins.
    assert.ok(Math.abs(10 * Math.log10(power) - want) < 0.2, `${10 * Math.log10(power)} dB for ${want}`);
  });
});

describe('trace from bursts', () => {
  const carrierHz = carriersHz(n6);

  /** One burst that sees paths of 0 and 1 us with a delay and phase of the receiver's. */
  function burst(startS: number, delayS: number, phase: number, change: Partial<BurstChannel> = {}): BurstChannel {
    const timesS = Float64Array.of(startS + 1e-3, startS + 2e-3);
    const response = new Float32Array(4 * carrierHz.length);
    for (let i = 0; i < 2; i++) {
      carrierHz.forEach((f, k) => {
        for (const [extra, gain] of [
          [0, 3],
          [1e-6, 1],
        ]) {
          const angle = phase - 2 * Math.PI * f * (delayS + extra);
          response[2 * (i * carrierHz.length + k)] += gain * Math.cos(angle);
          response[2 * (i * carrierHz.length + k) + 1] += gain * Math.sin(angle);
        }
      });
    }
    const noise = new Float32Array(2 * 6).fill(0.1);
    const slotStartS = Float64Array.of(startS + 0.5e-3, startS + 1.5e-3);
    return { startS, endS: startS + 2.5e-3, timesS, slotStartS, response, errorVariance: 0, noise, ...change };
  }

  it('removes what a receiver cannot know: the bursts of a still channel become one still channel', () => {
    const trace = buildTrace(carrierHz, [burst(0.1, 2e-6, 1), burst(0.11, -1e-6, -2), burst(0.13, 0.2e-6, 3)]);
    assert.ok(Math.abs(trace.timesS[0] - TRACE_LEAD_S) < 1e-9);
    const row = 2 * carrierHz.length;
    for (let i = row; i < trace.response.length; i++) {
      assert.ok(Math.abs(trace.response[i] - trace.response[i % row]) < 1e-4);
    }
    // |H|^2 = 9 + 1 + 6 cos(..) over the band, noise 0.1: the ratio is what it was.
    const power = burst(0, 0, 0).response.reduce((sum, v) => sum + v * v, 0) / (2 * carrierHz.length);
    assert.ok(Math.abs(traceSnrDb(trace) - 10 * Math.log10(power / 0.1)) < 1e-3);
  });

  it('keeps the power in the gap between two bursts that saw different channels', () => {
    const other = burst(0.12, 0, 0);
    const random = new RandomStream('other');
    for (let k = 0; k < other.response.length / 2; k++) {
      const v = 2 * random.normal();
      other.response[k] = v;
      other.response[k + other.response.length / 2] = v;
    }
    const trace = buildTrace(carrierHz, [burst(0.1, 0, 0), other]);
    const stage = new TraceChannelStage(trace, 1.92e6);
    const power = (t: number) =>
      stage.frequencyResponse(Math.round(t * 1.92e6), carrierHz).reduce((sum, v) => sum + v * v, 0) / carrierHz.length;
    const [before, middle, after] = [4e-3, 13e-3, 24e-3].map(power);
    assert.ok(middle > 0.8 * Math.min(before, after) && middle < 1.25 * Math.max(before, after));
  });

  it("takes the estimate's own error out of the channel power", () => {
    const clean = traceSnrDb(buildTrace(carrierHz, [burst(0, 0, 0)]));
    const raised = traceSnrDb(buildTrace(carrierHz, [burst(0, 0, 0, { errorVariance: 1 })]));
    const power = 10 ** (clean / 10) * 0.1;
    assert.ok(Math.abs(raised - 10 * Math.log10((power - 1) / 0.1)) < 0.02);
  });

  it('refuses what is no channel', () => {
    assert.throws(() => buildTrace(carrierHz, []), /no burst/);
    const none = { timesS: new Float64Array(0), slotStartS: new Float64Array(0) };
    assert.throws(() => buildTrace(carrierHz, [burst(0, 0, 0, none)]), /no burst/);
    assert.throws(() => buildTrace(carrierHz, [burst(Number.NaN, 0, 0)]), /channel trace/);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const bad = burst(0, 0, 0);
      bad.response[5] = value;
      assert.throws(() => buildTrace(carrierHz, [bad]), /channel trace/);
      const noisy = burst(0, 0, 0);
      noisy.noise[3] = value;
      assert.throws(() => buildTrace(carrierHz, [noisy]), /channel trace noise/);
    }
    const good = buildTrace(carrierHz, [burst(0, 0, 0)]);
    assert.throws(() => checkTrace({ ...good, timesS: good.timesS.map(() => 1) }), /times: do not ascend/);
    assert.throws(() => checkTrace({ ...good, noise: good.noise.map(() => 0) }), /noise/);
    assert.throws(() => checkTrace({ ...good, response: good.response.subarray(2) }), /response/);
    assert.throws(() => checkTrace({ ...good, endS: -1 }), /end/);
    assert.throws(() => checkTrace({ ...good, timesS: new Float64Array(2 ** 18) }), /cut the capture|at most/);
  });
});
