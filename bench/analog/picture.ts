import { RandomStream } from '../../src/common/random.ts';
import type { GreyPlane } from './linear-code.ts';

/**
 * A made-up grey picture with what photographs have: smooth shading, edges at all scales ("dead leaves": discs of grey that cover each
 * other, radii from a power law r^-3, whose spectrum falls as that of photographs does [Lee01]) and a patch of fine texture.
 */
export function syntheticPicture(columns = 768, rows = 512, seed = 1): GreyPlane {
  const random = new RandomStream(seed).fork('synthetic-picture');
  const data = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) data[r * columns + c] = 90 + (70 * r) / rows;
  for (let i = 0; i < 900; i++) {
    // Density r^-3 between 4 and 160 pixels, by inversion.
    const u = random.uniform();
    const radius = 1 / Math.sqrt((1 - u) / 16 + u / 25600);
    const x = random.between(-50, columns + 50);
    const y = random.between(-50, rows + 50);
    const grey = random.between(10, 245);
    const tilt = random.between(-0.3, 0.3);
    for (let r = Math.max(0, Math.ceil(y - radius)); r < Math.min(rows, y + radius); r++) {
      const half = Math.sqrt(radius * radius - (r - y) ** 2);
      for (let c = Math.max(0, Math.ceil(x - half)); c < Math.min(columns, x + half); c++) {
        data[r * columns + c] = Math.min(255, Math.max(0, grey + tilt * (c - x)));
      }
    }
  }
  for (let r = rows >> 1; r < rows; r++) {
    for (let c = 0; c < columns >> 2; c++) {
      const v = data[r * columns + c] + 18 * random.normal();
      data[r * columns + c] = Math.min(255, Math.max(0, v));
    }
  }
  return { rows, columns, data };
}
