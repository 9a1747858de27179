/**
 * Level of a sample stream. 0 dBFS is a complex tone of amplitude 1: RMS dBFS = 10 log10 E|x|^2, peak dBFS =
 * 20 log10 max(|re|, |im|) (the converter clips each component by itself).
 */
export interface Level {
  rmsDbfs: number;
  peakDbfs: number;
  samples: number;
  /** Samples with a component at or beyond the clip threshold. */
  clipped: number;
}

/** Accumulates RMS, peak and clipped samples over any number of blocks. */
export class LevelMeter {
  private readonly threshold: number;
  private sum = 0;
  private peak = 0;
  private samples = 0;
  private clipped = 0;

  /** @param bits converter word length: a component counts as clipped from 1 - 1.5 LSB (its last code) up */
  constructor(bits = 8) {
    this.threshold = 1 - 1.5 / 2 ** (bits - 1);
  }

  /** Adds a block [n][re, im]. */
  push(block: Float32Array): void {
    const { threshold } = this;
    let { sum, peak, clipped } = this;
    for (let i = 0; i + 1 < block.length; i += 2) {
      const re = Math.abs(block[i]);
      const im = Math.abs(block[i + 1]);
      sum += re * re + im * im;
      const top = Math.max(re, im);
      if (top > peak) peak = top;
      if (top >= threshold) clipped++;
    }
    this.sum = sum;
    this.peak = peak;
    this.clipped = clipped;
    this.samples += block.length >> 1;
  }

  /** The level since the last reset; -Infinity dBFS where nothing but zeros was seen. */
  read(): Level {
    return {
      rmsDbfs: this.samples > 0 ? 10 * Math.log10(this.sum / this.samples) : Number.NEGATIVE_INFINITY,
      peakDbfs: 20 * Math.log10(this.peak),
      samples: this.samples,
      clipped: this.clipped,
    };
  }

  reset(): void {
    this.sum = 0;
    this.peak = 0;
    this.samples = 0;
    this.clipped = 0;
  }
}
