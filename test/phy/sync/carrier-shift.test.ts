import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { NUMEROLOGIES } from '../../../src/phy/numerology.ts';
import { CarrierShift, MAX_CFO_HZ } from '../../../src/phy/sync/carrier-shift.ts';
import { preamble } from '../../../src/phy/sync/preamble.ts';

test('the training symbol is found wherever the offset has put it, in noise as strong as it', () => {
  const random = new RandomStream('carrier shift');
  for (const n of NUMEROLOGIES) {
    const finder = new CarrierShift(n);
    const { training } = preamble(n);
    const most = 4 * Math.floor((MAX_CFO_HZ / n.sampleRateHz) * (n.fftSize / 4));
    for (let shift = -most; shift <= most; shift += 4) {
      for (const noise of [0, 1]) {
        const spectrum = new Float32Array(2 * n.fftSize);
        if (noise > 0) random.addComplexNoise(spectrum, n.nCarriers > 100 ? 1 : 0.1);
        for (let c = 0; c < n.nCarriers; c++) {
          const b = 2 * ((n.bins[c] + shift + n.fftSize) % n.fftSize);
          // A path a few samples late.
          const [cos, sin] = [Math.cos(0.1 * n.carriers[c]), -Math.sin(0.1 * n.carriers[c])];
          spectrum[b] += training[2 * c] * cos - training[2 * c + 1] * sin;
          spectrum[b + 1] += training[2 * c] * sin + training[2 * c + 1] * cos;
        }
        assert.equal(finder.find(spectrum, 0), shift, `${n.id}: ${shift}, noise ${noise}`);
      }
    }
  }
});
