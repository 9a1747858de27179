const SEGMENT = 256;

/**
 * Numerically controlled oscillator on the absolute sample index: y[n] = x[n] exp(i (2 pi f n / rate + phase)).
 *
 * The phase of every 256th sample is computed afresh in double precision and the samples between come from a table, so
 * the error does not grow with n (< 1e-6 rad up to 1e10 samples) and the output does not depend on block sizes.
 */
export class Nco {
  readonly frequencyHz: number;
  private readonly cyclesPerSample: number;
  private readonly startCycles: number;
  /** exp(2 pi i f k / rate), [256][re, im]. */
  private readonly table = new Float64Array(2 * SEGMENT);
  private index = 0;

  constructor(frequencyHz: number, rateHz: number, phaseRad = 0) {
    this.frequencyHz = frequencyHz;
    this.cyclesPerSample = frequencyHz / rateHz;
    this.startCycles = phaseRad / (2 * Math.PI);
    for (let k = 0; k < SEGMENT; k++) {
      const angle = 2 * Math.PI * ((this.cyclesPerSample * k) % 1);
      this.table[2 * k] = Math.cos(angle);
      this.table[2 * k + 1] = Math.sin(angle);
    }
  }

  reset(): void {
    this.index = 0;
  }

  /** Lets n samples pass without turning them. */
  skip(n: number): void {
    this.index += n;
  }

  /** Rotates input [n][re, im] into output (which may be the same array) and advances by n samples. */
  mix(input: Float32Array, output: Float32Array): void {
    const n = input.length >> 1;
    const { table } = this;
    let done = 0;
    while (done < n) {
      const within = this.index % SEGMENT;
      const count = Math.min(n - done, SEGMENT - within);
      const base = this.index - within;
      const angle = 2 * Math.PI * (((this.cyclesPerSample * base) % 1) + this.startCycles);
      const anchorRe = Math.cos(angle);
      const anchorIm = Math.sin(angle);
      for (let k = 0; k < count; k++) {
        const t = 2 * (within + k);
        const re = anchorRe * table[t] - anchorIm * table[t + 1];
        const im = anchorRe * table[t + 1] + anchorIm * table[t];
        const at = 2 * (done + k);
        const a = input[at];
        const b = input[at + 1];
        output[at] = a * re - b * im;
        output[at + 1] = a * im + b * re;
      }
      done += count;
      this.index += count;
    }
  }
}
