/** Rows of the Models chapter that are read side by side: maps against measures, damage against ways to fill it. */

import type { ModelRow } from '../../src/experiment/bench/models/models-row.ts';
import { ranged, table } from './parts.ts';

interface Cell {
  readonly line: string;
  readonly column: string;
  readonly row: ModelRow;
}

/** A table with a line each and a column each of the cells, in the order of their first appearance. */
function pivot(first: string, cells: readonly Cell[], title: (column: string) => string): string {
  const lines = [...new Set(cells.map((c) => c.line))];
  const columns = [...new Set(cells.map((c) => c.column))];
  return table(
    [first, ...columns.map(title)],
    lines.map((line) => [
      line,
      ...columns.map((column) => {
        const cell = cells.find((c) => c.line === line && c.column === column);
        return cell ? ranged(cell.row) : '–';
      }),
    ]),
  );
}

/** What a row that a pivot shows still needs a line of its own for: that something was asked. */
function rest(rows: readonly ModelRow[], cells: readonly Cell[]): ModelRow[] {
  const shown = new Set(cells.map((c) => c.row));
  return rows.filter((r) => r.asked !== '' || !shown.has(r));
}

function cellsOf(rows: readonly ModelRow[], pattern: RegExp, place: (match: RegExpExecArray) => [string, string]) {
  return rows.flatMap((row): Cell[] => {
    const match = pattern.exec(row.what);
    if (!match) return [];
    const [line, column] = place(match);
    return [{ line, column, row }];
  });
}

const ERASED = /^top 20 % by (\S+) erased( and repaired)? against random 20 %: (drop of .+)$/;

/** Maps against measures, as erased and as repaired; and the rows that need a line of their own. */
export function faithfulnessPivot(rows: readonly ModelRow[]): { text: string | null; rest: ModelRow[] } {
  const cells = cellsOf(rows, ERASED, ([, map, repaired, what]) => [map, `${what}${repaired ? ', repaired' : ''}`]);
  const text = cells.length > 0 ? `Times the drop by a random 20 %:\n\n${pivot('map', cells, (c) => c)}` : null;
  return { text, rest: rest(rows, cells) };
}

const DAMAGED = /^(\w+, \w+, (?:whole SFVs|random 20 % of the cells), \d+ pictures): (.+)$/;

/** Damage against ways to fill it; and the rows that need a line of their own. */
export function repairPivot(rows: readonly ModelRow[]): { text: string | null; rest: ModelRow[] } {
  const cells = cellsOf(rows, DAMAGED, ([, damage, way]) => [damage, way]);
  const text = cells.length > 0 ? pivot('PSNR of the damaged cells, dB', cells, (c) => c) : null;
  return { text, rest: rest(rows, cells) };
}
