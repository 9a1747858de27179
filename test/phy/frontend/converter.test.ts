import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { frontendFor, preferredLoOffsetHz, supportedDeviceRatesHz } from '../../../src/phy/frontend/frontend.ts';
import { rateRatio } from '../../../src/phy/frontend/resampler.ts';
import { blockSizes, errorDb, noise, power, throughBlocks, tone, toneAmplitude, toneDb } from '../channel/helpers.ts';

/** [modem rate, occupied band]: carriers of the numerology plus DC, at 15 kHz. */
const MODEMS: [number, number][] = [
  [0.96e6, 49 * 15e3],
  [1.92e6, 73 * 15e3],
  [3.84e6, 181 * 15e3],
  [7.68e6, 301 * 15e3],
  [15.36e6, 601 * 15e3],
];
const DEVICES = [0.96e6, 1.92e6, 3.84e6, 7.68e6, 8e6, 10e6, 12.5e6, 15.36e6, 16e6, 20e6];

/** Multi-tone signal within +-edgeHz, evaluated at any (fractional) sample position. */
function multitone(edgeHz: number, rateHz: number, seed: number) {
  const rng = new RandomStream(seed);
  const lines = Array.from({ length: 24 }, (_, i) => ({
    cycles: ((i / 23) * 2 - 1) * (edgeHz / rateHz),
    phase: 2 * Math.PI * rng.uniform(),
  }));
  return (position: number, shiftCycles = 0): [number, number] => {
    let re = 0;
    let im = 0;
    for (const { cycles, phase } of lines) {
      const angle = 2 * Math.PI * (cycles + shiftCycles) * position + phase;
      re += Math.cos(angle);
      im += Math.sin(angle);
    }
    return [re, im];
  };
}

describe('rate converters', () => {
  it('reduces rate ratios', () => {
    assert.deepEqual(rateRatio(8e6, 7.68e6), { up: 25, down: 24 });
    assert.deepEqual(rateRatio(8e6, 1.92e6), { up: 25, down: 6 });
    assert.deepEqual(rateRatio(10e6, 15.36e6), { up: 125, down: 192 });
    assert.deepEqual(rateRatio(20e6, 7.68e6), { up: 125, down: 48 });
  });

  for (const [modemRate, occupied] of MODEMS) {
    it(`${modemRate / 1e6} Msps: up and down again at every device rate, EVM below -45 dB, delay exact`, () => {
      let tried = 0;
      for (const deviceRate of DEVICES) {
        if (!supportedDeviceRatesHz(modemRate, occupied).includes(deviceRate)) continue;
        tried++;
        const lo = preferredLoOffsetHz(modemRate, occupied, deviceRate);
        const frontend = frontendFor(modemRate, occupied, deviceRate, lo);
        const up = frontend.upconverter();
        const down = frontend.downconverter();
        const signal = multitone(occupied / 2, modemRate, 7);
        const n = 3000;
        const input = new Float32Array(2 * n);
        for (let i = 0; i < n; i++) input.set(signal(i), 2 * i);
        const out = throughBlocks(down, throughBlocks(up, input, [1024]), [1000]);
        // The transients of both filters are left out; the delay must then be exact in (fractional) samples.
        const skip = Math.ceil(2 * frontend.roundTripModemSamples) + 4;
        const got = out.slice(2 * skip, 2 * 2600);
        const want = new Float32Array(got.length);
        for (let i = 0; i < got.length / 2; i++) want.set(signal(i + skip - frontend.roundTripModemSamples), 2 * i);
        const evm = errorDb(got, want);
        assert.ok(evm < -60, `${deviceRate}: EVM ${evm} dB`);
      }
      assert.ok(tried >= 4, `${tried} device rates tried`);
    });
  }

  it('passes the occupied band and the CFO allowance with less than 0.1 dB loss in both directions together', () => {
    for (const [modemRate, occupied] of MODEMS) {
      for (const deviceRate of [8e6, 10e6, 20e6]) {
        if (!supportedDeviceRatesHz(modemRate, occupied).includes(deviceRate)) continue;
        const frontend = frontendFor(modemRate, occupied, deviceRate);
        const edge = occupied / 2 + frontend.cfoAllowanceHz;
        for (const hz of [0, 0.5 * edge, 0.9 * edge, edge, -edge]) {
          const down = throughBlocks(frontend.downconverter(), tone(12000, hz / deviceRate), [12000]);
          const from = Math.ceil((frontend.downconverter().tailInputSamples * modemRate) / deviceRate);
          assert.ok(down.length / 2 - from > 100);
          const downDb = 10 * Math.log10(power(down, from));
          assert.ok(Math.abs(downDb) < 0.01, `down ${deviceRate} -> ${modemRate}, ${hz} Hz: ${downDb} dB`);
          if (Math.abs(hz) > occupied / 2) continue;
          const up = throughBlocks(frontend.upconverter(), tone(3000, hz / modemRate), [3000]);
          const start = Math.ceil((frontend.upconverter().tailInputSamples * deviceRate) / modemRate);
          const upDb = 10 * Math.log10(power(up, start));
          assert.ok(Math.abs(upDb) < 0.01, `up ${modemRate} -> ${deviceRate}, ${hz} Hz: ${upDb} dB`);
        }
      }
    }
  });

  it('allows 265 kHz of CFO from 1.92 Msps up', () => {
    for (const [modemRate, occupied] of MODEMS.slice(1)) {
      assert.equal(frontendFor(modemRate, occupied, 20e6).cfoAllowanceHz, 265e3);
    }
  });

  it('attenuates images by 60 dB going up', () => {
    for (const [modemRate, occupied] of MODEMS) {
      const deviceRate = 20e6;
      const up = frontendFor(modemRate, occupied, deviceRate).upconverter();
      for (const hz of [occupied / 2, 0.3 * occupied, -occupied / 2]) {
        up.reset();
        const out = throughBlocks(up, tone(6000, hz / modemRate), [6000]);
        const from = Math.ceil((up.tailInputSamples * deviceRate) / modemRate);
        for (let k = -20; k <= 20; k++) {
          const image = hz + k * modemRate;
          if (k === 0 || Math.abs(image) > deviceRate / 2) continue;
          const level = toneDb(out, image / deviceRate, from);
          assert.ok(level < -60, `${modemRate}: image of ${hz} Hz at ${image} Hz: ${level} dB`);
        }
      }
    }
  });

  it('attenuates by 60 dB going down whatever would alias onto the signal', () => {
    for (const [modemRate, occupied] of MODEMS) {
      const deviceRate = 20e6;
      const frontend = frontendFor(modemRate, occupied, deviceRate);
      const edge = occupied / 2 + frontend.cfoAllowanceHz;
      for (let k = 1; k * modemRate - edge < deviceRate / 2; k++) {
        for (const hz of [k * modemRate - edge, k * modemRate, k * modemRate + edge]) {
          if (hz > deviceRate / 2) continue;
          const down = frontend.downconverter();
          const out = throughBlocks(down, tone(16000, hz / deviceRate), [16000]);
          const from = Math.ceil((down.tailInputSamples * modemRate) / deviceRate);
          const level = 10 * Math.log10(power(out, from));
          assert.ok(level < -60, `${modemRate}: alias of ${hz} Hz: ${level} dB`);
        }
      }
    }
  });

  it('shifts by the LO offset and puts receiver DC outside the band', () => {
    const [modemRate, occupied] = MODEMS[1];
    const lo = preferredLoOffsetHz(modemRate, occupied, 8e6);
    assert.ok(lo > occupied / 2);
    const frontend = frontendFor(modemRate, occupied, 8e6, lo);
    const up = throughBlocks(frontend.upconverter(), tone(4000, 100e3 / modemRate), [4000]);
    const [re, im] = toneAmplitude(up, (100e3 - lo) / 8e6, 200);
    assert.ok(Math.abs(Math.hypot(re, im) - 1) < 1e-3);
    const dc = new Float32Array(40000).fill(0.1);
    const out = throughBlocks(frontend.downconverter(), dc, [777]);
    // DC comes out at +lo - what passes the filter's transition band is off the signal and its CFO allowance.
    for (let hz = -occupied / 2 - 265e3; hz <= occupied / 2 + 265e3; hz += 15e3) {
      assert.ok(toneDb(out, hz / modemRate, 200) < 20 * Math.log10(0.1 * Math.SQRT2) - 60, `at ${hz} Hz`);
    }
  });

  it('does not depend on block sizes', () => {
    const pairs: [number, number, number, number][] = [
      [1.92e6, 73 * 15e3, 8e6, 0.9e6],
      [7.68e6, 301 * 15e3, 10e6, 0],
      [15.36e6, 601 * 15e3, 10e6, 0],
      [7.68e6, 301 * 15e3, 7.68e6, 0.5e6],
    ];
    const input = noise(5000);
    for (const [modem, occupied, device, lo] of pairs) {
      const frontend = frontendFor(modem, occupied, device, lo);
      const up = frontend.upconverter();
      const down = frontend.downconverter();
      const wholeUp = throughBlocks(up, input, [5000]);
      const wholeDown = throughBlocks(down, input, [5000]);
      assert.equal(wholeUp.length / 2, Math.ceil((5000 * device) / modem));
      fc.assert(
        fc.property(blockSizes, (sizes) => {
          up.reset();
          down.reset();
          assert.deepEqual(throughBlocks(up, input, sizes), wholeUp);
          assert.deepEqual(throughBlocks(down, input, sizes), wholeDown);
        }),
        { numRuns: 8 },
      );
    }
  });

  it('maps absolute sample indices both ways: a pulse is centred where outputIndexOf says', () => {
    for (const [modem, device] of [
      [1.92e6, 8e6],
      [7.68e6, 20e6],
      [15.36e6, 10e6],
    ]) {
      const frontend = frontendFor(modem, 0.55 * modem, device);
      for (const [converter, rate] of [
        [frontend.upconverter(), modem],
        [frontend.downconverter(), device],
      ] as const) {
        const at = 1000;
        // A Gaussian pulse whose spectrum (sigma 5 % of the modem rate) lies well inside the pass band.
        const width = rate / (2 * Math.PI * 0.05 * modem);
        const input = new Float32Array(2 * 4000);
        for (let i = 0; i < 4000; i++) input[2 * i] = Math.exp(-(((i - at) / width) ** 2) / 2);
        const out = throughBlocks(converter, input, [4000]);
        let sum = 0;
        let moment = 0;
        for (let i = 0; i < out.length / 2; i++) {
          const w = out[2 * i] ** 2;
          sum += w;
          moment += w * i;
        }
        assert.ok(Math.abs(moment / sum - converter.outputIndexOf(at)) < 1e-3, converter.describe());
        assert.ok(Math.abs(converter.inputIndexOf(converter.outputIndexOf(at)) - at) < 1e-9);
      }
    }
  });

  it('loses nothing at the end when tailInputSamples zeros follow', () => {
    const frontend = frontendFor(7.68e6, 301 * 15e3, 8e6);
    const up = frontend.upconverter();
    const input = noise(1000);
    throughBlocks(up, input, [1000]);
    throughBlocks(up, new Float32Array(2 * up.tailInputSamples), [100]);
    const rest = throughBlocks(up, new Float32Array(2000), [1000]);
    assert.equal(power(rest), 0);
  });

  it('refuses pairs that cannot carry the signal, with the list', () => {
    assert.throws(
      () => frontendFor(7.68e6, 301 * 15e3, 3.84e6),
      (e: Error & { hint?: string; exitCode?: number }) =>
        e.exitCode === 2 && /3\.84 Msps/.test(e.message) && /supported.*7\.68, 8, 10/.test(e.hint ?? ''),
    );
    assert.throws(() => frontendFor(7.68e6, 301 * 15e3, 8_000_001), /ratio/);
    assert.throws(() => frontendFor(7.68e6, 301 * 15e3, 8e6, 3e6), /LO offset 3000000 Hz is out of range: allowed -/);
    assert.throws(() => frontendFor(7.68e6, 301 * 15e3, Number.NaN), /whole numbers/);
    assert.throws(() => frontendFor(7.68e6, 8e6, 20e6), /occupied bandwidth/);
  });
});
