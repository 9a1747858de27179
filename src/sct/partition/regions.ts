/** Connected regions of equal labels (4 neighbours), numbered in the order of their first cell. */
export interface Regions {
  readonly regionOf: Int32Array; // [row][column]
  readonly labels: Uint8Array; // [region]
  readonly cells: Int32Array; // [region]
}

/** Finds the connected regions of a label grid. O(cells). */
export function connectedRegions(labels: Uint8Array, rows: number, columns: number): Regions {
  const regionOf = new Int32Array(labels.length).fill(-1);
  const ofRegion: number[] = [];
  const cells: number[] = [];
  const queue = new Int32Array(labels.length);
  for (let start = 0; start < labels.length; start++) {
    if (regionOf[start] >= 0) continue;
    const region = ofRegion.length;
    const label = labels[start];
    let end = 1;
    queue[0] = start;
    regionOf[start] = region;
    for (let i = 0; i < end; i++) {
      const at = queue[i];
      const column = at % columns;
      if (column > 0) end = visit(at - 1, end);
      if (column + 1 < columns) end = visit(at + 1, end);
      if (at >= columns) end = visit(at - columns, end);
      if (at + columns < rows * columns) end = visit(at + columns, end);
    }
    ofRegion.push(label);
    cells.push(end);

    function visit(to: number, count: number): number {
      if (regionOf[to] >= 0 || labels[to] !== label) return count;
      regionOf[to] = region;
      queue[count] = to;
      return count + 1;
    }
  }
  return { regionOf, labels: Uint8Array.from(ofRegion), cells: Int32Array.from(cells) };
}

/**
 * Which SFV each region belongs to when at most `maxSfvs` are allowed. Both ends compute it from the labels alone.
 *
 * Up to `maxSfvs` regions: each is an SFV of its own. More: the largest region of every label, then the largest others
 * (ties: the earlier region), found SFVs; every further region joins the SFV of its own label that is nearest (city
 * block distance over the grid, ties: the earlier SFV), so that a cell's label is always its SFV's. A map with more labels
 * than `maxSfvs` gets one SFV for each label.
 *
 * @returns SFV of each region, SFVs numbered in the order of their founding regions
 */
export function groupRegions(regions: Regions, rows: number, columns: number, maxSfvs: number): Uint8Array {
  const count = regions.labels.length;
  const founders = foundingRegions(regions, maxSfvs);
  const sfvOf = new Uint8Array(count);
  const isFounder = new Uint8Array(count);
  founders.forEach((region, sfv) => {
    sfvOf[region] = sfv;
    isFounder[region] = 1;
  });
  if (founders.length === count) return sfvOf;
  const labelsLeft = new Set<number>();
  for (let region = 0; region < count; region++) if (!isFounder[region]) labelsLeft.add(regions.labels[region]);
  const joined = new Uint8Array(count);
  for (const label of labelsLeft) {
    const nearest = nearestFounder(regions, rows, columns, label, isFounder, sfvOf);
    for (let at = 0; at < nearest.distance.length; at++) {
      const region = regions.regionOf[at];
      if (isFounder[region] || regions.labels[region] !== label) continue;
      // The cell of the region that is nearest to a founder decides, the first one of equals.
      const key = nearest.distance[at];
      if (joined[region] === 0 || key < nearest.best[region]) {
        joined[region] = 1;
        nearest.best[region] = key;
        sfvOf[region] = nearest.sfv[at];
      }
    }
  }
  return sfvOf;
}

function foundingRegions(regions: Regions, maxSfvs: number): number[] {
  const bySize = Array.from(regions.cells.keys()).sort((a, b) => regions.cells[b] - regions.cells[a] || a - b);
  if (bySize.length <= maxSfvs) return bySize.sort((a, b) => a - b);
  const chosen = new Set<number>();
  const labels = new Set<number>();
  for (const region of bySize) {
    if (labels.has(regions.labels[region])) continue;
    labels.add(regions.labels[region]);
    chosen.add(region);
  }
  for (const region of bySize) {
    if (chosen.size >= maxSfvs) break;
    chosen.add(region);
  }
  return [...chosen].sort((a, b) => a - b);
}

/** Distance of every cell to the founders of one label, and the SFV of the nearest: breadth first from all of them. */
function nearestFounder(
  regions: Regions,
  rows: number,
  columns: number,
  label: number,
  isFounder: Uint8Array,
  sfvOf: Uint8Array,
): { distance: Int32Array; sfv: Uint8Array; best: Int32Array } {
  const cells = rows * columns;
  const distance = new Int32Array(cells).fill(-1);
  const sfv = new Uint8Array(cells);
  const queue = new Int32Array(cells);
  let end = 0;
  for (let at = 0; at < cells; at++) {
    const region = regions.regionOf[at];
    if (!isFounder[region] || regions.labels[region] !== label) continue;
    distance[at] = 0;
    sfv[at] = sfvOf[region];
    queue[end++] = at;
  }
  for (let i = 0; i < end; i++) {
    const at = queue[i];
    const column = at % columns;
    if (column > 0) reach(at - 1);
    if (column + 1 < columns) reach(at + 1);
    if (at >= columns) reach(at - columns);
    if (at + columns < cells) reach(at + columns);

    function reach(to: number): void {
      if (distance[to] < 0) {
        distance[to] = distance[at] + 1;
        sfv[to] = sfv[at];
        queue[end++] = to;
      } else if (distance[to] === distance[at] + 1 && sfv[at] < sfv[to]) sfv[to] = sfv[at];
    }
  }
  return { distance, sfv, best: new Int32Array(regions.labels.length) };
}
