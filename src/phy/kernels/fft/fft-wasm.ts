import { instantiate } from '../wasm.ts';
import type { FftKernel } from './fft-kernel.ts';
import { FFT_WASM } from './fft-wasm-binary.ts';

export const MIN_WASM_SIZE = 16;
export const MAX_WASM_SIZE = 4096;

/** What assembly/fft.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly SOURCE: { readonly value: number };
  readonly RESULT: { readonly value: number };
  readonly FACTORS: { readonly value: number };
  forward(size: number, source: number, result: number, factors: number): void;
  inverse(size: number, source: number, result: number, factors: number): void;
}

/** The instance of this thread; its memory holds the factors of every size made so far, at the addresses given. */
let shared: { readonly wasm: Exports; readonly factorsAt: Map<number, number>; factorsEnd: number } | undefined;

function instance(): NonNullable<typeof shared> {
  if (!shared) {
    const wasm = instantiate<Exports>(FFT_WASM);
    shared = { wasm, factorsAt: new Map(), factorsEnd: wasm.FACTORS.value };
  }
  return shared;
}

/** WebAssembly SIMD in single precision, four butterflies a vector, sizes 16 to 4096. */
export class WasmFftKernel implements FftKernel {
  readonly size: number;
  /** Input and output in the kernel's memory, shared by all sizes, [size][re, im]: for callers that need no copy. */
  readonly source: Float32Array;
  readonly result: Float32Array;
  private readonly wasm: Exports;
  private readonly from: number;
  private readonly to: number;
  private readonly factors: number;

  constructor(size: number) {
    if (size < MIN_WASM_SIZE || size > MAX_WASM_SIZE || (size & (size - 1)) !== 0)
      throw new RangeError(`FFT size ${size} is not a power of two from ${MIN_WASM_SIZE} to ${MAX_WASM_SIZE}`);
    const { wasm, factorsAt } = instance();
    const { buffer } = wasm.memory;
    this.size = size;
    this.wasm = wasm;
    this.from = wasm.SOURCE.value;
    this.to = wasm.RESULT.value;
    this.source = new Float32Array(buffer, this.from, 2 * size);
    this.result = new Float32Array(buffer, this.to, 2 * size);
    let at = factorsAt.get(size);
    if (at === undefined) {
      at = instance().factorsEnd;
      const factors = fftFactors(size);
      new Float32Array(buffer, at, factors.length).set(factors);
      factorsAt.set(size, at);
      instance().factorsEnd += factors.byteLength;
    }
    this.factors = at;
  }

  forward(input: Float32Array, inOffset: number, output: Float32Array, outOffset: number): void {
    this.load(input, inOffset);
    this.run(true);
    output.set(this.result, outOffset);
  }

  inverse(input: Float32Array, inOffset: number, output: Float32Array, outOffset: number): void {
    this.load(input, inOffset);
    this.run(false);
    output.set(this.result, outOffset);
  }

  private load(input: Float32Array, at: number): void {
    const length = 2 * this.size;
    this.source.set(at === 0 && input.length === length ? input : input.subarray(at, at + length));
  }

  /** `source` to `result`; the source stays as it is. */
  run(forward: boolean): void {
    if (forward) this.wasm.forward(this.size, this.from, this.to, this.factors);
    else this.wasm.inverse(this.size, this.from, this.to, this.factors);
  }
}

/**
 * Factors of all stages but the last in the order of assembly/fft.ts, w = exp(-2 pi i / n): first stage re[N/4], im[N/4] of
 * w^p, then of w^2p and w^3p; the others of r = 4 or 8 points [n/r][w^p, ... w^((r - 1) p)][re, im]. At most 2 N in all.
 */
export function fftFactors(size: number): Float32Array {
  const factors: number[] = [];
  for (let r = 1; r < 4; r++) {
    const unit = (-2 * Math.PI * r) / size;
    for (let p = 0; p < size / 4; p++) factors.push(Math.cos(unit * p));
    for (let p = 0; p < size / 4; p++) factors.push(Math.sin(unit * p));
  }
  let n = size / 4;
  for (let fours = (3 - (Math.log2(n) % 3)) % 3; n > 8; fours--) {
    const points = fours > 0 ? 4 : 8;
    for (let p = 0; p < n / points; p++) {
      for (let r = 1; r < points; r++) {
        const angle = (-2 * Math.PI * r * p) / n;
        factors.push(Math.cos(angle), Math.sin(angle));
      }
    }
    n /= points;
  }
  return Float32Array.from(factors);
}
