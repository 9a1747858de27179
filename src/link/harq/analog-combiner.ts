import { UsageError } from '../../common/errors.ts';
import { Float32Memo } from '../../common/float32-memo.ts';

/** This thread's: symbols of a resource block have one SNR. */
const dbOf = new Float32Memo((snr) => 10 * Math.log10(snr));
const bitsOf = new Float32Memo((snr) => Math.log2(1 + snr));

/**
 * Repetitions of analog symbols joined by maximum-ratio combining: for each symbol the unbiased observations u_i of
 * SNR s_i give u = sum s_i u_i / sum s_i of SNR sum s_i [Brennan59]. N equal ones gain 10 log10 N dB.
 * Holds 12 bytes a symbol whatever the number of repetitions.
 */
export class AnalogCombiner {
  /** sum s_i u_i, [symbol][re, im] */
  private readonly weighted: Float32Array;
  /** sum s_i, [symbol] */
  private readonly total: Float32Array;
  /** Receptions taken. */
  receptions = 0;
  /** effectiveSnrDb of what has come so far; null where it has not been asked for since. */
  private effectiveDb: number | null = null;

  /** @param memory at least 3 x symbols zeros, its own from now on */
  constructor(symbols: number, memory: Float32Array = new Float32Array(3 * symbols)) {
    this.weighted = memory.subarray(0, 2 * symbols);
    this.total = memory.subarray(2 * symbols, 3 * symbols);
  }

  get length(): number {
    return this.total.length;
  }

  /** The memory that it lies in, perhaps with others. */
  get buffer(): ArrayBufferLike {
    return this.total.buffer;
  }

  get byteLength(): number {
    return this.weighted.byteLength + this.total.byteLength;
  }

  /**
   * Takes one reception of the first symbols: symbols [re][re, im] as the MMSE equaliser gives them, s / (1 + s) u, and
   * snr [re] linear, 0 for a symbol that did not come. UsageError when there are more than this holds.
   */
  add(symbols: Float32Array, snr: Float32Array): void {
    if (snr.length > this.total.length || symbols.length !== 2 * snr.length) {
      throw new UsageError(`${snr.length} analog symbols repeat a stream of ${this.total.length}`);
    }
    const { weighted, total } = this;
    for (let i = 0; i < snr.length; i++) {
      const s = snr[i];
      if (!(s > 0 && s < Number.POSITIVE_INFINITY)) continue;
      // s u = (1 + s) x the equaliser's output.
      weighted[2 * i] += (1 + s) * symbols[2 * i];
      weighted[2 * i + 1] += (1 + s) * symbols[2 * i + 1];
      total[i] += s;
    }
    this.receptions++;
    this.effectiveDb = null;
  }

  /** SNR of a flat channel of the same capacity over all symbols, those that never came included, dB; -Infinity where none came. */
  effectiveSnrDb(): number {
    this.effectiveDb ??= effectiveDb(this.total);
    return this.effectiveDb;
  }

  /**
   * Combined symbols as one MMSE equaliser would give them, S / (1 + S) u with S = sum s_i, and their SNRs S.
   *
   * @param symbolsReIm gets them from symbol `at` on, [symbol][re, im]
   * @param snrDb likewise, -Infinity where nothing came
   */
  read(symbolsReIm: Float32Array, snrDb: Float32Array, at = 0): void {
    const { weighted, total } = this;
    let [last, scale, db] = [Number.NaN, 0, 0];
    for (let i = 0; i < total.length; i++) {
      if (total[i] !== last) {
        last = total[i];
        scale = 1 / (1 + last);
        db = dbOf.at(last);
      }
      snrDb[at + i] = db;
      symbolsReIm[2 * (at + i)] = scale * weighted[2 * i];
      symbolsReIm[2 * (at + i) + 1] = scale * weighted[2 * i + 1];
    }
  }
}

function effectiveDb(snr: Float32Array): number {
  let sum = 0;
  let [last, bits] = [0, 0];
  for (let i = 0; i < snr.length; i++) {
    if (snr[i] !== last) {
      last = snr[i];
      bits = bitsOf.at(last);
    }
    sum += bits;
  }
  return 10 * Math.log10(2 ** (sum / snr.length) - 1);
}
