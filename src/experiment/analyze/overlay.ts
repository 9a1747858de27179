import { type RgbImage, rgbImage } from '../../sct/image/rgb-image.ts';
import type { Partition } from '../../sct/partition/partition.ts';

/** The photo with the borders between SFVs drawn on it: white, two pixels wide, with a dark edge. */
export function outlinePicture(photo: RgbImage, partition: Partition): RgbImage {
  const { width, height } = photo;
  const data = photo.data.slice();
  const sfvAt = (x: number, y: number) =>
    partition.sfvOf[Math.min(partition.rows - 1, y >> 4) * partition.columns + Math.min(partition.columns - 1, x >> 4)];
  const nearBorder = (x: number, y: number, reach: number) => {
    const own = sfvAt(x, y);
    for (const [dx, dy] of [
      [-reach, 0],
      [reach, 0],
      [0, -reach],
      [0, reach],
    ]) {
      const [nx, ny] = [x + dx, y + dy];
      if (nx >= 0 && ny >= 0 && nx < width && ny < height && sfvAt(nx, ny) !== own) return true;
    }
    return false;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!nearBorder(x, y, 2)) continue;
      const at = 3 * (y * width + x);
      data.fill(nearBorder(x, y, 1) ? 255 : 24, at, at + 3);
    }
  }
  return rgbImage(width, height, data);
}

/**
 * For each SFV the middle of the cell that lies deepest inside it (city-block distance to its border; ties: nearest to its
 * centre of mass), in cells: where a number can stand.
 */
export function labelPoints(
  partition: Pick<Partition, 'rows' | 'columns' | 'sfvOf' | 'sfvs'>,
): { x: number; y: number; depth: number }[] {
  const { rows, columns, sfvOf, sfvs } = partition;
  const depth = new Int32Array(rows * columns);
  const other = (r: number, c: number, own: number) =>
    r < 0 || c < 0 || r >= rows || c >= columns || sfvOf[r * columns + c] !== own;
  const pass = (r: number, c: number, dr: number, dc: number) => {
    const own = sfvOf[r * columns + c];
    const a = other(r + dr, c, own) ? 0 : depth[(r + dr) * columns + c];
    const b = other(r, c + dc, own) ? 0 : depth[r * columns + c + dc];
    return 1 + Math.min(a, b);
  };
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) depth[r * columns + c] = pass(r, c, -1, -1);
  for (let r = rows - 1; r >= 0; r--) {
    for (let c = columns - 1; c >= 0; c--) {
      depth[r * columns + c] = Math.min(depth[r * columns + c], pass(r, c, 1, 1));
    }
  }
  const centre = sfvs.map(() => [0, 0]);
  sfvOf.forEach((id, i) => {
    centre[id][0] += (i % columns) / sfvs[id].cells;
    centre[id][1] += Math.floor(i / columns) / sfvs[id].cells;
  });
  const best = sfvs.map(() => ({ x: 0, y: 0, depth: 0, off: Number.POSITIVE_INFINITY }));
  sfvOf.forEach((id, i) => {
    const [x, y] = [i % columns, Math.floor(i / columns)];
    const off = (x - centre[id][0]) ** 2 + (y - centre[id][1]) ** 2;
    const b = best[id];
    if (depth[i] > b.depth || (depth[i] === b.depth && off < b.off)) {
      best[id] = { x: x + 0.5, y: y + 0.5, depth: depth[i], off };
    }
  });
  return best.map(({ x, y, depth: d }) => ({ x, y, depth: d }));
}
