import { instantiate } from '../wasm.ts';
import {
  type CorrelateKernel,
  SEGMENT_HOPS,
  type SearchMetric,
  type SearchPast,
  type SearchPattern,
} from './correlate-kernel.ts';
import { CORRELATE_WASM } from './correlate-wasm-binary.ts';

interface Address {
  readonly value: number;
}

/** What assembly/correlate.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly OFFSETS: Address;
  readonly CROSS_RE: Address;
  readonly CROSS_IM: Address;
  readonly ENERGY: Address;
  readonly PAIR_RE: Address;
  readonly PAIR_IM: Address;
  readonly METRIC_RE: Address;
  readonly METRIC_IM: Address;
  readonly PLAIN: Address;
  readonly REPEATED: Address;
  readonly SIGNS: Address;
  readonly SAMPLES: Address;
  search(hop: number, lag: number, count: number, past: number, plus: number, all: number): void;
  repeated(length: number, lag: number, count: number): void;
}

/** Hops and samples (without the lag) of a call into the kernel, products of a pattern, samples of a hop and of a lag. */
const MAX_HOPS = 512;
const MAX_SAMPLES = 4096;
const SEARCH_SAMPLES = 2048;
const MAX_PRODUCTS = 32;
const MAX_LAG = 2048;
const MAX_SEGMENTS = 52;
const PAIR_PAST = 2 * SEGMENT_HOPS - 1;

/** WebAssembly SIMD in single precision; what goes on from call to call stays in its memory while one caller uses it. */
export class WasmCorrelateKernel implements CorrelateKernel {
  private readonly wasm = instantiate<Exports>(CORRELATE_WASM);
  private readonly offsets: Uint32Array;
  private readonly hops: readonly Float32Array[];
  private readonly pairs: readonly Float32Array[];
  private readonly re: Float32Array;
  private readonly im: Float32Array;
  private readonly plain: Float32Array;
  private readonly samples: Float32Array;
  private readonly signs: Float32Array;
  private readonly sums: Float64Array;
  private pattern: SearchPattern | null = null;
  private plus = 0;
  /** Whose past stands in the kernel's memory, unless it has been reset. */
  private held: SearchPast | null = null;

  constructor() {
    const { wasm } = this;
    const { buffer } = wasm.memory;
    const row = (address: Address, length: number) => new Float32Array(buffer, address.value, length);
    this.offsets = new Uint32Array(buffer, wasm.OFFSETS.value, MAX_PRODUCTS);
    this.hops = [wasm.CROSS_RE, wasm.CROSS_IM, wasm.ENERGY].map((a) => row(a, PAIR_PAST + MAX_HOPS));
    const pairs = SEGMENT_HOPS * (MAX_PRODUCTS - 1) + MAX_HOPS;
    this.pairs = [wasm.PAIR_RE, wasm.PAIR_IM].map((a) => row(a, pairs));
    this.re = row(wasm.METRIC_RE, MAX_HOPS);
    this.im = row(wasm.METRIC_IM, MAX_HOPS);
    this.plain = row(wasm.PLAIN, MAX_HOPS);
    this.samples = row(wasm.SAMPLES, 2 * MAX_SAMPLES);
    this.signs = row(wasm.SIGNS, MAX_SEGMENTS);
    this.sums = new Float64Array(buffer, wasm.REPEATED.value, 3);
  }

  search(
    pattern: SearchPattern,
    past: SearchPast,
    samples: Float32Array,
    at: number,
    count: number,
    metric: SearchMetric,
    to: number,
  ): void {
    if (pattern !== this.pattern) this.prepare(pattern);
    const { wasm, plus } = this;
    const { hop, lag, products } = pattern;
    const before = past.pairs.length / 2;
    const most = Math.min(MAX_HOPS, SEARCH_SAMPLES / hop);
    this.hold(past);
    for (let done = 0; done < count; ) {
      const some = Math.min(most, count - done);
      const first = 2 * (at + done * hop);
      this.samples.set(samples.subarray(first, first + 2 * (some * hop + lag)));
      wasm.search(hop, lag, some, before, plus, products.length);
      const whole = some === MAX_HOPS;
      metric.re.set(whole ? this.re : this.re.subarray(0, some), to + done);
      metric.im.set(whole ? this.im : this.im.subarray(0, some), to + done);
      metric.plain.set(whole ? this.plain : this.plain.subarray(0, some), to + done);
      done += some;
      for (const row of this.hops) row.copyWithin(0, some, some + PAIR_PAST);
      for (const row of this.pairs) row.copyWithin(0, some, some + before);
    }
  }

  /** Sees to it that what stands before the new hops is this past, and that nobody else's is lost. */
  private hold(past: SearchPast): void {
    const { held } = this;
    if (held === past && !past.here) return;
    if (held && held !== past && !held.here) {
      keep(this.hops, held.hops);
      keep(this.pairs, held.pairs);
      held.here = true;
    }
    restore(past.hops, this.hops);
    restore(past.pairs, this.pairs);
    past.here = false;
    this.held = past;
  }

  repeated(
    samples: Float32Array,
    at: number,
    length: number,
    signs: Int8Array,
    lags: readonly number[],
    out: Float64Array,
  ): void {
    const { wasm, sums } = this;
    const count = length * signs.length;
    if (signs.length > MAX_SEGMENTS || count > MAX_SAMPLES || length % 4 !== 0)
      throw new RangeError(
        `${signs.length} segments of ${length} samples: at most ${MAX_SEGMENTS} and ${MAX_SAMPLES} samples, a multiple of 4 each`,
      );
    const silent = Math.max(0, -at);
    if (silent > 0 || 2 * (at + count) > samples.length) this.samples.fill(0, 0, 2 * count);
    this.samples.set(samples.subarray(2 * (at + silent), 2 * (at + count)), 2 * silent);
    this.signs.set(signs);
    for (let l = 0; l < lags.length; l++) {
      wasm.repeated(length, lags[l], signs.length - lags[l]);
      for (let i = 0; i < 3; i++) out[3 * l + i] = sums[i];
    }
  }

  private prepare(pattern: SearchPattern): void {
    const { products, lag, hop } = pattern;
    const fits = products.length <= MAX_PRODUCTS && lag <= MAX_LAG && lag === SEGMENT_HOPS * hop;
    if (!fits || hop % 4 !== 0)
      throw new RangeError(
        `a search over ${products.length} products ${lag} samples apart in hops of ${hop}: at most ${MAX_PRODUCTS} and ${MAX_LAG}, hops a quarter of that and a multiple of 4`,
      );
    const order = Array.from(products.keys()).sort((a, b) => products[b] - products[a]);
    this.offsets.set(order.map((i) => 4 * SEGMENT_HOPS * i));
    this.plus = products.filter((c) => c > 0).length;
    this.pattern = pattern;
  }
}

/** Rows of `past` to the beginning of the kernel's. */
function restore(past: Float32Array, rows: readonly Float32Array[]): void {
  const length = past.length / rows.length;
  for (let r = 0; r < rows.length; r++) rows[r].set(past.subarray(r * length, (r + 1) * length));
}

/** And back. */
function keep(rows: readonly Float32Array[], past: Float32Array): void {
  const length = past.length / rows.length;
  for (let r = 0; r < rows.length; r++) past.set(rows[r].subarray(0, length), r * length);
}
