import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BurstLevel } from '../../../src/link/session/burst-level.ts';
import { GainControl, splitGain, TARGET_DBFS } from '../../../src/link/session/gain-control.ts';
import { loadProfile, profileCapabilities } from '../../../src/radio/profile.ts';
import '../../fixed-seed.js';

const hackrf = profileCapabilities(loadProfile('hackrf')).gains;
const pluto = profileCapabilities(loadProfile('pluto')).gains;
const rxStages = (all: typeof hackrf) => all.filter((s) => s.direction === 'rx' && s.name !== 'amp');

test('a gain is shared out in steps that the board has, to the nearest sum at or below it', () => {
  const stages = rxStages(hackrf);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 102, noNaN: true }), (totalDb) => {
      const gains = splitGain(stages, totalDb);
      for (const s of stages) {
        assert.ok(gains[s.name] >= s.min && gains[s.name] <= s.max);
        assert.equal((gains[s.name] - s.min) % s.step, 0);
      }
      const sum = gains.lna + gains.vga;
      assert.ok(sum <= totalDb + 1e-9 && sum > totalDb - 2, `${totalDb} dB: ${JSON.stringify(gains)}`);
    }),
  );
  assert.deepEqual(splitGain(rxStages(pluto), 30.5), { rx: 30 });
  assert.deepEqual(splitGain(stages, 1000), { lna: 40, vga: 62 });
  assert.deepEqual(splitGain(stages, -5), { lna: 0, vga: 0 });
});

test('from any gain and any level that the board can bring there, it comes to rest near the target, and stays', () => {
  for (const [all, limit] of [
    [hackrf, 102],
    [pluto, 71],
  ] as const) {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: limit - 10, noNaN: true }),
        fc.double({ min: 0, max: 60, noNaN: true }),
        (start, needed) => {
          const control = new GainControl(all, { ...splitGain(rxStages(all), start), amp: 0 });
          // The level that the burst has at 0 dB of gain, so that `needed` dB bring it to the target.
          const zeroDbfs = TARGET_DBFS - needed;
          const read = () => {
            const { amp: _, ...own } = control.gainsDb;
            const dbfs = zeroDbfs + Object.values(own).reduce((a, b) => a + b, 0);
            return { rmsDbfs: Math.min(dbfs, 0), clippedShare: dbfs > -4 ? 0.05 : 0 };
          };
          let steps = 0;
          while (control.take(read()) !== null) assert.ok(++steps < 20, 'it comes to rest');
          const { rmsDbfs, clippedShare } = read();
          assert.ok(Math.abs(rmsDbfs - TARGET_DBFS) <= 3.01, `rests at ${rmsDbfs.toFixed(1)} dBFS`);
          assert.equal(clippedShare, 0);
          assert.equal(control.take(read()), null);
          assert.equal(control.gainsDb.amp ?? 0, 0, 'the amplifier is not its business');
        },
      ),
      { numRuns: 200 },
    );
  }
});

test('the level is that of the loudest half millisecond, whatever the silence around it', () => {
  const rateHz = 1e6;
  const level = new BurstLevel(rateHz);
  assert.equal(level.take(), null);
  const data = new Int8Array(2 * 20_000);
  for (let i = 5000; i < 9000; i++) data[2 * i] = 64;
  for (let i = 6000; i < 6020; i++) data[2 * i] = 127;
  level.push({ data, format: 'ci8', fullScale: 128, index: 0, lostBefore: null, timestampNs: null });
  const reading = level.take()!;
  assert.ok(Math.abs(reading.rmsDbfs - 20 * Math.log10(0.5)) < 0.6);
  assert.equal(reading.clippedShare, 20 / 20_000);
  level.push({
    data: new Int8Array(4000),
    format: 'ci8',
    fullScale: 128,
    index: 20_000,
    lostBefore: null,
    timestampNs: null,
  });
  assert.equal(level.take()!.rmsDbfs, Number.NEGATIVE_INFINITY, 'each reading stands for itself');
});
