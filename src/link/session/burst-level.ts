import { countAtLimit, toFloat } from '../../radio/format/convert.ts';
import { blockLength, type SampleBlock } from '../../radio/radio.ts';
import type { BurstLevelReading } from './gain-control.ts';

/** Windows whose mean power is compared, s: the shortest burst is some windows long. */
const WINDOW_S = 0.5e-3;

/** Levels since it was last asked: the loudest half millisecond (a burst), the quietest one (noise), and what stood at the limit. */
export class BurstLevel {
  private readonly windowSamples: number;
  private power = 0;
  private sumRe = 0;
  private sumIm = 0;
  private filled = 0;
  private peak = 0;
  private quiet = Number.POSITIVE_INFINITY;
  private clipped = 0;
  /** Samples in windows near the peak: what was loud enough to be a burst. */
  private samples = 0;

  constructor(rateHz: number) {
    this.windowSamples = Math.max(1, Math.round(WINDOW_S * rateHz));
  }

  push(block: SampleBlock): void {
    const { reIm } = toFloat(block.data, block.fullScale);
    this.clipped += block.format === 'cf32_le' ? 0 : countAtLimit(block.data, block.fullScale);
    this.samples += blockLength(block);
    for (let i = 0; i < reIm.length; i += 2) {
      this.power += reIm[i] ** 2 + reIm[i + 1] ** 2;
      this.sumRe += reIm[i];
      this.sumIm += reIm[i + 1];
      if (++this.filled < this.windowSamples) continue;
      const power = this.power / this.filled;
      // Without the carrier that a receiver leaks into itself: noise may lie far below it.
      const noise = Math.max(0, power - (this.sumRe ** 2 + this.sumIm ** 2) / this.filled ** 2);
      this.peak = Math.max(this.peak, power);
      this.quiet = Math.min(this.quiet, noise);
      this.power = 0;
      this.sumRe = 0;
      this.sumIm = 0;
      this.filled = 0;
    }
  }

  /** The loudest half millisecond since the last reading, dBFS; null before the first window. */
  get peakDbfs(): number | null {
    return this.quiet === Number.POSITIVE_INFINITY ? null : 10 * Math.log10(this.peak);
  }

  /** The reading since the last one; null before the first window. */
  take(): BurstLevelReading | null {
    if (this.quiet === Number.POSITIVE_INFINITY) return null;
    const reading = {
      rmsDbfs: 10 * Math.log10(this.peak),
      quietDbfs: 10 * Math.log10(this.quiet),
      clippedShare: this.clipped / Math.max(1, this.samples),
    };
    this.peak = 0;
    this.quiet = Number.POSITIVE_INFINITY;
    this.clipped = 0;
    this.samples = 0;
    return reading;
  }
}
