import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSfvScale, sfvDivisor } from '../../../src/sct/codec/sfv-power.ts';

test('a stream is divided by what both ends read, to 0.095 dB of unit power; beyond the codes by its own power', () => {
  for (let log2 = -6; log2 <= 6; log2 += 0.013) {
    const rms = 1.3 * 2 ** log2;
    const { code, divisor } = sfvDivisor(rms, 1.3);
    const powerDb = 20 * Math.log10(rms / divisor);
    assert.ok(Math.abs(powerDb) <= 0.0942, `${log2}: ${powerDb}`);
    const inside = log2 > -63.5 / 32 && log2 < 63.5 / 32;
    if (inside) assert.equal(divisor, 1.3 * decodeSfvScale(code));
    else if (Math.abs(log2) > 2) assert.equal(divisor, rms);
  }
});
