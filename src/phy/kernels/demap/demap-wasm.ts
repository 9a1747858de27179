import { instantiate } from '../wasm.ts';
import { type DemapKernel, LEAST_NOISE_VARIANCE, LEAST_SNR } from './demap-kernel.ts';
import { PlainDemapKernel } from './demap-plain.ts';
import { DEMAP_WASM } from './demap-wasm-binary.ts';

/** What assembly/demap.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly SYMBOLS: { readonly value: number };
  readonly VARIANCES: { readonly value: number };
  readonly LLRS: { readonly value: number };
  demap(qm: number, count: number, halfSpacing: number, leastVariance: number): void;
  demapMmse(qm: number, count: number, halfSpacing: number, leastVariance: number, leastSnr: number): void;
}

/** Symbols of one call: what they bring and what they become stays in the nearest cache. */
const BATCH = 1024;
/** Fewer symbols are not worth the way into the kernel's memory. */
const WORTH_IT = 16;

/** WebAssembly SIMD in single precision, four symbols a vector. */
export class WasmDemapKernel implements DemapKernel {
  private readonly plain = new PlainDemapKernel();
  private readonly wasm: Exports;
  private readonly symbols: Float32Array;
  private readonly variances: Float32Array;
  private readonly llrs: Float32Array;
  /** The LLRs of a whole batch, [qm]. */
  private readonly whole: Float32Array[] = [];

  constructor() {
    const wasm = instantiate<Exports>(DEMAP_WASM);
    const { buffer } = wasm.memory;
    this.wasm = wasm;
    this.symbols = new Float32Array(buffer, wasm.SYMBOLS.value, 2 * BATCH);
    this.variances = new Float32Array(buffer, wasm.VARIANCES.value, BATCH);
    this.llrs = new Float32Array(buffer, wasm.LLRS.value, 8 * BATCH);
    for (let qm = 2; qm <= 8; qm += 2) this.whole[qm] = this.llrs.subarray(0, qm * BATCH);
  }

  demap(
    symbols: Float32Array,
    noiseVariance: Float32Array,
    qm: number,
    halfSpacing: number,
    count: number,
    llr: Float32Array,
    from: number,
    at: number,
  ): void {
    if (count < WORTH_IT) {
      this.plain.demap(symbols, noiseVariance, qm, halfSpacing, count, llr, from, at);
      return;
    }
    for (let done = 0; done < count; done += BATCH) {
      const some = this.load(symbols, noiseVariance, from + done, count - done);
      this.wasm.demap(qm, some, halfSpacing, LEAST_NOISE_VARIANCE);
      llr.set(some === BATCH ? this.whole[qm] : this.llrs.subarray(0, qm * some), at + qm * done);
    }
  }

  demapMmse(
    symbols: Float32Array,
    snr: Float32Array,
    qm: number,
    halfSpacing: number,
    count: number,
    llr: Float32Array,
    from: number,
    at: number,
  ): void {
    if (count < WORTH_IT) {
      this.plain.demapMmse(symbols, snr, qm, halfSpacing, count, llr, from, at);
      return;
    }
    for (let done = 0; done < count; done += BATCH) {
      const some = this.load(symbols, snr, from + done, count - done);
      this.wasm.demapMmse(qm, some, halfSpacing, LEAST_NOISE_VARIANCE, LEAST_SNR);
      llr.set(some === BATCH ? this.whole[qm] : this.llrs.subarray(0, qm * some), at + qm * done);
    }
  }

  /** Symbols from `first` on and what belongs to each, as many as a call takes; returns their number. */
  private load(symbols: Float32Array, variances: Float32Array, first: number, count: number): number {
    const some = Math.min(BATCH, count);
    this.symbols.set(symbols.subarray(2 * first, 2 * (first + some)));
    this.variances.set(variances.subarray(first, first + some));
    return some;
  }
}
