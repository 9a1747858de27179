import type { RgbImage } from '../../sct/image/rgb-image.ts';

/** Where the frames of a stream come from. */
export interface VideoSource {
  /** One line: what it is. */
  describe(): string;
  /**
   * The next frame: of files and folders the next in order, of a camera the newest, which is waited for. null: it has ended. Each
   * picture is sizePx x sizePx and the taker's.
   */
  next(): Promise<SourceFrame | null>;
  close(): Promise<void>;
}

export interface SourceFrame {
  readonly image: RgbImage;
  /** When it was captured, UTC ms; null where it is captured by being asked for. */
  readonly capturedAtMs: number | null;
}

/** Sides of the pictures that are streamed, px. */
export const STREAM_SIZES_PX = [256, 512] as const;
export type StreamSizePx = (typeof STREAM_SIZES_PX)[number];
