import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { cellsOfRectangle, keptSfvs, parseKeep, parseRoi } from '../../../src/sct/modes/keep-rule.ts';
import { adoptPartition } from '../../../src/sct/partition/partition.ts';
import { NAMES } from '../../experiment/analyze/sample.ts';

// Sky over road, a car of 2x2 cells on the road.
const MAP = [
  [0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0],
  [3, 3, 3, 3, 3, 3],
  [3, 8, 8, 3, 3, 3],
  [3, 8, 8, 3, 3, 3],
];
const street = adoptPartition(
  { rows: 5, columns: 6, data: Uint8Array.from(MAP.flat()) },
  { agreement: 1, bitsPerCell: 50 },
).partition;
const [SKY, ROAD, CAR] = [0, 3, 8].map((label) => street.sfvs.findIndex((s) => s.label === label));
const scores = Uint8Array.from(street.sfvs, (s) => ({ 0: 180, 3: 200, 8: 240 })[s.label]!);

test('--keep: classes by name, or a least score', () => {
  assert.deepEqual(parseKeep('car', NAMES), { kind: 'classes', names: ['car'] });
  assert.deepEqual(parseKeep(' Car, pedestrian ', NAMES), { kind: 'classes', names: ['car', 'pedestrian'] });
  for (const text of ['score>=200', 'score >= 200', ' SCORE>=200']) {
    assert.deepEqual(parseKeep(text, NAMES), { kind: 'score', atLeast: 200 });
  }
  for (const bad of ['', 'cat', 'car,', 'car;sky', 'score', 'score>200', 'score>=256', 'score>=-1', 'score>=1.5']) {
    assert.throws(
      () => parseKeep(bad, NAMES),
      /--keep.*allowed are names of classes \(sky, .*score>=X with X = 0 to 255/,
    );
  }
});

test('--roi: four whole numbers', () => {
  assert.deepEqual(parseRoi('10,20, 30,40'), { x: 10, y: 20, width: 30, height: 40 });
  for (const bad of ['', '1,2,3', '1,2,3,4,5', '1,2,0,4', '-1,2,3,4', '1,2,3,x', '1.5,2,3,4', '1,2,3,1e3']) {
    assert.throws(() => parseRoi(bad), /--roi.*x,y,w,h in whole pixels/);
  }
});

test('parsers: any text is a rule or a UsageError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[score>=0-9, ]*$/)), (text) => {
      for (const parse of [() => parseKeep(text, NAMES), () => parseRoi(text)]) {
        try {
          parse();
        } catch (error) {
          assert.ok(error instanceof UsageError);
          assert.ok(error.message.length < 400);
        }
      }
    }),
  );
});

test('a rectangle takes every cell that it touches, inside the picture', () => {
  const shape = { widthPx: 96, heightPx: 80 };
  assert.deepEqual(cellsOfRectangle({ x: 16, y: 48, width: 32, height: 32 }, shape), {
    column: 1,
    row: 3,
    columns: 2,
    rows: 2,
  });
  assert.deepEqual(cellsOfRectangle({ x: 15, y: 48, width: 34, height: 1 }, shape), {
    column: 0,
    row: 3,
    columns: 4,
    rows: 1,
  });
  for (const bad of [
    { x: 90, y: 0, width: 7, height: 1 },
    { x: 0, y: 79, width: 1, height: 2 },
    { x: -1, y: 0, width: 1, height: 1 },
  ]) {
    assert.throws(() => cellsOfRectangle(bad, shape), /the picture has 96x80 pixels/);
  }
});

test('kept: by class, by score, by rectangle with large SFVs cut, and all of them together', () => {
  const one = keptSfvs(street, scores, { kind: 'classes', names: ['car', 'bicyclist'] }, undefined, NAMES);
  assert.deepEqual([one.kept[SKY], one.kept[ROAD], one.kept[CAR], one.kept.length], [0, 0, 1, 3]);
  const two = keptSfvs(street, scores, { kind: 'score', atLeast: 200 }, undefined, NAMES);
  assert.deepEqual([two.kept[SKY], two.kept[ROAD], two.kept[CAR]], [0, 1, 1]);
  // Two rows, half sky and half road, in the last two columns: neither is kept as a whole.
  const box = { column: 4, row: 1, columns: 2, rows: 2 };
  const three = keptSfvs(street, scores, undefined, box, NAMES);
  assert.deepEqual([...three.kept], [0, 0, 0, 1, 1]);
  const all = keptSfvs(street, scores, { kind: 'classes', names: ['car'] }, box, NAMES);
  assert.deepEqual([all.kept[SKY], all.kept[ROAD], all.kept[CAR], all.kept[3], all.kept[4]], [0, 0, 1, 1, 1]);
  // A rectangle over the car alone cuts the road only where it reaches in.
  const car = keptSfvs(street, scores, undefined, { column: 1, row: 3, columns: 2, rows: 2 }, NAMES);
  assert.deepEqual([car.kept.length, car.kept[CAR], car.kept[ROAD]], [3, 1, 0]);
});

test('nothing kept: the error says what the picture has', () => {
  const none =
    (rule: Parameters<typeof keptSfvs>[2], p = street) =>
    () =>
      keptSfvs(p, scores, rule, undefined, NAMES);
  assert.throws(
    none({ kind: 'classes', names: ['tree', 'sign'] }),
    /no SFV is tree, sign; the picture has car, road, sky/,
  );
  assert.throws(none({ kind: 'score', atLeast: 250 }), /no SFV has score 250 or more; the highest is 240/);
  const codebook = adoptPartition({ rows: 5, columns: 6, data: Uint8Array.from(MAP.flat(), (l) => l + 11) }).partition;
  assert.throws(none({ kind: 'classes', names: ['car'] }, codebook), (error: unknown) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /no street scene, it has clusters/);
    assert.match(error.hint ?? '', /--roi/);
    return true;
  });
});
