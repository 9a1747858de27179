import { fftFactors } from './fft-wasm.ts';
import { fillRotation, type OfdmKernel } from './ofdm-kernel.ts';
import { OFDM_WASM } from './ofdm-wasm-binary.ts';
import { instantiate } from './wasm.ts';

/** What assembly/ofdm.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly FACTORS: { readonly value: number };
  readonly ROTATION: { readonly value: number };
  readonly SYMBOLS: { readonly value: number };
  readonly SAMPLES: { readonly value: number };
  readonly ROWS: { readonly value: number };
  demodulate(size: number, carriers: number, symbols: number): void;
  turn(carriers: number, symbols: number): void;
}

/** Most symbols and samples that one call takes. */
const MAX_SYMBOLS = 16;
const MAX_SAMPLES = 18432;
const MAX_SIZE = 1024;
/** Numbers that the kernel is told of each symbol. */
const SYMBOL_NUMBERS = 3;

/** WebAssembly SIMD: a slot a call, so that copying its samples in and its carriers out costs little. */
export class WasmOfdmKernel implements OfdmKernel {
  readonly fftSize: number;
  readonly nCarriers: number;
  private readonly wasm: Exports;
  private readonly samples: Float32Array;
  private readonly symbols: Float64Array;
  private readonly rows: Float32Array;
  private readonly rotation: Float32Array;
  private readonly exact: Float64Array;
  private rotationCfo = Number.NaN;

  constructor(fftSize: number, nCarriers: number) {
    if (fftSize > MAX_SIZE || nCarriers >= fftSize || nCarriers % 2 !== 0)
      throw new RangeError(
        `OFDM of ${fftSize} points and ${nCarriers} carriers: at most ${MAX_SIZE} points, an even number of carriers below them`,
      );
    const wasm = instantiate<Exports>(OFDM_WASM);
    const { buffer } = wasm.memory;
    this.fftSize = fftSize;
    this.nCarriers = nCarriers;
    this.wasm = wasm;
    this.samples = new Float32Array(buffer, wasm.SAMPLES.value, 2 * MAX_SAMPLES);
    this.symbols = new Float64Array(buffer, wasm.SYMBOLS.value, SYMBOL_NUMBERS * MAX_SYMBOLS);
    this.rows = new Float32Array(buffer, wasm.ROWS.value, 2 * nCarriers * MAX_SYMBOLS);
    this.rotation = new Float32Array(buffer, wasm.ROTATION.value, 2 * fftSize);
    this.exact = new Float64Array(2 * fftSize);
    const factors = fftFactors(fftSize);
    new Float32Array(buffer, wasm.FACTORS.value, factors.length).set(factors);
  }

  demodulate(
    samples: Float32Array,
    windows: Int32Array,
    angles: Float64Array,
    count: number,
    cfo: number,
    out: Float32Array,
    at: number,
  ): void {
    const { wasm, symbols, fftSize, nCarriers } = this;
    if (cfo !== this.rotationCfo) this.prepare(cfo);
    for (let done = 0; done < count; ) {
      const first = windows[done];
      let some = 0;
      for (; some < MAX_SYMBOLS && done + some < count; some++) {
        const t = done + some;
        if (windows[t] + fftSize - first > MAX_SAMPLES) break;
        const s = SYMBOL_NUMBERS * some;
        symbols[s] = angles[2 * t];
        symbols[s + 1] = angles[2 * t + 1];
        symbols[s + 2] = windows[t] - first;
      }
      const end = windows[done + some - 1] + fftSize;
      this.copyIn(samples, first, end);
      wasm.demodulate(fftSize, nCarriers, some);
      const length = 2 * nCarriers * some;
      out.set(length === this.rows.length ? this.rows : this.rows.subarray(0, length), at + 2 * nCarriers * done);
      done += some;
    }
  }

  turn(rows: Float32Array, at: number, steps: Float64Array, count: number): void {
    const { wasm, symbols, nCarriers } = this;
    for (let done = 0; done < count; done += MAX_SYMBOLS) {
      const some = Math.min(MAX_SYMBOLS, count - done);
      for (let t = 0; t < some; t++) symbols[SYMBOL_NUMBERS * t + 1] = steps[done + t];
      const from = at + 2 * nCarriers * done;
      const length = 2 * nCarriers * some;
      this.rows.set(rows.subarray(from, from + length));
      wasm.turn(nCarriers, some);
      rows.set(length === this.rows.length ? this.rows : this.rows.subarray(0, length), from);
    }
  }

  /** Samples [first, end) to the kernel's memory. */
  private copyIn(samples: Float32Array, first: number, end: number): void {
    const from = Math.max(0, first);
    const to = Math.min(end, samples.length >> 1);
    if (from > first || to < end) this.samples.fill(0, 0, 2 * (end - first));
    if (from < to) this.samples.set(samples.subarray(2 * from, 2 * to), 2 * (from - first));
  }

  private prepare(cfo: number): void {
    const { exact, rotation } = this;
    fillRotation(cfo, exact);
    for (let i = 0; i < exact.length; i += 8) {
      for (let j = 0; j < 4; j++) {
        rotation[i + j] = exact[i + 2 * j];
        rotation[i + 4 + j] = exact[i + 2 * j + 1];
      }
    }
    this.rotationCfo = cfo;
  }
}
