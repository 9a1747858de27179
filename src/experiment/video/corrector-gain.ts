import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { CELL_PX } from '../../sct/semantics/feature-map.ts';
import { MOST_KEPT } from './frame-decoder.ts';

/** What the last correctly received frame was worth to the corrector: damaged places of the same frames with and without it. */
export interface CorrectorGain {
  readonly frames: number;
  /** PSNR over all damaged pixels of these frames together. */
  readonly withDb: number | null;
  readonly withoutDb: number | null;
  readonly gainDb: number | null;
}

interface KeptShown {
  readonly original: RgbImage;
  readonly shown: RgbImage;
  readonly damage: Float32Array;
  readonly columns: number;
}

/** Sums up squared errors in damaged cells of frames that were decoded both ways. */
export class GainMeter {
  private readonly kept = new Map<number, KeptShown>();
  private frames = 0;
  private pixels = 0;
  private readonly sums = { with: 0, without: 0 };

  /** A frame as it was shown, restored with the one before. */
  keep(key: number, kept: KeptShown): void {
    // The decoder keeps no more either.
    if (this.kept.size < MOST_KEPT) this.kept.set(key, kept);
  }

  /** The same frame decoded as if none had come before it. */
  compared(key: number, without: RgbImage): void {
    const kept = this.kept.get(key);
    if (!kept) return;
    this.kept.delete(key);
    const { original, shown, damage, columns } = kept;
    const { width, height } = original;
    this.frames++;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (!(damage[Math.floor(y / CELL_PX) * columns + Math.floor(x / CELL_PX)] > 0)) continue;
        this.pixels++;
        for (let i = 3 * (y * width + x), end = i + 3; i < end; i++) {
          this.sums.with += (shown.data[i] - original.data[i]) ** 2;
          this.sums.without += (without.data[i] - original.data[i]) ** 2;
        }
      }
    }
  }

  get result(): CorrectorGain | null {
    if (this.frames === 0 || this.pixels === 0) return null;
    const psnr = (sum: number) => (sum === 0 ? null : 10 * Math.log10((255 ** 2 * 3 * this.pixels) / sum));
    const [withDb, withoutDb] = [psnr(this.sums.with), psnr(this.sums.without)];
    const gainDb = withDb === null || withoutDb === null ? null : withDb - withoutDb;
    return { frames: this.frames, withDb, withoutDb, gainDb };
  }
}
