import { LatencyLog } from './latency-log.ts';

/** What became of a frame at the receiver. */
export type FrameState = 'shown' | 'late' | 'lost' | 'dropped';

export interface FrameCounts {
  /** null where the sender is on another host. */
  captured: number | null;
  sent: number | null;
  shown: number;
  late: number;
  lost: number;
  dropped: number | null;
}

/** Frames shown in this time make the rate, ms. */
const RATE_WINDOW_MS = 1000;

/** What became of the frames so far: counts, latencies, frames a second. */
export class FrameTally {
  readonly counts: FrameCounts;
  readonly latency = new LatencyLog();
  private readonly shownAtMs: number[] = [];

  /** @param bothEnds true: the sender's counts are known here, too */
  constructor(bothEnds: boolean) {
    const sender = bothEnds ? 0 : null;
    this.counts = { captured: sender, sent: sender, shown: 0, late: 0, lost: 0, dropped: sender };
  }

  shown(nowMs: number, latencyMs: number | null): void {
    this.counts.shown++;
    if (latencyMs !== null) this.latency.add(latencyMs);
    this.shownAtMs.push(nowMs);
    this.forget(nowMs);
  }

  /**
   * Share of the frames that were not on the screen by their deadline for want of time: late at the receiver, and, where the sender is
   * here, too, left out by it. Of all that were captured, or else of all that came. What the air has lost is not late.
   */
  get lateShare(): number | null {
    const { captured, shown, late, dropped } = this.counts;
    const all = captured ?? shown + late;
    return all === 0 ? null : (late + (dropped ?? 0)) / all;
  }

  /** Frames shown in the last second. */
  fps(nowMs: number): number {
    this.forget(nowMs);
    return this.shownAtMs.length;
  }

  private forget(nowMs: number): void {
    while (this.shownAtMs.length > 0 && this.shownAtMs[0] <= nowMs - RATE_WINDOW_MS) this.shownAtMs.shift();
  }
}
