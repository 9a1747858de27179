import type { RgbImage } from '../../../src/sct/image/rgb-image.ts';

/** The integer pictures of test/vectors/quality/make_ms_ssim.py. */
export function syntheticSource(width: number, height: number): RgbImage {
  return fill(width, height, (x, y, c) => {
    const v = (x * (3 + 2 * c) + y * (7 - c) + Math.floor((x * y) / 16)) % 510;
    return Math.abs(v - 255);
  });
}

export function distort(image: RgbImage, kind: string): RgbImage {
  return fill(image.width, image.height, (x, y, c) => {
    const a = image.data[(y * image.width + x) * 3 + c];
    if (kind === 'coarse') return ((a >> 5) << 5) + 16;
    if (kind === 'inverted') return 255 - a;
    const amplitude = Number(kind.replace('noise', ''));
    const hash = (Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(c, 83492791)) >>> 0;
    return Math.min(255, Math.max(0, a + ((hash >>> 13) % (2 * amplitude + 1)) - amplitude));
  });
}

export function fill(width: number, height: number, f: (x: number, y: number, c: number) => number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++, i++) data[i] = f(x, y, c);
  return { width, height, data };
}
