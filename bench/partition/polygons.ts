import type { ClassMap } from '../../src/sct/semantics/feature-map.ts';

/** What the borders of a label map cost as simplified polygons, each border once, and what they still get right. */
export interface PolygonFigures {
  readonly agreement: number;
  readonly bytes: number;
  readonly vertices: number;
}

interface Arc {
  readonly points: readonly (readonly [number, number])[]; // corners of cells, x, y
  readonly left: number;
  readonly right: number;
}

/**
 * The alternative to the coded lattice, counted in its favour: borders between regions are cut into arcs at junctions and the
 * edge of the picture, simplified by Douglas-Peucker and filled at the cells' centres. Bits, without headers or the ends of
 * arcs: 1 bit for each way an arc can go, a junction or start one position on the grid, every further vertex its
 * displacement at the entropy of the whole arc set (that is, of tables made for this very picture), one label a region.
 */
export function polygonFigures(map: ClassMap, raw: ClassMap, tolerance: number, labelBits: number): PolygonFigures {
  const { rows, columns } = map;
  const arcs = borderArcs(map).map((arc) => ({ ...arc, points: douglasPeucker(arc.points, tolerance) }));
  const steps = new Map<string, number>();
  const starts = new Set<string>();
  let vertices = 0;
  for (const { points } of arcs) {
    starts.add(String(points[0])).add(String(points[points.length - 1]));
    for (let i = 1; i + 1 < points.length; i++) {
      const step = `${points[i][0] - points[i - 1][0]} ${points[i][1] - points[i - 1][1]}`;
      steps.set(step, (steps.get(step) ?? 0) + 1);
      vertices++;
    }
  }
  // Entropy of a displacement, at least that of its direction in quadrant and length class.
  let bits = starts.size * Math.log2((rows + 1) * (columns + 1)) + arcs.length;
  for (const n of steps.values()) bits += n * Math.max(4, Math.log2(vertices / n));
  bits += labelBits * new Set(arcs.flatMap((a) => [a.left, a.right])).size;
  return { agreement: filled(arcs, map, raw), bytes: bits / 8, vertices };
}

function borderArcs({ rows, columns, data }: ClassMap): Arc[] {
  const label = (r: number, c: number) => (r < 0 || c < 0 || r >= rows || c >= columns ? -1 : data[r * columns + c]);
  // Border edges inside the picture between neighbouring corners.
  const edge = (x: number, y: number, d: number): [number, number] | null => {
    // Labels left and right of the step from (x, y) in direction d (0 right, 1 down, 2 left, 3 up); null without border.
    const sides = [
      [label(y - 1, x), label(y, x)],
      [label(y, x), label(y, x - 1)],
      [label(y, x - 1), label(y - 1, x - 1)],
      [label(y - 1, x - 1), label(y - 1, x)],
    ][d] as [number, number];
    return sides[0] === sides[1] || sides[0] < 0 || sides[1] < 0 ? null : sides;
  };
  const moves = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ];
  const degree = (x: number, y: number) => [0, 1, 2, 3].filter((d) => edge(x, y, d)).length;
  const used = new Set<string>();
  const arcs: Arc[] = [];
  const follow = (x0: number, y0: number, d0: number) => {
    const sides = edge(x0, y0, d0)!;
    const points: [number, number][] = [[x0, y0]];
    let [x, y, d] = [x0, y0, d0];
    for (;;) {
      used.add(`${x} ${y} ${d}`);
      [x, y] = [x + moves[d][0], y + moves[d][1]];
      used.add(`${x} ${y} ${(d + 2) & 3}`);
      points.push([x, y]);
      if (degree(x, y) !== 2 || (x === x0 && y === y0)) break;
      d = [0, 1, 2, 3].find((e) => e !== ((d + 2) & 3) && edge(x, y, e))!;
    }
    arcs.push({ points, left: sides[0], right: sides[1] });
  };
  for (const junctionsOnly of [true, false]) {
    for (let y = 0; y <= rows; y++) {
      for (let x = 0; x <= columns; x++) {
        if (junctionsOnly && degree(x, y) === 2) continue;
        for (let d = 0; d < 4; d++) if (edge(x, y, d) && !used.has(`${x} ${y} ${d}`)) follow(x, y, d);
      }
    }
  }
  return arcs;
}

function douglasPeucker(points: Arc['points'], tolerance: number): Arc['points'] {
  const last = points.length - 1;
  if (last < 2) return points;
  const [[ax, ay], [bx, by]] = [points[0], points[last]];
  const length = Math.hypot(bx - ax, by - ay);
  let [far, at] = [-1, 0];
  for (let i = 1; i < last; i++) {
    const [px, py] = points[i];
    const distance =
      length > 0 ? Math.abs((bx - ax) * (ay - py) - (ax - px) * (by - ay)) / length : Math.hypot(px - ax, py - ay);
    if (distance > far) [far, at] = [distance, i];
  }
  if (far <= tolerance && length > 0) return [points[0], points[last]];
  return [
    ...douglasPeucker(points.slice(0, at + 1), tolerance).slice(0, -1),
    ...douglasPeucker(points.slice(at), tolerance),
  ];
}

/** Share of the cells whose label is the raw one when arcs are filled row by row: the last arc crossed decides. */
function filled(arcs: readonly Arc[], map: ClassMap, raw: ClassMap): number {
  let same = 0;
  for (let r = 0; r < map.rows; r++) {
    const y = r + 0.5;
    const crossings: { x: number; west: number; east: number }[] = [];
    for (const { points, left, right } of arcs) {
      for (let i = 1; i < points.length; i++) {
        const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
        if (ay < y === by < y) continue;
        const x = ax + ((y - ay) / (by - ay)) * (bx - ax);
        crossings.push(by > ay ? { x, west: right, east: left } : { x, west: left, east: right });
      }
    }
    crossings.sort((a, b) => a.x - b.x);
    for (let c = 0; c < map.columns; c++) {
      let label = crossings.length > 0 ? crossings[0].west : map.data[r * map.columns];
      for (const crossing of crossings) if (crossing.x < c + 0.5) label = crossing.east;
      if (label === raw.data[r * map.columns + c]) same++;
    }
  }
  return same / raw.data.length;
}
