import '../../fixed-seed.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { latticeScale, MAX_LATTICE_CELLS } from '../../../src/sct/partition/label-map-code.ts';
import { sfvOutlines, svgPath } from '../../../src/sct/partition/outlines.ts';
import { adoptPartition, decodePartition, type Partition } from '../../../src/sct/partition/partition.ts';
import type { ClassMap } from '../../../src/sct/semantics/feature-map.ts';

/** Blobs: every cell takes the label of the nearest of n seeds, then a share of the cells is noise. */
function blobs(
  rows: number,
  columns: number,
  seeds: number,
  noise: number,
  first: number,
  count: number,
  seed: number,
) {
  const random = new RandomStream(seed);
  const points = Array.from({ length: seeds }, () => [
    random.between(0, rows),
    random.between(0, columns),
    first + random.integer(count),
  ]);
  const data = new Uint8Array(rows * columns);
  for (let i = 0; i < data.length; i++) {
    let best = Number.POSITIVE_INFINITY;
    for (const [y, x, label] of points) {
      const d = (Math.floor(i / columns) - y) ** 2 + ((i % columns) - x) ** 2;
      if (d < best) [best, data[i]] = [d, label];
    }
    if (random.uniform() < noise) data[i] = first + random.integer(count);
  }
  return { rows, columns, data } satisfies ClassMap;
}

const anyMap = fc
  .record({
    rows: fc.integer({ min: 1, max: 60 }),
    columns: fc.integer({ min: 1, max: 60 }),
    seeds: fc.integer({ min: 1, max: 40 }),
    noise: fc.constantFrom(0, 0.02, 0.3, 1),
    street: fc.boolean(),
    seed: fc.nat(),
  })
  .map((c) => blobs(c.rows, c.columns, c.seeds, c.noise, c.street ? 0 : 11, c.street ? 11 : 32, c.seed));

function same(a: Partition, b: Partition): void {
  assert.deepEqual(a.labels, b.labels);
  assert.deepEqual(a.sfvOf, b.sfvOf);
  assert.deepEqual(a.sfvs, b.sfvs);
  assert.equal(a.space, b.space);
}

/** Complete: every cell in an SFV of its own label, counts right, ids without gaps. */
function checkComplete(p: Partition): void {
  assert.equal(p.sfvOf.length, p.rows * p.columns);
  const cells = new Array<number>(p.sfvs.length).fill(0);
  p.sfvOf.forEach((id, i) => {
    assert.equal(p.sfvs[id].label, p.labels[i]);
    cells[id]++;
  });
  p.sfvs.forEach((s, i) => {
    assert.equal(s.id, i);
    assert.equal(s.cells, cells[i]);
    assert.ok(s.cells > 0);
  });
}

test('property: what the receiver reads is what the transmitter adopted; agreement holds where the lattice is the grid', () => {
  fc.assert(
    fc.property(anyMap, fc.integer({ min: 1, max: 255 }), (map, maxSfvs) => {
      const { partition, agreement } = adoptPartition(map, { maxSfvs });
      same(decodePartition(partition.bytes, map), partition);
      checkComplete(partition);
      const labels = new Set(partition.labels).size;
      assert.ok(partition.sfvs.length <= Math.max(maxSfvs, labels) && labels <= maxSfvs);
      const equal = map.data.reduce((n, label, i) => n + (label === partition.labels[i] ? 1 : 0), 0);
      assert.equal(agreement, equal / map.data.length);
      if (latticeScale(map.rows, map.columns) === 1 && maxSfvs >= 32) assert.ok(agreement >= 0.95, `${agreement}`);
    }),
    { numRuns: 60 },
  );
});

test('fuzz: any bytes give a complete partition on any grid, and the same one every time', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 512 }),
      fc.integer({ min: 1, max: 70 }),
      (bytes, rows, columns) => {
        const p = decodePartition(bytes, { rows, columns });
        checkComplete(p);
        same(decodePartition(bytes, { rows, columns }), p);
        assert.ok(p.labels.every((l) => (p.space === 'street' ? l < 11 : l >= 11 && l < 43)));
      },
    ),
    { numRuns: 150 },
  );
  for (const bytes of [new Uint8Array(0), new Uint8Array(4096).fill(255), new Uint8Array(4096)]) {
    checkComplete(decodePartition(bytes, { rows: 512, columns: 512 }));
  }
});

test('fuzz: bits flipped in real bytes never break the receiver', () => {
  const { partition } = adoptPartition(blobs(32, 48, 25, 0.05, 11, 32, 5));
  const random = new RandomStream(9);
  for (let i = 0; i < 200; i++) {
    const bytes = partition.bytes.slice(0, random.integer(partition.bytes.length + 1));
    if (bytes.length > 0) bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    checkComplete(decodePartition(bytes, partition));
  }
});

test('grids and labels out of range are refused', () => {
  for (const [rows, columns] of [
    [0, 5],
    [5, 513],
    [2.5, 2],
    [Number.NaN, 1],
  ]) {
    assert.throws(() => decodePartition(new Uint8Array(3), { rows, columns }), UsageError);
  }
  const map = (data: number[]) => ({ rows: 1, columns: data.length, data: Uint8Array.from(data) });
  assert.throws(() => adoptPartition(map([3, 12])), /label 12/);
  assert.throws(() => adoptPartition(map([12, 43])), /label 43/);
  assert.throws(() => adoptPartition({ rows: 2, columns: 2, data: new Uint8Array(3) }), UsageError);
  for (const maxSfvs of [0, 256, 1.5]) assert.throws(() => adoptPartition(map([1]), { maxSfvs }), /1 to 255/);
});

test('bytes follow what is in the picture, not its size: at most 1.25 times as many at twice the size', () => {
  for (const [rows, columns, first, count] of [
    [32, 48, 11, 32],
    [23, 30, 0, 11],
  ]) {
    for (let seed = 0; seed < 6; seed++) {
      // The same seed draws the same objects, in the same share of the picture.
      const small = adoptPartition(blobs(rows, columns, 25, 0, first, count, seed));
      const large = adoptPartition(blobs(2 * rows, 2 * columns, 25, 0, first, count, seed));
      const [before, after] = [small.partition.bytes.length, large.partition.bytes.length];
      assert.ok(after <= 1.25 * before, `${before} to ${after} bytes`);
      assert.ok(small.agreement >= 0.95 && large.agreement >= 0.93, `${small.agreement} ${large.agreement}`);
    }
  }
  for (let side = 1; side <= 512; side += 7) {
    const scale = latticeScale(side, 512);
    assert.ok(Math.ceil(side / scale) * Math.ceil(512 / scale) <= MAX_LATTICE_CELLS);
  }
});

test('more regions than SFVs: islands join the nearest SFV of their label, no label is lost', () => {
  // Two halves of labels 1 and 2, islands of the other label in each; one far island of label 3.
  const rows = 20;
  const columns = 20;
  const data = Uint8Array.from({ length: 400 }, (_, i) => (i % columns < 10 ? 1 : 2));
  for (const i of [45, 46, 65, 66]) data[i] = 2;
  for (const i of [335, 336, 355, 356]) data[i] = 1;
  for (const i of [18, 19, 38, 39]) data[i] = 3;
  const { partition } = adoptPartition({ rows, columns, data }, { maxSfvs: 3, agreement: 1 });
  assert.deepEqual(partition.labels, data);
  assert.equal(partition.sfvs.length, 3);
  assert.equal(partition.sfvOf[45], partition.sfvOf[12]); // the right half's SFV
  assert.equal(partition.sfvOf[356], partition.sfvOf[200]);
  assert.deepEqual(partition.sfvs.map((s) => s.label).sort(), [1, 2, 3]);
});

test('fewer SFVs than labels: the rarest labels go', () => {
  const data = Uint8Array.from({ length: 100 }, (_, i) => (i < 60 ? 11 : i < 95 ? 12 : 13));
  const { partition } = adoptPartition({ rows: 10, columns: 10, data }, { maxSfvs: 2 });
  assert.deepEqual(new Set(partition.labels), new Set([11, 12]));
});

test('property: outlines enclose exactly the cells of their SFV', () => {
  fc.assert(
    fc.property(anyMap, (map) => {
      const { partition } = adoptPartition(map);
      const { rows, columns, sfvOf } = partition;
      sfvOutlines(partition).forEach((outlines, id) => {
        // Even-odd by vertical edges left of the cell's middle.
        const inside = new Uint8Array(rows * columns);
        for (const line of outlines) {
          for (let i = 0; i < line.length; i += 2) {
            const [x, y] = [line[i], line[i + 1]];
            const [x2, y2] = [line[(i + 2) % line.length], line[(i + 3) % line.length]];
            assert.ok((x === x2) !== (y === y2), 'steps alternate and are not empty');
            if (x !== x2) continue;
            for (let r = Math.min(y, y2); r < Math.max(y, y2); r++) {
              for (let c = x; c < columns; c++) inside[r * columns + c] ^= 1;
            }
          }
        }
        for (let i = 0; i < inside.length; i++) assert.equal(inside[i], sfvOf[i] === id ? 1 : 0);
      });
    }),
    { numRuns: 25 },
  );
});

test('an outline as an SVG path', () => {
  const partition = adoptPartition(
    { rows: 2, columns: 2, data: Uint8Array.of(4, 4, 4, 7) },
    { agreement: 1 },
  ).partition;
  const [corner, rest] = [partition.sfvOf[3], partition.sfvOf[0]];
  const outlines = sfvOutlines(partition);
  assert.equal(svgPath(outlines[corner], 16), 'M16 16H32V32H16Z');
  assert.equal(svgPath(outlines[rest], 16), 'M0 0H32V16H16V32H0Z');
});
