import { fftFactors } from '../fft/fft-wasm.ts';
import { instantiate, type KernelMemory } from '../wasm.ts';
import { fillRotation, type Held, type HeldPattern, type OfdmKernel, slotsOf } from './ofdm-kernel.ts';
import { OFDM_WASM } from './ofdm-wasm-binary.ts';

/** What assembly/ofdm.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: KernelMemory;
  readonly FACTORS: { readonly value: number };
  readonly ROTATION: { readonly value: number };
  readonly SYMBOLS: { readonly value: number };
  readonly SAMPLES: { readonly value: number };
  readonly ROWS: { readonly value: number };
  readonly OFFSETS: { readonly value: number };
  readonly VALUES: { readonly value: number };
  readonly HELD: { readonly value: number };
  demodulate(size: number, carriers: number, symbols: number): void;
  take(
    size: number,
    carriers: number,
    symbols: number,
    sequence: number,
    row: number,
    pilots: number,
    local: number,
  ): void;
  finish(
    carriers: number,
    symbols: number,
    sequence: number,
    angles: number,
    turns: number,
    row: number,
    pilots: number,
  ): number;
}

/** Most symbols and samples that one call takes. */
const MAX_SYMBOLS = 16;
const MAX_SAMPLES = 18432;
const MAX_SIZE = 1024;
/** Numbers that the kernel is told of each symbol. */
const SYMBOL_NUMBERS = 3;
/** Carriers of a subband, symbols of a slot and of the pilots' sequence. */
const SUBBAND = 12;
const SLOT = 14;
const SEQUENCE = 64;
/** What the memory may grow to. */
const PAGE = 65_536;
const MAX_BYTES = 160 * PAGE;

/** WebAssembly SIMD: a slot a call, so that copying its samples in and its carriers out costs little. */
export class WasmOfdmKernel implements OfdmKernel {
  readonly fftSize: number;
  readonly nCarriers: number;
  readonly memory: KernelMemory;
  private readonly wasm: Exports;
  private samples!: Float32Array;
  private symbols!: Float64Array;
  private rows!: Float32Array;
  private rotation!: Float32Array;
  private readonly exact: Float64Array;
  private rotationCfo = Number.NaN;
  /** Pilot values of the pattern held. */
  private values: Float32Array | null = null;
  private held: Held | null = null;
  private heldSymbols = 0;
  private angles = new Float64Array(0);

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
    this.memory = wasm.memory;
    this.views();
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
    const { wasm, fftSize, nCarriers } = this;
    if (cfo !== this.rotationCfo) this.prepare(cfo);
    for (let done = 0; done < count; ) {
      const some = this.copyIn(samples, windows, angles, done, count);
      wasm.demodulate(fftSize, nCarriers, some);
      const length = 2 * nCarriers * some;
      out.set(length === this.rows.length ? this.rows : this.rows.subarray(0, length), at + 2 * nCarriers * done);
      done += some;
    }
  }

  hold(pattern: HeldPattern, symbols: number): Held {
    if (pattern.values !== this.values) this.learn(pattern);
    if (this.held && symbols === this.heldSymbols) return this.held;
    const { wasm, nCarriers } = this;
    const nSubbands = nCarriers / SUBBAND;
    const angles = wasm.HELD.value;
    const turnsAt = angles + 16 * symbols;
    const pilotsAt = turnsAt + 32 * symbols;
    const rowsAt = pilotsAt + 16 * Math.ceil((nSubbands * symbols) / 2);
    const end = rowsAt + 8 * nCarriers * symbols;
    if (end > MAX_BYTES)
      throw new RangeError(`${symbols} symbols of ${nCarriers} carriers are more than the memory holds`);
    if (end > wasm.memory.buffer.byteLength) {
      wasm.memory.grow(Math.ceil((end - wasm.memory.buffer.byteLength) / PAGE));
      // What grows moves.
      this.views();
    }
    const { buffer } = wasm.memory;
    this.angles = new Float64Array(buffer, angles, 2 * symbols);
    const pilots = new Float32Array(buffer, pilotsAt, 2 * nSubbands * symbols);
    this.held = {
      rows: new Float32Array(buffer, rowsAt, 2 * nCarriers * symbols),
      turns: new Float64Array(buffer, turnsAt, 4 * symbols),
      pilots,
      slotPilots: slotsOf(pilots, 2 * nSubbands * SLOT),
    };
    this.heldSymbols = symbols;
    return this.held;
  }

  take(
    samples: Float32Array,
    windows: Int32Array,
    angles: Float64Array,
    count: number,
    cfo: number,
    first: number,
    sequence: number,
  ): void {
    const { wasm, fftSize, nCarriers } = this;
    const { rows, pilots } = this.held!;
    if (first + count > this.heldSymbols) throw new RangeError(`more than ${this.heldSymbols} symbols`);
    if (cfo !== this.rotationCfo) this.prepare(cfo);
    for (let done = 0; done < count; ) {
      const some = this.copyIn(samples, windows, angles, done, count);
      const symbol = first + done;
      const rowAt = rows.byteOffset + 8 * nCarriers * symbol;
      const pilotAt = pilots.byteOffset + 8 * (nCarriers / SUBBAND) * symbol;
      wasm.take(fftSize, nCarriers, some, sequence + symbol, rowAt, pilotAt, done % SLOT);
      done += some;
    }
  }

  finish(angles: Float64Array, count: number, sequence: number): number {
    const { wasm, nCarriers } = this;
    const { rows, turns, pilots } = this.held!;
    if (count > this.heldSymbols) throw new RangeError(`more than ${this.heldSymbols} symbols`);
    this.angles.set(angles.length === 2 * count ? angles : angles.subarray(0, 2 * count));
    const [angleAt, turnAt] = [this.angles.byteOffset, turns.byteOffset];
    return wasm.finish(nCarriers, count, sequence, angleAt, turnAt, rows.byteOffset, pilots.byteOffset);
  }

  /** Symbols from `done` on and their samples to the kernel's memory, as many as it holds; returns how many. */
  private copyIn(
    samples: Float32Array,
    windows: Int32Array,
    angles: Float64Array,
    done: number,
    count: number,
  ): number {
    const { symbols, fftSize } = this;
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
    const from = Math.max(0, first);
    const to = Math.min(end, samples.length >> 1);
    if (from > first || to < end) this.samples.fill(0, 0, 2 * (end - first));
    if (from < to) this.samples.set(samples.subarray(2 * from, 2 * to), 2 * (from - first));
    return some;
  }

  private learn(pattern: HeldPattern): void {
    const { wasm, nCarriers } = this;
    const { offsets, values } = pattern;
    const length = (2 * SEQUENCE * nCarriers) / SUBBAND;
    if (nCarriers % SUBBAND !== 0 || offsets.length !== SLOT || values.length !== length)
      throw new RangeError(
        `pilots of ${offsets.length} symbols, ${values.length} numbers: ${SLOT} and ${length} expected, subbands of ${SUBBAND}`,
      );
    new Uint32Array(wasm.memory.buffer, wasm.OFFSETS.value, SLOT).set(offsets);
    new Float32Array(wasm.memory.buffer, wasm.VALUES.value, length).set(values);
    this.values = values;
  }

  /** What the caller's arrays are copied to and from. */
  private views(): void {
    const { wasm, nCarriers, fftSize } = this;
    const { buffer } = wasm.memory;
    this.samples = new Float32Array(buffer, wasm.SAMPLES.value, 2 * MAX_SAMPLES);
    this.symbols = new Float64Array(buffer, wasm.SYMBOLS.value, SYMBOL_NUMBERS * MAX_SYMBOLS);
    this.rows = new Float32Array(buffer, wasm.ROWS.value, 2 * nCarriers * MAX_SYMBOLS);
    this.rotation = new Float32Array(buffer, wasm.ROTATION.value, 2 * fftSize);
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
