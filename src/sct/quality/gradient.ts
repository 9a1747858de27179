import { UsageError } from '../../common/errors.ts';
import { type RgbImage, requireSameSize } from '../image/rgb-image.ts';
import { luma } from './ssim.ts';

/** Luma differences of neighbouring pixels, by where the pair lies. */
interface GradientSums {
  /** Both pixels inside the mask. */
  insideSquares: number;
  insidePairs: number;
  /** One pixel inside, one outside. */
  borderSquares: number;
  borderPairs: number;
}

/**
 * Gradient energy of a masked region against the same region of the original: sum over horizontal and vertical
 * neighbours that both lie inside of (luma difference)^2, received / source. Regenerated texture should lie near 1;
 * a flat colour gives 0.
 *
 * @param mask not 0 inside, [y][x]
 * @returns null when no pair lies inside or the source is flat there
 * @throws UsageError when sizes differ
 */
export function gradientEnergyRatio(source: RgbImage, received: RgbImage, mask: Uint8Array): number | null {
  requireSameSize(source, received);
  const a = gradientSums(source, mask);
  const b = gradientSums(received, mask);
  return a.insidePairs === 0 || a.insideSquares === 0 ? null : b.insideSquares / a.insideSquares;
}

/**
 * How much a region's border stands out: root mean square luma difference of neighbours of which one is inside the mask and
 * one outside, over that of neighbours that are both inside. A seam gives more than 1. Borders of real objects do too:
 * compare with the ratio of the original.
 *
 * @returns null without a border, without a pair inside, or where the inside is flat
 * @throws UsageError when the mask's size is not the picture's
 */
export function borderGradientRatio(image: RgbImage, mask: Uint8Array): number | null {
  const s = gradientSums(image, mask);
  if (s.borderPairs === 0 || s.insidePairs === 0 || s.insideSquares === 0) return null;
  return Math.sqrt(s.borderSquares / s.borderPairs / (s.insideSquares / s.insidePairs));
}

function gradientSums(image: RgbImage, mask: Uint8Array): GradientSums {
  const { width, height } = image;
  if (mask.length !== width * height) {
    throw new UsageError(`mask has ${mask.length} elements, the picture ${width}x${height} needs one a pixel`);
  }
  const y = luma(image);
  const s = { insideSquares: 0, insidePairs: 0, borderSquares: 0, borderPairs: 0 };
  const pair = (p: number, q: number) => {
    const inside = (mask[p] !== 0 ? 1 : 0) + (mask[q] !== 0 ? 1 : 0);
    if (inside === 0) return;
    const square = (y[p] - y[q]) ** 2;
    if (inside === 1) {
      s.borderSquares += square;
      s.borderPairs++;
    } else {
      s.insideSquares += square;
      s.insidePairs++;
    }
  };
  for (let r = 0, p = 0; r < height; r++) {
    for (let c = 0; c < width; c++, p++) {
      if (c + 1 < width) pair(p, p + 1);
      if (r + 1 < height) pair(p, p + width);
    }
  }
  return s;
}
