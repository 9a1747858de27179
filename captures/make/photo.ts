import { loadDemoPhoto } from '../../src/sct/image/demo.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';
import { encodePng } from '../../src/sct/image/save.ts';

/** The demo photo at half its size (384x256) as PNG: means of 2x2 samples in integers, the same on every machine. */
export async function smallDemoPhoto(): Promise<Uint8Array> {
  const { width, height, data } = await loadDemoPhoto();
  const half = new Uint8Array(data.length / 4);
  let to = 0;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      for (let c = 0; c < 3; c++) {
        const at = (y * width + x) * 3 + c;
        const below = at + width * 3;
        half[to++] = (data[at] + data[at + 3] + data[below] + data[below + 3] + 2) >> 2;
      }
    }
  }
  return encodePng(rgbImage(width / 2, height / 2, half));
}
