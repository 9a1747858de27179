import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../fixed-seed.js';
import fc from 'fast-check';
import { LabelBits, looksOf } from '../../../src/sct/partition/label-bits.ts';
import { flagContext, LabelCounts, lookAround, newNeighbourhood } from '../../../src/sct/partition/label-model.ts';

/** Asked as the coder asks: candidate by candidate. */
function askedBits(counts: LabelCounts, labels: Uint8Array, columns: number, cell: number): number {
  const around = newNeighbourhood();
  lookAround(labels, columns, Math.floor(cell / columns), cell % columns, around);
  const bits = (part: number, whole: number) => Math.round(256 * Math.log2(whole / part));
  let sum = 0;
  for (let i = 0; i < around.count; i++) {
    const [yes, no] = [counts.yes[flagContext(around, i)], counts.no[flagContext(around, i)]];
    if (around.candidates[i] === labels[cell]) return sum + bits(yes, yes + no);
    sum += bits(no, yes + no);
  }
  return sum + Math.round(256 * Math.log2(11));
}

const counts = new LabelCounts('street');
const bits = new LabelBits('street');
const lattice = fc.integer({ min: 1, max: 9 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    rows: fc.integer({ min: 1, max: 9 }),
    kinds: fc.integer({ min: 1, max: 5 }),
    values: fc.array(fc.nat(1000), { minLength: 81, maxLength: 81 }),
    changed: fc.nat(1000),
  }),
);

test('bits of every cell are those of the questions that the coder asks', () => {
  fc.assert(
    fc.property(lattice, ({ rows, columns, kinds, values }) => {
      const labels = Uint8Array.from({ length: rows * columns }, (_, i) => values[i] % kinds);
      const looks = looksOf(rows, columns);
      for (let cell = 0; cell < labels.length; cell++) {
        assert.equal(bits.of(labels, looks, cell), askedBits(counts, labels, columns, cell));
      }
    }),
    { numRuns: 300 },
  );
});

test('a changed label changes the bits of its lookers only', () => {
  fc.assert(
    fc.property(lattice, ({ rows, columns, kinds, values, changed }) => {
      const labels = Uint8Array.from({ length: rows * columns }, (_, i) => values[i] % kinds);
      const looks = looksOf(rows, columns);
      const before = Array.from(labels, (_, cell) => bits.of(labels, looks, cell));
      const at = changed % labels.length;
      labels[at] = (labels[at] + 1) % 11;
      const lookers = new Set(looks.lookers.subarray(looks.lookersFrom[at], looks.lookersFrom[at + 1]));
      assert.ok(lookers.has(at) && lookers.size <= 7);
      for (let cell = 0; cell < labels.length; cell++) {
        if (!lookers.has(cell)) assert.equal(bits.of(labels, looks, cell), before[cell]);
      }
    }),
    { numRuns: 200 },
  );
});
