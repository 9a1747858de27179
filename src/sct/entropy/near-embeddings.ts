/** Largest squared distance of an embedding that predicts another, in cells. */
const REACH = 20;

/** Steps (rows, columns) to cells before in rows, nearest first, then by row and column. */
const AROUND = (() => {
  const side = Math.floor(Math.sqrt(REACH));
  const steps: [distance: number, row: number, column: number][] = [];
  for (let row = -side; row <= 0; row++) {
    for (let column = -side; column <= side; column++) {
      const distance = row ** 2 + column ** 2;
      if (distance > 0 && distance <= REACH && (row < 0 || column < 0)) steps.push([distance, row, column]);
    }
  }
  return steps.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
})();

/** Of each cell of a code, the two nearest that are coded before it; positions in the list of cells, -1 for none. */
export interface NearCells {
  readonly first: Int32Array; // [position in cells]
  readonly second: Int32Array; // [position in cells]
}

/**
 * Finds them: up to 4 rows above or in the same row to the left, at most a squared distance of 20 away; by distance, then the higher row,
 * then the more left column. O(cells x 34).
 *
 * @param cells indices row x columns + column, in the order of coding
 * @param places of the whole grid, all -1; left so
 */
export function nearCells(cells: ArrayLike<number>, columns: number, places: Int32Array): NearCells {
  const first = new Int32Array(cells.length).fill(-1);
  const second = new Int32Array(cells.length).fill(-1);
  for (let i = 0; i < cells.length; i++) {
    const column = cells[i] % columns;
    for (const [, up, aside] of AROUND) {
      const at = cells[i] + up * columns + aside;
      if (at < 0 || column + aside < 0 || column + aside >= columns) continue;
      const place = places[at];
      if (place < 0) continue;
      if (first[i] >= 0) {
        second[i] = place;
        break;
      }
      first[i] = place;
    }
    places[cells[i]] = i;
  }
  for (let i = 0; i < cells.length; i++) places[cells[i]] = -1;
  return { first, second };
}

/**
 * What the near embeddings say of channel c of the cell at position i: their mean, rounded down, or the only one's; undefined where
 * there is none. Integers, so both ends say the same.
 *
 * @param symbols [position in cells][channel]; those of earlier positions are read
 */
export function predicted(
  { first, second }: NearCells,
  symbols: Int16Array,
  channels: number,
  i: number,
  c: number,
): number | undefined {
  if (first[i] < 0) return undefined;
  const one = symbols[first[i] * channels + c];
  return second[i] < 0 ? one : (one + symbols[second[i] * channels + c]) >> 1;
}
