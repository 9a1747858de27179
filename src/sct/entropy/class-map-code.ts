import { UsageError } from '../../common/errors.ts';
import type { ClassMap, GridShape } from '../semantics/feature-map.ts';
import { CLASSES, CONTEXT_STEPS, type ModelTables } from '../semantics/model-tables.ts';
import { type Decoded, RANS_TOTAL, RansDecoder, RansEncoder } from './rans.ts';

/** Most cells of a class map: a picture of 16384 x 16384 pixels. */
export const MAX_CELLS = 2 ** 20;
/** What an observation adds to its count, against start counts that sum to 4096. */
const INCREMENT = 256;
/** Counts of a context are halved above this sum, which lets old observations fade and bounds every number. */
const HIGHEST_SUM = 65536;
const NEAR = (CONTEXT_STEPS - 1) / 2;
/** In a map of known classes: this cell is coded. */
export const CODED = 255;

/**
 * Code of the class map, cell by cell in rows, by integer arithmetic only: one bit (1 = coarse: even classes only, halved), then
 * each class by the adaptive distribution of its context, the classes to the west, the north and the north-east (-1 outside):
 * ((W + 1)(n + 1) + N + 1) x 5 + clamp(NE - N, -2, 2) + 2, where a missing NE counts as N. Counts start from the model
 * set's `classContext`. O(cells x n).
 *
 * @param known even classes that the receiver holds already, CODED where it does not: only those cells are coded, the others
 *   stand in their contexts; [row][column]
 * @throws UsageError for a map of another size than its grid, above 2^20 cells, or with a class above 15
 */
export function encodeClassMap(map: ClassMap, tables: ModelTables, known?: Uint8Array): Uint8Array {
  checkGrid(map);
  if (map.data.length !== map.rows * map.columns) {
    throw new UsageError(
      `class map has ${map.data.length} cells: allowed ${map.rows * map.columns}, those of its grid`,
    );
  }
  const top = map.data.reduce((a, b) => Math.max(a, b), 0);
  if (top >= CLASSES) throw new UsageError(`class ${top} is out of range: allowed 0 to ${CLASSES - 1}`);
  const coarse = map.data.every((c) => c % 2 === 0);
  const model = new ContextModel(tables, coarse, map);
  const rans = new RansEncoder();
  rans.pushBits(coarse ? 1 : 0, 1);
  for (let i = 0; i < map.data.length; i++) {
    const s = coarse ? map.data[i] >> 1 : map.data[i];
    if (known && known[i] !== CODED) {
      model.pass(i, s);
      continue;
    }
    model.enter(i);
    rans.push(model.start(s), model.frequency[s]);
    model.learn(i, s);
  }
  return rans.finish();
}

/**
 * The class map of a grid, or why the bytes are not the code of one. The grid comes from a parser that has bounded it.
 *
 * @param known as for `encodeClassMap`
 */
export function decodeClassMap(
  bytes: Uint8Array,
  grid: GridShape,
  tables: ModelTables,
  known?: Uint8Array,
): Decoded<ClassMap> {
  checkGrid(grid);
  const { rows, columns } = grid;
  const data = new Uint8Array(rows * columns);
  const rans = new RansDecoder(bytes);
  const coarse = rans.takeBits(1) === 1;
  const model = new ContextModel(tables, coarse, grid);
  for (let i = 0; i < data.length; i++) {
    if (known && known[i] !== CODED) {
      data[i] = known[i];
      model.pass(i, coarse ? data[i] >> 1 : data[i]);
      continue;
    }
    model.enter(i);
    const s = model.find(rans.slot);
    rans.take(model.start(s), model.frequency[s]);
    if (rans.overrun) return { ok: false, reason: `class map ends at cell ${i} of ${data.length}` };
    model.learn(i, s);
    data[i] = coarse ? 2 * s : s;
  }
  if (!rans.intact) return { ok: false, reason: 'class map does not end where its cells end' };
  return { ok: true, value: { rows, columns, data } };
}

/** Adaptive distributions of the classes by context; the same at both ends. */
class ContextModel {
  /** Frequencies of the current context, each >= 1, sum 65536. */
  readonly frequency: Uint32Array;
  private readonly n: number;
  private readonly counts: Int32Array; // [context][class]
  private readonly sums: Int32Array; // [context]
  private readonly columns: number;
  private readonly seen: Int8Array; // [row][column], symbols so far
  private context = 0;

  constructor(tables: ModelTables, coarse: boolean, { rows, columns }: GridShape) {
    const start = coarse ? tables.classContext.coarse : tables.classContext.fine;
    this.n = coarse ? CLASSES / 2 : CLASSES;
    this.frequency = new Uint32Array(this.n);
    this.counts = start.slice();
    this.sums = new Int32Array(start.length / this.n);
    for (let i = 0; i < start.length; i++) this.sums[Math.floor(i / this.n)] += start[i];
    this.columns = columns;
    this.seen = new Int8Array(rows * columns);
  }

  /** Takes the context of cell i: frequency = 1 + floor(count (65536 - n) / sum), the rest to the likeliest class. */
  enter(i: number): void {
    const { n, seen, columns, counts, frequency } = this;
    const column = i % columns;
    const west = column > 0 ? seen[i - 1] : -1;
    const north = i >= columns ? seen[i - columns] : -1;
    const east = i >= columns && column + 1 < columns ? seen[i - columns + 1] : north;
    const step = Math.min(NEAR, Math.max(-NEAR, east - north)) + NEAR;
    this.context = ((west + 1) * (n + 1) + north + 1) * CONTEXT_STEPS + step;
    const at = this.context * n;
    const sum = this.sums[this.context];
    let rest = RANS_TOTAL;
    let likeliest = 0;
    for (let s = 0; s < n; s++) {
      frequency[s] = 1 + Math.floor((counts[at + s] * (RANS_TOTAL - n)) / sum);
      rest -= frequency[s];
      if (counts[at + s] > counts[at + likeliest]) likeliest = s;
    }
    frequency[likeliest] += rest;
  }

  /** A cell whose class is known stands in the contexts of others and teaches nothing. */
  pass(i: number, s: number): void {
    this.seen[i] = s;
  }

  start(s: number): number {
    let sum = 0;
    for (let i = 0; i < s; i++) sum += this.frequency[i];
    return sum;
  }

  /** The class whose interval holds the slot. */
  find(slot: number): number {
    let s = 0;
    for (let end = this.frequency[0]; end <= slot; end += this.frequency[s]) s++;
    return s;
  }

  learn(i: number, s: number): void {
    const at = this.context * this.n;
    this.seen[i] = s;
    this.counts[at + s] += INCREMENT;
    this.sums[this.context] += INCREMENT;
    if (this.sums[this.context] <= HIGHEST_SUM) return;
    let sum = 0;
    for (let k = 0; k < this.n; k++) sum += this.counts[at + k] = Math.max(1, this.counts[at + k] >> 1);
    this.sums[this.context] = sum;
  }
}

function checkGrid({ rows, columns }: GridShape): void {
  if (!(rows >= 1 && columns >= 1 && rows * columns <= MAX_CELLS)) {
    throw new UsageError(`grid of ${rows} x ${columns} cells is out of range: allowed 1 to ${MAX_CELLS} cells`);
  }
}
