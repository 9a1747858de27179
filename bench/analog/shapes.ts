import type { RandomStream } from '../../src/common/random.ts';

/** Kinds of symbols whose behaviour on the air is compared. Each draw has unit mean power (in the ensemble), [symbol][re, im]. */
export interface Shape {
  readonly name: string;
  draw(symbols: number, random: RandomStream): Float32Array;
}

/** QPSK: the constant modulus for which DFT spreading was made. */
export const QPSK: Shape = {
  name: 'qpsk',
  draw: (symbols, random) =>
    Float32Array.from({ length: 2 * symbols }, () => (random.uint32() & 1 ? Math.SQRT1_2 : -Math.SQRT1_2)),
};

export const GAUSSIAN: Shape = {
  name: 'gaussian',
  draw: (symbols, random) => Float32Array.from({ length: 2 * symbols }, () => Math.SQRT1_2 * random.normal()),
};

/** Both components Laplacian with variance 1/2: density exp(-2 |x|). */
export const LAPLACIAN: Shape = {
  name: 'laplacian',
  draw: (symbols, random) =>
    Float32Array.from({ length: 2 * symbols }, () => {
      const u = random.uniform() - 0.5;
      return -0.5 * Math.sign(u) * Math.log(1 - 2 * Math.abs(u) + 1e-12);
    }),
};

/** Pieces of a recorded stream in its own order, from a random place on (round and round). */
export function recordedShape(name: string, stream: Float32Array): Shape {
  const count = stream.length / 2;
  return {
    name,
    draw: (symbols, random) => {
      const start = random.integer(count);
      const out = new Float32Array(2 * symbols);
      for (let i = 0; i < symbols; i++) {
        const at = (start + i) % count;
        out[2 * i] = stream[2 * at];
        out[2 * i + 1] = stream[2 * at + 1];
      }
      return out;
    },
  };
}

/** What matters of a stream: how heavy its tails are and how unequal its resource blocks. */
export interface StreamFigures {
  readonly symbols: number;
  /** E[x^4] / E[x^2]^2 of the real numbers; 3 for a Gaussian, 6 for a Laplacian. */
  readonly kurtosis: number;
  readonly meanOfComponents: number;
  readonly shareOver4Sigma: number;
  /** Energy that limiting |RE| to 4 takes away, dB relative to the stream's. */
  readonly clipErrorDb: number | null;
  readonly largest: number;
  /** Standard deviation (dB) and range of the mean power of runs of 154 symbols. */
  readonly rbPowerSdDb: number;
  readonly rbPowerRangeDb: readonly [number, number];
}

export function streamFigures(stream: Float32Array): StreamFigures {
  const symbols = stream.length / 2;
  let [square, fourth, sum, over, lost, largest] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < symbols; i++) {
    const re = stream[2 * i];
    const im = stream[2 * i + 1];
    const a = Math.hypot(re, im);
    square += a * a;
    fourth += re ** 4 + im ** 4;
    sum += re + im;
    largest = Math.max(largest, a);
    if (a > 4) {
      over++;
      lost += (a - 4) ** 2;
    }
  }
  const blocks: number[] = [];
  for (let b = 0; b + 154 <= symbols; b += 154) {
    let power = 0;
    for (let i = 2 * b; i < 2 * (b + 154); i++) power += stream[i] * stream[i];
    blocks.push(10 * Math.log10(power / 154));
  }
  const mean = blocks.reduce((a, b) => a + b, 0) / blocks.length;
  return {
    symbols,
    kurtosis: (2 * symbols * fourth) / (square * square),
    meanOfComponents: sum / (2 * symbols),
    shareOver4Sigma: over / symbols,
    clipErrorDb: lost > 0 ? 10 * Math.log10(lost / square) : null,
    largest,
    rbPowerSdDb: Math.sqrt(blocks.reduce((s, b) => s + (b - mean) ** 2, 0) / Math.max(1, blocks.length - 1)),
    rbPowerRangeDb: [Math.min(...blocks), Math.max(...blocks)],
  };
}
