import { type FitPattern, type LmmseKernel, MOST_POLYNOMIALS, SLOT } from './lmmse-kernel.ts';

interface Basis {
  readonly values: Float32Array;
  readonly size: number;
}

interface System {
  readonly factor: Float64Array;
  readonly size: number;
  readonly penalty: Float64Array;
  readonly order: number;
}

/** The kernel in plain TypeScript and double precision: the twin of the one in WebAssembly. */
export class PlainLmmseKernel implements LmmseKernel {
  z = new Float64Array(0);
  theta = new Float64Array(0);
  private half = new Float64Array(0);
  private readonly pattern: FitPattern;
  private bases: Basis[] = [];
  private systems: System[] = [];

  constructor(pattern: FitPattern) {
    this.pattern = pattern;
  }

  addBasis(values: Float32Array, size: number): number {
    return this.bases.push({ values, size }) - 1;
  }

  addSystem(factor: Float64Array, size: number, penalty: Float64Array, order: number): number {
    if (this.z.length < 2 * size) {
      this.z = new Float64Array(2 * size);
      this.theta = new Float64Array(2 * size);
      this.half = new Float64Array(2 * size);
    }
    return this.systems.push({ factor, size, penalty, order }) - 1;
  }

  project(
    basis: number,
    ramp: Float32Array,
    pilots: Float32Array,
    from: number,
    order: number,
    z: Float64Array,
    at: number,
  ): number {
    const { values, size } = this.bases[basis];
    const { nSubbands, polynomials } = this.pattern;
    z.fill(0, at, at + 2 * order * size);
    let energy = 0;
    for (let t = 0, p = from; t < SLOT; t++) {
      for (let c = this.pattern.pilots[t]; c < 12 * nSubbands; c += 12, p += 2) {
        const re = pilots[p] * ramp[2 * c] - pilots[p + 1] * ramp[2 * c + 1];
        const im = pilots[p] * ramp[2 * c + 1] + pilots[p + 1] * ramp[2 * c];
        energy += pilots[p] * pilots[p] + pilots[p + 1] * pilots[p + 1];
        for (let d = 0; d < order; d++) {
          const w = polynomials[MOST_POLYNOMIALS * t + d];
          for (let i = 0, o = at + 2 * d * size; i < size; i++, o += 2) {
            z[o] += w * values[c * size + i] * re;
            z[o + 1] += w * values[c * size + i] * im;
          }
        }
      }
    }
    return energy;
  }

  solve(system: number): number {
    const { factor, size, penalty, order } = this.systems[system];
    const { z, theta, half } = this;
    let sum = 0;
    theta.fill(0);
    for (let i = 0, row = 0; i < size; i++, row += size) {
      let re = 0;
      let im = 0;
      for (let j = 0; j <= i; j++) {
        re += factor[row + j] * z[2 * j];
        im += factor[row + j] * z[2 * j + 1];
      }
      half[2 * i] = re;
      half[2 * i + 1] = im;
      sum += re * re + im * im;
    }
    for (let i = 0, row = 0; i < size; i++, row += size) {
      for (let j = 0; j <= i; j++) {
        theta[2 * j] += factor[row + j] * half[2 * i];
        theta[2 * j + 1] += factor[row + j] * half[2 * i + 1];
      }
    }
    const block = (2 * size) / order;
    for (let d = 0; d < order; d++) {
      for (let e = 0; e < order; e++) {
        let dot = 0;
        for (let i = 0; i < block; i++) dot += theta[d * block + i] * theta[e * block + i];
        sum += penalty[d * order + e] * dot;
      }
    }
    return sum;
  }

  expand(basis: number, ramp: Float32Array, order: number, nodes: Float32Array, at: number): void {
    const { values, size } = this.bases[basis];
    const carriers = 12 * this.pattern.nSubbands;
    for (let d = 0, o = at; d < order; d++) {
      for (let c = 0; c < carriers; c++, o += 2) {
        let re = 0;
        let im = 0;
        for (let i = 0; i < size; i++) {
          re += values[c * size + i] * this.theta[2 * (d * size + i)];
          im += values[c * size + i] * this.theta[2 * (d * size + i) + 1];
        }
        nodes[o] = re * ramp[2 * c] + im * ramp[2 * c + 1];
        nodes[o + 1] = im * ramp[2 * c] - re * ramp[2 * c + 1];
      }
    }
  }

  reset(): void {
    this.bases = [];
    this.systems = [];
  }
}
