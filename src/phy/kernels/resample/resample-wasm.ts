import { OutputBuffer } from '../../frontend/sample-history.ts';
import { instantiate } from '../wasm.ts';
import type {
  MomentSink,
  NativeSamples,
  PolyphaseFilter,
  ResampleKernel,
  ResampleSetup,
  SampleCorrection,
} from './resample-kernel.ts';
import { RESAMPLE_WASM } from './resample-wasm-binary.ts';

/** What assembly/resample.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly NATIVE: { readonly value: number };
  readonly COSINES: { readonly value: number };
  readonly SINES: { readonly value: number };
  readonly MOMENTS: { readonly value: number };
  readonly HISTORY: { readonly value: number };
  readonly RESULT: { readonly value: number };
  readonly BRANCHES: { readonly value: number };
  setUp(up: number, taps: number): void;
  reset(): void;
  intake(
    bytes: number,
    shifted: boolean,
    from: number,
    n: number,
    to: number,
    scale: number,
    reGain: number,
    imGain: number,
    reToIm: number,
    reOffset: number,
    imOffset: number,
    at: number,
    anchorRe: number,
    anchorIm: number,
  ): number;
  filter(n: number, to: number): number;
  shift(from: number, n: number, at: number, anchorRe: number, anchorIm: number): void;
}

/** Samples taken in at a time. */
const BATCH = 2048;
/** Outputs that the kernel's memory holds. */
const RESULTS = 8192;
/** Samples over which the table of a shift reaches; each stretch of that length starts from an exact phase. */
const SEGMENT = 256;
const MAX_TAPS = 4096;
/** Bytes of all branches: 1 MiB less what lies before them. */
const BRANCH_ROOM = (1 << 20) - 136_448;

const padded = (taps: number) => (taps + 3) & ~3;

/** Whether the kernel's memory holds a filter. */
export function fitsResampleMemory({ filter }: ResampleSetup): boolean {
  if (!filter) return true;
  const taps = padded(filter.taps);
  return taps <= MAX_TAPS && filter.up * (16 + 8 * taps) <= BRANCH_ROOM;
}

/** WebAssembly SIMD in single precision, two complex samples a vector; an instance with a memory of its own for each stream. */
export class WasmResampleKernel implements ResampleKernel {
  readonly name = 'WebAssembly SIMD';
  private readonly moments: Float64Array;
  private readonly setup: ResampleSetup;
  private readonly wasm: Exports;
  private readonly native: { readonly 1: Int8Array; readonly 2: Int16Array; readonly 4: Float32Array };
  private readonly result: Float32Array;
  private readonly gathered = new OutputBuffer();
  private readonly batch: number;
  /** Where samples are taken in: behind the filter's past, or at the result. */
  private readonly inputAt: number;
  private readonly resultAt: number;
  private bad = 0;
  /** Samples that were shifted so far. */
  private index = 0;

  constructor(setup: ResampleSetup) {
    const wasm = instantiate<Exports>(RESAMPLE_WASM);
    const { buffer } = wasm.memory;
    const { filter } = setup;
    this.setup = setup;
    this.wasm = wasm;
    const at = wasm.NATIVE.value;
    this.native = {
      1: new Int8Array(buffer, at, 2 * BATCH),
      2: new Int16Array(buffer, at, 2 * BATCH),
      4: new Float32Array(buffer, at, 2 * BATCH),
    };
    this.moments = new Float64Array(buffer, wasm.MOMENTS.value, 5);
    this.resultAt = wasm.RESULT.value;
    this.result = new Float32Array(buffer, this.resultAt, 2 * RESULTS);
    this.inputAt = filter ? wasm.HISTORY.value + 8 * (padded(filter.taps) - 1) : this.resultAt;
    this.batch = filter ? Math.max(1, Math.min(BATCH, Math.floor((RESULTS / 2 / filter.up) * filter.down))) : BATCH;
    const cycles = setup.cyclesBefore || setup.cyclesAfter;
    if (cycles !== 0) writeTable(cycles, buffer, wasm.COSINES.value, wasm.SINES.value);
    if (filter) writeBranches(filter, buffer, wasm.BRANCHES.value);
    wasm.setUp(filter?.up ?? 0, filter ? padded(filter.taps) : 0);
  }

  get nonFinite(): number {
    return this.bad;
  }

  reset(): void {
    this.wasm.reset();
    this.index = 0;
  }

  process(data: NativeSamples, scale: number, correction: SampleCorrection, moments: MomentSink | null): Float32Array {
    const { batch, result } = this;
    const count = data.length >> 1;
    const room = this.outputsAtMost(count);
    const out = room <= RESULTS ? null : this.gathered.take(room);
    let outputs = 0;
    for (let done = 0; done < count; ) {
      const n = Math.min(batch, count - done, moments?.wanted ?? batch);
      this.moments.fill(0);
      const made = this.batchOf(data, done, n, scale, correction, out ? 0 : outputs);
      moments?.add(this.moments, n);
      if (out) out.set(result.subarray(0, 2 * made), 2 * outputs);
      outputs += made;
      done += n;
    }
    return (out ?? result).subarray(0, 2 * outputs);
  }

  private outputsAtMost(count: number): number {
    const { filter } = this.setup;
    return filter ? Math.ceil((count * filter.up) / filter.down) + 1 : count;
  }

  /** One batch, whose outputs go behind `before` others; returns their number. */
  private batchOf(
    data: NativeSamples,
    from: number,
    n: number,
    scale: number,
    correction: SampleCorrection,
    before: number,
  ): number {
    const { wasm, setup, native } = this;
    const bytes = data.BYTES_PER_ELEMENT as 1 | 2 | 4;
    native[bytes].set(data.subarray(2 * from, 2 * (from + n)));
    const to = this.resultAt + 8 * before;
    const input = setup.filter ? this.inputAt : to;
    const { reGain, imGain, reToIm, reOffset, imOffset } = correction;
    if (setup.cyclesBefore === 0) {
      this.bad += wasm.intake(bytes, false, 0, n, input, scale, reGain, imGain, reToIm, reOffset, imOffset, 0, 1, 0);
    } else {
      for (let done = 0; done < n; ) {
        const at = this.index % SEGMENT;
        const count = Math.min(n - done, SEGMENT - at);
        const angle = this.angleAt(this.index - at, setup.cyclesBefore);
        const place = input + 8 * done;
        const re = Math.cos(angle);
        const im = Math.sin(angle);
        const args = [done, count, place, scale, reGain, imGain, reToIm, reOffset, imOffset, at, re, im] as const;
        this.bad += wasm.intake(bytes, true, ...args);
        done += count;
        this.index += count;
      }
    }
    const made = setup.filter ? wasm.filter(n, to) : n;
    if (setup.cyclesAfter !== 0) this.shiftResult(to, made);
    return made;
  }

  private shiftResult(to: number, n: number): void {
    for (let done = 0; done < n; ) {
      const at = this.index % SEGMENT;
      const count = Math.min(n - done, SEGMENT - at);
      const angle = this.angleAt(this.index - at, this.setup.cyclesAfter);
      this.wasm.shift(to + 8 * done, count, at, Math.cos(angle), Math.sin(angle));
      done += count;
      this.index += count;
    }
  }

  /** Phase of a sample, in double precision from its absolute index: the error does not grow. */
  private angleAt(index: number, cycles: number): number {
    return 2 * Math.PI * ((cycles * index) % 1);
  }
}

function writeTable(cycles: number, buffer: ArrayBuffer, cosinesAt: number, sinesAt: number): void {
  const cosines = new Float32Array(buffer, cosinesAt, 2 * SEGMENT + 2);
  const sines = new Float32Array(buffer, sinesAt, 2 * SEGMENT + 2);
  for (let k = 0; k <= SEGMENT; k++) {
    const angle = 2 * Math.PI * ((cycles * k) % 1);
    cosines.fill(Math.cos(angle), 2 * k, 2 * k + 2);
    sines.fill(Math.sin(angle), 2 * k, 2 * k + 2);
  }
}

/** Branches in the order of outputs, as assembly/resample.ts describes them; zeros come before the taps. */
function writeBranches({ up, down, taps, branches }: PolyphaseFilter, buffer: ArrayBuffer, start: number): void {
  const length = padded(taps);
  const stride = 16 + 8 * length;
  for (let k = 0, phase = 0; k < up; k++) {
    const next = phase + down;
    const at = start + k * stride;
    new Uint32Array(buffer, at, 1)[0] = 8 * Math.floor(next / up);
    const to = new Float32Array(buffer, at + 16, 2 * length);
    for (let i = 0; i < taps; i++) {
      const h = branches[phase * taps + i];
      to.fill(h, 2 * (length - taps + i), 2 * (length - taps + i) + 2);
    }
    phase = next % up;
  }
}
