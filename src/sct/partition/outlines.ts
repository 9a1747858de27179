import type { Partition } from './partition.ts';

/** A closed line along cell borders; corners x, y, x, y, ... in cells. */
export type Outline = readonly number[];

/**
 * Outlines of every SFV, corners only, in cells: outer borders clockwise (y downwards), holes the other way round, so that
 * both fill rules paint the SFV. At a corner where two of its cells touch only diagonally the line keeps to one cell.
 *
 * @returns [SFV][outline]
 */
export function sfvOutlines(partition: Pick<Partition, 'rows' | 'columns' | 'sfvOf' | 'sfvs'>): Outline[][] {
  const { rows, columns, sfvOf, sfvs } = partition;
  const width = columns + 1;
  // Directed border edges by their start corner and direction (0 right, 1 down, 2 left, 3 up), the SFV on the right.
  const edges = new Int16Array(4 * width * (rows + 1)).fill(-1);
  const at = (r: number, c: number) => (r < 0 || c < 0 || r >= rows || c >= columns ? -1 : sfvOf[r * columns + c]);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const own = at(r, c);
      if (at(r - 1, c) !== own) edges[4 * (r * width + c)] = own;
      if (at(r, c + 1) !== own) edges[4 * (r * width + c + 1) + 1] = own;
      if (at(r + 1, c) !== own) edges[4 * ((r + 1) * width + c + 1) + 2] = own;
      if (at(r, c - 1) !== own) edges[4 * ((r + 1) * width + c) + 3] = own;
    }
  }
  const out: Outline[][] = sfvs.map(() => []);
  for (let start = 0; start < edges.length; start++) {
    if (edges[start] >= 0) out[edges[start]].push(follow(edges, width, start));
  }
  return out;
}

const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
];

/** Follows and removes one closed line from an edge on, turning right (to its own cell) where it can. */
function follow(edges: Int16Array, width: number, start: number): Outline {
  const sfv = edges[start];
  const corners: number[] = [];
  let edge = start;
  let before = -1;
  do {
    edges[edge] = -1;
    const direction = edge & 3;
    const corner = edge >> 2;
    if (direction !== before) corners.push(corner % width, Math.floor(corner / width));
    before = direction;
    const next = corner + STEPS[direction][0] + width * STEPS[direction][1];
    edge =
      [1, 0, 3].map((turn) => 4 * next + ((direction + turn) & 3)).find((e) => e === start || edges[e] === sfv) ??
      start;
  } while (edge !== start);
  // The first corner is none when the line goes straight through it.
  if (before === (start & 3)) corners.splice(0, 2);
  return corners;
}

/** Outlines as the `d` of an SVG path, in units of `cellPx`. */
export function svgPath(outlines: readonly Outline[], cellPx: number): string {
  return outlines
    .map((line) => {
      let d = `M${line[0] * cellPx} ${line[1] * cellPx}`;
      for (let i = 2; i < line.length; i += 2) {
        d += line[i] === line[i - 2] ? `V${line[i + 1] * cellPx}` : `H${line[i] * cellPx}`;
      }
      return `${d}Z`;
    })
    .join('');
}
