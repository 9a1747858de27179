import type { FeatureMap, GridPlane } from '../semantics/feature-map.ts';

/** What is known of the frame before, on the same grid. */
export interface LastFrame {
  readonly yHat: FeatureMap;
  /** Frames since a cell was received, 0 for one of the last frame itself. */
  readonly age: Uint8Array; // [row][column]
}

/** Cells that were not received for so many frames are no longer taken for what is there: half a second at 30 a second. */
export const MOST_AGE = 15;

/**
 * What a receiver keeps of a stream of frames: the features of the last one as they were shown. Decoding reads and writes it; frames are
 * to be decoded in order, each once. What was held of another size or model set is forgotten.
 */
export class FrameMemory {
  private last: LastFrame | null = null;
  private modelSet = '';

  /** The last frame, where it has the same grid and model set; else undefined. */
  recall(modelSet: string, { rows, columns, channels }: FeatureMap): LastFrame | undefined {
    const { last } = this;
    if (!last || this.modelSet !== modelSet) return undefined;
    const same = last.yHat.rows === rows && last.yHat.columns === columns && last.yHat.channels === channels;
    return same ? last : undefined;
  }

  /**
   * Keeps a frame as it is shown.
   *
   * @param damage of it, [row][column]: a lost cell is as old as what stands in its place
   */
  keep(modelSet: string, yHat: FeatureMap, damage: GridPlane['data']): void {
    const before = this.recall(modelSet, yHat)?.age;
    const age = Uint8Array.from(damage, (d, at) => (d === 0 ? 0 : Math.min(255, (before?.[at] ?? MOST_AGE) + 1)));
    this.modelSet = modelSet;
    this.last = { yHat, age };
  }

  /** Nothing is known: a new session, another scene. */
  reset(): void {
    this.last = null;
  }
}
