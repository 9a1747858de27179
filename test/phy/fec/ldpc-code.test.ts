import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { type BaseGraphId, baseGraph, LIFTING_SIZES, ldpcCode, liftingSet } from '../../../src/phy/fec/ldpc-code.ts';

test('the base graphs are the published tables, number for number', () => {
  // SHA-256 of Sionna's 5G_bg1.csv and 5G_bg2.csv, which the text below rebuilds from our table.
  const published: Record<BaseGraphId, string> = {
    1: '4ae766634def05dc45e4903c775a5ad7e1feb067747a644504b6d8c90d33b1ed',
    2: '4f4db6f7607446984c0b1dc6243bff4286f6fbad3a477f29d84a5e0edab523fb',
  };
  for (const id of [1, 2] as const) {
    const graph = baseGraph(id);
    let csv = 'Row index;Column index;Set index ;;;;;;;\n;;0;1;2;3;4;5;6;7\n';
    for (let r = 0; r < graph.rows; r++) {
      for (let e = graph.rowStart[r]; e < graph.rowStart[r + 1]; e++) {
        const row = e === graph.rowStart[r] ? r : '';
        csv += `${row};${graph.edgeColumn[e]};${graph.shifts.subarray(8 * e, 8 * e + 8).join(';')}\n`;
      }
    }
    assert.equal(createHash('sha256').update(csv).digest('hex'), published[id]);
  }
});

test('sizes are those of TS 38.212 §5.3.2', () => {
  assert.equal(LIFTING_SIZES.length, 51);
  assert.deepEqual(LIFTING_SIZES.slice(0, 16), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18]);
  assert.deepEqual(LIFTING_SIZES.slice(-4), [288, 320, 352, 384]);
  assert.deepEqual([256, 384, 320, 224, 288, 352, 208, 240].map(liftingSet), [0, 1, 2, 3, 4, 5, 6, 7]);
  const a = ldpcCode(1, 384);
  assert.deepEqual([a.k, a.n, a.rows, a.columns, a.graph.edges], [8448, 25344, 46, 68, 316]);
  const b = ldpcCode(2, 384);
  assert.deepEqual([b.k, b.n, b.rows, b.columns, b.graph.edges], [3840, 19200, 42, 52, 197]);
  const degrees = (id: BaseGraphId, count: number) =>
    Array.from({ length: count }, (_, r) => baseGraph(id).rowStart[r + 1] - baseGraph(id).rowStart[r]);
  assert.deepEqual(degrees(1, 16), [19, 19, 19, 19, 3, 8, 9, 7, 10, 9, 7, 8, 7, 6, 7, 7]);
  assert.deepEqual(degrees(2, 8), [8, 10, 8, 10, 4, 6, 6, 6]);
});

test('a code is made once, and one that does not exist is refused with the allowed sizes', () => {
  assert.equal(ldpcCode(2, 36), ldpcCode(2, 36));
  for (const z of [0, 1, 17, 385, 512, 2.5, Number.NaN, -4]) {
    assert.throws(
      () => ldpcCode(1, z),
      (e: Error) => e instanceof UsageError && /allowed 2, 3, 4/.test(e.message),
    );
  }
  assert.throws(() => ldpcCode(3 as BaseGraphId, 8), /allowed 1 and 2/);
});
