import { instantiate } from '../wasm.ts';
import {
  type FitPattern,
  type FitSystem,
  type FittedChannel,
  type LmmseKernel,
  MOST_POLYNOMIALS,
  POINT_TAPS,
  SLOT,
} from './lmmse-kernel.ts';
import {
  ARENA,
  COEFFICIENTS,
  type LmmseExports,
  MAX_BASIS,
  MAX_SUBBANDS,
  MAX_SYSTEM,
  NODES,
  OFFSETS,
  PAGE,
  PILOTS,
  POLYNOMIALS,
  RAMP,
  SUBBAND,
  SUMS,
  THETA,
  Z,
} from './lmmse-memory.ts';
import { LMMSE_WASM } from './lmmse-wasm-binary.ts';

interface Basis {
  readonly size: number;
  readonly padded: number;
  /** By pilot offset and subband, and by function. */
  readonly byCarrier: number;
  readonly byFunction: number;
}

interface Points {
  readonly size: number;
  readonly starts: number;
  readonly weights: number;
}

/** Addresses of a system's parts. */
interface System {
  readonly size: number;
  readonly order: number;
  readonly slots: number;
  readonly factor: number;
  readonly penalty: number;
  readonly perSlot: number;
}

/** Room that is made anew, larger, where it is too small. */
interface Room {
  at: number;
  bytes: number;
}

/** WebAssembly SIMD: projection and expansion in single, solution in double precision. Its memory grows with what it is given. */
export class WasmLmmseKernel implements LmmseKernel {
  z!: Float64Array;
  theta!: Float64Array;
  /** All of the memory: views of parts of it, made for a call, cost more than what is copied. */
  private floats!: Float32Array;
  private doubles!: Float64Array;
  private words!: Uint32Array;
  private readonly wasm: LmmseExports;
  private readonly pattern: FitPattern;
  private pilots!: Float32Array;
  private ramp!: Float32Array;
  private nodes!: Float32Array;
  /** The part of `nodes` that so many functions take, [order]. */
  private nodesOf: Float32Array[] = [];
  private bases: Basis[] = [];
  private systems: System[] = [];
  private points: Points[] = [];
  private basis: Basis = { size: 0, padded: 0, byCarrier: 0, byFunction: 0 };
  /** Projections of the slots, f64 [slot][MOST_POLYNOMIALS][basis size][re, im], `stride` bytes a slot. */
  private projected: Room = { at: 0, bytes: 0 };
  private stride = 0;
  private grid: Room = { at: 0, bytes: 0 };
  /** What a call of `projectSlots`, `weigh`, `residual` or `turn` takes and gives, one after the other. */
  private burst: Room = { at: 0, bytes: 0 };
  private row = 0;
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
    this.wasm = instantiate<LmmseExports>(LMMSE_WASM);
    const { buffer } = this.wasm.memory;
    new Uint32Array(buffer, OFFSETS, SLOT).set(pilots);
    new Float32Array(buffer, POLYNOMIALS, polynomials.length).set(polynomials);
    this.makeViews();
  }

  private makeViews(): void {
    const { buffer } = this.wasm.memory;
    const { nSubbands } = this.pattern;
    this.floats = new Float32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.words = new Uint32Array(buffer);
    this.pilots = new Float32Array(buffer, PILOTS, 2 * SLOT * nSubbands);
    this.ramp = new Float32Array(buffer, RAMP, 2 * SUBBAND * nSubbands);
    this.z = new Float64Array(buffer, Z, 2 * MAX_SYSTEM);
    this.theta = new Float64Array(buffer, THETA, 2 * MAX_SYSTEM);
    this.nodes = new Float32Array(buffer, NODES, 2 * MOST_POLYNOMIALS * SUBBAND * nSubbands);
    for (let order = 0; order <= MOST_POLYNOMIALS; order++)
      this.nodesOf[order] = this.nodes.subarray(0, 2 * order * SUBBAND * nSubbands);
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

  addPoints(starts: Int32Array, weights: Float64Array, size: number): number {
    const startsAt = this.allocate(4 * size);
    const weightsAt = this.allocate(8 * POINT_TAPS * size);
    const { buffer } = this.wasm.memory;
    const bytes = new Uint32Array(buffer, startsAt, size);
    for (let i = 0; i < size; i++) bytes[i] = 16 * starts[i];
    new Float64Array(buffer, weightsAt, POINT_TAPS * size).set(weights);
    return this.points.push({ size, starts: startsAt, weights: weightsAt }) - 1;
  }

  addSystem({ factor, size, penalty, order, slots, perSlot }: FitSystem): number {
    if (size < 1 || size > MAX_SYSTEM) throw new RangeError(`system of ${size} unknowns, 1 to ${MAX_SYSTEM} expected`);
    const blocks = Math.ceil(size / 4);
    const length = 8 * blocks * (blocks + 1);
    const at = this.allocate(8 * length);
    const penaltyAt = this.allocate(8 * penalty.length);
    const perSlotAt = this.allocate(8 * perSlot.length);
    const { buffer } = this.wasm.memory;
    const out = new Float64Array(buffer, at, length);
    let o = 0;
    for (let row = 0; row < size; row += 4) {
      for (let j = 0; j < row + 4; j++) {
        for (let r = row; r < row + 4; r++) out[o++] = r < size && j <= r ? factor[r * size + j] : 0;
      }
    }
    new Float64Array(buffer, penaltyAt, penalty.length).set(penalty);
    new Float64Array(buffer, perSlotAt, perSlot.length).set(perSlot);
    return this.systems.push({ size, order, slots, factor: at, penalty: penaltyAt, perSlot: perSlotAt }) - 1;
  }

  begin(basis: number, slots: number): void {
    this.basis = this.bases[basis];
    // Behind each slot what padding writes.
    this.stride = 16 * (MOST_POLYNOMIALS * this.basis.size + 3);
    this.makeRoom(this.projected, this.stride * slots);
  }

  private makeRoom(room: Room, bytes: number): void {
    if (room.bytes >= bytes) return;
    room.bytes = Math.max(bytes, 2 * room.bytes);
    room.at = this.allocate(room.bytes);
  }

  project(ramp: Float32Array, pilots: Float32Array, from: number, order: number, slot: number): number {
    const { length } = this.pilots;
    // Short arrays cost more to look at than to copy.
    this.pilots.set(part(pilots, from, length));
    this.setRamp(ramp);
    return this.projectAt(PILOTS, order, slot);
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
    const { length } = this.pilots;
    this.makeRoom(this.burst, 4 * length * count);
    const { at } = this.burst;
    this.floats.set(part(pilots, from, length * count), at >> 2);
    this.setRamp(ramp);
    for (let i = 0; i < count; i++) energies[slot + i] = this.projectAt(at + 4 * length * i, order, slot + i);
  }

  /** Pilots of one slot at an address, which are turned. */
  private projectAt(pilots: number, order: number, slot: number): number {
    const { size, padded, byCarrier } = this.basis;
    const { nSubbands } = this.pattern;
    const to = this.projected.at + this.stride * slot;
    return this.wasm.project(byCarrier, padded, size, nSubbands, RAMP, OFFSETS, POLYNOMIALS, order, pilots, SUMS, to);
  }

  solveSlots(system: number, first: number): number {
    const { order, slots, perSlot } = this.systems[system];
    const { stride } = this;
    const at = this.projected.at + stride * first;
    this.wasm.gather(perSlot, slots, order, at, stride, 16 * this.basis.size, Z);
    return this.solve(this.systems[system]);
  }

  loadGrid(grid: Float64Array, row: number): void {
    this.makeRoom(this.grid, 8 * grid.length);
    this.row = row;
    this.doubles.set(grid, this.grid.at >> 3);
  }

  solvePoints(system: number, points: number): number {
    const { order } = this.systems[system];
    const { size, starts, weights } = this.points[points];
    this.wasm.interpolate(starts, weights, size, this.grid.at, 16 * this.row, order, Z);
    return this.solve(this.systems[system]);
  }

  private solve({ factor, size, penalty, order }: System): number {
    return this.wasm.solve(factor, size, Z, THETA, penalty, order);
  }

  expand(basis: number, ramp: Float32Array, order: number, nodes: Float32Array, at: number): void {
    const { size, byFunction } = this.bases[basis];
    const half = (SUBBAND / 2) * this.pattern.nSubbands;
    this.setRamp(ramp);
    this.wasm.expand(byFunction, size, half, RAMP, THETA, order, COEFFICIENTS, NODES);
    nodes.set(this.nodesOf[order], at);
  }

  weigh(pilots: Float32Array, from: number, weights: Float32Array, order: number): Float32Array {
    const { nSubbands } = this.pattern;
    const symbols = weights.length / order;
    const length = 2 * nSubbands * symbols;
    const weightsAt = 4 * length;
    this.makeRoom(this.burst, weightsAt + 4 * weights.length);
    const { at } = this.burst;
    this.floats.set(part(pilots, from, length), at >> 2);
    this.floats.set(weights, (at + weightsAt) >> 2);
    this.wasm.weigh(at, nSubbands, OFFSETS, at + weightsAt, order, symbols, SUMS, NODES);
    return this.nodes;
  }

  residual(pilots: Float32Array, { order, nodes, sets, weights }: FittedChannel, out: Float64Array): void {
    const { nSubbands } = this.pattern;
    const slots = sets.length;
    const rbs = slots * nSubbands;
    const set = 8 * SUBBAND * nSubbands * order;
    const length = 2 * SLOT * rbs;
    this.makeRoom(this.burst, 8 * rbs + 4 * (slots + length + weights.length + nodes.length));
    const { floats, doubles, words } = this;
    const outAt = this.burst.at;
    const setsAt = outAt + 8 * rbs;
    const pilotsAt = setsAt + 4 * slots;
    const weightsAt = pilotsAt + 4 * length;
    const nodesAt = weightsAt + 4 * weights.length;
    for (let slot = 0; slot < slots; slot++) words[(setsAt >> 2) + slot] = set * sets[slot];
    floats.set(part(pilots, 0, length), pilotsAt >> 2);
    floats.set(weights, weightsAt >> 2);
    floats.set(nodes, nodesAt >> 2);
    this.wasm.residual(pilotsAt, slots, nSubbands, OFFSETS, setsAt, nodesAt, weightsAt, order, outAt);
    for (let rb = 0; rb < rbs; rb++) out[rb] = doubles[(outAt >> 3) + rb];
  }

  turn(pilots: Float32Array, phasors: Float32Array, sign: 1 | -1): number {
    const { length } = phasors;
    this.makeRoom(this.burst, 4 * (length + pilots.length));
    const { at } = this.burst;
    const { buffer } = this.wasm.memory;
    const turns = new Float32Array(buffer, at, length);
    turns.set(phasors);
    if (sign < 0) for (let i = 1; i < length; i += 2) turns[i] = -turns[i];
    const room = new Float32Array(buffer, at + 4 * length, pilots.length);
    room.set(pilots);
    const energy = this.wasm.turn(at + 4 * length, this.pattern.nSubbands, at, length / 2);
    pilots.set(room);
    return energy;
  }

  reset(): void {
    this.bases = [];
    this.systems = [];
    this.points = [];
    this.projected = { at: 0, bytes: 0 };
    this.grid = { at: 0, bytes: 0 };
    this.burst = { at: 0, bytes: 0 };
    this.end = ARENA;
  }

  private setRamp(ramp: Float32Array): void {
    if (this.held === ramp) return;
    this.ramp.set(ramp);
    this.held = ramp;
  }
}

/** So many numbers from one on: all of the array, where it has no more. */
function part(array: Float32Array, from: number, length: number): Float32Array {
  return array.length === length ? array : array.subarray(from, from + length);
}
