import {
  type EqualiserKernel,
  MOST_ORDER,
  MOST_SNR,
  NOISE_NUMBERS,
  type SlotPattern,
  type SlotsToEqualise,
} from './equalise-kernel.ts';
import { EQUALISE_WASM } from './equalise-wasm-binary.ts';
import { instantiate } from './wasm.ts';

/** What assembly/equalise.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly PHASES: { readonly value: number };
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
  equaliseSlots(count: number, subbands: number, firstSymbol: number, order: number, mostSnr: number): number;
}

const MAX_SUBBANDS = 50;
const SYMBOLS = 14;
const SUBBAND = 12;
const RB_DATA = 154;
const SEQUENCE_SYMBOLS = 64;

/** WebAssembly SIMD in single precision (products in double), four carriers a vector, as many slots a call as 50 subbands hold. */
export class WasmEqualiserKernel implements EqualiserKernel {
  readonly nSubbands: number;
  private readonly slotsPerCall: number;
  private readonly wasm: Exports;
  private readonly phases: Float32Array;
  private readonly noise: Float32Array;
  private readonly products: Float64Array;
  private readonly sets: Uint32Array;
  private readonly weights: Float32Array;
  private readonly rows: Float32Array;
  private readonly nodes: Float32Array;
  private readonly payload: Float32Array;
  private readonly snr: Float32Array;
  private readonly middles: Float32Array;

  constructor({ nSubbands, pilots, turns }: SlotPattern) {
    if (turns.length !== SEQUENCE_SYMBOLS * (SUBBAND - 1) * nSubbands || pilots.length !== SYMBOLS)
      throw new RangeError('a pattern of 14 pilots and 64 symbols of quarter turns is expected');
    if (nSubbands < 1 || nSubbands > MAX_SUBBANDS)
      throw new RangeError(`equaliser of ${nSubbands} subbands, 1 to ${MAX_SUBBANDS} expected`);
    const wasm = instantiate<Exports>(EQUALISE_WASM);
    const { buffer } = wasm.memory;
    const slots = Math.floor(MAX_SUBBANDS / nSubbands);
    const carriers = SUBBAND * nSubbands;
    this.nSubbands = nSubbands;
    this.slotsPerCall = slots;
    this.wasm = wasm;
    this.phases = new Float32Array(buffer, wasm.PHASES.value, 2 * SYMBOLS * slots);
    this.noise = new Float32Array(buffer, wasm.NOISE.value, NOISE_NUMBERS * nSubbands * slots);
    this.products = new Float64Array(buffer, wasm.PRODUCTS.value, 2 * nSubbands * slots);
    this.sets = new Uint32Array(buffer, wasm.SETS.value, slots);
    this.weights = new Float32Array(buffer, wasm.WEIGHTS.value, SYMBOLS * slots * MOST_ORDER);
    this.rows = new Float32Array(buffer, wasm.ROWS.value, 2 * SYMBOLS * slots * carriers);
    this.nodes = new Float32Array(buffer, wasm.NODES.value, 2 * MOST_ORDER * slots * carriers);
    this.payload = new Float32Array(buffer, wasm.PAYLOAD.value, 2 * RB_DATA * nSubbands * slots);
    this.snr = new Float32Array(buffer, wasm.SNR.value, RB_DATA * nSubbands * slots);
    this.middles = new Float32Array(buffer, wasm.MIDDLES.value, 2 * slots * carriers);
    wasm.makeTables();
    new Uint32Array(buffer, wasm.PILOTS.value, SYMBOLS).set(pilots);
    const selected = new Uint8Array(buffer, wasm.TURNS.value, 4 * turns.length);
    for (let i = 0; i < selected.length; i++) selected[i] = 4 * turns[i >> 2] + (i & 3);
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
    const { slotsPerCall, products } = this;
    let power = 0;
    for (let slot = 0; slot < input.slots; slot += slotsPerCall) {
      const count = Math.min(slotsPerCall, input.slots - slot);
      this.load(input, slot, count);
      const symbol = (input.symbol + SYMBOLS * slot) % SEQUENCE_SYMBOLS;
      power += this.wasm.equaliseSlots(count, this.nSubbands, symbol, input.order, MOST_SNR);
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

  /** Copies in `count` slots from `slot` on. */
  private load({ rows, phasors, order, nodes, sets, weights, noise }: SlotsToEqualise, slot: number, count: number) {
    const row = 2 * SUBBAND * this.nSubbands;
    const symbols = SYMBOLS * count;
    const first = SYMBOLS * slot;
    this.rows.set(rows.subarray(row * first, row * (first + symbols)));
    const set = row * order;
    this.nodes.set(nodes.subarray(set * sets[slot], set * (sets[slot + count - 1] + 1)));
    for (let i = 0; i < count; i++) this.sets[i] = 4 * set * (sets[slot + i] - sets[slot]);
    this.weights.set(weights.subarray(order * first, order * (first + symbols)));
    const perSlot = NOISE_NUMBERS * this.nSubbands;
    this.noise.set(noise.subarray(perSlot * slot, perSlot * (slot + count)));
    this.phases.set(phasors.subarray(2 * first, 2 * (first + symbols)));
  }
}
