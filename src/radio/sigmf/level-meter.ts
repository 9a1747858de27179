import type { SampleData } from '../radio.ts';

/**
 * Level of native samples, in one pass: RMS = sqrt(mean(I^2 + Q^2)) and peak = max(|I|, |Q|), both against the full
 * scale, so a full-scale complex tone reads 0 dBFS RMS; and the share of samples with I or Q at the converter's
 * limit. Non-finite floats are counted and left out.
 */
export class LevelMeter {
  private readonly fullScale: number;
  private power = 0;
  private peak = 0;
  samples = 0;
  clippedSamples = 0;
  nonFinite = 0;

  constructor(fullScale: number) {
    this.fullScale = fullScale;
  }

  add(data: SampleData): void {
    const high = data instanceof Float32Array ? this.fullScale : this.fullScale - 1;
    const low = -this.fullScale;
    let power = 0;
    let peak = this.peak;
    for (let i = 0; i + 1 < data.length; i += 2) {
      const re = data[i];
      const im = data[i + 1];
      const p = re * re + im * im;
      if (p - p !== 0) {
        this.nonFinite++;
        continue;
      }
      power += p;
      const component = Math.max(Math.abs(re), Math.abs(im));
      if (component > peak) peak = component;
      if (re >= high || re <= low || im >= high || im <= low) this.clippedSamples++;
    }
    this.power += power;
    this.peak = peak;
    this.samples += data.length >> 1;
  }

  /** Null without samples or when all are zero: minus infinity does not exist in JSON. */
  get rmsDbfs(): number | null {
    const counted = this.samples - this.nonFinite;
    if (counted === 0 || this.power === 0) return null;
    return 10 * Math.log10(this.power / counted / (this.fullScale * this.fullScale));
  }

  get peakDbfs(): number | null {
    return this.peak === 0 ? null : 20 * Math.log10(this.peak / this.fullScale);
  }

  get clippedShare(): number {
    return this.samples ? this.clippedSamples / this.samples : 0;
  }
}
