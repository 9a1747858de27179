import type { RateMatchKernel } from './rate-match-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. */
export class PlainRateMatchKernel implements RateMatchKernel {
  deinterleave(
    received: Float32Array,
    qm: number,
    count: number,
    coded: Float32Array,
    from: number,
    codedAt: number,
  ): void {
    for (let i = 0, to = codedAt; i < qm; i++) {
      for (let at = from + i, end = from + qm * count; at < end; at += qm) coded[to++] = received[at];
    }
  }

  interleave(coded: Uint8Array, qm: number, count: number, sent: Uint8Array, codedFrom: number, at: number): void {
    for (let i = 0, from = codedFrom; i < qm; i++) {
      for (let to = at + i, end = at + qm * count; to < end; to += qm) sent[to] = coded[from++];
    }
  }
}
