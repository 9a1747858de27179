import { CLASSES, CONTEXT_STEPS, type ModelTables } from '../semantics/model-tables.ts';
import { RANS_TOTAL, type RansDecoder, type RansEncoder } from './rans.ts';

/** Classes that are told apart: even ones, halved. */
const N = CLASSES / 2;

/**
 * Static code of the even entropy class of a cell by those of two others that stand for west and north: the model set's start counts
 * of that context with no step to the north-east, as frequencies of 65536: 1 + floor(count (65536 - 8) / sum), the rest to the
 * likeliest. It does not adapt, so what is lost before a cell in other codes does not matter to it. Integers only.
 */
export class CellClassCode {
  private readonly cumulative: Uint32Array; // [west / 2][north / 2][0..8]

  constructor(tables: ModelTables) {
    this.cumulative = new Uint32Array(N * N * (N + 1));
    const { coarse } = tables.classContext;
    for (let context = 0; context < N * N; context++) {
      const west = Math.floor(context / N);
      const at = (((west + 1) * (N + 1) + (context % N) + 1) * CONTEXT_STEPS + (CONTEXT_STEPS - 1) / 2) * N;
      const counts = coarse.subarray(at, at + N);
      const sum = counts.reduce((a, b) => a + b, 0);
      const frequency = Array.from(counts, (v) => 1 + Math.floor((v * (RANS_TOTAL - N)) / sum));
      const likeliest = counts.indexOf(Math.max(...counts));
      frequency[likeliest] += RANS_TOTAL - frequency.reduce((a, b) => a + b, 0);
      frequency.forEach((f, s) => {
        this.cumulative[context * (N + 1) + s + 1] = this.cumulative[context * (N + 1) + s] + f;
      });
    }
  }

  encode(rans: RansEncoder, west: number, north: number, k: number): void {
    const at = this.entry(west, north) + (k >> 1);
    rans.push(this.cumulative[at], this.cumulative[at + 1] - this.cumulative[at]);
  }

  decode(rans: RansDecoder, west: number, north: number): number {
    const first = this.entry(west, north);
    let at = first;
    while (this.cumulative[at + 1] <= rans.slot) at++;
    rans.take(this.cumulative[at], this.cumulative[at + 1] - this.cumulative[at]);
    return 2 * (at - first);
  }

  bits(west: number, north: number, k: number): number {
    const at = this.entry(west, north) + (k >> 1);
    return 16 - Math.log2(this.cumulative[at + 1] - this.cumulative[at]);
  }

  private entry(west: number, north: number): number {
    return ((west >> 1) * N + (north >> 1)) * (N + 1);
  }
}
