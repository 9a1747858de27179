import { firstFactor, LONGEST_GROUP, SPREAD_LANES, type SpreadKernel } from './spread-kernel.ts';

/** The kernel in plain TypeScript, the twin of the one in WebAssembly: the sums as they are written, in double precision. */
export class PlainSpreadKernel implements SpreadKernel {
  readonly lanes: Float32Array;
  private readonly x: Float64Array;
  private readonly middle: Float64Array;
  /** cos and sin of 2 pi m / n, [n][cos, sin], by n. */
  private readonly tables: (Float64Array | undefined)[] = [];

  /** @param longest group that it transforms */
  constructor(longest = LONGEST_GROUP) {
    this.lanes = new Float32Array(2 * SPREAD_LANES * longest);
    this.x = new Float64Array(2 * longest);
    this.middle = new Float64Array(2 * longest);
  }

  transform(n: number): void {
    const a = firstFactor(n);
    const b = n / a;
    const table = (this.tables[n] ??= rootsOf(n));
    const { lanes, x, middle } = this;
    const scale = 1 / Math.sqrt(n);
    for (let lane = 0; lane < SPREAD_LANES; lane++) {
      for (let i = 0; i < n; i++) {
        x[2 * i] = lanes[8 * i + lane];
        x[2 * i + 1] = lanes[8 * i + 4 + lane];
      }
      for (let k = 0; k < a; k++) {
        for (let i = 0; i < b; i++) sum(x, i, b, a, table, i * k, b * k, middle, k * b + i);
      }
      for (let k1 = 0; k1 < a; k1++) {
        for (let k2 = 0; k2 < b; k2++) sum(middle, k1 * b, 1, b, table, 0, (a * k2) % n, x, k1 + a * k2);
      }
      for (let i = 0; i < n; i++) {
        lanes[8 * i + lane] = scale * x[2 * i];
        lanes[8 * i + 4 + lane] = scale * x[2 * i + 1];
      }
    }
  }
}

/** to[at] = sum over i < count of x[from + i by] W^(first + i step), complex, W = exp(-2 pi j / n). */
function sum(
  x: Float64Array,
  from: number,
  by: number,
  count: number,
  table: Float64Array,
  first: number,
  step: number,
  to: Float64Array,
  at: number,
): void {
  const period = table.length;
  let re = 0;
  let im = 0;
  for (let i = 0, m = (2 * first) % period, p = 2 * from; i < count; i++, p += 2 * by) {
    const cos = table[m];
    const sin = table[m + 1];
    re += x[p] * cos + x[p + 1] * sin;
    im += x[p + 1] * cos - x[p] * sin;
    m += 2 * step;
    if (m >= period) m -= period;
  }
  to[2 * at] = re;
  to[2 * at + 1] = im;
}

/** cos and sin of 2 pi m / n: [n][cos, sin]. */
export function rootsOf(n: number): Float64Array {
  const table = new Float64Array(2 * n);
  for (let m = 0; m < n; m++) {
    table[2 * m] = Math.cos((2 * Math.PI * m) / n);
    table[2 * m + 1] = Math.sin((2 * Math.PI * m) / n);
  }
  return table;
}
