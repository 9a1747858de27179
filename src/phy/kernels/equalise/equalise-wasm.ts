import { instantiate, type KernelMemory, newMemory } from '../wasm.ts';
import {
  type ControlSymbols,
  type EqualiserKernel,
  MOST_ORDER,
  MOST_SNR,
  NOISE_NUMBERS,
  type SlotPattern,
  type SlotsToEqualise,
} from './equalise-kernel.ts';
import { EQUALISE_WASM } from './equalise-wasm-binary.ts';

/** What assembly/equalise.ts exports; addresses are byte offsets into the memory. */
interface Exports {
  readonly ROW_TURNS: { readonly value: number };
  readonly CONTROL_PHASES: { readonly value: number };
  readonly CONTROL_PILOTS: { readonly value: number };
  readonly PILOTS: { readonly value: number };
  readonly NOISE: { readonly value: number };
  readonly PRODUCTS: { readonly value: number };
  readonly SETS: { readonly value: number };
  readonly WEIGHTS: { readonly value: number };
  readonly ROWS: { readonly value: number };
  readonly NODES: { readonly value: number };
  readonly PAYLOAD: { readonly value: number };
  readonly SNR: { readonly value: number };
  readonly TURNS: { readonly value: number };
  readonly MIDDLES: { readonly value: number };
  makeTables(): void;
  controlLlrs(count: number, subbands: number, symbol: number, weightBytes: number): void;
  equaliseSlots(
    count: number,
    subbands: number,
    firstSymbol: number,
    order: number,
    mostSnr: number,
    rows: number,
    turns: number,
  ): number;
}

const MAX_SUBBANDS = 50;
const SYMBOLS = 14;
const SUBBAND = 12;
const RB_DATA = 154;
const SEQUENCE_SYMBOLS = 64;
/** Pages of a memory of its own. */
const PAGES = 15;
const MOST_PAGES = 160;

/** WebAssembly SIMD in single precision (products in double), four carriers a vector, as many slots a call as 50 subbands hold. */
export class WasmEqualiserKernel implements EqualiserKernel {
  readonly nSubbands: number;
  private readonly slotsPerCall: number;
  private readonly wasm: Exports;
  private readonly memory: KernelMemory;
  /** That which the views are of. */
  private buffer!: ArrayBuffer;
  private turns!: Float64Array;
  private noise!: Float32Array;
  private products!: Float64Array;
  private sets!: Uint32Array;
  private weights!: Float32Array;
  private rows!: Float32Array;
  private nodes!: Float32Array;
  private payload!: Float32Array;
  private snr!: Float32Array;
  private middles!: Float32Array;
  private controlPhases!: Float64Array;
  private controlPilots!: Uint32Array;

  constructor({ nSubbands, pilots, turns }: SlotPattern, memory = newMemory(PAGES, MOST_PAGES)) {
    if (turns.length !== SEQUENCE_SYMBOLS * (SUBBAND - 1) * nSubbands || pilots.length !== SYMBOLS)
      throw new RangeError('a pattern of 14 pilots and 64 symbols of quarter turns is expected');
    if (nSubbands < 1 || nSubbands > MAX_SUBBANDS)
      throw new RangeError(`equaliser of ${nSubbands} subbands, 1 to ${MAX_SUBBANDS} expected`);
    const wasm = instantiate<Exports>(EQUALISE_WASM, memory);
    const { buffer } = memory;
    this.nSubbands = nSubbands;
    this.slotsPerCall = Math.floor(MAX_SUBBANDS / nSubbands);
    this.wasm = wasm;
    this.memory = memory;
    wasm.makeTables();
    new Uint32Array(buffer, wasm.PILOTS.value, SYMBOLS).set(pilots);
    const selected = new Uint8Array(buffer, wasm.TURNS.value, 4 * turns.length);
    for (let i = 0; i < selected.length; i++) selected[i] = 4 * turns[i >> 2] + (i & 3);
    this.views();
  }

  private views(): void {
    const { wasm, nSubbands, slotsPerCall: slots } = this;
    const { buffer } = this.memory;
    const carriers = SUBBAND * nSubbands;
    this.buffer = buffer;
    this.turns = new Float64Array(buffer, wasm.ROW_TURNS.value, 4 * SYMBOLS * slots);
    this.noise = new Float32Array(buffer, wasm.NOISE.value, NOISE_NUMBERS * nSubbands * slots);
    this.products = new Float64Array(buffer, wasm.PRODUCTS.value, 2 * nSubbands * slots);
    this.sets = new Uint32Array(buffer, wasm.SETS.value, slots);
    this.weights = new Float32Array(buffer, wasm.WEIGHTS.value, SYMBOLS * slots * MOST_ORDER);
    this.rows = new Float32Array(buffer, wasm.ROWS.value, 2 * SYMBOLS * slots * carriers);
    this.nodes = new Float32Array(buffer, wasm.NODES.value, 2 * MOST_ORDER * slots * carriers);
    this.payload = new Float32Array(buffer, wasm.PAYLOAD.value, 2 * RB_DATA * nSubbands * slots);
    this.snr = new Float32Array(buffer, wasm.SNR.value, RB_DATA * nSubbands * slots);
    const symbols = SYMBOLS * slots;
    this.controlPhases = new Float64Array(buffer, wasm.CONTROL_PHASES.value, symbols);
    this.controlPilots = new Uint32Array(buffer, wasm.CONTROL_PILOTS.value, symbols);
    this.middles = new Float32Array(buffer, wasm.MIDDLES.value, 2 * slots * carriers);
  }

  equalise(
    input: SlotsToEqualise,
    payload: Float32Array,
    payloadSnr: Float32Array,
    efficiency: Float64Array,
    middles: Float32Array,
  ): number {
    if (input.order < 1 || input.order > MOST_ORDER)
      throw new RangeError(`channel of ${input.order} functions, 1 to ${MOST_ORDER} expected`);
    if (this.buffer !== this.memory.buffer) this.views();
    const { slotsPerCall, products, buffer } = this;
    const rowBytes = 4 * 2 * SUBBAND * this.nSubbands;
    const { rows, turns } = input;
    // Where they lie in this memory; else they are copied in.
    const held = rows.buffer === buffer && turns.buffer === buffer;
    let power = 0;
    for (let slot = 0; slot < input.slots; slot += slotsPerCall) {
      const count = Math.min(slotsPerCall, input.slots - slot);
      this.load(input, slot, count);
      if (!held) this.loadRows(input, slot, count);
      const rowsAt = held ? rows.byteOffset + rowBytes * SYMBOLS * slot : this.rows.byteOffset;
      const turnsAt = held ? turns.byteOffset + 32 * SYMBOLS * slot : this.turns.byteOffset;
      const symbol = (input.symbol + SYMBOLS * slot) % SEQUENCE_SYMBOLS;
      power += this.wasm.equaliseSlots(count, this.nSubbands, symbol, input.order, MOST_SNR, rowsAt, turnsAt);
      const rbs = count * this.nSubbands;
      const first = slot * this.nSubbands;
      const whole = count === slotsPerCall;
      payload.set(whole ? this.payload : this.payload.subarray(0, 2 * RB_DATA * rbs), 2 * RB_DATA * first);
      payloadSnr.set(whole ? this.snr : this.snr.subarray(0, RB_DATA * rbs), RB_DATA * first);
      middles.set(whole ? this.middles : this.middles.subarray(0, 2 * SUBBAND * rbs), 2 * SUBBAND * first);
      for (let i = 0; i < rbs; i++) efficiency[first + i] = Math.log2(products[2 * i]) + products[2 * i + 1];
    }
    return power;
  }

  controlLlrs({ count, symbol, rows, weights, phases, pilots }: ControlSymbols, llr: Float32Array): void {
    if (this.buffer !== this.memory.buffer) this.views();
    const { nSubbands, controlPhases, controlPilots } = this;
    const symbolsPerCall = SYMBOLS * this.slotsPerCall;
    const row = 2 * SUBBAND * nSubbands;
    const own = weights.length > row;
    const perSymbol = 2 * (SUBBAND - 1) * nSubbands;
    if (!own) this.nodes.set(weights);
    for (let done = 0; done < count; done += symbolsPerCall) {
      const some = Math.min(symbolsPerCall, count - done);
      const whole = some === count;
      this.rows.set(whole && rows.length === row * count ? rows : rows.subarray(row * done, row * (done + some)));
      if (own) this.nodes.set(weights.subarray(row * done, row * (done + some)));
      for (let t = 0; t < some; t++) {
        controlPhases[t] = phases[done + t];
        controlPilots[t] = pilots[done + t];
      }
      this.wasm.controlLlrs(some, nSubbands, symbol + done, own ? 4 * row : 0);
      llr.set(this.payload.subarray(0, perSymbol * some), perSymbol * done);
    }
  }

  private loadRows({ rows, turns }: SlotsToEqualise, slot: number, count: number): void {
    const length = 2 * SUBBAND * this.nSubbands * SYMBOLS;
    this.rows.set(rows.subarray(length * slot, length * (slot + count)));
    this.turns.set(turns.subarray(4 * SYMBOLS * slot, 4 * SYMBOLS * (slot + count)));
  }

  /** Copies in what is known of `count` slots from `slot` on. */
  private load({ order, nodes, sets, weights, noise }: SlotsToEqualise, slot: number, count: number): void {
    const row = 2 * SUBBAND * this.nSubbands;
    const symbols = SYMBOLS * count;
    const first = SYMBOLS * slot;
    const set = row * order;
    this.nodes.set(nodes.subarray(set * sets[slot], set * (sets[slot + count - 1] + 1)));
    for (let i = 0; i < count; i++) this.sets[i] = 4 * set * (sets[slot + i] - sets[slot]);
    this.weights.set(weights.subarray(order * first, order * (first + symbols)));
    const perSlot = NOISE_NUMBERS * this.nSubbands;
    this.noise.set(noise.subarray(perSlot * slot, perSlot * (slot + count)));
  }
}
