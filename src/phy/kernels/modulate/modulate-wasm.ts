import { RB_DATA_RE, SLOT_SYMBOLS } from '../../numerology.ts';
import { fftFactors } from '../fft/fft-wasm.ts';
import { instantiate } from '../wasm.ts';
import type { ModulateKernel, OfdmShape, TransmitPattern } from './modulate-kernel.ts';
import { MODULATE_WASM } from './modulate-wasm-binary.ts';

/** What assembly/modulate.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly FACTORS: { readonly value: number };
  readonly TURNS: { readonly value: number };
  readonly PILOTS: { readonly value: number };
  readonly OFFSETS: { readonly value: number };
  readonly PAYLOAD: { readonly value: number };
  readonly ROWS: { readonly value: number };
  readonly SAMPLES: { readonly value: number };
  setUp(size: number): void;
  placeSlot(subbands: number, symbol: number): void;
  modulate(
    size: number,
    prefix: number,
    carriers: number,
    lower: number,
    symbols: number,
    scale: number,
    factors: number,
  ): void;
}

/** Most symbols, subbands and samples of a symbol that the kernel's memory holds, and how many turns and pilots it knows. */
const MAX_SYMBOLS = SLOT_SYMBOLS;
const MAX_SUBBANDS = 50;
const MAX_SYMBOL_LENGTH = 1096;
const KNOWN_SYMBOLS = 64;

/** Whether the kernel's memory holds a numerology. */
export function fitsModulateMemory({ nSubbands, symbolLength, fftSize }: OfdmShape): boolean {
  return nSubbands <= MAX_SUBBANDS && symbolLength <= MAX_SYMBOL_LENGTH && fftSize >= 16;
}

/** WebAssembly SIMD: a slot a call, payload in and samples out. */
export class WasmModulateKernel implements ModulateKernel {
  private readonly shape: OfdmShape;
  private readonly wasm: Exports;
  private readonly payload: Float32Array;
  private readonly rows: Float32Array;
  private readonly samples: Float32Array;

  constructor(shape: OfdmShape, { pilots, turns, pilotValues }: TransmitPattern) {
    if (!fitsModulateMemory(shape) || pilotValues.length !== 2 * KNOWN_SYMBOLS * shape.nSubbands)
      throw new RangeError(
        `OFDM of ${shape.nSubbands} subbands and ${shape.symbolLength} samples a symbol does not fit`,
      );
    const wasm = instantiate<Exports>(MODULATE_WASM);
    const { buffer } = wasm.memory;
    this.shape = shape;
    this.wasm = wasm;
    this.payload = new Float32Array(buffer, wasm.PAYLOAD.value, 2 * RB_DATA_RE * shape.nSubbands);
    this.rows = new Float32Array(buffer, wasm.ROWS.value, 2 * shape.nCarriers * MAX_SYMBOLS);
    this.samples = new Float32Array(buffer, wasm.SAMPLES.value, 2 * shape.symbolLength * MAX_SYMBOLS);
    wasm.setUp(shape.fftSize);
    const factors = fftFactors(shape.fftSize);
    new Float32Array(buffer, wasm.FACTORS.value, factors.length).set(factors);
    new Uint8Array(buffer, wasm.TURNS.value, turns.length).set(turns);
    new Float32Array(buffer, wasm.PILOTS.value, pilotValues.length).set(pilotValues);
    new Uint8Array(buffer, wasm.OFFSETS.value, SLOT_SYMBOLS).set(pilots);
  }

  modulate(grid: Float32Array, symbols: number, scale: number, out: Float32Array, outSample: number): void {
    const { nCarriers, symbolLength } = this.shape;
    for (let done = 0; done < symbols; done += MAX_SYMBOLS) {
      const some = Math.min(MAX_SYMBOLS, symbols - done);
      this.rows.set(grid.subarray(2 * nCarriers * done, 2 * nCarriers * (done + some)));
      this.run(some, scale, out, outSample + done * symbolLength);
    }
  }

  modulateSlot(
    payload: Float32Array,
    from: number,
    symbol: number,
    scale: number,
    out: Float32Array,
    outSample: number,
  ): void {
    this.payload.set(payload.subarray(from, from + this.payload.length));
    this.wasm.placeSlot(this.shape.nSubbands, symbol);
    this.run(SLOT_SYMBOLS, scale, out, outSample);
  }

  private run(symbols: number, scale: number, out: Float32Array, outSample: number): void {
    const { fftSize, cpLength, nCarriers, bins, symbolLength } = this.shape;
    this.wasm.modulate(fftSize, cpLength, nCarriers, bins[0], symbols, scale, this.wasm.FACTORS.value);
    out.set(this.samples.subarray(0, 2 * symbolLength * symbols), 2 * outSample);
  }
}
