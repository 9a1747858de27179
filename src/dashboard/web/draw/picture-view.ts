import type { PictureEvent, SourceEvent, VideoEvent } from '../state/events.ts';
import { FONT, type Surface } from './surface.ts';

/** A picture file as pixels; what cannot be read stays null. */
export class Bitmap {
  image: ImageBitmap | null = null;
  private of: Uint8Array | null = null;

  /** @param ready called when its pixels are there */
  constructor(private readonly ready: () => void) {}

  show(event: SourceEvent | PictureEvent | VideoEvent | null): void {
    const bytes = event?.bytes ?? null;
    if (bytes === this.of) return;
    this.of = bytes;
    if (!event || !bytes || bytes.length === 0) {
      this.hold(null);
      return;
    }
    createImageBitmap(new Blob([bytes.slice()], { type: event.mediaType }))
      .catch(() => null)
      .then((image) => {
        // An older one may be ready later than a newer.
        if (this.of === bytes) this.hold(image);
        else image?.close();
      });
  }

  /** Pixels are given back at once: frames of a video come faster than they would be collected. */
  private hold(image: ImageBitmap | null): void {
    this.image?.close();
    this.image = image;
    this.ready();
  }
}

/** Where a picture lies in its canvas: as large as fits, in the middle, on whole pixels (else copying it would be scaling it). */
export interface Placed {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** CSS pixels a picture's pixel. */
  readonly scale: number;
}

export function place(surface: Surface, width: number, height: number): Placed {
  const scale = Math.min(surface.width / width, surface.height / height);
  const wide = Math.round(width * scale);
  const tall = Math.round(height * scale);
  const left = Math.round((surface.width - wide) / 2);
  const top = Math.round((surface.height - tall) / 2);
  return { left, top, width: wide, height: tall, scale };
}

/** Pixels of the picture under the pointer. */
export function pixelAt({ left, top, scale }: Placed, event: PointerEvent): [number, number] {
  return [(event.offsetX - left) / scale, (event.offsetY - top) / scale];
}

/** A picture at the size it is shown in, painted again only when picture or size changes: scaling is what costs. */
export class ScaledLayer {
  readonly canvas = document.createElement('canvas');
  private key: readonly unknown[] = [];

  /** @param paint fills a canvas of this size; called when anything in `key` is another */
  get(
    width: number,
    height: number,
    key: readonly unknown[],
    paint: (g: CanvasRenderingContext2D) => void,
  ): HTMLCanvasElement {
    const scale = Math.min(2, devicePixelRatio || 1);
    const now = [width, height, scale, ...key];
    if (now.length === this.key.length && now.every((part, i) => part === this.key[i])) return this.canvas;
    this.key = now;
    this.canvas.width = Math.max(1, Math.round(width * scale));
    this.canvas.height = Math.max(1, Math.round(height * scale));
    const g = this.canvas.getContext('2d', { willReadFrequently: true });
    if (!g) return this.canvas;
    g.imageSmoothingQuality = 'high';
    g.scale(scale, scale);
    paint(g);
    return this.canvas;
  }
}

export function emptyText(g: CanvasRenderingContext2D, surface: Surface, text: string, colour: string): void {
  g.font = FONT;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  g.fillStyle = colour;
  g.fillText(text, surface.width / 2, surface.height / 2);
}
