import assert from 'node:assert/strict';
import test from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { FrameMemory, MOST_AGE } from '../../../src/sct/correction/frame-memory.ts';
import { blendLastFrame, trustLastFrame } from '../../../src/sct/correction/last-frame.ts';
import type { FeatureMap } from '../../../src/sct/semantics/feature-map.ts';
import { parseModelTables } from '../../../src/sct/semantics/model-tables.ts';
import { TINY_CHANNELS, tinyTables } from '../semantics/tiny-models.ts';

const tables = parseModelTables(tinyTables(), { file: 'tables.json' });
const [ROWS, COLUMNS] = [4, 5];
const AREA = ROWS * COLUMNS;
const random = new RandomStream('last-frame-test');
const map = (value: (i: number) => number, columns = COLUMNS): FeatureMap => ({
  rows: ROWS,
  columns,
  channels: TINY_CHANNELS,
  widthPx: 16 * columns,
  heightPx: 16 * ROWS,
  data: Float32Array.from({ length: TINY_CHANNELS * ROWS * columns }, (_, i) => value(i)),
});
const lostAt = (...cells: number[]) => Float32Array.from({ length: AREA }, (_, at) => (cells.includes(at) ? 1 : 0));
const fresh = () => new Uint8Array(AREA);

test('a frame is remembered for its own grid and model set, and a cell that was not received grows old', () => {
  const memory = new FrameMemory();
  const y = map((i) => i);
  assert.equal(memory.recall('a', y), undefined);
  memory.keep('a', y, lostAt());
  assert.equal(memory.recall('a', y)?.yHat, y);
  assert.equal(memory.recall('b', y), undefined);
  assert.equal(
    memory.recall(
      'a',
      map((i) => i, 6),
    ),
    undefined,
  );
  for (let n = 0; n < 3; n++) memory.keep('a', y, lostAt(7));
  const age = memory.recall('a', y)!.age;
  assert.deepEqual([age[6], age[7]], [0, 3]);
  memory.reset();
  assert.equal(memory.recall('a', y), undefined);
  memory.keep('a', y, lostAt(7));
  assert.ok(memory.recall('a', y)!.age[7] > MOST_AGE, 'never seen');
});

test('the expected error is the weighted mean difference around, by its definition', () => {
  const y = map(() => random.normal());
  const yHat = map((i) => y.data[i] + 0.1 * random.normal());
  const damage = lostAt(0, 7, 8);
  const trust = trustLastFrame(yHat, damage, { yHat: y, age: fresh() })!;
  assert.equal(trust.share, 1);
  for (const at of [0, 7, 8]) {
    for (const [band, channels] of [
      [0, [0, 1, 2]],
      [1, [3]],
    ] as const) {
      let [sum, weights] = [0, 0];
      for (let other = 0; other < AREA; other++) {
        if (damage[other] > 0) continue;
        const dr = Math.floor(other / COLUMNS) - Math.floor(at / COLUMNS);
        const dc = (other % COLUMNS) - (at % COLUMNS);
        const w = 1 / (1 + dr * dr + dc * dc) ** 2;
        weights += w;
        for (const c of channels) sum += w * (y.data[c * AREA + other] - yHat.data[c * AREA + other]) ** 2;
      }
      const got = trust.error[band * AREA + at];
      assert.ok(Math.abs(got / (sum / weights) - 1) < 1e-4, `cell ${at} band ${band}: ${got}`);
    }
  }
});

test('another scene is not used, nor an old cell; what is in a damaged cell is never looked at', () => {
  const y = map(() => random.normal());
  const other = map(() => random.normal());
  const damage = lostAt(7);
  assert.equal(trustLastFrame(other, damage, { yHat: y, age: fresh() }), undefined);
  assert.equal(trustLastFrame(y, new Float32Array(AREA).fill(1), { yHat: y, age: fresh() }), undefined, 'nothing came');
  const age = fresh();
  age[7] = MOST_AGE + 1;
  const old = trustLastFrame(y, damage, { yHat: y, age })!;
  assert.deepEqual([old.shown.data[7], old.shown.data[6], old.share], [0, 1, 0]);
  const absurd = { ...y, data: y.data.map((v, i) => (i % AREA === 7 ? 1e6 : v)) };
  const trust = trustLastFrame(absurd, damage, { yHat: y, age: fresh() })!;
  assert.deepEqual([trust.share, trust.error[7]], [1, 0]);
});

test('lost cells move by 1 - e / s in each band, no other cell moves by a bit, and the input stays', () => {
  const restored = { yHat: map(() => random.normal()), quality: { rows: ROWS, columns: COLUMNS, data: lostAt() } };
  const last = { yHat: map(() => random.normal()), age: fresh() };
  const shown = { rows: ROWS, columns: COLUMNS, data: new Float32Array(AREA).fill(1) };
  const classMap = { rows: ROWS, columns: COLUMNS, data: new Uint8Array(AREA).fill(4) };
  const error = new Float32Array(5 * AREA);
  const variance = (c: number) => tables.variance[4 * TINY_CHANNELS + c];
  const own = 0.4 * (variance(0) + variance(1) + variance(2));
  error[7] = 0.25 * own;
  error[AREA + 7] = 100; // band of channel 3
  const before = restored.yHat.data.slice();
  const out = blendLastFrame(restored, [7], classMap, tables, last, { shown, error, share: 1 });
  assert.deepEqual(restored.yHat.data, before);
  out.yHat.data.forEach((v, i) => {
    const c = Math.floor(i / AREA);
    const w = i % AREA !== 7 || c === 3 ? 0 : 0.75;
    const want = before[i] + w * (last.yHat.data[i] - before[i]);
    if (w === 0) assert.equal(v, before[i]);
    else assert.ok(Math.abs(v - want) < 1e-5);
  });
  const left = 0.75 ** 2 * 0.25 * own + 0.25 ** 2 * own + 0.7 * variance(3);
  assert.ok(Math.abs(out.quality.data[7] - Math.min(0, Math.log10(left + 1e-4))) < 1e-5);
});
