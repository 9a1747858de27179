import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineMetrics } from '../../src/experiment/machine-metrics.ts';

test('shares count the quarter-resolution pixels inside the picture, not those of its padding', () => {
  // 30 x 10 pixels: 8 x 3 of the padded 8 x 4; class 1 fills two columns inside, class 0 all of the padding.
  const labels = new Uint8Array(8 * 4);
  for (let y = 0; y < 3; y++) labels.fill(1, 8 * y + 6, 8 * y + 8);
  const presence = ['road', 'car', 'sky'].map((name, i) => ({ name, probability: 0.2 + 0.3 * i, present: i > 0 }));
  const task = { widthPx: 30, heightPx: 10, labels, labelColumns: 8, presence, streetProbability: 0.7, latencyMs: 3 };
  const { classes, streetProbability } = machineMetrics(task);
  assert.deepEqual(
    classes.map((c) => [c.name, c.share, c.present]),
    [
      ['road', 18 / 24, false],
      ['car', 6 / 24, true],
      ['sky', 0, true],
    ],
  );
  assert.equal(streetProbability, 0.7);
});
