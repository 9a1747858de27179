import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GainMeter } from '../../../src/experiment/video/corrector-gain.ts';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';

describe('GainMeter', () => {
  it('compares squared errors in damaged cells alone', () => {
    const meter = new GainMeter();
    assert.equal(meter.result, null);
    const original = flatImage(32, 32, 100);
    const shown = flatImage(32, 32, 102);
    const without = flatImage(32, 32, 110);
    // Outside the damaged cell (the lower right one of four) nothing counts.
    shown.data.fill(0, 0, 3 * 32 * 16);
    meter.keep(7, { original, shown, damage: Float32Array.of(0, 0, 0, 0.5), columns: 2 });
    meter.compared(3, without);
    assert.equal(meter.result, null);
    meter.compared(7, without);
    const { frames, withDb, withoutDb, gainDb } = meter.result!;
    assert.equal(frames, 1);
    assert.ok(Math.abs(withDb! - 20 * Math.log10(255 / 2)) < 1e-9);
    assert.ok(Math.abs(withoutDb! - 20 * Math.log10(255 / 10)) < 1e-9);
    assert.ok(Math.abs(gainDb! - 20 * Math.log10(5)) < 1e-9);
  });

  it('takes a frame once, and leaves out the gain where one of both is perfect', () => {
    const meter = new GainMeter();
    const original = flatImage(16, 16, 50);
    meter.keep(0, { original, shown: original, damage: Float32Array.of(1), columns: 1 });
    meter.compared(0, flatImage(16, 16, 60));
    meter.compared(0, flatImage(16, 16, 60));
    assert.deepEqual([meter.result!.frames, meter.result!.withDb, meter.result!.gainDb], [1, null, null]);
  });
});
