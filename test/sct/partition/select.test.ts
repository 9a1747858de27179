import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { adoptPartition, decodePartition, type Partition } from '../../../src/sct/partition/partition.ts';
import { cutPartition, insideGrid, keptFirst, rectangleMask } from '../../../src/sct/partition/select.ts';

/** A partition of street labels in blocks. */
function blocks(rows: number, columns: number, seed: number): Partition {
  const random = new RandomStream(seed);
  const width = Math.ceil(columns / 3);
  const label = Array.from({ length: width * Math.ceil(rows / 3) }, () => random.integer(5));
  const data = Uint8Array.from({ length: rows * columns }, (_, at) => {
    return label[Math.floor(Math.floor(at / columns) / 3) * width + Math.floor((at % columns) / 3)];
  });
  return adoptPartition({ rows, columns, data }).partition;
}

/** Every cell has an SFV of its own label, counts are right, no SFV is empty. */
function consistent(p: Partition): void {
  const cells = p.sfvs.map(() => 0);
  p.sfvOf.forEach((id, at) => {
    cells[id]++;
    assert.equal(p.sfvs[id].label, p.labels[at]);
  });
  assert.deepEqual(
    p.sfvs.map((s) => [s.id, s.cells]),
    cells.map((n, id) => [id, n]),
  );
  assert.ok(cells.every((n) => n > 0));
}

test('cut along any rectangle: SFVs lie inside or outside, outer parts keep their id, both ends get the same', () => {
  const shape = { minLength: 4, maxLength: 4 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 1, max: 14 }),
      fc.nat(999),
      fc.array(fc.nat(13), shape),
      (rows, columns, seed, [a, b, c, d]) => {
        const [column, row] = [a % columns, b % rows];
        const box = { column, row, columns: 1 + (c % (columns - column)), rows: 1 + (d % (rows - row)) };
        const before = blocks(rows, columns, seed);
        const cut = cutPartition(before, box);
        consistent(cut);
        const mask = rectangleMask(box, before);
        assert.equal(
          mask.reduce((x, y) => x + y, 0),
          box.columns * box.rows,
        );
        for (const { id } of cut.sfvs) assert.equal(new Set([...mask].filter((_, at) => cut.sfvOf[at] === id)).size, 1);
        cut.sfvOf.forEach((id, at) => {
          if (!mask[at]) assert.equal(id, before.sfvOf[at]);
        });
        assert.deepEqual(cutPartition(decodePartition(before.bytes, before), box), cut);
      },
    ),
    { numRuns: 200 },
  );
});

test('kept SFVs come first, each group in its order', () => {
  const p = blocks(9, 12, 4);
  const kept = Uint8Array.from(p.sfvs, ({ id }) => (id % 3 === 1 ? 1 : 0));
  const { partition, newId } = keptFirst(p, kept);
  consistent(partition);
  const count = kept.reduce((a, b) => a + b, 0);
  p.sfvOf.forEach((id, at) => {
    assert.equal(partition.sfvOf[at], newId[id]);
    assert.equal(partition.sfvOf[at] < count, kept[id] === 1);
  });
  const order = [...newId.keys()].sort((a, b) => newId[a] - newId[b]);
  assert.deepEqual(order, [...order.filter((id) => kept[id])].concat(order.filter((id) => !kept[id])));
  assert.deepEqual(
    order.filter((id) => kept[id]),
    [...newId.keys()].filter((id) => kept[id]),
  );
});

test('rectangles outside the grid and cuts into more than 255 SFVs are refused', () => {
  const p = blocks(4, 5, 1);
  for (const bad of [
    { column: 0, row: 0, columns: 6, rows: 1 },
    { column: 0, row: 4, columns: 1, rows: 1 },
    { column: 0, row: 0, columns: 0, rows: 1 },
    { column: 0.5, row: 0, columns: 1, rows: 1 },
  ]) {
    assert.ok(!insideGrid(bad, p));
    assert.throws(() => cutPartition(p, bad), UsageError);
  }
  // Stripes of one column over 16 rows in 200 SFVs, cut in the middle.
  const data = Uint8Array.from({ length: 16 * 128 }, (_, at) => at % 2);
  const stripes = adoptPartition({ rows: 16, columns: 128, data }, { maxSfvs: 255, agreement: 1, bitsPerCell: 99 });
  assert.equal(stripes.partition.sfvs.length, 128);
  assert.throws(
    () => cutPartition(stripes.partition, { column: 0, row: 0, columns: 128, rows: 8 }),
    /128 SFVs into 256: allowed up to 255/,
  );
});
