import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import { ImbalanceWatch } from '../../src/link/imbalance-watch.ts';
import { DcIqCorrector, estimateDcIq } from '../../src/phy/frontend/dc-iq.ts';

/** A circular signal behind a mixer with this imbalance, [n][re, im]. */
function signal(gainDb: number, phaseDeg: number, count = 65_536): Float32Array {
  const out = new Float32Array(2 * count);
  new RandomStream(`imbalance ${gainDb} ${phaseDeg}`).addComplexNoise(out, 0.08);
  const gain = 10 ** (gainDb / 20);
  const phi = (phaseDeg * Math.PI) / 180;
  for (let k = 0; k < out.length; k += 2) out[k + 1] = gain * (out[k + 1] * Math.cos(phi) - out[k] * Math.sin(phi));
  return out;
}

test('imbalance of a mixer is taken, up to what can be asked for', () => {
  for (const [gainDb, phaseDeg] of [
    [0.5, 3],
    [-6, 0],
    [0, -45],
    [6, 45],
  ]) {
    assert.ok(new ImbalanceWatch().takes(estimateDcIq(signal(gainDb, phaseDeg))), `${gainDb} dB, ${phaseDeg} degrees`);
  }
  assert.ok(!new ImbalanceWatch().takes(estimateDcIq(signal(0, 0))), 'none is no reason to correct');
});

test('samples at full scale over any share of the window are not taken for imbalance, nor is silence', () => {
  for (const share of [0.02, 0.1, 0.2, 0.3, 0.5, 0.8, 0.98, 1]) {
    const samples = signal(0, 0);
    samples.fill(1, 0, 2 * Math.round(65_536 * share));
    assert.ok(!new ImbalanceWatch().takes(estimateDcIq(samples)), `${share}`);
  }
  assert.ok(!new ImbalanceWatch().takes(estimateDcIq(new Float32Array(2 * 65_536))), 'silence');
  const offset = signal(0.5, 3).map((v, i) => v + (i % 2 ? 0.5 : -1));
  assert.ok(new ImbalanceWatch().takes(estimateDcIq(offset)), 'imbalance beside a constant DC is taken');
});

test('a wrong correction is replaced as soon as a window says otherwise; a right one stays', () => {
  const watch = new ImbalanceWatch();
  const corrector = new DcIqCorrector();
  // A signal of almost one dimension, at full scale for a while, is significant and not impossible.
  const wrong = signal(0, 40);
  assert.ok(watch.takes(estimateDcIq(wrong)));
  corrector.update(estimateDcIq(wrong));
  const estimate = estimateDcIq(signal(0, 0));
  assert.ok(!estimate.iqSignificant);
  assert.ok(watch.takes(estimate), 'contradicted');
  corrector.update({ ...estimate, iqSignificant: true });
  const samples = signal(0, 0);
  const out = new Float32Array(samples.length);
  corrector.apply(samples, out);
  const error = samples.reduce((sum, v, i) => sum + (v - out[i]) ** 2, 0);
  const power = samples.reduce((sum, v) => sum + v * v, 0);
  assert.ok(10 * Math.log10(error / power) < -40);
  assert.ok(!watch.takes(estimateDcIq(signal(1e-4, 0))), 'the same again');
});
