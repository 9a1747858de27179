import { type FitPattern, type LmmseKernel, MOST_POLYNOMIALS, SLOT } from './lmmse-kernel.ts';
import { LMMSE_WASM } from './lmmse-wasm-binary.ts';
import { instantiate } from './wasm.ts';

/** What assembly/lmmse.ts exports; all arguments but counts are addresses in `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  project(
    table: number,
    padded: number,
    size: number,
    subbands: number,
    ramp: number,
    offsets: number,
    polynomials: number,
    order: number,
    pilots: number,
    sums: number,
    z: number,
  ): number;
  solve(factor: number, size: number, z: number, theta: number, penalty: number, order: number): number;
  expand(
    table: number,
    size: number,
    halfCarriers: number,
    ramp: number,
    theta: number,
    order: number,
    coefficients: number,
    nodes: number,
  ): void;
}

const MAX_SUBBANDS = 50;
const SUBBAND = 12;
/** Most delay functions, and most unknowns of a system. */
const MAX_BASIS = 127;
const MAX_SYSTEM = MOST_POLYNOMIALS * MAX_BASIS;

/** Byte addresses; behind ARENA lie bases and systems. */
const OFFSETS = 1024;
const POLYNOMIALS = 1088;
const PILOTS = 1536;
const RAMP = 7168;
const SUMS = 12288;
const PROJECTED = 26624;
const Z = 36864;

const THETA = 47104;
const COEFFICIENTS = 57344;
const NODES = 58368;
const ARENA = 82432;

const PAGE = 65536;

interface Basis {
  readonly size: number;
  readonly padded: number;
  /** By pilot offset and subband, and by function. */
  readonly byCarrier: number;
  readonly byFunction: number;
}

interface System {
  readonly size: number;
  readonly order: number;
  readonly factor: number;
  readonly penalty: number;
}

/** WebAssembly SIMD: projection and expansion in single, solution in double precision. Its memory grows with what it is given. */
export class WasmLmmseKernel implements LmmseKernel {
  z!: Float64Array;
  theta!: Float64Array;
  private readonly wasm: Exports;
  private readonly pattern: FitPattern;
  private pilots!: Float32Array;
  private ramp!: Float32Array;
  private projected!: Float64Array;
  private nodes!: Float32Array;
  private bases: Basis[] = [];
  private systems: System[] = [];
  private end = ARENA;
  /** The ramp that stands in the memory. */
  private held: Float32Array | null = null;

  constructor(pattern: FitPattern) {
    const { nSubbands, pilots, polynomials } = pattern;
    if (nSubbands < 1 || nSubbands > MAX_SUBBANDS)
      throw new RangeError(`channel fit of ${nSubbands} subbands, 1 to ${MAX_SUBBANDS} expected`);
    if (pilots.length !== SLOT || polynomials.length !== SLOT * MOST_POLYNOMIALS)
      throw new RangeError('a pattern of 14 pilots and five polynomials over 14 symbols is expected');
    this.pattern = pattern;
    this.wasm = instantiate<Exports>(LMMSE_WASM);
    const { buffer } = this.wasm.memory;
    new Uint32Array(buffer, OFFSETS, SLOT).set(pilots);
    new Float32Array(buffer, POLYNOMIALS, polynomials.length).set(polynomials);
    this.makeViews();
  }

  private makeViews(): void {
    const { buffer } = this.wasm.memory;
    const { nSubbands } = this.pattern;
    this.pilots = new Float32Array(buffer, PILOTS, 2 * SLOT * nSubbands);
    this.ramp = new Float32Array(buffer, RAMP, 2 * SUBBAND * nSubbands);
    this.projected = new Float64Array(buffer, PROJECTED, 2 * MAX_SYSTEM);
    this.z = new Float64Array(buffer, Z, 2 * MAX_SYSTEM);
    this.theta = new Float64Array(buffer, THETA, 2 * MAX_SYSTEM);
    this.nodes = new Float32Array(buffer, NODES, 2 * MOST_POLYNOMIALS * SUBBAND * nSubbands);
  }

  /** Address of so many more bytes. */
  private allocate(bytes: number): number {
    const at = this.end;
    this.end += (bytes + 15) & ~15;
    const { memory } = this.wasm;
    const missing = this.end - memory.buffer.byteLength;
    if (missing > 0) {
      // A quarter more than needed, so that many small ones do not copy the memory each time.
      memory.grow(Math.ceil((missing + this.end / 4) / PAGE));
      this.makeViews();
    }
    return at;
  }

  addBasis(values: Float32Array, size: number): number {
    if (size < 1 || size > MAX_BASIS || size % 2 === 0)
      throw new RangeError(`delay basis of ${size} functions, an odd number up to ${MAX_BASIS} expected`);
    const { nSubbands } = this.pattern;
    const carriers = SUBBAND * nSubbands;
    const padded = (size + 3) & ~3;
    const byCarrier = this.allocate(4 * carriers * padded);
    const byFunction = this.allocate(4 * (carriers / 2) * size);
    const { buffer } = this.wasm.memory;
    const rows = new Float32Array(buffer, byCarrier, carriers * padded);
    const columns = new Float32Array(buffer, byFunction, (carriers / 2) * size);
    rows.fill(0);
    for (let c = 0; c < carriers; c++) {
      const row = ((c % SUBBAND) * nSubbands + Math.floor(c / SUBBAND)) * padded;
      rows.set(values.subarray(c * size, (c + 1) * size), row);
    }
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < carriers / 2; k++) columns[(i * carriers) / 2 + k] = values[(carriers / 2 + k) * size + i];
    }
    return this.bases.push({ size, padded, byCarrier, byFunction }) - 1;
  }

  addSystem(factor: Float64Array, size: number, penalty: Float64Array, order: number): number {
    if (size < 1 || size > MAX_SYSTEM) throw new RangeError(`system of ${size} unknowns, 1 to ${MAX_SYSTEM} expected`);
    const blocks = Math.ceil(size / 4);
    const length = 8 * blocks * (blocks + 1);
    const at = this.allocate(8 * length);
    const penaltyAt = this.allocate(8 * order * order);
    const out = new Float64Array(this.wasm.memory.buffer, at, length);
    let o = 0;
    for (let row = 0; row < size; row += 4) {
      for (let j = 0; j < row + 4; j++) {
        for (let r = row; r < row + 4; r++) out[o++] = r < size && j <= r ? factor[r * size + j] : 0;
      }
    }
    new Float64Array(this.wasm.memory.buffer, penaltyAt, order * order).set(penalty);
    return this.systems.push({ size, order, factor: at, penalty: penaltyAt }) - 1;
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
    const { size, padded, byCarrier } = this.bases[basis];
    const { nSubbands } = this.pattern;
    const { length } = this.pilots;
    this.setRamp(ramp);
    this.pilots.set(pilots.subarray(from, from + length));
    const energy = this.wasm.project(
      byCarrier,
      padded,
      size,
      nSubbands,
      RAMP,
      OFFSETS,
      POLYNOMIALS,
      order,
      PILOTS,
      SUMS,
      PROJECTED,
    );
    const { projected } = this;
    for (let i = 0, o = at; i < 2 * order * size; i++, o++) z[o] = projected[i];
    return energy;
  }

  solve(system: number): number {
    const { factor, size, penalty, order } = this.systems[system];
    return this.wasm.solve(factor, size, Z, THETA, penalty, order);
  }

  expand(basis: number, ramp: Float32Array, order: number, nodes: Float32Array, at: number): void {
    const { size, byFunction } = this.bases[basis];
    const half = (SUBBAND / 2) * this.pattern.nSubbands;
    this.setRamp(ramp);
    this.wasm.expand(byFunction, size, half, RAMP, THETA, order, COEFFICIENTS, NODES);
    nodes.set(this.nodes.subarray(0, 4 * half * order), at);
  }

  reset(): void {
    this.bases = [];
    this.systems = [];
    this.end = ARENA;
  }

  private setRamp(ramp: Float32Array): void {
    if (this.held === ramp) return;
    this.ramp.set(ramp);
    this.held = ramp;
  }
}
