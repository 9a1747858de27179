import { basename } from 'node:path';
import { listImages } from '../../sct/image/list.ts';
import { loadImage } from '../../sct/image/load.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { cropImage, resizeImage } from '../../sct/image/save.ts';
import type { SourceFrame, StreamSizePx, VideoSource } from './video-source.ts';

/** Pictures kept in memory for the next time round, bytes; of a larger folder all are read each time. */
const MOST_KEPT_BYTES = 256 * 2 ** 20;
/** Pictures that are read before they are asked for. */
const AHEAD = 4;

/** The pictures of a folder in the order of their names, again and again. */
export class FolderSource implements VideoSource {
  private readonly files: readonly string[];
  private readonly sizePx: StreamSizePx;
  private readonly kept = new Map<number, Promise<RgbImage>>();
  private readonly keepsAll: boolean;
  private readonly loop: boolean;
  private at = 0;

  private constructor(files: readonly string[], sizePx: StreamSizePx, loop: boolean) {
    this.files = files;
    this.sizePx = sizePx;
    this.loop = loop;
    this.keepsAll = files.length * sizePx * sizePx * 3 <= MOST_KEPT_BYTES;
  }

  /**
   * @param loop after the last picture the first comes again
   * @throws UsageError when there is no such folder, or no picture in it; the first picture is read
   */
  static async open(path: string, sizePx: StreamSizePx, loop: boolean): Promise<FolderSource> {
    const source = new FolderSource(await listImages(path), sizePx, loop);
    await source.image(0);
    return source;
  }

  /** Reads all pictures that are kept, so that none is read while frames are due. */
  async warm(): Promise<void> {
    if (!this.keepsAll) return;
    for (let i = 0; i < this.files.length; i++) await this.image(i);
  }

  async next(): Promise<SourceFrame | null> {
    const { files, loop, at } = this;
    if (!loop && at >= files.length) return null;
    this.at = at + 1;
    for (let ahead = 1; ahead <= AHEAD; ahead++) {
      const index = (at + ahead) % files.length;
      if (loop || at + ahead < files.length) this.image(index).catch(() => undefined);
    }
    const index = at % files.length;
    const image = await this.image(index);
    if (!this.keepsAll) this.kept.delete(index);
    // Each time a picture of its own, though the bytes are the same: what is known of a picture lives as long as it does.
    return { image: { ...image }, capturedAtMs: null };
  }

  async close(): Promise<void> {
    this.kept.clear();
  }

  describe(): string {
    const { files, sizePx } = this;
    return `${files.length} pictures (${basename(files[0])} to ${basename(files.at(-1)!)}), centre ${sizePx}x${sizePx}`;
  }

  private image(index: number): Promise<RgbImage> {
    let image = this.kept.get(index);
    if (!image) {
      image = loadImage(this.files[index])
        .then((photo) => centreSquare(photo, this.sizePx))
        .then(shared);
      this.kept.set(index, image);
    }
    return image;
  }
}

/** The picture in memory that all threads see: nothing is copied from one to another. Not to be written to. */
function shared(image: RgbImage): RgbImage {
  const data = new Uint8Array(new SharedArrayBuffer(image.data.length));
  data.set(image.data);
  return { ...image, data };
}

/** The largest square in the middle of a picture, scaled to sizePx x sizePx. */
export function centreSquare(photo: RgbImage, sizePx: number): Promise<RgbImage> {
  const side = Math.min(photo.width, photo.height);
  const left = (photo.width - side) >> 1;
  const top = (photo.height - side) >> 1;
  const square = photo.width === photo.height ? photo : cropImage(photo, left, top, side, side);
  return resizeImage(square, sizePx, sizePx);
}
