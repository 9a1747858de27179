// Listening to an emulated HackRF whose air, noise and clock are known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { UsageError } from '../../../src/common/errors.ts';
import { streamRequest } from '../../../src/experiment/board/board-request.ts';
import { listen } from '../../../src/experiment/board/listen.ts';
import { spectrumPlot } from '../../../src/experiment/board/spectrum-plot.ts';
import { loadProfile, profileCapabilities } from '../../../src/radio/profile.ts';
import { bench, passTime } from '../../radio/hackrf/emulated.ts';
import { ToneAir } from './tone-air.ts';

function near(actual: number | null, wanted: number, tolerance: number, what: string): void {
  assert.ok(actual !== null && Math.abs(actual - wanted) <= tolerance, `${what}: ${actual}, wanted ${wanted}`);
}

const OPTIONS = { durationS: 0.02, bins: 1024, marginDb: 6, realtime: true };

test('level, noise floor and tone of an emulated HackRF', async () => {
  const clock = new ManualAirClock();
  const nowNs = () => BigInt(Math.round(clock.nowS() * 1e9));
  // Full scale is 15 dBm less the gain: -70 dBm at 62 dB of gain are -23 dBFS.
  const air = new ToneAir(clock, 915.4e6, -70);
  const { open } = bench({ air }, { clock, nowNs });
  const work = async () => {
    const radio = await open({ patienceMs: 60_000 });
    try {
      const request = streamRequest(radio.capabilities, 'rx', { frequencyHz: 915e6, rateHz: 4e6, gainDb: 62 });
      return await listen(await radio.openRx(request), OPTIONS);
    } finally {
      await radio.close();
    }
  };
  const heard = await passTime(clock, work());
  assert.equal(heard.durationS, 0.02);
  assert.equal(heard.samples, 80_000);
  assert.deepEqual(heard.lost, { min: 0, max: 0, gaps: 0 });
  // The tone, and 16 dB below it 4 MHz of the noise.
  near(heard.rmsDbfs, 10 * Math.log10(10 ** -2.3 + 10 ** ((-174 + 22 + 62 - 15) / 10) * 4e6), 0.05, 'level');
  assert.ok(heard.tone);
  near(heard.tone.offsetHz, 400e3, 20, 'tone, 3.9 kHz bins');
  near(10 * Math.log10(heard.tone.power), -23, 0.1, 'its power');
  // Thermal noise -174 dBm/Hz with a noise figure of 22 dB, and 2/12 of a step squared from the converter (8 bits, two components).
  const thermal = 10 ** ((-174 + 22 + 62 - 15) / 10);
  const converter = 2 / 12 / 128 ** 2 / 4e6;
  near(heard.floorDbfsHz, 10 * Math.log10(thermal + converter), 0.5, 'noise floor');
  assert.equal(heard.clippedSamples, 0);
  assert.ok(heard.occupancy.meanShare > 0 && heard.occupancy.meanShare < 0.02);
  assert.ok(heard.spectrum.share >= 0.5 && heard.spectrum.share < 0.6, `${heard.spectrum.share} was transformed`);
  assert.equal(heard.spectrum.frequencyHz[512], 915e6);
  assert.match(spectrumPlot(heard, 'air <1>'), /^<svg.*air &lt;1&gt;.*noise floor/s);
});

test('what is asked for is checked before anything is heard', async () => {
  const capabilities = profileCapabilities(loadProfile('hackrf'));
  assert.deepEqual(streamRequest(capabilities, 'rx', {}), {});
  assert.deepEqual(streamRequest(capabilities, 'rx', { gainDb: 40 }).gainsDb, { lna: 16, vga: 24 });
  assert.throws(() => streamRequest(capabilities, 'rx', { gainDb: 103 }), /allowed 0 to 102 dB/);
  assert.throws(() => streamRequest(capabilities, 'rx', { gainDb: 41 }), /not possible/);
  assert.throws(() => streamRequest(profileCapabilities(loadProfile('loopback')), 'rx', { gainDb: 1 }), UsageError);
});
