import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanTask, decodedSize, machineMetrics } from '../../../src/experiment/metrics/machine-metrics.ts';

test('shares count the quarter-resolution pixels inside the picture, not those of its padding', () => {
  // 30 x 10 pixels: 8 x 3 of the padded 8 x 4; class 1 fills two columns inside, class 0 all of the padding.
  const labels = new Uint8Array(8 * 4);
  for (let y = 0; y < 3; y++) labels.fill(1, 8 * y + 6, 8 * y + 8);
  const presence = ['road', 'car', 'sky'].map((name, i) => ({ name, probability: 0.2 + 0.3 * i, present: i > 0 }));
  const task = { widthPx: 30, heightPx: 10, labels, labelColumns: 8, presence, streetProbability: 0.7, latencyMs: 3 };
  const { classes, streetProbability, withClean, withTruth } = machineMetrics(task);
  assert.deepEqual([withClean, withTruth], [null, null], 'nothing to hold it against');
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

test('against the clean features, against truth, and those against truth: mIoU, pixels alike, presence that differs', () => {
  // 8x8 pixels, 2x2 quarter-resolution labels of a padded 4x4: road everywhere, and one quarter that is a car by truth.
  const names = ['road', 'car'];
  const of = (labels: number[], present: boolean[]) => {
    const data = new Uint8Array(16);
    labels.forEach((v, i) => {
      data[4 * (i >> 1) + (i & 1)] = v;
    });
    const presence = names.map((name, i) => ({ name, probability: present[i] ? 0.9 : 0.1, present: present[i] }));
    return { widthPx: 8, heightPx: 8, labels: data, labelColumns: 4, presence, streetProbability: 1, latencyMs: 0 };
  };
  const truth = Uint8Array.from({ length: 64 }, (_, p) => (p % 8 > 3 && p > 31 ? 1 : p === 0 ? 11 : 0));
  const m = machineMetrics(of([0, 0, 0, 0], [true, false]), { clean: of([0, 0, 0, 1], [true, true]), truth });
  // Road: 47 of 63 counted pixels right; the car's IoU is 0.
  assert.ok(Math.abs(m.withTruth!.mIoU! - 47 / 63 / 2) < 1e-12);
  assert.ok(Math.abs(m.withTruth!.pixelAccuracy! - 47 / 63) < 1e-12);
  assert.deepEqual([m.withTruth!.missed, m.withTruth!.invented], [['car'], []]);
  assert.deepEqual([m.cleanWithTruth!.mIoU, m.cleanWithTruth!.missed], [1, []]);
  // The padding is part of the clean comparison: 15 of 16 quarter-resolution labels alike.
  assert.equal(m.withClean!.pixelAccuracy, 15 / 16);
  assert.deepEqual(m.withClean!.missed, ['car']);
  assert.throws(() => machineMetrics(of([0, 0, 0, 0], [true, false]), { truth: truth.subarray(1) }), /differ in size/);
});

test('the clean features are looked at only where a machine looked at what arrived and the original is here', async () => {
  assert.equal(await cleanTask(undefined, undefined, undefined), undefined);
  const models = { analyse: () => assert.fail('nobody asked') } as never;
  const picture = { width: 2, height: 1, data: new Uint8Array(6) };
  const decoded = { image: picture, decodable: true, complete: true, mask: undefined, note: undefined };
  assert.equal(await cleanTask(models, decoded as never, picture as never), undefined);
  assert.deepEqual(decodedSize(decoded as never), { width: 2, height: 1 });
  assert.deepEqual(decodedSize({ ...decoded, image: undefined, task: { widthPx: 5, heightPx: 4 } } as never), {
    width: 5,
    height: 4,
  });
  assert.equal(decodedSize(undefined), undefined);
});
