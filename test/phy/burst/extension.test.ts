import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTrial, receiveTrial, rightBurst } from '../../../src/experiment/bench/modem/modem-trial.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { resourceGrid } from '../../../src/phy/resource-grid.ts';
import { pilotDelay } from '../../../src/phy/sync/pilot-delay.ts';

test('a long extension survives a channel that fades within it', () => {
  // 240 bytes at 6 subbands last 5 ms, at 70 Hz a third of a fading period.
  const n = numerology(6);
  let lost = 0;
  let decided = 0;
  for (let k = 0; k < 25; k++) {
    const options = { numerology: n, seed: `extension ${k}`, slots: 1, snrDb: 10, extensionBytes: 240 };
    const signal = makeTrial({ ...options, channel: { channel: 'eva', cfoHz: 5000 } });
    const record = rightBurst(signal, receiveTrial(signal));
    if (!record) continue;
    decided++;
    if (!record.extensionOk) lost++;
    else assert.ok(Buffer.from(record.extension!).equals(Buffer.from(signal.extension)));
  }
  assert.ok(decided >= 23, `${decided} headers`);
  // With the preamble's channel alone two in five were lost.
  assert.ok(lost <= 1, `${lost} extensions lost`);
});

test('the delay of pilots against a reference is found, small and large', () => {
  const n = numerology(25);
  const grid = resourceGrid(n);
  const reference = new Float32Array(2 * n.nCarriers);
  for (let c = 0; c < n.nCarriers; c++) reference[2 * c] = 1 + 0.5 * Math.cos(0.02 * c);
  const pilots = new Float32Array(2 * 14 * n.nSubbands);
  for (const delay of [0, 0.01, -0.3, 1.2]) {
    for (let t = 0; t < 14; t++) {
      for (let s = 0; s < n.nSubbands; s++) {
        const c = 12 * s + grid.pilotOffset(t);
        const angle = (-2 * Math.PI * n.carriers[c] * delay) / n.fftSize;
        pilots[2 * (t * n.nSubbands + s)] = reference[2 * c] * Math.cos(angle);
        pilots[2 * (t * n.nSubbands + s) + 1] = reference[2 * c] * Math.sin(angle);
      }
    }
    const found = pilotDelay(n, pilots, reference, new Float64Array(n.nSubbands).fill(1), 14, 0);
    assert.ok(found && Math.abs(found.delay - delay) < 2e-3, `${found?.delay} for ${delay}`);
  }
});
