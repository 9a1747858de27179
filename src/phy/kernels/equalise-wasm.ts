import { type EqualiserKernel, MOST_SNR, NOISE_NUMBERS, type SlotPattern } from './equalise-kernel.ts';
import { EQUALISE_WASM } from './equalise-wasm-binary.ts';
import { instantiate } from './wasm.ts';

/** What assembly/equalise.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly PHASES: { readonly value: number };
  readonly PILOTS: { readonly value: number };
  readonly NOISE: { readonly value: number };
  readonly PRODUCTS: { readonly value: number };
  readonly ROWS: { readonly value: number };
  readonly CHANNEL: { readonly value: number };
  readonly PAYLOAD: { readonly value: number };
  readonly SNR: { readonly value: number };
  readonly TURNS_RE: { readonly value: number };
  readonly TURNS_IM: { readonly value: number };
  makeTables(): void;
  equaliseSlot(subbands: number, firstSymbol: number, mostSnr: number): number;
}

const MAX_SUBBANDS = 50;
const SYMBOLS = 14;
const SUBBAND = 12;
const RB_DATA = 154;
const SEQUENCE_SYMBOLS = 64;

/** WebAssembly SIMD in single precision (products in double), four carriers a vector, a slot a call. */
export class WasmEqualiserKernel implements EqualiserKernel {
  readonly nSubbands: number;
  private readonly wasm: Exports;
  private readonly phases: Float32Array;
  private readonly noise: Float32Array;
  private readonly products: Float64Array;
  private readonly rows: Float32Array;
  private readonly channel: Float32Array;
  private readonly payload: Float32Array;
  private readonly snr: Float32Array;

  constructor({ nSubbands, pilots, turns }: SlotPattern) {
    if (turns.length !== SEQUENCE_SYMBOLS * (SUBBAND - 1) * nSubbands || pilots.length !== SYMBOLS)
      throw new RangeError('a pattern of 14 pilots and 64 symbols of quarter turns is expected');
    if (nSubbands < 1 || nSubbands > MAX_SUBBANDS)
      throw new RangeError(`equaliser of ${nSubbands} subbands, 1 to ${MAX_SUBBANDS} expected`);
    const wasm = instantiate<Exports>(EQUALISE_WASM);
    const { buffer } = wasm.memory;
    const carriers = SUBBAND * nSubbands;
    this.nSubbands = nSubbands;
    this.wasm = wasm;
    this.phases = new Float32Array(buffer, wasm.PHASES.value, 2 * SYMBOLS);
    this.noise = new Float32Array(buffer, wasm.NOISE.value, NOISE_NUMBERS * nSubbands);
    this.products = new Float64Array(buffer, wasm.PRODUCTS.value, SYMBOLS * nSubbands);
    this.rows = new Float32Array(buffer, wasm.ROWS.value, 2 * SYMBOLS * carriers);
    this.channel = new Float32Array(buffer, wasm.CHANNEL.value, 2 * SYMBOLS * carriers);
    this.payload = new Float32Array(buffer, wasm.PAYLOAD.value, 2 * RB_DATA * nSubbands);
    this.snr = new Float32Array(buffer, wasm.SNR.value, RB_DATA * nSubbands);
    wasm.makeTables();
    new Uint32Array(buffer, wasm.PILOTS.value, SYMBOLS).set(pilots);
    // j^-turns.
    new Float32Array(buffer, wasm.TURNS_RE.value, turns.length).set(Float32Array.from(turns, (q) => [1, 0, -1, 0][q]));
    new Float32Array(buffer, wasm.TURNS_IM.value, turns.length).set(Float32Array.from(turns, (q) => [0, -1, 0, 1][q]));
  }

  equaliseSlot(
    rows: Float32Array,
    channel: Float32Array,
    from: number,
    symbol: number,
    phases: Float64Array,
    phaseAt: number,
    noise: Float32Array,
    payload: Float32Array,
    payloadSnr: Float32Array,
    re: number,
    products: Float64Array,
  ): number {
    const { length } = this.rows;
    this.rows.set(rows.subarray(from, from + length));
    this.channel.set(channel.subarray(from, from + length));
    this.noise.set(noise);
    for (let t = 0; t < SYMBOLS; t++) {
      this.phases[2 * t] = Math.cos(phases[phaseAt + t]);
      this.phases[2 * t + 1] = -Math.sin(phases[phaseAt + t]);
    }
    const power = this.wasm.equaliseSlot(this.nSubbands, symbol % SEQUENCE_SYMBOLS, MOST_SNR);
    payload.set(this.payload, 2 * re);
    payloadSnr.set(this.snr, re);
    products.set(this.products);
    return power;
  }
}
