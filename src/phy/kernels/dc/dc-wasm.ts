import { instantiate } from '../wasm.ts';
import { DC_GROUP, DC_STATE, DC_STRETCH, type DcKernel } from './dc-kernel.ts';
import { DC_WASM } from './dc-wasm-binary.ts';

interface Address {
  readonly value: number;
}

/** What assembly/dc.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly STATE: Address;
  readonly TOTALS: Address;
  readonly COLOUR: Address;
  readonly GROUP: Address;
  readonly TAIL: Address;
  readonly CHANGES: Address;
  readonly SAMPLES: Address;
  process(at: number, groups: number): void;
  sums(at: number, stretches: number): void;
  colour(at: number, count: number): void;
}

/** Samples that are processed at once: copied to the nearest cache and worked on there. */
const PROCESSED = 2048;
/** Most stretches of one call, and samples whose neighbours are summed in single precision. */
const MAX_STRETCHES = 512;
const COLOUR_SAMPLES = 4096;
const SAMPLE_BYTES = 8;
/** What the memory grows by, and may grow to. */
const PAGE = 65_536;
const MAX_PAGES = 32_768;

/** WebAssembly SIMD in single precision, the mean in double. */
export class WasmDcKernel implements DcKernel {
  samples!: Float32Array;
  private readonly wasm = instantiate<Exports>(DC_WASM);
  private state!: Float64Array;
  private totals!: Float64Array;
  private neighbours!: Float32Array;
  private group!: Float32Array;
  private tail!: Float32Array;
  private changes!: Float32Array;
  /** Addresses: asking the instance for them takes as long as a group of samples. */
  private readonly samplesAt: number;
  private readonly groupAt: number;
  private readonly tailAt: number;

  constructor() {
    this.samplesAt = this.wasm.SAMPLES.value;
    this.groupAt = this.wasm.GROUP.value;
    this.tailAt = this.wasm.TAIL.value;
    this.views();
  }

  reserve(count: number): void {
    const { memory } = this.wasm;
    const pages = Math.ceil((this.samplesAt + SAMPLE_BYTES * count) / PAGE);
    if (pages > MAX_PAGES) throw new RangeError(`${count} samples are more than a window holds`);
    const held = memory.buffer.byteLength / PAGE;
    if (pages <= held) return;
    memory.grow(pages - held);
    // What grows moves.
    this.views();
  }

  process(state: Float64Array, input: Float32Array, at: number): void {
    const { wasm, samples } = this;
    this.state.set(state);
    const address = this.samplesAt + SAMPLE_BYTES * at;
    for (let done = 0; done < input.length; done += 2 * PROCESSED) {
      const end = Math.min(input.length, done + 2 * PROCESSED);
      samples.set(input.subarray(done, end), 2 * at + done);
      wasm.process(address + 4 * done, (end - done) / (2 * DC_GROUP));
    }
    state.set(this.state);
  }

  processGroup(state: Float64Array, group: Float32Array, out: Float32Array): void {
    this.state.set(state);
    this.group.set(group);
    this.wasm.process(this.groupAt, 1);
    out.set(this.group);
    state.set(this.state);
  }

  sums(from: number, to: number, out: Float64Array, changes: Float32Array): void {
    const { wasm, totals } = this;
    totals.fill(0);
    const stretches = Math.floor((to - from) / DC_STRETCH);
    for (let done = 0; done < stretches; done += MAX_STRETCHES) {
      const some = Math.min(MAX_STRETCHES, stretches - done);
      wasm.sums(this.samplesAt + SAMPLE_BYTES * (from + done * DC_STRETCH), some);
      changes.set(this.changes.subarray(0, some), done);
    }
    const last = from + stretches * DC_STRETCH;
    if (last < to) {
      // What is left, with nothing behind it.
      this.tail.fill(0);
      this.tail.set(this.samples.subarray(2 * last, 2 * to));
      wasm.sums(this.tailAt, 1);
    }
    out.set(totals);
  }

  colour(from: number, to: number): number {
    const { wasm, neighbours } = this;
    let re = 0;
    let im = 0;
    let energy = 1e-30;
    for (let at = from; at < to; at += COLOUR_SAMPLES) {
      wasm.colour(this.samplesAt + SAMPLE_BYTES * at, Math.min(COLOUR_SAMPLES, to - at));
      re += neighbours[0];
      im += neighbours[1];
      energy += neighbours[2];
    }
    return (2 * Math.hypot(re, im)) / energy;
  }

  private views(): void {
    const { memory, STATE, TOTALS, COLOUR, GROUP, TAIL, CHANGES } = this.wasm;
    const { buffer } = memory;
    this.state = new Float64Array(buffer, STATE.value, DC_STATE);
    this.totals = new Float64Array(buffer, TOTALS.value, 3);
    this.neighbours = new Float32Array(buffer, COLOUR.value, 3);
    this.group = new Float32Array(buffer, GROUP.value, 2 * DC_GROUP);
    this.tail = new Float32Array(buffer, TAIL.value, 2 * DC_STRETCH);
    this.changes = new Float32Array(buffer, CHANGES.value, MAX_STRETCHES);
    this.samples = new Float32Array(buffer, this.samplesAt);
  }
}
