import type { SpectrumEvent } from '../state/events.ts';
import type { Ring } from '../state/ring.ts';
import { level, VIRIDIS_WORDS } from './colours.ts';

/**
 * Spectra as lines of pixels, newest on top. A line takes `pool` spectra and shows the strongest of them, as a pixel shows the strongest of its
 * bins: what is narrow or short stays in sight. A full line moves the picture down by one; only a new range or size paints all of it again. The
 * canvas has the size that it is shown in: scaling it would cost more than painting.
 */
export class WaterfallImage {
  private readonly context: CanvasRenderingContext2D;
  private line = new ImageData(1, 1);
  private words = new Uint32Array(1);
  private strongest = new Float32Array(1);
  private drawn = 0;
  private key = '';

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('this browser has no 2D canvas');
    this.context = context;
  }

  /** @param lowDb @param highDb the first and the last colour @param pool spectra a line @param linePx height of a line */
  update(spectra: Ring<SpectrumEvent>, lowDb: number, highDb: number, pool: number, linePx: number): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    const key = [width, height, lowDb, highDb, pool, linePx].join(' ');
    if (key !== this.key || spectra.total < this.drawn) this.begin(width, height, key);
    if (spectra.total === this.drawn) return;
    const oldest = spectra.total - spectra.length;
    const first = Math.floor(Math.max(this.drawn, oldest) / pool);
    const last = Math.floor((spectra.total - 1) / pool);
    // The line on top may not have been full: it is painted again.
    const before = Math.floor((this.drawn - 1) / pool);
    const moved = this.drawn === 0 ? 0 : last - before;
    if (moved > 0) this.context.drawImage(this.canvas, 0, moved * linePx);
    for (let line = Math.max(first, last - Math.ceil(height / linePx) + 1); line <= last; line++) {
      this.fill(spectra, line * pool, pool, lowDb, highDb);
      for (let y = 0; y < linePx; y++) this.context.putImageData(this.line, 0, (last - line) * linePx + y);
    }
    this.drawn = spectra.total;
  }

  private begin(width: number, height: number, key: string): void {
    // Setting a canvas' size empties it.
    this.canvas.width = width;
    this.canvas.height = height;
    if (this.line.width !== width) {
      this.line = new ImageData(width, 1);
      this.words = new Uint32Array(this.line.data.buffer);
      this.strongest = new Float32Array(width);
    }
    this.drawn = 0;
    this.key = key;
  }

  /** @param from number of the first spectrum of the line, counted from the beginning */
  private fill(spectra: Ring<SpectrumEvent>, from: number, pool: number, lowDb: number, highDb: number): void {
    const { strongest, words } = this;
    strongest.fill(Number.NEGATIVE_INFINITY);
    for (let n = from; n < Math.min(from + pool, spectra.total); n++) {
      const spectrum = spectra.fromEnd(spectra.total - 1 - n);
      if (spectrum) strongestOf(spectrum.meanDbfs, strongest);
    }
    for (let x = 0; x < words.length; x++) words[x] = VIRIDIS_WORDS[level(strongest[x], lowDb, highDb)];
  }
}

/** Raises every pixel to the strongest of the bins that fall on it. */
function strongestOf(bins: Float32Array, pixels: Float32Array): void {
  const scale = bins.length / pixels.length;
  for (let x = 0; x < pixels.length; x++) {
    const to = Math.min(bins.length, Math.ceil((x + 1) * scale));
    for (let i = Math.floor(x * scale); i < to; i++) if (bins[i] > pixels[x]) pixels[x] = bins[i];
  }
}
