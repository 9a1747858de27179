import {
  type FitPattern,
  type FitSystem,
  type FittedChannel,
  type LmmseKernel,
  MOST_POLYNOMIALS,
  POINT_TAPS,
  SLOT,
} from './lmmse-kernel.ts';

interface Basis {
  readonly values: Float32Array;
  readonly size: number;
}

interface Points {
  readonly starts: Int32Array;
  readonly weights: Float64Array;
  readonly size: number;
}

/** The kernel in plain TypeScript and double precision: the twin of the one in WebAssembly. */
export class PlainLmmseKernel implements LmmseKernel {
  z = new Float64Array(0);
  theta = new Float64Array(0);
  private half = new Float64Array(0);
  private readonly pattern: FitPattern;
  private bases: Basis[] = [];
  private systems: FitSystem[] = [];
  private points: Points[] = [];
  private basis: Basis = { values: new Float32Array(0), size: 0 };
  /** [slot][MOST_POLYNOMIALS][basis size][re, im]. */
  private projected = new Float64Array(0);
  private grid: Float64Array = new Float64Array(0);
  private row = 0;

  constructor(pattern: FitPattern) {
    this.pattern = pattern;
  }

  addBasis(values: Float32Array, size: number): number {
    return this.bases.push({ values, size }) - 1;
  }

  addPoints(starts: Int32Array, weights: Float64Array, size: number): number {
    return this.points.push({ starts, weights, size }) - 1;
  }

  addSystem(system: FitSystem): number {
    const { size } = system;
    if (this.z.length < 2 * size) {
      this.z = new Float64Array(2 * size);
      this.theta = new Float64Array(2 * size);
      this.half = new Float64Array(2 * size);
    }
    return this.systems.push(system) - 1;
  }

  begin(basis: number, slots: number): void {
    this.basis = this.bases[basis];
    const length = 2 * MOST_POLYNOMIALS * this.basis.size * slots;
    if (this.projected.length < length) this.projected = new Float64Array(length);
  }

  project(ramp: Float32Array, pilots: Float32Array, from: number, order: number, slot: number): number {
    const { values, size } = this.basis;
    const z = this.projected;
    const at = 2 * MOST_POLYNOMIALS * size * slot;
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

  projectSlots(
    ramp: Float32Array,
    pilots: Float32Array,
    from: number,
    order: number,
    slot: number,
    count: number,
    energies: Float64Array,
  ): void {
    const length = 2 * SLOT * this.pattern.nSubbands;
    for (let i = 0; i < count; i++) {
      energies[slot + i] = this.project(ramp, pilots, from + i * length, order, slot + i);
    }
  }

  solveSlots(system: number, first: number): number {
    const { order, size, slots, perSlot } = this.systems[system];
    const block = (2 * size) / order;
    const { z, projected } = this;
    z.fill(0);
    for (let slot = 0; slot < slots; slot++) {
      const at = (first + slot) * MOST_POLYNOMIALS * block;
      for (let d = 0; d < order; d++) {
        for (let p = 0; p <= d; p++) {
          const w = perSlot[(slot * order + d) * order + p];
          for (let i = 0; i < block; i++) z[d * block + i] += w * projected[at + p * block + i];
        }
      }
    }
    return this.solve(this.systems[system]);
  }

  loadGrid(grid: Float64Array, row: number): void {
    this.grid = grid;
    this.row = row;
  }

  solvePoints(system: number, points: number): number {
    const { order } = this.systems[system];
    const { starts, weights, size } = this.points[points];
    const { z, grid } = this;
    const at = (d: number, i: number, part: 0 | 1) => {
      let sum = 0;
      const from = 2 * (d * this.row + starts[i]) + part;
      for (let w = 0; w < POINT_TAPS; w++) sum += weights[i * POINT_TAPS + w] * grid[from + 2 * w];
      return sum;
    };
    for (let d = 0; d < order; d++) {
      let o = 2 * d * size;
      z[o++] = at(d, 0, 0);
      z[o++] = at(d, 0, 1);
      for (let i = 1; i < size; i += 2) {
        // Z(c + d) = C + i S and Z(c - d) = C - i S.
        z[o++] = Math.SQRT1_2 * (at(d, i, 0) + at(d, i + 1, 0));
        z[o++] = Math.SQRT1_2 * (at(d, i, 1) + at(d, i + 1, 1));
        z[o++] = Math.SQRT1_2 * (at(d, i, 1) - at(d, i + 1, 1));
        z[o++] = Math.SQRT1_2 * (at(d, i + 1, 0) - at(d, i, 0));
      }
    }
    return this.solve(this.systems[system]);
  }

  private solve({ factor, size, penalty, order }: FitSystem): number {
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

  weigh(pilots: Float32Array, from: number, weights: Float32Array, order: number): Float32Array {
    const { nSubbands } = this.pattern;
    const row = 24 * nSubbands;
    const values = new Float32Array(order * row);
    for (let t = 0, p = from; t < weights.length / order; t++) {
      for (let c = 2 * this.pattern.pilots[t % SLOT]; c < row; c += 24, p += 2) {
        for (let d = 0; d < order; d++) {
          values[d * row + c] += weights[t * order + d] * pilots[p];
          values[d * row + c + 1] += weights[t * order + d] * pilots[p + 1];
        }
      }
    }
    return values;
  }

  residual(pilots: Float32Array, { order, nodes, sets, weights }: FittedChannel, out: Float64Array): void {
    const { nSubbands } = this.pattern;
    const row = 24 * nSubbands;
    for (let symbol = 0, p = 0; symbol < SLOT * sets.length; symbol++) {
      const slot = Math.floor(symbol / SLOT);
      const node = sets[slot] * order * row + 2 * this.pattern.pilots[symbol % SLOT];
      for (let s = 0; s < nSubbands; s++, p += 2) {
        let re = pilots[p];
        let im = pilots[p + 1];
        for (let d = 0; d < order; d++) {
          re -= weights[symbol * order + d] * nodes[node + d * row + 24 * s];
          im -= weights[symbol * order + d] * nodes[node + d * row + 24 * s + 1];
        }
        const rb = slot * nSubbands + s;
        out[rb] = (symbol % SLOT === 0 ? 0 : out[rb]) + re * re + im * im;
      }
    }
  }

  turn(pilots: Float32Array, phasors: Float32Array, sign: 1 | -1): number {
    const width = 2 * this.pattern.nSubbands;
    let energy = 0;
    for (let i = 0; i < pilots.length; i += 2) {
      const symbol = Math.floor(i / width);
      const cos = phasors[2 * symbol];
      const sin = sign * phasors[2 * symbol + 1];
      const re = pilots[i];
      const im = pilots[i + 1];
      energy += re * re + im * im;
      pilots[i] = re * cos - im * sin;
      pilots[i + 1] = re * sin + im * cos;
    }
    return energy;
  }

  reset(): void {
    this.bases = [];
    this.systems = [];
    this.points = [];
  }
}
