/**
 * The bit interleaver of TS 38.212 §5.4.2.2 on symbols of one modulation order, f[i + j Qm] = e[i E / Qm + j], and back.
 * Both move values and change none.
 */
export interface RateMatchKernel {
  /**
   * Received to coded order: coded[codedAt + i count + j] = received[from + j Qm + i]. qm: 2, 4, 6 or 8.
   */
  deinterleave(
    received: Float32Array,
    qm: number,
    count: number,
    coded: Float32Array,
    from: number,
    codedAt: number,
  ): void;
  /** Coded to sent order: sent[at + j Qm + i] = coded[codedFrom + i count + j]. */
  interleave(coded: Uint8Array, qm: number, count: number, sent: Uint8Array, codedFrom: number, at: number): void;
}
