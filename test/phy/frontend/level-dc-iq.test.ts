import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DcOffsetStage, IqImbalanceStage, imageRejectionDb } from '../../../src/phy/channel/iq-dc.ts';
import { DcIqCorrector, estimateDcIq } from '../../../src/phy/frontend/dc-iq.ts';
import { frontendFor } from '../../../src/phy/frontend/frontend.ts';
import { LevelMeter } from '../../../src/phy/frontend/level.ts';
import { fromFloat, toFloat } from '../../../src/radio/format/convert.ts';
import { noise, power, throughBlocks, tone, toneDb } from '../channel/helpers.ts';

describe('LevelMeter', () => {
  it('reads a full-scale tone as 0 dBFS and counts clipped samples', () => {
    const meter = new LevelMeter(8);
    meter.push(tone(1000, 0.123));
    const { rmsDbfs, peakDbfs, samples } = meter.read();
    assert.ok(Math.abs(rmsDbfs) < 1e-6 && Math.abs(peakDbfs) < 1e-3);
    assert.equal(samples, 1000);
    meter.reset();
    meter.push(Float32Array.of(0.5, 0, 127 / 128, 0, 0, -1, 126 / 128, 0.1));
    assert.equal(meter.read().clipped, 2);
    meter.reset();
    assert.equal(meter.read().rmsDbfs, Number.NEGATIVE_INFINITY);
  });

  it('adds up over blocks', () => {
    const x = noise(5000, 0.04);
    const whole = new LevelMeter();
    whole.push(x);
    const parts = new LevelMeter();
    for (let i = 0; i < x.length; i += 123 * 2) parts.push(x.subarray(i, i + 246));
    assert.deepEqual(parts.read(), whole.read());
    assert.ok(Math.abs(whole.read().rmsDbfs - 10 * Math.log10(power(x))) < 1e-9);
  });
});

/** Band-limited noise (60 % of 7.68 Msps) at 8 Msps, as a receiver sees an OFDM signal. */
function coloured(n: number, seed: number): Float32Array {
  return throughBlocks(frontendFor(7.68e6, 4.5e6, 8e6).upconverter(), noise(n, 0.06, seed), [n]).slice();
}

describe('estimateDcIq', () => {
  it('finds a known imbalance and DC within a few of its own standard errors', () => {
    let pull = 0;
    const runs = 60;
    for (let seed = 0; seed < runs; seed++) {
      const clean = coloured(20000, seed);
      const faulty = new DcOffsetStage(-30, 0.7).process(new IqImbalanceStage(0.5, 3).process(clean));
      const e = estimateDcIq(faulty);
      assert.ok(Math.abs(e.gainDb - 0.5) < 5 * e.gainDbError, `gain ${e.gainDb} +- ${e.gainDbError}`);
      assert.ok(Math.abs(e.phaseDeg - 3) < 5 * e.phaseDegError, `phase ${e.phaseDeg} +- ${e.phaseDegError}`);
      assert.ok(Math.abs(e.dcRe - Math.sqrt(1e-3) * Math.cos(0.7)) < 0.006);
      assert.ok(Math.abs(e.dcIm - Math.sqrt(1e-3) * Math.sin(0.7)) < 0.006);
      assert.ok(e.iqSignificant);
      pull += ((e.gainDb - 0.5) / e.gainDbError) ** 2 + ((e.phaseDeg - 3) / e.phaseDegError) ** 2;
    }
    // Squared pulls average about 1.1 (32 segments) if the stated errors are right; 120 of them scatter by 0.14.
    const mean = pull / (2 * runs);
    assert.ok(mean > 0.6 && mean < 1.8, `mean squared pull ${mean}`);
  });

  it('corrects the image by more than 15 dB without changing the power', () => {
    const clean = coloured(200000, 3);
    const faults = new IqImbalanceStage(0.5, 3);
    const faulty = faults.process(clean).slice();
    const corrector = new DcIqCorrector();
    assert.ok(corrector.update(estimateDcIq(faulty)));
    // Measured with a tone through the same fault and correction: its image before and after.
    const x = faults.process(tone(8192, 0.1)).slice();
    const before = toneDb(x, -0.1) - toneDb(x, 0.1);
    assert.ok(Math.abs(before + imageRejectionDb(0.5, 3)) < 0.05);
    corrector.apply(x, x);
    const after = toneDb(x, -0.1) - toneDb(x, 0.1);
    assert.ok(after < before - 15, `${before} -> ${after} dB`);
    const y = faulty.slice();
    corrector.apply(faulty, y);
    assert.ok(Math.abs(10 * Math.log10(power(y) / power(clean))) < 0.01);
  });

  it('estimates the same from the moments that the down-converter gathers of native samples', () => {
    const clean = noise(70_000, 0.06, 5);
    const faulty = new DcOffsetStage(-30, 0.7).process(new IqImbalanceStage(0.5, 3).process(clean));
    const { data } = fromFloat(faulty, 'ci16_le', 32768);
    const down = frontendFor(7.68e6, 4.5e6, 8e6).downconverter();
    for (let at = 0; at < data.length; at += 2 * 4999) down.processNative(data.subarray(at, at + 2 * 4999), 32768);
    assert.ok(down.dcIq.full);
    const whole = estimateDcIq(toFloat(data, 32768).reIm.subarray(0, 2 * down.dcIq.samples));
    const gathered = down.dcIq.estimate();
    for (const [key, value] of Object.entries(whole)) {
      const got = gathered[key as keyof typeof gathered];
      if (typeof value === 'boolean') assert.equal(got, value, key);
      else assert.ok(Math.abs((got as number) - value) <= 1e-3 * Math.abs(value) + 1e-6, `${key}: ${got}, ${value}`);
    }
    down.dcIq.clear();
    assert.ok(!down.dcIq.full);
  });

  it('does not act on noise without imbalance, on too few samples, or on silence', () => {
    let actions = 0;
    for (let seed = 0; seed < 100; seed++) {
      const e = estimateDcIq(coloured(5000, 1000 + seed));
      if (e.iqSignificant || e.dcSignificant) actions++;
    }
    assert.equal(actions, 0, 'false alarms in 100 clean blocks');
    const strong = new IqImbalanceStage(3, 10).process(noise(2000));
    const few = estimateDcIq(strong);
    assert.equal(few.iqSignificant, false);
    const corrector = new DcIqCorrector();
    assert.equal(corrector.update(few), false);
    const same = noise(100);
    const out = new Float32Array(same.length);
    corrector.apply(same, out);
    assert.deepEqual(out, same);
    assert.equal(estimateDcIq(new Float32Array(20000)).iqSignificant, false);
    assert.equal(estimateDcIq(new Float32Array(0)).dcSignificant, false);
  });
});
