import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { makeTrial, receiveTrial, rightBurst } from '../../../src/experiment/bench/modem/modem-trial.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';
import { MAX_CFO_HZ } from '../../../src/phy/sync/carrier-shift.ts';
import { bursts } from './stream.ts';

/** Uniform offsets of one trial: start, phase, CFO up to 45 ppm of 5.9 GHz, clock up to 100 ppm (both ends). */
function offsets(seed: string, maxCfoHz = MAX_CFO_HZ) {
  const r = new RandomStream(`offsets ${seed}`);
  return {
    cfoHz: r.between(-maxCfoHz, maxCfoHz),
    phaseRad: r.between(0, 2 * Math.PI),
    startDelaySamples: r.between(0, 300),
    sfoPpm: r.between(-100, 100),
  };
}

for (const n of NUMEROLOGIES.slice(1)) {
  test(`${n.nSubbands} subbands: 60 of 60 headers at -3 dB with any offset, and nothing else`, () => {
    for (let k = 0; k < 60; k++) {
      const seed = `-3 dB/${n.id}/${k}`;
      const signal = makeTrial({ numerology: n, seed, slots: 1, snrDb: -3, qm: 2, channel: offsets(seed) });
      const records = receiveTrial(signal);
      assert.ok(rightBurst(signal, records), `trial ${k}`);
      assert.equal(bursts(records).length, 1);
    }
  });

  test(`${n.nSubbands} subbands: loopback at 10 dB with every offset: header, extension, timing, CFO, SNR`, () => {
    const trials = 12;
    let cfoSquares = 0;
    for (let k = 0; k < trials; k++) {
      const seed = `10 dB/${n.id}/${k}`;
      const channel = offsets(seed);
      const signal = makeTrial({ numerology: n, seed, slots: 2, snrDb: 10, extensionBytes: 32, channel });
      const record = rightBurst(signal, receiveTrial(signal));
      assert.ok(record, `trial ${k}`);
      assert.ok(record.extensionOk && Buffer.from(record.extension!).equals(Buffer.from(signal.extension)));
      // A sample before or after: backoff and prefix leave room for several.
      assert.ok(Math.abs(record.startSample - signal.receivedIndexOf(0)) <= 1.5);
      // The receiver's clock scales the offset as well: 100 ppm of 265 kHz is 27 Hz, 0.2 % of the spacing.
      cfoSquares += ((record.cfoHz - channel.cfoHz) / 15_000) ** 2;
      assert.ok(Math.abs(record.snrDb - 10) < 1, `SNR ${record.snrDb}`);
      assert.equal(record.truncated, false);
    }
    assert.ok(Math.sqrt(cfoSquares / trials) < 0.01, 'residual CFO RMS <= 1 % of the spacing');
  });
}
