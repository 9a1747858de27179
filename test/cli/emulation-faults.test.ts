import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analogueFaults } from '../../src/cli/emulation/analogue-faults.ts';
import { imageRejectionDb } from '../../src/phy/channel/iq-dc.ts';
import { lineWidthHz } from '../../src/phy/channel/phase-noise.ts';

const RATE_HZ = 8e6;
const BLOCK = 64;
const BLOCKS = 4096;

/** A tone of 1/16 of the rate, [sample][re, im]. */
function tone(amplitude: number): Float32Array {
  return Float32Array.from({ length: 2 * BLOCK * BLOCKS }, (_, i) => {
    const angle = (Math.PI / 8) * (i >> 1);
    return amplitude * (i % 2 ? Math.sin(angle) : Math.cos(angle));
  });
}

/** Mean of x exp(-2 pi i turns n) over each block. */
function projections(x: Float32Array, turns: number): { re: number; im: number }[] {
  return Array.from({ length: BLOCKS }, (_, b) => {
    let [re, im] = [0, 0];
    for (let n = b * BLOCK; n < (b + 1) * BLOCK; n++) {
      const [c, s] = [Math.cos(2 * Math.PI * turns * n), Math.sin(2 * Math.PI * turns * n)];
      re += (x[2 * n] * c + x[2 * n + 1] * s) / BLOCK;
      im += (x[2 * n + 1] * c - x[2 * n] * s) / BLOCK;
    }
    return { re, im };
  });
}

const powerDb = (p: readonly { re: number; im: number }[]) =>
  10 * Math.log10(p.reduce((sum, { re, im }) => sum + re * re + im * im, 0) / p.length);

for (const kind of ['hackrf', 'pluto'] as const) {
  test(`sct emulate --faults: image, constant part and phase noise of a ${kind} are those asked for, at both ends`, () => {
    const seeds: number[] = [];
    for (const end of ['rxFaults', 'txFaults'] as const) {
      const x = analogueFaults(kind, '1/board')[end](RATE_HZ).process(tone(0.5));
      const carrier = projections(x, 1 / 16);
      assert.ok(Math.abs(powerDb(carrier) - 20 * Math.log10(0.5)) < 0.1, 'power is kept');
      assert.ok(Math.abs(powerDb(projections(x, 0)) + 20) < 0.1, `DC ${powerDb(projections(x, 0))} dBFS`);
      const image = powerDb(projections(x, -1 / 16)) - powerDb(carrier);
      assert.ok(Math.abs(image + imageRejectionDb(0.5, 3)) < 0.3, `image ${image} dBc`);
      // Means over N samples of a random walk with steps of variance s^2 differ by N s^2 (2/3 + 1/(3 N^2)); s^2 = 2 pi B / rate.
      let walked = 0;
      for (let b = 1; b < BLOCKS; b++) {
        const [p, q] = [carrier[b - 1], carrier[b]];
        walked += Math.atan2(q.im * p.re - q.re * p.im, q.re * p.re + q.im * p.im) ** 2 / (BLOCKS - 1);
      }
      const wanted = ((2 * Math.PI * lineWidthHz(kind)) / RATE_HZ) * BLOCK * (2 / 3);
      // Over 4095 differences the estimate is good to 2.5 %.
      assert.ok(Math.abs(walked / wanted - 1) < 0.12, `phase noise ${walked / wanted} of what it should be`);
      seeds.push(carrier[BLOCKS - 1].re);
    }
    assert.notEqual(seeds[0], seeds[1], 'two oscillators, two walks');
  });
}

test('a rate that no channel model knows does not stop the emulation', () => {
  for (const rateHz of [1, 99e6]) {
    assert.equal(analogueFaults('hackrf', '1').rxFaults(rateHz).process(new Float32Array(8)).length, 8);
  }
});
