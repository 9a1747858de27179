import type { SpectrumEvent } from '../state/events.ts';
import type { Ring } from '../state/ring.ts';
import { level, VIRIDIS_WORDS } from './colours.ts';

/** How spectra become lines of pixels. */
export interface WaterfallScale {
  /** The first and the last colour. */
  readonly lowDb: number;
  readonly highDb: number;
  /** Spectra a line. */
  readonly pool: number;
  /** Height of a line. */
  readonly linePx: number;
}

/**
 * Spectra as lines of pixels, newest on top. A line takes `pool` spectra and shows the strongest of them, as a pixel shows the strongest of its
 * bins: what is narrow or short stays in sight. Rows of pixels are kept as a ring, so that a line that is full moves nothing; only another scale or
 * size paints all of it again.
 */
export class WaterfallImage {
  private image = new ImageData(1, 1);
  private words = new Uint32Array(1); // [row][column], 0xAABBGGRR
  private strongest = new Float32Array(1);
  /** Row of the ring that is on top. */
  private top = 0;
  /** Rows that show something. */
  private filled = 0;
  private drawn = 0;
  private key = '';

  /** @param width @param height pixels of the screen */
  update(spectra: Ring<SpectrumEvent>, scale: WaterfallScale, width: number, height: number): void {
    const { pool, linePx } = scale;
    const key = [width, height, scale.lowDb, scale.highDb, pool, linePx].join(' ');
    const oldest = spectra.total - spectra.length;
    if (key !== this.key || spectra.total < this.drawn || this.drawn < oldest) this.begin(width, height, key);
    if (spectra.total === this.drawn) return;
    const last = Math.floor((spectra.total - 1) / pool);
    // The line on top may not have been full: it is painted again.
    const before = Math.floor((this.drawn - 1) / pool);
    if (this.drawn > 0) this.move((last - before) * linePx);
    const kept = Math.floor(oldest / pool);
    const first = Math.max(kept, Math.floor(this.drawn / pool), last - Math.ceil(height / linePx) + 1);
    for (let line = first; line <= last; line++) {
      this.strongestOf(spectra, line * pool, pool);
      this.fill((last - line) * linePx, scale);
    }
    this.filled = Math.min(height, (last - kept + 1) * linePx);
    this.drawn = spectra.total;
  }

  /** @param left @param top pixels of the screen */
  paint(g: CanvasRenderingContext2D, left: number, top: number): void {
    const { width, height } = this.image;
    const under = Math.min(this.filled, height - this.top);
    g.putImageData(this.image, left, top - this.top, 0, this.top, width, under);
    if (this.filled > under) g.putImageData(this.image, left, top + under, 0, 0, width, this.filled - under);
  }

  private begin(width: number, height: number, key: string): void {
    this.image = new ImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
    this.strongest = new Float32Array(width);
    this.top = this.filled = this.drawn = 0;
    this.key = key;
  }

  /** Room for so many rows on top; what was at the bottom goes. */
  private move(rows: number): void {
    const { height } = this.image;
    this.top = (((this.top - rows) % height) + height) % height;
  }

  /** A line from the last levels. @param y its first row, from the top */
  private fill(y: number, { lowDb, highDb, linePx }: WaterfallScale): void {
    const { width, height } = this.image;
    const { strongest, words } = this;
    const first = ((this.top + y) % height) * width;
    for (let x = 0; x < width; x++) words[first + x] = VIRIDIS_WORDS[level(strongest[x], lowDb, highDb)];
    for (let more = 1; more < linePx && y + more < height; more++) {
      words.copyWithin(((this.top + y + more) % height) * width, first, first + width);
    }
  }

  /** @param from number of the first spectrum of the line, counted from the beginning */
  private strongestOf(spectra: Ring<SpectrumEvent>, from: number, pool: number): void {
    this.strongest.fill(Number.NEGATIVE_INFINITY);
    for (let n = from; n < Math.min(from + pool, spectra.total); n++) {
      const spectrum = spectra.fromEnd(spectra.total - 1 - n);
      if (spectrum) raise(this.strongest, spectrum.meanDbfs);
    }
  }
}

/** Raises every pixel to the strongest of the bins that fall on it. */
function raise(pixels: Float32Array, bins: Float32Array): void {
  const scale = bins.length / pixels.length;
  for (let x = 0; x < pixels.length; x++) {
    const to = Math.min(bins.length, Math.ceil((x + 1) * scale));
    for (let i = Math.floor(x * scale); i < to; i++) if (bins[i] > pixels[x]) pixels[x] = bins[i];
  }
}
