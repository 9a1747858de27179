import { PhaseTracker } from '../../sync/phase-tracker.ts';
import { TRACK_SYMBOLS, type TrackKernel, type TrackPattern } from './track-kernel.ts';

const SUBBAND = 12;

/** The kernel in plain TypeScript: the twin of the one in WebAssembly, and the one for bursts of any length. */
export class PlainTrackKernel implements TrackKernel {
  readonly turned: Float32Array;
  private readonly pattern: TrackPattern;
  private readonly phase = new PhaseTracker();
  private readonly reference: Float32Array;
  private readonly slot: Float32Array;
  private readonly smoothed = new Float64Array(TRACK_SYMBOLS);
  private weights = new Float64Array(0);
  private noiseVariance = 0;
  private count = 0;

  constructor(pattern: TrackPattern) {
    this.pattern = pattern;
    this.turned = new Float32Array(2 * TRACK_SYMBOLS * pattern.nSubbands);
    this.reference = new Float32Array(2 * SUBBAND * pattern.nSubbands);
    this.slot = new Float32Array(this.reference.length);
  }

  get phaseStep(): number {
    return this.phase.phaseStep;
  }

  begin(stepVariance: number, noiseVariance: number, weights: Float64Array, symbols: number): void {
    this.phase.begin(stepVariance, symbols);
    this.noiseVariance = noiseVariance;
    this.weights = weights.slice();
    this.count = 0;
  }

  refer(reference: Float32Array): number {
    this.reference.set(reference);
    const { carriers } = this.pattern;
    let sum = 0;
    let moment = 0;
    for (let c = 0; c < carriers.length; c++) {
      const power = reference[2 * c] * reference[2 * c] + reference[2 * c + 1] * reference[2 * c + 1];
      sum += power;
      moment += carriers[c] * power;
    }
    return moment / (sum + 1e-30);
  }

  follow(pilots: Float32Array, at: number, count: number, pattern: number): void {
    const { reference, weights } = this;
    const { nSubbands, offsets } = this.pattern;
    for (let t = 0, p = at; t < count; t++) {
      let re = 0;
      let im = 0;
      let power = 0;
      let c = 2 * offsets[(pattern + t) % SUBBAND];
      for (let s = 0; s < nSubbands; s++, p += 2, c += 2 * SUBBAND) {
        const hr = reference[c];
        const hi = reference[c + 1];
        re += weights[s] * (pilots[p] * hr + pilots[p + 1] * hi);
        im += weights[s] * (pilots[p + 1] * hr - pilots[p] * hi);
        power += weights[s] * (hr * hr + hi * hi);
      }
      const turns = (Math.atan2(im, re) - this.phase.predict()) / (2 * Math.PI);
      const error = 2 * Math.PI * (turns - Math.round(turns));
      this.phase.update(error, Math.min(this.noiseVariance / (2 * power + 1e-30) + 1e-5, 3));
    }
    this.count += count;
  }

  adapt(): void {
    this.phase.adapt();
  }

  turnBack(pilots: Float32Array, at: number, count: number): void {
    const { turned, smoothed } = this;
    const { nSubbands } = this.pattern;
    this.phase.smooth(this.count - count, smoothed);
    for (let i = 0, t = 0; t < count; t++) {
      const cos = Math.cos(smoothed[t]);
      const sin = Math.sin(smoothed[t]);
      for (let s = 0; s < nSubbands; s++, i += 2) {
        turned[i] = pilots[at + i] * cos + pilots[at + i + 1] * sin;
        turned[i + 1] = pilots[at + i + 1] * cos - pilots[at + i] * sin;
      }
    }
  }

  slope(count: number, pattern: number, out: Float64Array): void {
    const { turned, reference, weights } = this;
    const { nSubbands, offsets, carriers } = this.pattern;
    out.fill(0, 0, 4);
    for (let i = 0, t = 0; t < count; t++) {
      let c = offsets[(pattern + t) % SUBBAND];
      for (let s = 0; s < nSubbands; s++, i += 2, c += SUBBAND) {
        const k = carriers[c];
        const w = weights[s];
        const hr = reference[2 * c];
        const hi = reference[2 * c + 1];
        out[0] += w * k * (turned[i + 1] * hr - turned[i] * hi);
        out[1] += w * k * k * (turned[i] * hr + turned[i + 1] * hi);
        out[2] += w * k * k * (hr * hr + hi * hi);
        out[3] += w * ((turned[i] - hr) ** 2 + (turned[i + 1] - hi) ** 2);
      }
    }
  }

  neighbours(out: Float64Array): void {
    const { turned, slot, weights } = this;
    const { nSubbands, offsets } = this.pattern;
    for (let i = 0, t = 0; t < SUBBAND; t++) {
      for (let s = 0; s < nSubbands; s++, i += 2) {
        const c = 2 * (s * SUBBAND + offsets[t]);
        slot[c] = turned[i];
        slot[c + 1] = turned[i + 1];
      }
    }
    out.fill(0, 0, 2);
    for (let c = 2; c < slot.length; c += 2) {
      // No neighbours across the empty carrier at DC.
      if (c === slot.length / 2) continue;
      const w = weights[Math.floor(c / (2 * SUBBAND))];
      out[0] += w * (slot[c] * slot[c - 2] + slot[c + 1] * slot[c - 1]);
      out[1] += w * (slot[c + 1] * slot[c - 2] - slot[c] * slot[c - 1]);
    }
  }

  phases(from: number): Float64Array {
    return this.phase.smooth(from);
  }
}
