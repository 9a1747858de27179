/**
 * How many bytes the converter made between two readings of the board's counter, from the host's clock.
 *
 * A reading was taken somewhere between the sending of the request and the coming of the reply. Of two readings i before j, with the bytes A kept
 * until then, the sample clock made 2 rate T bytes in the time T between, so that
 *
 *     rate (1 - e) (sent_j - received_i) - (A_j - A_i)  <=  bytes discarded  <=  rate (1 + e) (received_j - sent_i) - (A_j - A_i)
 *
 * where rate is in bytes/s and e bounds the error of both clocks together. As long as nothing was discarded since reading i, any such i serves, and the
 * tightest bounds are taken: a slow reply costs nothing when another one was fast.
 *
 * Whether the clocks agree at all is checked where the answer is known: while nothing is discarded, both sides must hold with 0 in the
 * middle. Until that was so some times running, and after it once was not (an emulated board slower than time, a trigger that waits, a host
 * that slept), nothing is said.
 */
export class SampleClockBounds {
  private readonly bytesPerS: number;
  /** Readings since anything was discarded, oldest first. */
  private anchors: { sentS: number; receivedS: number; bytes: number }[] = [];
  private agreements = 0;

  constructor(bytesPerS: number) {
    this.bytesPerS = bytesPerS;
  }

  /** Takes a reading; bounds of what was discarded since the one before, or null where the clocks cannot tell. */
  poll(sentS: number, receivedS: number, bytes: number, lossy: boolean): { minBytes: number; maxBytes: number } | null {
    const bounds = this.bounds(sentS, receivedS, bytes);
    const trusted = this.agreements >= TRUST_AFTER;
    if (!lossy && bounds) {
      const agree = bounds.minBytes <= 0 && bounds.maxBytes >= 0;
      this.agreements = agree ? this.agreements + 1 : 0;
    }
    if (lossy) this.anchors = [];
    this.anchors.push({ sentS, receivedS, bytes });
    if (this.anchors.length > MAX_ANCHORS) this.anchors.splice(1, 1);
    return lossy && trusted ? bounds : null;
  }

  /** Something proved the clocks wrong. */
  distrust(): void {
    this.agreements = 0;
  }

  private bounds(sentS: number, receivedS: number, bytes: number): { minBytes: number; maxBytes: number } | null {
    if (this.anchors.length === 0 || !(receivedS >= sentS)) return null;
    let minBytes = Number.NEGATIVE_INFINITY;
    let maxBytes = Number.POSITIVE_INFINITY;
    for (const anchor of this.anchors) {
      const kept = bytes - anchor.bytes;
      const leastS = Math.max(0, sentS - anchor.receivedS);
      minBytes = Math.max(minBytes, this.bytesPerS * (1 - CLOCK_ERROR) * leastS - kept - GRAIN_BYTES);
      maxBytes = Math.min(
        maxBytes,
        this.bytesPerS * (1 + CLOCK_ERROR) * (receivedS - anchor.sentS) - kept + GRAIN_BYTES,
      );
    }
    return { minBytes, maxBytes };
  }
}

/**
 * Clock of the board (some 20 ppm, 100 with a wrong correction) against the host's, which the time service may slew by 500 ppm
 * (Linux, adjtime).
 */
const CLOCK_ERROR = 600e-6;
/** The counter goes in steps of 32 bytes; 64 for both ends. */
const GRAIN_BYTES = 64;
const TRUST_AFTER = 4;
/** Readings kept; the oldest stays, the second oldest goes. */
const MAX_ANCHORS = 32;
