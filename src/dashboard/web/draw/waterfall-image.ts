import type { SpectrumEvent } from '../state/events.ts';
import type { Ring } from '../state/ring.ts';
import { level, VIRIDIS_WORDS } from './colours.ts';

/** Spectra as rows of pixels, newest on top. A new row moves the picture down by one and is written; a new range paints all of it again. */
export class WaterfallImage {
  private readonly context: CanvasRenderingContext2D;
  private row = new ImageData(1, 1);
  private words = new Uint32Array(1);
  private drawn = 0;
  private range = '';

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('this browser has no 2D canvas');
    this.context = context;
  }

  /** @param lowDb @param highDb the first and the last colour */
  update(spectra: Ring<SpectrumEvent>, lowDb: number, highDb: number): void {
    const bins = spectra.fromEnd(0)?.meanDbfs.length ?? 0;
    if (bins === 0) {
      this.clear();
      return;
    }
    if (this.canvas.width !== bins || this.canvas.height !== spectra.capacity) {
      this.canvas.width = bins;
      this.canvas.height = spectra.capacity;
      this.row = new ImageData(bins, 1);
      this.words = new Uint32Array(this.row.data.buffer);
      this.drawn = 0;
    }
    const range = `${lowDb} ${highDb}`;
    if (range !== this.range || spectra.total < this.drawn) this.drawn = 0;
    this.range = range;
    const fresh = spectra.total - this.drawn;
    if (fresh === 0) return;
    const rows = Math.min(fresh, spectra.length);
    if (this.drawn === 0) this.clear();
    else this.context.drawImage(this.canvas, 0, rows);
    for (let age = 0; age < rows; age++) this.paint(spectra.fromEnd(age) as SpectrumEvent, age, lowDb, highDb);
    this.drawn = spectra.total;
  }

  private paint({ meanDbfs }: SpectrumEvent, y: number, lowDb: number, highDb: number): void {
    const { words } = this;
    const same = meanDbfs.length === words.length;
    for (let i = 0; i < words.length; i++) {
      // After a change of resolution what is older is stretched.
      const value = meanDbfs[same ? i : Math.floor((i * meanDbfs.length) / words.length)];
      words[i] = VIRIDIS_WORDS[level(value, lowDb, highDb)];
    }
    this.context.putImageData(this.row, 0, y);
  }

  private clear(): void {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.drawn = 0;
  }
}
