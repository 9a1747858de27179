import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { streetAttention, taskClassShare } from '../../../src/sct/importance/street-objects.ts';
import '../../fixed-seed.js';

const grid = { rows: 2, columns: 3 } as const;
const PIXELS = 16 * 6;

describe('share of a cell that shows what the task looks for', () => {
  test('is the softmax probability of the classes, mean over the cell', () => {
    const maps = new Float32Array(3 * PIXELS);
    // Cell (1, 2), one of its 16 quarter-resolution pixels: logits ln 1, ln 2, ln 5.
    const pixel = (4 * 1 + 1) * 12 + 4 * 2 + 3;
    [1, 2, 5].forEach((v, c) => {
      maps[c * PIXELS + pixel] = Math.log(v);
    });
    const { data } = taskClassShare(maps, grid, [1, 2]);
    // Everywhere else the three classes are alike.
    assert.ok(Math.abs(data[0] - 2 / 3) < 1e-6);
    assert.ok(Math.abs(data[5] - (15 * (2 / 3) + 7 / 8) / 16) < 1e-6);
  });

  test('all classes together are 1, whatever the logits, and none is 0', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -300, max: 300, noNaN: true }), { minLength: 8, maxLength: 8 }), (some) => {
        const maps = Float32Array.from({ length: 4 * PIXELS }, (_, i) => some[(i * 7) % some.length]);
        const all = taskClassShare(maps, grid, [0, 1, 2, 3]);
        const parts = [0, 1, 2, 3].map((c) => taskClassShare(maps, grid, [c]).data);
        all.data.forEach((v, i) => {
          assert.ok(Math.abs(v - 1) < 1e-5);
          assert.ok(Math.abs(parts.reduce((sum, p) => sum + p[i], 0) - 1) < 1e-5);
        });
      }),
    );
  });

  test('refuses maps of another grid and classes that are not there', () => {
    assert.throws(() => taskClassShare(new Float32Array(PIXELS + 1), grid, [0]));
    assert.throws(() => taskClassShare(new Float32Array(2 * PIXELS), grid, [2]));
  });
});

describe('attention in a street', () => {
  const saliency = { ...grid, data: Float32Array.of(0.5, 0.5, 0, 0, 0, 0) };

  test('is half saliency, half objects, each as shares of the picture', () => {
    const objects = { ...grid, data: Float32Array.of(0, 0, 0, 0, 0.2, 0.6) };
    const { data } = streetAttention(saliency, objects);
    [0.25, 0.25, 0, 0, 0.125, 0.375].forEach((v, i) => {
      assert.ok(Math.abs(data[i] - v) < 1e-6, `cell ${i}: ${data[i]}`);
    });
  });

  test('without objects is saliency, so that traces of probability everywhere are not blown up', () => {
    const nothing = { ...grid, data: new Float32Array(6).fill(0.02) };
    assert.equal(streetAttention(saliency, nothing), saliency);
  });
});
