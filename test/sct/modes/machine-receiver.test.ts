import assert from 'node:assert/strict';
import test from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import {
  agreementWithClean,
  agreementWithTruth,
  pixelLabels,
  type TaskResult,
  taskResult,
} from '../../../src/sct/modes/machine-receiver.ts';
import { ConfusionMatrix } from '../../../src/sct/quality/confusion.ts';
import type { SemanticModels } from '../../../src/sct/semantics/models.ts';
import { NAMES } from '../../experiment/analyze/sample.ts';

/** Heads that see sky above and a car below in a picture of 20x16 pixels, one cell by two. */
async function result(change: (maps: Float32Array, presence: Float32Array) => void = () => {}): Promise<TaskResult> {
  const maps = new Float32Array(11 * 32).fill(-1);
  for (let p = 0; p < 32; p++) maps[(p < 16 ? 0 : 8) * 32 + p] = 2;
  const presence = Float32Array.from(NAMES, (n) => (n === 'sky' || n === 'car' ? 3 : -3));
  change(maps, presence);
  const models = {
    tables: { labels: { names: NAMES } },
    labels: async () => ({ maps, presence, clusters: new Float32Array(64), street: 0 }),
    forHeads: async () => assert.fail("these are the transmitter's own features"),
  } as unknown as Pick<SemanticModels, 'labels' | 'tables' | 'forHeads'>;
  const y = { channels: 1, rows: 1, columns: 2, data: new Float32Array(2), widthPx: 20, heightPx: 16 };
  return taskResult(models, y);
}

test('labels by the largest logit, presence from a half, street by its logit', async () => {
  const r = await result();
  assert.deepEqual([r.widthPx, r.heightPx, r.labelColumns, r.streetProbability], [20, 16, 8, 0.5]);
  assert.deepEqual([...new Set(r.labels.subarray(0, 16)), ...new Set(r.labels.subarray(16))], [0, 8]);
  assert.deepEqual(
    r.presence.filter((p) => p.present).map((p) => p.name),
    ['sky', 'car'],
  );
  assert.ok(Math.abs(r.presence[0].probability - 1 / (1 + Math.exp(-3))) < 1e-6);
  assert.ok(r.latencyMs >= 0);
});

test('received features are brought to what the heads expect, with the quality of each cell', async () => {
  const asked: unknown[] = [];
  const y = { channels: 1, rows: 1, columns: 1, data: Float32Array.of(5), widthPx: 16, heightPx: 16 };
  const restored = { ...y, data: Float32Array.of(7) };
  const quality = { rows: 1, columns: 1, data: Float32Array.of(-1) };
  const models = {
    tables: { labels: { names: NAMES } },
    forHeads: async (...given: unknown[]) => {
      asked.push(given);
      return restored;
    },
    labels: async (seen: unknown) => {
      asked.push(seen);
      return {
        maps: new Float32Array(11 * 16),
        presence: new Float32Array(11),
        clusters: new Float32Array(32),
        street: 0,
      };
    },
  } as unknown as Pick<SemanticModels, 'labels' | 'tables' | 'forHeads'>;
  await taskResult(models, y, quality);
  assert.deepEqual(asked, [[y, quality], restored]);
});

test('pixels take their quarter-resolution class, the padding is left out', async () => {
  const pixels = pixelLabels(await result());
  assert.equal(pixels.length, 320);
  assert.deepEqual(
    [...pixels],
    Array.from({ length: 320 }, (_, p) => (p < 160 ? 0 : 8)),
  );
});

test('against the clean features: mIoU of the two maps, classes missed and invented', async () => {
  const clean = await result();
  assert.deepEqual(agreementWithClean(clean, clean), { mIoU: 1, pixelAccuracy: 1, missed: [], invented: [] });
  // A quarter of the picture, half of the car, is road at the receiver, which says so and no longer says car.
  const received = await result((maps, presence) => {
    for (let p = 24; p < 32; p++) maps[3 * 32 + p] = 5;
    presence[8] = -1;
    presence[3] = 1;
  });
  const got = agreementWithClean(received, clean);
  assert.ok(Math.abs(got.mIoU! - (1 + 0.5 + 0) / 3) < 1e-12);
  assert.deepEqual([got.pixelAccuracy, got.missed, got.invented], [0.75, ['car'], ['road']]);
  assert.throws(() => agreementWithClean(received, { ...clean, widthPx: 21 }), UsageError);
});

test('against truth: void is not counted, pictures add up in one matrix', async () => {
  const r = await result();
  const truth = Uint8Array.from({ length: 320 }, (_, p) => (p < 160 ? 0 : p < 240 ? 9 : 11));
  const matrix = new ConfusionMatrix(11);
  const one = agreementWithTruth(r, truth, matrix);
  assert.deepEqual([one.pixelAccuracy, one.missed, one.invented], [160 / 240, ['pedestrian'], ['car']]);
  assert.ok(Math.abs(one.mIoU! - 1 / 3) < 1e-12);
  const two = agreementWithTruth(r, pixelLabels(r), matrix);
  assert.equal(two.pixelAccuracy, (160 + 320) / (240 + 320));
  assert.throws(() => agreementWithTruth(r, truth.subarray(1)), UsageError);
});
