import { instantiate } from '../wasm.ts';
import type { RateMatchKernel } from './rate-match-kernel.ts';
import { PlainRateMatchKernel } from './rate-match-plain.ts';
import { RATE_MATCH_WASM } from './rate-match-wasm-binary.ts';

/** What assembly/rate-match.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly SYMBOLS: { readonly value: number };
  readonly LEVELS: { readonly value: number };
  stride(symbols: number): number;
  separate(qm: number, symbols: number): void;
  join(qm: number, symbols: number): void;
}

/** Symbols of one call. */
const BATCH = 4096;
/** Fewer symbols are not worth the way into the kernel's memory. */
const WORTH_IT = 64;

/** WebAssembly SIMD: pairs of bits through vectors. */
export class WasmRateMatchKernel implements RateMatchKernel {
  private readonly plain = new PlainRateMatchKernel();
  private readonly wasm: Exports;
  private readonly symbolFloats: Float32Array;
  private readonly levelFloats: Float32Array;
  private readonly symbolBytes: Uint8Array;
  private readonly levelBytes: Uint8Array;

  constructor() {
    const wasm = instantiate<Exports>(RATE_MATCH_WASM);
    const { buffer } = wasm.memory;
    this.wasm = wasm;
    this.symbolFloats = new Float32Array(buffer, wasm.SYMBOLS.value, 8 * BATCH);
    this.levelFloats = new Float32Array(buffer, wasm.LEVELS.value, 8 * BATCH);
    this.symbolBytes = new Uint8Array(buffer, wasm.SYMBOLS.value, 8 * BATCH);
    this.levelBytes = new Uint8Array(buffer, wasm.LEVELS.value, 8 * BATCH);
  }

  deinterleave(
    received: Float32Array,
    qm: number,
    count: number,
    coded: Float32Array,
    from: number,
    codedAt: number,
  ): void {
    if (count < WORTH_IT) {
      this.plain.deinterleave(received, qm, count, coded, from, codedAt);
      return;
    }
    for (let done = 0; done < count; done += BATCH) {
      const some = Math.min(BATCH, count - done);
      const first = from + qm * done;
      this.symbolFloats.set(received.subarray(first, first + qm * some));
      this.wasm.separate(qm, some);
      const row = this.wasm.stride(some);
      for (let i = 0; i < qm; i++) {
        coded.set(this.levelFloats.subarray(i * row, i * row + some), codedAt + i * count + done);
      }
    }
  }

  interleave(coded: Uint8Array, qm: number, count: number, sent: Uint8Array, codedFrom: number, at: number): void {
    if (count < WORTH_IT) {
      this.plain.interleave(coded, qm, count, sent, codedFrom, at);
      return;
    }
    for (let done = 0; done < count; done += BATCH) {
      const some = Math.min(BATCH, count - done);
      const row = this.wasm.stride(some);
      for (let i = 0; i < qm; i++) {
        const first = codedFrom + i * count + done;
        this.levelBytes.set(coded.subarray(first, first + some), i * row);
      }
      this.wasm.join(qm, some);
      sent.set(this.symbolBytes.subarray(0, qm * some), at + qm * done);
    }
  }
}
