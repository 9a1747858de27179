import type { Page } from 'playwright-core';

export type Rgb = readonly [number, number, number];

/** What a canvas of the page shows, read at one moment: its own pixels, not those of a scaled screenshot. */
export class Pixels {
  private constructor(
    readonly width: number,
    readonly height: number,
    private readonly rgba: Uint8Array, // [y][x][r, g, b, a]
  ) {}

  static async of(page: Page, selector: string): Promise<Pixels> {
    const read = `(() => { const c = document.querySelector(${JSON.stringify(selector)});
      const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
      let text = '';
      for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
      return [c.width, c.height, btoa(text)]; })()`;
    const [width, height, text] = (await page.evaluate(read)) as [number, number, string];
    return new Pixels(width, height, new Uint8Array(Buffer.from(text, 'base64')));
  }

  at(x: number, y: number): Rgb {
    const i = 4 * (Math.floor(y) * this.width + Math.floor(x));
    return [this.rgba[i], this.rgba[i + 1], this.rgba[i + 2]];
  }

  /** Whether any pixel so near shows something else than a colour. */
  differsNear(x: number, y: number, reach: number, from: Rgb): boolean {
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++) if (distance(this.at(x + dx, y + dy), from) > 30) return true;
    return false;
  }

  /** Rows of a column that show about a colour, from the top. */
  rowsOf(x: number, colour: Rgb, tolerance: number): number[] {
    const rows: number[] = [];
    for (let y = 0; y < this.height; y++) if (distance(this.at(x, y), colour) <= tolerance) rows.push(y);
    return rows;
  }
}

/** Sum over the channels. */
export function distance(a: Rgb, b: Rgb): number {
  return Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2]);
}

export function rgbOf(colour: string): Rgb {
  const word = Number.parseInt(colour.slice(1), 16);
  return [word >> 16, (word >> 8) & 255, word & 255];
}

/** viridis (CC0) at 0, 1/8 … 1 of its range, as published. */
const VIRIDIS = ['#440154', '#472d7b', '#3b528b', '#2c728e', '#21918c', '#28ae80', '#5ec962', '#addc30', '#fde725'];

/** Colour of a part of the range: between published ones straight lines, which are off by some 12 of 3 x 255 at most. */
export function viridis(part: number): Rgb {
  const at = Math.max(0, Math.min(1, part)) * (VIRIDIS.length - 1);
  const k = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const [low, high] = [rgbOf(VIRIDIS[k]), rgbOf(VIRIDIS[k + 1])];
  return [0, 1, 2].map((c) => low[c] + (at - k) * (high[c] - low[c])) as unknown as Rgb;
}

/** The straight line that fits best: what y is at an x. */
export function straight(x: readonly number[], y: readonly number[]): (at: number) => number {
  const n = x.length;
  const [mx, my] = [x.reduce((a, b) => a + b, 0) / n, y.reduce((a, b) => a + b, 0) / n];
  const slope = x.reduce((s, v, i) => s + (v - mx) * (y[i] - my), 0) / x.reduce((s, v) => s + (v - mx) ** 2, 0);
  return (at) => my + slope * (at - mx);
}

/** How far values are off the straight line that fits them best, ascending. */
export function offLine(x: readonly number[], y: readonly number[]): number[] {
  const line = straight(x, y);
  return x.map((v, i) => Math.abs(y[i] - line(v))).sort((a, b) => a - b);
}
