import type { BitReader, BitWriter } from '../../common/bits.ts';
import { FormatError, inRange, UsageError } from '../../common/errors.ts';
import { CODED } from '../entropy/class-map-code.ts';
import { MAX_GRID_SIDE } from '../partition/label-map-code.ts';
import type { Partition } from '../partition/partition.ts';
import { type CellRectangle, cutPartition, insideGrid, keptFirst } from '../partition/select.ts';
import type { ClassMap, GridShape } from '../semantics/feature-map.ts';

/** What selective mode sends of which SFVs it keeps; of the others only label and one entropy class go over the air. */
export interface Selection {
  /** 1 = kept; [SFV id of the partition as sent, cut by the rectangle, before kept ones come first]. At least one 1. */
  readonly kept: Uint8Array;
  /** Along which SFVs are cut; undefined: none. */
  readonly rectangle: CellRectangle | undefined;
  /** Even class 0..14 of every SFV that is not kept, for all its cells; [id - number of kept SFVs]. */
  readonly classes: Uint8Array;
}

const SIDE_BITS = 9; // 0..511: cells along the side of a grid
/** Bits of an even class, halved. */
export const CLASS_BITS = 3;

/** Number of SFVs that are kept: ids below it are streams. */
export function keptCount(selection: Selection): number {
  return selection.kept.reduce((a, b) => a + b, 0);
}

/** Bits of a selection beside the SFV table of the codec, which has entries for kept SFVs only. */
export function selectionBits(sfvs: number, kept: number, rectangle: boolean): number {
  return 1 + (rectangle ? 4 * SIDE_BITS : 0) + sfvs + CLASS_BITS * (sfvs - kept);
}

/** Rectangle flag, column, row, columns - 1, rows - 1 with 9 bits each; one bit an SFV; 3 bits of class / 2 for each not kept. */
export function writeSelection(w: BitWriter, { kept, rectangle, classes }: Selection): void {
  const count = kept.reduce((a, b) => a + b, 0);
  if (count < 1 || classes.length !== kept.length - count || kept.some((k) => k > 1)) {
    throw new UsageError(`selection keeps ${count} of ${kept.length} SFVs and has ${classes.length} classes of others`);
  }
  w.write(rectangle ? 1 : 0, 1);
  if (rectangle) {
    const { column, row, columns, rows } = rectangle;
    for (const v of [column, row, columns - 1, rows - 1]) {
      w.write(inRange('rectangle', v, 0, MAX_GRID_SIDE - 1, 'cells'), SIDE_BITS);
    }
  }
  for (const k of kept) w.write(k, 1);
  for (const c of classes) {
    inRange('class of an SFV', c, 0, 14);
    if (c % 2 === 1) throw new UsageError(`class ${c} of an SFV is odd: allowed even ones`);
    w.write(c / 2, CLASS_BITS);
  }
}

/** @throws FormatError naming the field */
export function readSelection(r: BitReader, sfvs: number, grid: GridShape): Selection {
  let rectangle: CellRectangle | undefined;
  if (r.read(1, 'rectangle') === 1) {
    const [column, row, columns, rows] = ['column', 'row', 'columns', 'rows'].map((f) =>
      r.read(SIDE_BITS, `rectangle ${f}`),
    );
    rectangle = { column, row, columns: columns + 1, rows: rows + 1 };
    if (!insideGrid(rectangle, grid)) {
      throw new FormatError('rectangle', `is not inside a grid of ${grid.columns}x${grid.rows} cells`);
    }
  }
  const kept = Uint8Array.from({ length: sfvs }, () => r.read(1, 'kept SFVs'));
  const count = kept.reduce((a, b) => a + b, 0);
  if (count === 0) throw new FormatError('kept SFVs', 'there is none');
  const classes = Uint8Array.from({ length: sfvs - count }, () => 2 * r.read(CLASS_BITS, 'class of an SFV'));
  return { kept, rectangle, classes };
}

/**
 * The partition that both ends use: cut along the rectangle, kept SFVs first.
 *
 * @param sent as decodePartition gives it
 * @throws UsageError when the selection does not fit the partition
 */
export function applySelection(
  sent: Partition,
  { kept, rectangle }: Pick<Selection, 'kept' | 'rectangle'>,
): { partition: Partition; newId: Uint8Array } {
  const cut = rectangle ? cutPartition(sent, rectangle) : sent;
  if (cut.sfvs.length !== kept.length) {
    throw new UsageError(`the table has ${kept.length} SFVs, the partition ${cut.sfvs.length}`);
  }
  return keptFirst(cut, kept);
}

/** Classes that need no code: those of SFVs that are not kept; CODED elsewhere. [row][column] */
export function knownClasses(partition: Partition, selection: Selection): Uint8Array {
  const kept = keptCount(selection);
  return partition.sfvOf.map((id) => (id < kept ? CODED : selection.classes[id - kept]));
}

/** The class of its SFV in every cell. */
export function flatClassMap({ rows, columns, sfvOf }: Partition, classes: Uint8Array): ClassMap {
  return { rows, columns, data: sfvOf.map((id) => classes[id]) };
}

/** Even class nearest to the mean class of each SFV that is not kept; [id - kept]. */
export function classesOfOthers(partition: Partition, classMap: ClassMap, kept: number): Uint8Array {
  const sums = new Float64Array(partition.sfvs.length);
  partition.sfvOf.forEach((id, at) => {
    sums[id] += classMap.data[at];
  });
  const others = partition.sfvs.slice(kept);
  return Uint8Array.from(others, ({ id, cells }) => Math.min(14, 2 * Math.round(sums[id] / cells / 2)));
}

/** The class map as the receiver will have it: known classes in the place of the picture's own. */
export function withKnown(classMap: ClassMap, known: Uint8Array): ClassMap {
  return { ...classMap, data: classMap.data.map((c, at) => (known[at] === CODED ? c : known[at])) };
}
