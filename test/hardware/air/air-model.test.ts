import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AirModel, type PathChannel } from '../../../hardware/emulated/air-model.ts';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { KERNEL_HALF_WIDTH } from '../../../hardware/emulated/interpolator.ts';
import { RandomStream } from '../../../src/common/random.ts';
import '../../fixed-seed.js';
import { powerDb, ratioDb, tone } from './tones.ts';

function pair(options: { lossDb?: number; channel?: () => PathChannel; noiseDbmHz?: number } = {}) {
  const path = { from: 'a', to: 'b', lossDb: options.lossDb ?? 0, ...options };
  const air = new AirModel(new ManualAirClock(), { paths: [path] });
  return { air, a: air.attach('a'), b: air.attach('b') };
}

/** Rates, frequencies, and what part of the slower band the resampled signal may use. */
const CASES = [
  { name: 'the same board type, 35 ppm apart', fT: 8e6 * (1 + 20e-6), fL: 8e6 * (1 - 15e-6), dF: 32_025 },
  { name: 'faster listener', fT: 3.84e6, fL: 8e6, dF: 0 },
  { name: 'slower listener', fT: 8e6, fL: 3.84e6 * (1 + 3e-6), dF: -1500 },
  { name: 'slow listener beside the carrier', fT: 20e6, fL: 4e6, dF: 5e6 },
  { name: 'bands that overlap by a half', fT: 8e6, fL: 8e6, dF: 4e6 },
] as const;

test('a tone arrives as the closed form says: error below -60 dB at any pair of rates, clocks and frequencies', () => {
  for (const { name, fT, fL, dF } of CASES) {
    const low = Math.max(-fT / 2, -fL / 2 - dF);
    const high = Math.min(fT / 2, fL / 2 - dF);
    for (const place of [0.12, 0.5, 0.71, 0.88]) {
      const f0 = low + place * (high - low);
      const { a, b } = pair();
      const startS = 3.000_000_3;
      const samples = 6000;
      a.emit({
        rateHz: fT,
        frequencyHz: 915e6 + dF,
        startS,
        reIm: tone(fT, f0, 0, Math.ceil((samples / fL) * fT) + 5000),
      });
      const first = 200e-6;
      const got = b.hear({ rateHz: fL, frequencyHz: 915e6, startS: startS + first, samples }).slice();
      // s(t - D) exp(2 pi i dF t): the delay is 12 samples of the common band, in whole samples of the transmitter, up
      // to 4 % more.
      const least = (KERNEL_HALF_WIDTH * fT) / Math.min(high - low, fT);
      let snr = Number.NEGATIVE_INFINITY;
      for (let half = Math.ceil(0.97 * least); half <= 1.04 * least + 1; half++) {
        const cycles = f0 * (first - half / fT) + dF * (startS + first);
        snr = Math.max(snr, ratioDb(got, tone(fL, f0 + dF, 0, samples, cycles)));
      }
      assert.ok(snr > 60, `${name}, tone at ${f0} Hz: ${snr.toFixed(1)} dB`);
    }
  }
});

test("what is outside the listener's band is not folded into it", () => {
  const { a, b } = pair();
  a.emit({ rateHz: 20e6, frequencyHz: 900e6, startS: 0, reIm: tone(20e6, 6e6, 0, 40_000) });
  const got = b.hear({ rateHz: 8e6, frequencyHz: 900e6, startS: 100e-6, samples: 8000 });
  assert.ok(powerDb(got) < -60, `${powerDb(got)} dB`);
  // Far away nothing is heard at all.
  const { a: c, b: d } = pair();
  c.emit({ rateHz: 20e6, frequencyHz: 900e6, startS: 0, reIm: tone(20e6, 0, 0, 40_000) });
  assert.ok(d.hear({ rateHz: 8e6, frequencyHz: 2400e6, startS: 0, samples: 1000 }).every((v) => v === 0));
});

test('the same clock, rate and frequency: samples pass unchanged but for the loss', () => {
  const { a, b } = pair({ lossDb: 20 });
  const sent = tone(8e6, 1e6, 0, 1000);
  a.emit({ rateHz: 8e6, frequencyHz: 915e6, startS: 1, reIm: sent });
  const got = b.hear({ rateHz: 8e6, frequencyHz: 915e6, startS: 1 - 10 / 8e6, samples: 1020 });
  const wanted = new Float32Array(2040);
  wanted.set(
    sent.map((v) => Math.fround(0.1 * v)),
    20,
  );
  assert.ok(got.every((v, i) => Math.abs(v - wanted[i]) < 1e-8));
});

test('however emissions and receptions are cut, the same is heard', () => {
  const rates = [8e6, 8e6 * (1 + 35e-6), 3.84e6, 10e6];
  fc.assert(
    fc.property(
      fc.record({
        fT: fc.constantFrom(...rates),
        fL: fc.constantFrom(...rates),
        dF: fc.constantFrom(0, 31_000, -2e6),
        startS: fc.double({ min: 0, max: 100, noNaN: true }),
        offset: fc.double({ min: 0, max: 300, noNaN: true }),
        cutsT: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 12 }),
        cutsL: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 12 }),
        seed: fc.integer(),
      }),
      ({ fT, fL, dF, startS, offset, cutsT, cutsL, seed }) => {
        const random = new RandomStream(seed);
        const total = cutsT.reduce((sum, n) => sum + n, 0);
        const signal = Float32Array.from({ length: 2 * total }, () => random.uniform() - 0.5);
        const heardSamples = cutsL.reduce((sum, n) => sum + n, 0);
        const listen = (emitted: readonly number[], heard: readonly number[]) => {
          const { a, b } = pair();
          let at = 0;
          for (const n of emitted) {
            const reIm = signal.slice(2 * at, 2 * (at + n));
            a.emit({ rateHz: fT, frequencyHz: 915e6 + dF, startS: startS + at / fT, reIm });
            at += n;
          }
          const out = new Float32Array(2 * heardSamples);
          let n = 0;
          for (const samples of heard) {
            const got = b.hear({ rateHz: fL, frequencyHz: 915e6, startS: startS + (offset + n) / fL, samples });
            out.set(got, 2 * n);
            n += samples;
          }
          return out;
        };
        assert.deepEqual(listen(cutsT, cutsL), listen([total], [heardSamples]));
      },
    ),
    { numRuns: 150 },
  );
});

test('a board hears itself only where a path says so', () => {
  const clock = new ManualAirClock();
  const air = new AirModel(clock, { paths: [{ from: 'p', to: 'p', lossDb: 30 }], defaultLossDb: 60 });
  const [p, q] = [air.attach('p'), air.attach('q')];
  p.emit({ rateHz: 1e6, frequencyHz: 1e9, startS: 0, reIm: tone(1e6, 1e5, 0, 1000) });
  assert.ok(Math.abs(powerDb(p.hear({ rateHz: 1e6, frequencyHz: 1e9, startS: 0, samples: 1000 })) + 30) < 0.01);
  assert.ok(Math.abs(powerDb(q.hear({ rateHz: 1e6, frequencyHz: 1e9, startS: 0, samples: 1000 })) + 60) < 0.01);
  q.emit({ rateHz: 1e6, frequencyHz: 1e9, startS: 0.01, reIm: tone(1e6, 1e5, 0, 1000) });
  assert.ok(q.hear({ rateHz: 1e6, frequencyHz: 1e9, startS: 0.01, samples: 1000 }).every((v) => v === 0));
});

test('boards are asked to send before they are heard, and no further than that', () => {
  const air = new AirModel(new ManualAirClock(), { defaultLossDb: 0 });
  const asked: number[] = [];
  let sent = 0;
  const antenna = air.attach('lazy', {
    transmitTo(timeS) {
      asked.push(timeS);
      const to = Math.floor(timeS * 1e6 + 1e-3);
      const reIm = new Float32Array(2 * (to - sent)).fill(1);
      antenna.emit({ rateHz: 1e6, frequencyHz: 1e9, startS: sent / 1e6, reIm });
      sent = to;
    },
  });
  const ear = air.attach('ear');
  for (let i = 0; i < 5; i++) {
    const heard = ear.hear({ rateHz: 1e6, frequencyHz: 1e9, startS: i * 1e-3, samples: 1000 });
    assert.ok(heard.every((v) => v === 1));
  }
  assert.equal(asked.length, 5);
  asked.forEach((timeS, i) => {
    assert.ok(Math.abs(timeS - (i + 1) * 1e-3) < 1e-9);
  });
});

test('a channel gets every sample of time once: signal, silence, gaps', () => {
  let processed = 0;
  let skipped = 0;
  const channel = (): PathChannel => ({
    process: (x) => {
      processed += x.length / 2;
      return x.map((v) => 0.5 * v);
    },
    skip: (n) => {
      skipped += n;
    },
    describe: () => 'half',
  });
  const { a, b } = pair({ channel });
  const hear = (startS: number, samples: number) => b.hear({ rateHz: 1e6, frequencyHz: 1e9, startS, samples });
  hear(0, 500);
  assert.deepEqual([processed, skipped], [0, 500]);
  a.emit({ rateHz: 1e6, frequencyHz: 1e9, startS: 600e-6, reIm: new Float32Array(200).fill(1) });
  assert.equal(hear(500e-6, 250)[2 * 150], 0.5);
  assert.deepEqual([processed, skipped], [250, 500]);
  hear(1000e-6, 100);
  assert.deepEqual([processed, skipped], [250, 500 + 250 + 100]);
});

test('the noise of a path has the power that was asked for', () => {
  const { b } = pair({ noiseDbmHz: -120 });
  const heard = b.hear({ rateHz: 4e6, frequencyHz: 1e9, startS: 0, samples: 100_000 });
  // 10^5 samples: standard deviation 0.014 dB.
  assert.ok(Math.abs(powerDb(heard) - (-120 + 10 * Math.log10(4e6))) < 0.1);
});

test('memory stays bounded with nobody listening, and a late listener still hears the last second', () => {
  const { air, a, b } = pair();
  for (let i = 0; i < 300; i++) {
    a.emit({ rateHz: 1e6, frequencyHz: 1e9, startS: i * 0.1, reIm: new Float32Array(2e5).fill(1) });
  }
  assert.equal(air.forgottenSamples, 0);
  assert.equal(b.hear({ rateHz: 1e6, frequencyHz: 1e9, startS: 29.1, samples: 10 })[0], 1);
  const { air: fast, a: c } = pair();
  for (let i = 0; i < 10; i++) {
    c.emit({ rateHz: 61.44e6, frequencyHz: 1e9, startS: i * 0.05, reIm: new Float32Array(2 * 3_072_000) });
  }
  // 10 x 24.6 MB: all but the last 64 MiB is forgotten, and counted.
  assert.equal(fast.forgottenSamples, 8 * 3_072_000);
});

test('a board set to what no filter or channel can follow hears nothing, and the air goes on', () => {
  const path = {
    from: 'a',
    to: 'b',
    lossDb: 0,
    channel: (rateHz: number): PathChannel => {
      if (rateHz < 1e5) throw new Error('channel rate out of range');
      return { process: (x) => x, describe: () => 'nothing' };
    },
  };
  const problems: string[] = [];
  const onProblem = (text: string) => void problems.push(text);
  const air = new AirModel(new ManualAirClock(), { paths: [path], defaultLossDb: 0, onProblem });
  const [a, b, c] = [air.attach('a'), air.attach('b'), air.attach('c')];
  a.emit({ rateHz: 20e6, frequencyHz: 1e9, startS: 0, reIm: new Float32Array(40_000).fill(1) });
  for (const ear of [b, c]) {
    const heard = ear.hear({ rateHz: 1000, frequencyHz: 1e9, startS: 0, samples: 16 });
    assert.ok(
      heard.every((v) => v === 0),
      'silent',
    );
  }
  const said = ['nothing is heard from a to b: channel rate out of range'];
  assert.deepEqual(problems, said);
  a.emit({ rateHz: 20e6, frequencyHz: 1e9, startS: 1, reIm: new Float32Array(40_000).fill(1) });
  assert.ok(b.hear({ rateHz: 20e6, frequencyHz: 1e9, startS: 1, samples: 16 })[0] === 1, 'heard again');
  assert.deepEqual(problems, said, 'said once');
});

test('wrong paths are refused', () => {
  const clock = new ManualAirClock();
  assert.throws(() => new AirModel(clock, { defaultLossDb: -3 }), /path loss -3 dB is out of range: allowed 0 to 300/);
  const path = { from: 'a', to: 'b', lossDb: 10 };
  assert.throws(() => new AirModel(clock, { paths: [path, path] }), /from a to b is told twice/);
  const air = new AirModel(clock);
  air.attach('a');
  assert.throws(() => air.attach('a'), /a board "a" on the air already/);
});
