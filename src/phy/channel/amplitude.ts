import { inRange } from '../../common/errors.ts';
import { SameLengthStage } from './stage.ts';

/**
 * Solid-state amplifier compression: y = x / (1 + (|x|/A)^(2p))^(1/(2p)), small-signal gain 1, no phase conversion.
 * Source: [Rapp91].
 */
export class RappAmplifierStage extends SameLengthStage {
  readonly saturationDbfs: number;
  readonly smoothness: number;

  /** @param saturationDbfs 20 log10 A; @param smoothness p, 2 to 3 for a transistor amplifier */
  constructor(saturationDbfs: number, smoothness = 3) {
    super();
    this.saturationDbfs = inRange('PA saturation', saturationDbfs, -60, 60, 'dBFS');
    this.smoothness = inRange('PA smoothness', smoothness, 0.5, 20);
  }

  reset(): void {}

  protected apply(input: Float32Array, out: Float32Array): void {
    const p = this.smoothness;
    const inverse = 10 ** (-this.saturationDbfs / 10);
    for (let i = 0; i + 1 < input.length; i += 2) {
      const re = input[i];
      const im = input[i + 1];
      const g = (1 + ((re * re + im * im) * inverse) ** p) ** (-1 / (2 * p));
      out[i] = re * g;
      out[i + 1] = im * g;
    }
  }

  describe(): string {
    return `pa saturation ${this.saturationDbfs} dBFS, p ${this.smoothness}`;
  }
}

/** Limits the envelope to a level and keeps the phase; counts the samples it touched. */
export class EnvelopeClipStage extends SameLengthStage {
  readonly levelDbfs: number;
  clippedSamples = 0;

  constructor(levelDbfs: number) {
    super();
    this.levelDbfs = inRange('clipping level', levelDbfs, -100, 100, 'dBFS');
  }

  reset(): void {
    this.clippedSamples = 0;
  }

  protected apply(input: Float32Array, out: Float32Array): void {
    const limit = 10 ** (this.levelDbfs / 20);
    const limitSquared = limit * limit;
    for (let i = 0; i + 1 < input.length; i += 2) {
      const power = input[i] * input[i] + input[i + 1] * input[i + 1];
      let g = 1;
      if (power > limitSquared) {
        g = limit / Math.sqrt(power);
        this.clippedSamples++;
      }
      out[i] = input[i] * g;
      out[i + 1] = input[i + 1] * g;
    }
  }

  describe(): string {
    return `envelope clipped at ${this.levelDbfs} dBFS`;
  }
}

/**
 * An N-bit converter: each component rounded to a multiple of 2^-(N-1) and clamped to [-1, 1 - 2^-(N-1)], as two's
 * complement codes over full scale. `clippedSamples` counts the samples with a component that was clamped.
 */
export class QuantiserStage extends SameLengthStage {
  readonly bits: number;
  clippedSamples = 0;

  constructor(bits: number) {
    super();
    this.bits = inRange('converter bits', bits, 1, 16);
  }

  reset(): void {
    this.clippedSamples = 0;
  }

  protected apply(input: Float32Array, out: Float32Array): void {
    const scale = 2 ** (this.bits - 1);
    const top = scale - 1;
    const step = 1 / scale;
    let clipped = 0;
    for (let i = 0; i + 1 < input.length; i += 2) {
      let a = Math.floor(input[i] * scale + 0.5);
      let b = Math.floor(input[i + 1] * scale + 0.5);
      if (a > top || a < -scale || b > top || b < -scale) {
        clipped++;
        a = Math.max(-scale, Math.min(top, a));
        b = Math.max(-scale, Math.min(top, b));
      }
      out[i] = a * step;
      out[i + 1] = b * step;
    }
    this.clippedSamples += clipped;
  }

  describe(): string {
    return `${this.bits}-bit converter`;
  }
}
