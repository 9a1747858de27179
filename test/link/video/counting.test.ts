import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ArrivalLedger } from '../../../src/link/video/arrival-ledger.ts';
import { FrameTally } from '../../../src/link/video/frame-tally.ts';
import { LatencyLog } from '../../../src/link/video/latency-log.ts';

describe('ArrivalLedger', () => {
  it('counts every frame that never came, whatever the pattern, as long as gaps are below 128', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 127 }), { maxLength: 200 }), fc.nat(1000), (steps, start) => {
        const ledger = new ArrivalLedger();
        let n = start;
        assert.equal(ledger.arrived(n % 256, 0), 0);
        let missing = 0;
        for (const step of steps) {
          n += step;
          missing += step - 1;
          assert.equal(ledger.arrived(n % 256, 0), step - 1);
        }
        assert.equal(ledger.missing, missing);
      }),
    );
  });

  it('bridges longer gaps by the time, where the period is known', () => {
    const period = 1000 / 30;
    for (const gap of [127, 128, 200, 255, 256, 300, 1000]) {
      const ledger = new ArrivalLedger(period);
      ledger.arrived(250, 0);
      const n = 250 + gap + 1;
      // A frame is captured some milliseconds off the grid.
      assert.equal(ledger.arrived(n % 256, (gap + 1) * period + 4), gap, `${gap}`);
    }
  });

  it('takes a frame after a long silence, whatever its number', () => {
    for (const number of [0, 100, 130, 200, 255]) {
      const ledger = new ArrivalLedger();
      ledger.arrived(100, 0);
      const gap = ledger.arrived(number, 6000);
      assert.equal(gap, (number - 101 + 512) % 256, `${number}`);
    }
  });

  it('takes no frame twice, and none from before; a new session begins anew', () => {
    const ledger = new ArrivalLedger();
    ledger.arrived(10, 0);
    ledger.arrived(11, 0);
    assert.equal(ledger.arrived(11, 0), null);
    assert.equal(ledger.arrived(10, 0), null);
    assert.equal(ledger.arrived(12, 0), 0);
    ledger.reset();
    assert.equal(ledger.arrived(3, 0), 0);
    assert.equal(ledger.missing, 0);
  });
});

describe('LatencyLog', () => {
  it('has the quantiles of a sorted list to half a millisecond upwards', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1900, noNaN: true }), { minLength: 1, maxLength: 300 }), (all) => {
        const log = new LatencyLog();
        for (const ms of all) log.add(ms);
        const sorted = [...all].sort((a, b) => a - b);
        for (const q of [0.01, 0.5, 0.99, 1]) {
          const truth = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
          const got = log.quantileMs(q)!;
          assert.ok(got >= truth - 1e-9 && got <= truth + 0.5 + 1e-9, `${got} for ${truth}`);
        }
        assert.equal(log.maxMs, sorted.at(-1));
        assert.equal(
          log.histogram(2).reduce((a, b) => a + b, 0),
          all.length,
        );
      }),
    );
  });

  it('knows nothing without frames, and of very late ones the largest', () => {
    const log = new LatencyLog();
    assert.deepEqual([log.quantileMs(0.5), log.maxMs, log.meanMs], [null, null, null]);
    log.add(1e6);
    assert.equal(log.quantileMs(0.5), 1e6);
  });
});

describe('FrameTally', () => {
  it('counts as late what was not in time for want of it, at both ends; what the air lost is not late', () => {
    const tally = new FrameTally(true);
    Object.assign(tally.counts, { captured: 1000, sent: 990, dropped: 10, late: 5, lost: 20 });
    for (let i = 0; i < 965; i++) tally.shown(i * 33, 60);
    assert.equal(tally.lateShare, 15 / 1000);
    assert.equal(tally.counts.shown, 965);
  });

  it('knows of a remote sender only what came', () => {
    const tally = new FrameTally(false);
    assert.equal(tally.lateShare, null);
    assert.equal(tally.counts.captured, null);
    tally.shown(0, 50);
    tally.counts.late++;
    assert.equal(tally.lateShare, 0.5);
  });

  it('says how many frames the last second has shown', () => {
    const tally = new FrameTally(false);
    for (let i = 0; i < 90; i++) tally.shown((i * 1000) / 30, null);
    assert.ok(Math.abs(tally.fps((89 * 1000) / 30) - 30) <= 1);
    assert.equal(tally.fps(1e6), 0);
    assert.equal(tally.latency.count, 0);
  });
});
