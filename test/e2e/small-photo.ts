import { writeFile } from 'node:fs/promises';
import { RandomStream } from '../../src/common/random.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';

/** Writes a PNG with smooth parts and an edge, the same every time. */
export async function smallPhoto(path: string, width: number, height: number): Promise<void> {
  const random = new RandomStream(7);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    const edge = (x - 60) ** 2 + (y - 40) ** 2 < 900 ? 90 : 0;
    data[i] = 60 + edge + 40 * Math.sin(x / 17 + c) + 4 * random.uniform();
  }
  await writeFile(path, await encodePng(rgbImage(width, height, data)));
}
