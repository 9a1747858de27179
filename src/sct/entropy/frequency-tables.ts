import { FormatError } from '../../common/errors.ts';
import type { CdfTable } from '../semantics/model-tables.ts';
import { RANS_TOTAL, type RansDecoder, type RansEncoder } from './rans.ts';

/** Largest magnitude of a coded symbol. */
export const SYMBOL_MAX = 32767;
/** What a malformed escape decodes to: further out than any symbol or difference of two. */
export const MALFORMED = 2 ** 20;
/** Most leading zeros of an escape's Exp-Golomb code: distances below 2^17 reach every symbol from every table. */
const ESCAPE_ZEROS = 16;

/**
 * Static frequency tables laid out for coding. A symbol s of table t in low..high has the interval of entry s - low; any
 * other takes the escape (the last entry), one bit for the side (1 = above), and the distance from the table's end, d >= 1, as
 * Exp-Golomb code of order 0: n zeros, a one, and the n low bits of d, n = floor(log2 d), each bit equally likely.
 */
export class FrequencyTables {
  readonly low: Int32Array;
  /** Entries of each table, escape included. */
  readonly size: Int32Array;
  readonly offset: Int32Array; // first entry of each table in `cumulative`, size + 1 entries each
  readonly cumulative: Uint32Array;
  private readonly cost: Float64Array; // bits of each entry, laid out like `cumulative`
  private readonly first: Uint16Array; // [table][slot / 256] -> entry to start searching from

  /** @throws FormatError when a table does not sum to 65536, has a frequency below 1, or holds more than symbols allow */
  constructor(tables: readonly CdfTable[]) {
    const count = tables.length;
    this.low = Int32Array.from(tables, (t) => t.low);
    this.size = Int32Array.from(tables, (t) => t.frequencies.length);
    this.offset = new Int32Array(count);
    for (let t = 1; t < count; t++) this.offset[t] = this.offset[t - 1] + this.size[t - 1] + 1;
    this.cumulative = new Uint32Array(count === 0 ? 0 : this.offset[count - 1] + this.size[count - 1] + 1);
    this.cost = new Float64Array(this.cumulative.length);
    this.first = new Uint16Array(count * 256);
    tables.forEach((table, t) => {
      this.lay(table, t);
    });
  }

  private lay({ low, frequencies }: CdfTable, t: number): void {
    const size = frequencies.length;
    if (size < 1 || size > RANS_TOTAL || Math.abs(low) > SYMBOL_MAX || low + size - 2 > SYMBOL_MAX) {
      throw new FormatError(`cdfTables[${t}]`, `${size} entries from ${low}: allowed symbols -32767 to 32767`);
    }
    const offset = this.offset[t];
    let sum = 0;
    for (let i = 0; i < size; i++) {
      if (!(frequencies[i] >= 1)) throw new FormatError(`cdfTables[${t}]`, 'a frequency below 1');
      sum += frequencies[i];
      this.cumulative[offset + i + 1] = sum;
      this.cost[offset + i] = 16 - Math.log2(frequencies[i]);
    }
    if (sum !== RANS_TOTAL) throw new FormatError(`cdfTables[${t}]`, `sums to ${sum}, not ${RANS_TOTAL}`);
    for (let bucket = 0, i = 0; bucket < 256; bucket++) {
      while (this.cumulative[offset + i + 1] <= bucket << 8) i++;
      this.first[t * 256 + bucket] = i;
    }
  }

  /** Codes symbol s, |s| <= SYMBOL_MAX, by table t. */
  encode(rans: RansEncoder, t: number, s: number): void {
    const offset = this.offset[t];
    const last = this.size[t] - 1;
    const at = s - this.low[t];
    const entry = at >= 0 && at < last ? at : last;
    const start = this.cumulative[offset + entry];
    rans.push(start, this.cumulative[offset + entry + 1] - start);
    if (entry < last) return;
    const distance = at < 0 ? -at : at - last + 1;
    const zeros = 31 - Math.clz32(distance);
    rans.pushBits(at < 0 ? 0 : 1, 1);
    for (let i = 0; i < zeros; i++) rans.pushBits(0, 1);
    rans.pushBits(1, 1);
    for (let i = zeros - 1; i >= 0; i--) rans.pushBits((distance >> i) & 1, 1);
  }

  /** The next symbol by table t; MALFORMED when no encoder wrote it. A value beyond SYMBOL_MAX is for the caller to judge. */
  decode(rans: RansDecoder, t: number): number {
    const slot = rans.slot;
    let at = this.offset[t] + this.first[t * 256 + (slot >> 8)];
    while (this.cumulative[at + 1] <= slot) at++;
    const start = this.cumulative[at];
    rans.take(start, this.cumulative[at + 1] - start);
    const entry = at - this.offset[t];
    return entry < this.size[t] - 1 ? this.low[t] + entry : this.decodeEscape(rans, t);
  }

  private decodeEscape(rans: RansDecoder, t: number): number {
    const above = rans.takeBits(1);
    let zeros = 0;
    while (rans.takeBits(1) === 0) if (++zeros > ESCAPE_ZEROS) return MALFORMED;
    let distance = 1;
    for (let i = 0; i < zeros; i++) distance = 2 * distance + rans.takeBits(1);
    const low = this.low[t];
    return above ? low + this.size[t] - 2 + distance : low - distance;
  }

  /** Bits that symbol s costs by table t: the tables' own estimate, computed apart from the coder. */
  bits(t: number, s: number): number {
    const offset = this.offset[t];
    const last = this.size[t] - 1;
    const at = s - this.low[t];
    const inside = at >= 0 && at < last;
    const own = this.cost[offset + (inside ? at : last)];
    if (inside) return own;
    return own + 2 + 2 * (31 - Math.clz32(at < 0 ? -at : at - last + 1));
  }
}
