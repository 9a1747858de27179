import { UsageError } from '../../common/errors.ts';
import type { GridShape } from '../semantics/feature-map.ts';
import { MAX_SFVS } from './label-map-code.ts';
import type { Partition, Sfv } from './partition.ts';

/** A rectangle of whole cells. */
export interface CellRectangle {
  readonly column: number;
  readonly row: number;
  readonly columns: number; // at least 1
  readonly rows: number; // at least 1
}

/** Whether a rectangle has a cell and lies inside a grid. */
export function insideGrid({ column, row, columns, rows }: CellRectangle, grid: GridShape): boolean {
  const whole = [column, row, columns, rows].every(Number.isInteger);
  const positive = column >= 0 && row >= 0 && columns >= 1 && rows >= 1;
  return whole && positive && column + columns <= grid.columns && row + rows <= grid.rows;
}

/** 1 in the cells of a rectangle; [row][column]. */
export function rectangleMask(rectangle: CellRectangle, { rows, columns }: GridShape): Uint8Array {
  const mask = new Uint8Array(rows * columns);
  for (let r = rectangle.row; r < rectangle.row + rectangle.rows; r++) {
    const from = r * columns + rectangle.column;
    mask.fill(1, from, from + rectangle.columns);
  }
  return mask;
}

/**
 * Cuts SFVs along a rectangle: of every SFV that lies partly in it the part outside keeps the id, the part inside becomes an SFV
 * of its own with the next free id, in the order of the ids. Both ends compute it from the partition and four numbers. `bytes` stay
 * those of the partition that was cut.
 *
 * @throws UsageError when the rectangle is not inside the grid or more than 255 SFVs would result
 */
export function cutPartition(partition: Partition, rectangle: CellRectangle): Partition {
  if (!insideGrid(rectangle, partition)) {
    const { column, row, columns, rows } = rectangle;
    throw new UsageError(
      `rectangle of ${columns}x${rows} cells at column ${column}, row ${row} is out of range: ` +
        `the grid has ${partition.columns}x${partition.rows} cells`,
    );
  }
  const mask = rectangleMask(rectangle, partition);
  const inside = new Uint32Array(partition.sfvs.length);
  mask.forEach((m, at) => {
    inside[partition.sfvOf[at]] += m;
  });
  let next = partition.sfvs.length;
  const partOf = partition.sfvs.map(({ id, cells }) => (inside[id] > 0 && inside[id] < cells ? next++ : id));
  if (next > MAX_SFVS) {
    throw new UsageError(`the rectangle cuts ${partition.sfvs.length} SFVs into ${next}: allowed up to ${MAX_SFVS}`);
  }
  const sfvOf = partition.sfvOf.map((id, at) => (mask[at] ? partOf[id] : id));
  const sfvs: Sfv[] = [];
  for (const { id, label, cells } of partition.sfvs) {
    if (partOf[id] === id) sfvs[id] = { id, label, cells };
    else {
      sfvs[id] = { id, label, cells: cells - inside[id] };
      sfvs[partOf[id]] = { id: partOf[id], label, cells: inside[id] };
    }
  }
  return { ...partition, sfvOf, sfvs };
}

/**
 * Numbers the SFVs anew: kept ones first, each group in its old order. Ids below the number of kept SFVs are then streams.
 *
 * @param kept 1 for a kept SFV; [SFV id]
 * @returns the partition with new ids, and the new id of each old one
 */
export function keptFirst(partition: Partition, kept: Uint8Array): { partition: Partition; newId: Uint8Array } {
  const old = partition.sfvs.map((s) => s.id);
  const order = [...old.filter((id) => kept[id]), ...old.filter((id) => !kept[id])];
  const newId = new Uint8Array(order.length);
  order.forEach((id, place) => {
    newId[id] = place;
  });
  const sfvs = order.map((id, place) => ({ ...partition.sfvs[id], id: place }));
  return { partition: { ...partition, sfvOf: partition.sfvOf.map((id) => newId[id]), sfvs }, newId };
}
