import assert from 'node:assert/strict';
import test from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import type { FeatureMap } from '../../../src/sct/semantics/feature-map.ts';
import { activationTarget, gradCam } from '../../../src/sct/semantics/grad-cam.ts';
import { labelCells } from '../../../src/sct/semantics/label-map.ts';
import type { LabelOutput } from '../../../src/sct/semantics/models.ts';

const ROWS = 2;
const COLUMNS = 3;
const PIXELS = 16 * ROWS * COLUMNS;

function output(street: number, classOf: (row: number, column: number) => number): LabelOutput {
  const maps = new Float32Array(11 * PIXELS);
  for (let r = 0; r < 4 * ROWS; r++) {
    for (let c = 0; c < 4 * COLUMNS; c++) maps[classOf(r, c) * PIXELS + r * 4 * COLUMNS + c] = 5;
  }
  const clusters = Float32Array.from({ length: 32 * ROWS * COLUMNS }, (_, i) => (i % 7) / 100);
  return { maps, presence: new Float32Array(11), clusters, street };
}

test('street labels: majority of the 16 quarter pixels, ties to the lower class', () => {
  // Column 0: 8 of class 3 and 8 of class 1; column 1: 10 of class 9; column 2: class 4.
  const o = output(2, (r, c) => (c < 4 ? (c < 2 ? 3 : 1) : c < 8 ? (r % 4 < 2 || c < 5 ? 9 : 0) : 4));
  const { space, map, streetProbability } = labelCells(o, { rows: ROWS, columns: COLUMNS });
  assert.equal(space, 'street');
  assert.deepEqual([...map.data], [1, 9, 4, 1, 9, 4]);
  assert.ok(Math.abs(streetProbability - 1 / (1 + Math.exp(-2))) < 1e-12);
});

test('codebook labels: argmax of the scores averaged with weights 1 2 3 4 3 2 1; the street logit decides', () => {
  const random = new RandomStream(4);
  const o = output(-1, () => 0);
  for (let i = 0; i < o.clusters.length; i++) o.clusters[i] = random.normal();
  const { space, map } = labelCells(o, { rows: ROWS, columns: COLUMNS });
  assert.equal(space, 'codebook');
  const at = (l: number, r: number, c: number) =>
    o.clusters[l * 6 + Math.max(0, Math.min(1, r)) * 3 + Math.max(0, Math.min(2, c))];
  for (let i = 0; i < 6; i++) {
    const score = (l: number) => {
      let sum = 0;
      for (let dr = -3; dr <= 3; dr++) {
        for (let dc = -3; dc <= 3; dc++) {
          sum += (4 - Math.abs(dr)) * (4 - Math.abs(dc)) * at(l, Math.floor(i / 3) + dr, (i % 3) + dc);
        }
      }
      return sum;
    };
    const best = Array.from({ length: 32 }, (_, l) => l).sort((a, b) => score(b) - score(a))[0];
    assert.equal(map.data[i], 11 + best);
  }
  assert.equal(labelCells(o, { rows: ROWS, columns: COLUMNS }, 'street').space, 'street');
  assert.throws(() => labelCells(o, { rows: ROWS, columns: 4 }), /2x4/);
});

test('large grids: labels have the detail of the lattice', () => {
  const rows = 64;
  const columns = 96;
  const cells = rows * columns;
  const clusters = new Float32Array(32 * cells);
  for (let i = 0; i < cells; i++) {
    const left = i % columns < 48;
    clusters[(left ? 3 : 20) * cells + i] = 1;
    if (i % 37 === 0) clusters[7 * cells + i] = 2; // specks
  }
  const o = { maps: new Float32Array(11 * 16 * cells), presence: new Float32Array(11), clusters, street: -1 };
  const { map } = labelCells(o, { rows, columns });
  assert.deepEqual(
    map.data,
    Uint8Array.from({ length: cells }, (_, i) => (i % columns < 48 ? 14 : 31)),
  );
});

/** y with a linear head: target = sum of weights x y, so the gradient is known. */
function linear(channels: number): { y: FeatureMap; gradient: Float32Array } {
  const random = new RandomStream(8);
  const n = channels * ROWS * COLUMNS;
  const draw = () => Float32Array.from({ length: n }, () => random.normal());
  return {
    y: { channels, rows: ROWS, columns: COLUMNS, widthPx: 48, heightPx: 32, data: draw() },
    gradient: draw(),
  };
}

test('class activation: ReLU of features weighted by the gradient, by channel and by cell, against the formula', async () => {
  const { y, gradient } = linear(5);
  const models = { labelsVjp: async () => ({ ...y, data: gradient }) };
  const seen = output(1, (r, c) => (r === 0 && c < 3 ? 8 : 3));
  const byChannel = await gradCam(models, y, seen, [8, 9], 'channel');
  const byCell = await gradCam(models, y, seen, [8, 9]);
  assert.equal(byCell.target, 'maps');
  assert.equal(byCell.pixels[8], 3);
  for (let i = 0; i < 6; i++) {
    let [channel, cell] = [0, 0];
    for (let k = 0; k < 5; k++) {
      const alpha = gradient.slice(6 * k, 6 * k + 6).reduce((a, b) => a + b, 0) / 6;
      channel += alpha * y.data[6 * k + i];
      cell += gradient[6 * k + i] * y.data[6 * k + i];
    }
    assert.ok(Math.abs(byChannel.plane.data[i] - Math.max(0, channel)) < 1e-5);
    assert.ok(Math.abs(byCell.plane.data[i] - Math.max(0, cell)) < 1e-5);
  }
});

test('Grad-CAM targets: predicted pixels of the task classes, else presence; never NaN', async () => {
  const seen = activationTarget(
    output(1, (r, c) => (r === 0 && c < 3 ? 8 : 3)),
    { rows: ROWS, columns: COLUMNS },
    [8, 9],
  );
  assert.equal(
    seen.dMaps.reduce((a, b) => a + b, 0),
    3,
  );
  assert.deepEqual([...seen.dMaps.slice(8 * PIXELS, 8 * PIXELS + 4)], [1, 1, 1, 0]);
  assert.ok(seen.dPresence.every((v) => v === 0));
  const unseen = activationTarget(
    output(1, () => 3),
    { rows: ROWS, columns: COLUMNS },
    [8, 9],
  );
  assert.equal(unseen.target, 'presence');
  assert.ok(unseen.dMaps.every((v) => v === 0));
  assert.deepEqual([...unseen.dPresence], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0]);
  const { y } = linear(2);
  const bad = { labelsVjp: async () => ({ ...y, data: y.data.map(() => Number.NaN) }) };
  assert.ok(
    (
      await gradCam(
        bad,
        y,
        output(1, () => 3),
        [8],
      )
    ).plane.data.every((v) => v === 0),
  );
});

test('a favoured class takes a cell from three pixels in it or within a cell of it on, others are as before', () => {
  const grid = { rows: 1, columns: 8 };
  const maps = new Float32Array(11 * 128);
  // Road everywhere; three pixels at the left edge of cell 2 and one in cell 6 are a sign.
  maps.fill(1, 3 * 128, 4 * 128);
  for (const p of [8, 40, 72, 24]) maps[6 * 128 + p] = 2;
  const output = { maps, presence: new Float32Array(11), clusters: new Float32Array(256), street: 1 };
  const labels = (...more: number[]) => [...labelCells(output, grid, 'auto', more).map.data];
  assert.deepEqual(labels(), [3, 3, 3, 3, 3, 3, 3, 3]);
  assert.deepEqual(labels(6), [3, 6, 6, 6, 3, 3, 3, 3]);
  assert.deepEqual(labels(8), labels());
});
