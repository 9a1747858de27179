import { theme } from './colours.ts';

/**
 * A canvas that is as sharp as the screen; coordinates are CSS pixels. It is opaque and has just the pixels that it is shown in: without a GPU
 * blending costs more than painting, and a canvas that is half a pixel off is scaled in every frame.
 */
export class Surface {
  width = 0;
  height = 0;
  /** Pixels of the canvas a CSS pixel. */
  scale = 1;
  private readonly context: CanvasRenderingContext2D;
  private readonly observer: ResizeObserver;

  /** @param resized called when its size has changed: what was painted is gone */
  constructor(
    readonly canvas: HTMLCanvasElement,
    resized: () => void,
  ) {
    const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    if (!context) throw new Error('this browser has no 2D canvas');
    this.context = context;
    this.observer = new ResizeObserver(([{ contentRect, devicePixelContentBoxSize: exact }]) => {
      if (this.fit(contentRect.width, contentRect.height, exact?.[0])) resized();
    });
    this.observer.observe(canvas, OBSERVED);
    this.fit(canvas.clientWidth, canvas.clientHeight);
  }

  close(): void {
    this.observer.disconnect();
  }

  /** An empty canvas to paint on, in the colour of the panel. */
  begin(): CanvasRenderingContext2D {
    this.context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    this.context.fillStyle = theme().card;
    // To the last pixel, whatever rounding says: then the browser need not keep what was there.
    this.context.fillRect(0, 0, this.width + 1, this.height + 1);
    return this.context;
  }

  /** @param width @param height CSS pixels @param exact the same in pixels of the screen, where the browser says it */
  private fit(width: number, height: number, exact?: ResizeObserverSize): boolean {
    const ratio = devicePixelRatio || 1;
    this.scale = Math.min(2, ratio);
    // A browser that plays another screen (device emulation) may say the pixels of the one it has.
    const believed = (css: number, screen: number) => ratio <= 2 && Math.abs(screen - css * ratio) < 2;
    const pixels = (css: number, screen?: number) =>
      Math.max(1, screen !== undefined && believed(css, screen) ? screen : Math.round(css * this.scale));
    const wide = pixels(width, exact?.inlineSize);
    const tall = pixels(height, exact?.blockSize);
    this.width = wide / this.scale;
    this.height = tall / this.scale;
    if (this.canvas.width === wide && this.canvas.height === tall) return false;
    this.canvas.width = wide;
    this.canvas.height = tall;
    return true;
  }
}

const EXACT = 'devicePixelContentBoxSize' in ResizeObserverEntry.prototype;
const OBSERVED: ResizeObserverOptions = { box: EXACT ? 'device-pixel-content-box' : 'content-box' };

/** Small text in the page's fonts. */
export const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
export const BOLD = `600 ${FONT}`;

/** Text with an outline in another colour, readable on anything. */
export function haloText(
  g: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  ink: string,
  halo: string,
): void {
  g.lineJoin = 'round';
  g.lineWidth = 3;
  g.strokeStyle = halo;
  g.strokeText(text, x, y);
  g.fillStyle = ink;
  g.fillText(text, x, y);
}
