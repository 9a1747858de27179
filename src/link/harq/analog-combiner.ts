import { UsageError } from '../../common/errors.ts';

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

  constructor(symbols: number) {
    this.weighted = new Float32Array(2 * symbols);
    this.total = new Float32Array(symbols);
  }

  get length(): number {
    return this.total.length;
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
  }

  /** Combined SNR of each symbol, linear; 0 where nothing came. A copy. */
  snr(): Float32Array {
    return this.total.slice();
  }

  /** SNR of a flat channel of the same capacity over all symbols, those that never came included, dB; -Infinity where none came. */
  effectiveSnrDb(): number {
    let bits = 0;
    for (const s of this.total) bits += Math.log2(1 + s);
    return 10 * Math.log10(2 ** (bits / this.total.length) - 1);
  }

  /** Combined symbols as one MMSE equaliser would give them, S / (1 + S) u with S = sum s_i; [symbol][re, im]. */
  mmse(): Float32Array {
    const out = new Float32Array(this.weighted.length);
    for (let i = 0; i < this.total.length; i++) {
      const scale = 1 / (1 + this.total[i]);
      out[2 * i] = scale * this.weighted[2 * i];
      out[2 * i + 1] = scale * this.weighted[2 * i + 1];
    }
    return out;
  }
}
