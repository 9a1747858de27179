import { countAtLimit } from '../format/convert.ts';
import { exactLoss, joinLosses, type LossRecord, type SampleBlock } from '../radio.ts';
import type { RingBytes } from '../stream/chunk-ring.ts';
import type { DeviceLoss } from './loss-tracker.ts';

/** The native value that stands for amplitude 1.0 (hardware/hackrf.json). */
export const FULL_SCALE = 128;

/**
 * Makes sample blocks of the bytes that reached the host and of what is known to be missing, by the rule of radio.ts: index = end of the block
 * before + lostBefore.min.
 *
 * Bytes that the host dropped are exact: the ring says which. What the board discarded is known later than it happened, as bounds and a span of
 * byte positions; a block is cut where the span ends, so that the record stands right behind it (behind it at the latest: a block that
 * went out before cannot be cut any more).
 */
export class BlockAssembler {
  /** Samples discarded by the board, as far as they are in the indices: the sum of `min`. */
  private shift = 0;
  /** Stream index after the last block. */
  private end = 0;
  private readonly waiting: DeviceLoss[] = [];
  clippedSamples = 0;
  private readonly rateHz: number;

  constructor(rateHz: number) {
    this.rateHz = rateHz;
  }

  /** What the board discarded; it goes out with the first block behind it. */
  lost(loss: DeviceLoss): void {
    this.waiting.push(loss);
  }

  /** Losses that no block has carried yet. */
  get pending(): readonly DeviceLoss[] {
    return this.waiting;
  }

  /** The blocks of the next bytes, whole samples: usually one, more where a loss ends inside. */
  bytes(entry: RingBytes): SampleBlock[] {
    const { data, index } = entry;
    const blocks: SampleBlock[] = [];
    const endByte = index + data.length;
    let at = index;
    while (at < endByte) {
      // Losses end at multiples of 32 bytes, so a cut never parts a sample.
      const next = this.waiting.find((loss) => loss.toByte > at)?.toByte ?? Number.POSITIVE_INFINITY;
      const until = Math.min(endByte, next);
      const part = data.subarray(at - index, until - index);
      const timeNs = entry.timeNs - BigInt(Math.round(((endByte - at) / 2 / this.rateHz) * 1e9));
      blocks.push(this.block(part, at, timeNs));
      at = until;
    }
    return blocks;
  }

  private block(part: Uint8Array, position: number, timestampNs: bigint): SampleBlock {
    const from = this.end;
    const hostEnd = position / 2 + this.shift;
    let lostBefore: LossRecord | null = hostEnd > from ? exactLoss(from, hostEnd) : null;
    while (this.waiting.length > 0 && this.waiting[0].toByte <= position) {
      const loss = this.waiting.shift()!;
      const min = loss.minBytes / 2;
      const max = loss.maxBytes / 2;
      const lossFrom = Math.min(loss.fromByte, position) / 2 + this.shift;
      this.shift += min;
      const to = position / 2 + this.shift;
      lostBefore = joinLosses(lostBefore, { min, max, exact: min === max, from: lossFrom, to });
    }
    const index = position / 2 + this.shift;
    const data = new Int8Array(part.buffer, part.byteOffset, part.length);
    this.clippedSamples += countAtLimit(data, FULL_SCALE);
    this.end = index + data.length / 2;
    return { data, format: 'ci8', fullScale: FULL_SCALE, index, lostBefore, timestampNs };
  }
}
