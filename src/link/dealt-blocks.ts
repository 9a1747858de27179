import { turnPeriod } from './turns.ts';

/**
 * The RE of a stream dealt out to the blocks that take turns on them, in one pass over the RE (turns.ts): what a pass for each block would read from
 * places far apart is read in order. Its arrays are used again for the next stream.
 */
export class DealtBlocks {
  private symbolsReIm = new Float32Array(0); // [block][re of it][re, im]
  private snrs = new Float32Array(0); // [block][re of it]
  private bits = new Uint8Array(0); // [block][re of it]
  private readonly counts = new Uint32Array(256);
  private stride = 0;

  /**
   * @param blocks how many take turns, 1 to 255
   * @param qm bits of each RE, [re]
   * @param symbols [re][re, im]
   * @param snr linear, [re]
   */
  deal(blocks: number, qm: Uint8Array, symbols: Float32Array, snr: Float32Array): void {
    const count = qm.length;
    const period = turnPeriod(blocks);
    const stride = Math.ceil(count / blocks);
    if (this.snrs.length < blocks * stride) {
      this.symbolsReIm = new Float32Array(2 * blocks * stride);
      this.snrs = new Float32Array(blocks * stride);
      this.bits = new Uint8Array(blocks * stride);
    }
    this.stride = stride;
    const { symbolsReIm, snrs, bits, counts } = this;
    counts.fill(0, 0, blocks);
    const order = commonBits(qm);
    if (order !== null) bits.fill(order, 0, blocks * stride);
    // A period's RE stay in the processor's nearest cache while each block takes its own.
    for (let from = 0, first = 0; from < count; from += period, first = (first + 1) % blocks) {
      const end = Math.min(count, from + period);
      for (let turn = 0, block = first; turn < blocks; turn++) {
        let at = block * stride + counts[block];
        for (let i = from + turn; i < end; i += blocks, at++) {
          snrs[at] = snr[i];
          symbolsReIm[2 * at] = symbols[2 * i];
          symbolsReIm[2 * at + 1] = symbols[2 * i + 1];
          if (order === null) bits[at] = qm[i];
        }
        counts[block] = at - block * stride;
        if (++block === blocks) block = 0;
      }
    }
  }

  /** What the block with this turn got, in the order of the RE; valid until the next stream is dealt out. */
  of(turn: number): { symbols: Float32Array; snr: Float32Array; qm: Uint8Array } {
    const from = turn * this.stride;
    const to = from + this.counts[turn];
    return {
      symbols: this.symbolsReIm.subarray(2 * from, 2 * to),
      snr: this.snrs.subarray(from, to),
      qm: this.bits.subarray(from, to),
    };
  }
}

/** Bits that all RE have; null where they differ. */
function commonBits(qm: Uint8Array): number | null {
  for (let i = 1; i < qm.length; i++) if (qm[i] !== qm[0]) return null;
  return qm.length > 0 ? qm[0] : null;
}
