import { theme } from './colours.ts';

/** A canvas that is as sharp as the screen; coordinates are CSS pixels. */
export class Surface {
  width = 0;
  height = 0;
  private scale = 1;
  private readonly context: CanvasRenderingContext2D;
  private readonly observer: ResizeObserver;

  /** @param resized called when its size has changed: what was painted is gone */
  constructor(
    readonly canvas: HTMLCanvasElement,
    resized: () => void,
    private readonly options: { readonly transparent?: boolean } = {},
  ) {
    const context = canvas.getContext('2d', { willReadFrequently: true, alpha: options.transparent === true });
    if (!context) throw new Error('this browser has no 2D canvas');
    this.context = context;
    this.observer = new ResizeObserver(() => {
      if (this.fit()) resized();
    });
    this.observer.observe(canvas);
    this.fit();
  }

  close(): void {
    this.observer.disconnect();
  }

  /** An empty canvas to paint on: in the colour of the panel, which is cheaper to show than a transparent one. */
  begin(): CanvasRenderingContext2D {
    this.context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    if (this.options.transparent) this.context.clearRect(0, 0, this.width, this.height);
    else {
      this.context.fillStyle = theme().card;
      this.context.fillRect(0, 0, this.width, this.height);
    }
    return this.context;
  }

  private fit(): boolean {
    const { clientWidth, clientHeight } = this.canvas;
    const scale = Math.min(2, devicePixelRatio || 1);
    if (clientWidth === this.width && clientHeight === this.height && scale === this.scale) return false;
    this.width = clientWidth;
    this.height = clientHeight;
    this.scale = scale;
    this.canvas.width = Math.max(1, Math.round(clientWidth * scale));
    this.canvas.height = Math.max(1, Math.round(clientHeight * scale));
    return true;
  }
}

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
