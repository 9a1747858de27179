import { flatImage, type RgbImage } from '../../../sct/image/rgb-image.ts';
import { savePng } from '../../../sct/image/save.ts';

const GAP_PX = 6;

/** Pictures of one size side by side, rows under one another, on white; for looking at. */
export function pictureSheet(rows: readonly (readonly RgbImage[])[]): RgbImage {
  const columns = Math.max(...rows.map((r) => r.length));
  const width = Math.max(...rows.flat().map((i) => i.width));
  const heights = rows.map((r) => Math.max(...r.map((i) => i.height)));
  const sheet = flatImage(
    columns * (width + GAP_PX) - GAP_PX,
    heights.reduce((sum, h) => sum + h + GAP_PX, -GAP_PX),
    255,
  );
  let top = 0;
  rows.forEach((row, r) => {
    row.forEach((image, c) => {
      for (let y = 0; y < image.height; y++) {
        const from = 3 * y * image.width;
        const to = 3 * ((top + y) * sheet.width + c * (width + GAP_PX));
        sheet.data.set(image.data.subarray(from, from + 3 * image.width), to);
      }
    });
    top += heights[r] + GAP_PX;
  });
  return sheet;
}

/** The picture with some cells of 16 pixels painted grey. */
export function withHoles(image: RgbImage, cells: Uint8Array, columns: number): RgbImage {
  const data = Uint8Array.from(image.data);
  for (let y = 0, p = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++, p++) {
      if (cells[(y >> 4) * columns + (x >> 4)] !== 0) data.fill(128, 3 * p, 3 * p + 3);
    }
  }
  return { ...image, data };
}

/** Writes a sheet, when there is anything to show. */
export async function saveSheet(path: string, rows: readonly (readonly RgbImage[])[]): Promise<void> {
  if (rows.length > 0) await savePng(path, pictureSheet(rows));
}
