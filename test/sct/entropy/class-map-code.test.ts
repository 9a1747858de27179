import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { decodeClassMap, encodeClassMap } from '../../../src/sct/entropy/class-map-code.ts';
import { entropyMap, REFERENCE_LEVEL } from '../../../src/sct/entropy/entropy-map.ts';
import { drawClasses, syntheticTables } from './synthetic-tables.ts';

const tables = syntheticTables();
const grids = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })),
  fc.constantFrom([1, 1], [1, 40], [40, 1]),
);

test('any class map comes back, fine or coarse, of any shape', () => {
  fc.assert(
    fc.property(grids, fc.boolean(), fc.boolean(), fc.integer(), ([rows, columns], coarse, smooth, seed) => {
      const random = new RandomStream(seed);
      const data = smooth
        ? drawClasses(rows, columns, coarse, random)
        : Uint8Array.from({ length: rows * columns }, () => (coarse ? 2 * random.integer(8) : random.integer(16)));
      const result = decodeClassMap(encodeClassMap({ rows, columns, data }, tables), { rows, columns }, tables);
      assert.deepEqual(result, { ok: true, value: { rows, columns, data } });
    }),
  );
});

test('size: that of the adaptive counts, computed apart; a flat map costs next to nothing; coarse beats fine', () => {
  const [rows, columns] = [32, 48];
  const sizes = [true, false].map((coarse) => {
    const data = drawClasses(rows, columns, coarse, new RandomStream('drift'));
    const bytes = encodeClassMap({ rows, columns, data }, tables).length;
    const bits = adaptiveBits(data, columns, coarse);
    assert.ok(Math.abs(8 * (bytes - 4) - bits) < 0.01 * bits, `${bytes} bytes, ${bits / 8} by the counts`);
    return bytes;
  });
  assert.ok(sizes[0] < 0.8 * sizes[1] && sizes[1] < (rows * columns) / 2);
  assert.ok(encodeClassMap({ rows, columns, data: new Uint8Array(rows * columns) }, tables).length < 60);
});

/** Ideal code length by the documented rule, in plain floats. */
function adaptiveBits(data: Uint8Array, columns: number, coarse: boolean): number {
  const n = coarse ? 8 : 16;
  const counts = Float64Array.from(coarse ? tables.classContext.coarse : tables.classContext.fine);
  const c = (i: number) => data[i] / (coarse ? 2 : 1);
  let bits = 1;
  for (let i = 0; i < data.length; i++) {
    const w = i % columns ? c(i - 1) : -1;
    const nn = i >= columns ? c(i - columns) : -1;
    const e = i >= columns && (i + 1) % columns ? c(i - columns + 1) : nn;
    const at = (((w + 1) * (n + 1) + nn + 1) * 5 + Math.max(-2, Math.min(2, e - nn)) + 2) * n;
    const row = counts.subarray(at, at + n);
    const sum = row.reduce((a, b) => a + b, 0);
    bits -= Math.log2(row[c(i)] / sum);
    row[c(i)] += 256;
    if (sum + 256 > 65536) row.set(row.map((v) => Math.max(1, Math.floor(v / 2))));
  }
  return bits;
}

test('fuzz: random and damaged bytes end in a typed answer within the grid', () => {
  const random = new RandomStream('class map fuzz');
  let taken = 0;
  for (let i = 0; i < 2000; i++) {
    const grid = { rows: 1 + random.integer(8), columns: 1 + random.integer(8) };
    const data = drawClasses(grid.rows, grid.columns, i % 2 === 0, random);
    let bytes = encodeClassMap({ ...grid, data }, tables);
    if (i % 3 === 0) bytes = random.bytes(random.integer(30));
    else if (i % 3 === 1) bytes = bytes.slice(0, random.integer(bytes.length));
    else bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    const result = decodeClassMap(bytes, grid, tables);
    if (result.ok) taken++;
    else assert.match(result.reason, /class map (ends at cell|does not end)/);
  }
  assert.ok(taken <= 2, `${taken} of 2000 damaged maps passed the check of 23 bits`);
});

test('maps that are none are refused: class 16, wrong length, no cells, too many cells', () => {
  const encode = (rows: number, columns: number, data: number[]) => () =>
    encodeClassMap({ rows, columns, data: Uint8Array.from(data) }, tables);
  assert.throws(encode(1, 2, [3, 16]), UsageError);
  assert.throws(encode(2, 2, [3, 1]), /2 cells: allowed 4/);
  assert.throws(encode(0, 2, []), UsageError);
  assert.throws(() => decodeClassMap(new Uint8Array(9), { rows: 2 ** 11, columns: 2 ** 10 }, tables), /allowed 1 to/);
});

test('receiver noise of 1e-3 on every float table changes no class', () => {
  const grid = { rows: 12, columns: 20 };
  const data = drawClasses(12, 20, false, new RandomStream('noise'));
  const noisy = {
    ...tables,
    activityEdges: tables.activityEdges.map((v) => v + 1e-3),
    variance: tables.variance.map((v) => v - 1e-3),
    stepBase: tables.stepBase.map((v) => v + 1e-3),
  };
  const bytes = encodeClassMap({ ...grid, data }, tables);
  assert.deepEqual(decodeClassMap(bytes, grid, noisy), { ok: true, value: { ...grid, data } });
});

test('entropy map: the mean bits of each class at the reference level', () => {
  const map = { rows: 1, columns: 3, data: Uint8Array.of(0, 15, 4) };
  const plane = entropyMap(map, tables);
  assert.deepEqual(
    [...plane.data],
    [0, 15, 4].map((c) => tables.bitsOf[REFERENCE_LEVEL * 16 + c] / 16),
  );
  assert.ok(plane.data[0] < plane.data[2] && plane.data[2] < plane.data[1]);
});
