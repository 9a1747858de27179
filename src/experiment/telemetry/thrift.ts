/** Share of the time that something may take where the process is busy otherwise, and where it has time to spare. */
const BUSY_SHARE = 0.005;
const IDLE_SHARE = 0.05;
/** The event loop counts as busy above this share of the time. */
const BUSY = 0.8;
/** How often it is looked, ms. */
const LOOK_MS = 500;
/** Longest pause, ms: what was interrupted by another process only seems to have cost much. */
const LONGEST_MS = 250;

/** Whether this process has time to spare, by its event loop of the last half second. */
export class Spare {
  private last = performance.eventLoopUtilization();
  private lookedAtMs = 0;
  private busy = true;

  share(nowMs: number): number {
    if (nowMs - this.lookedAtMs >= LOOK_MS) {
      const now = performance.eventLoopUtilization();
      this.busy = performance.eventLoopUtilization(now, this.last).utilization > BUSY;
      this.last = now;
      this.lookedAtMs = nowMs;
    }
    return this.busy ? BUSY_SHARE : IDLE_SHARE;
  }
}

/** Lets something be done as often as it takes no more than its share of the time. */
export class Thrift {
  private readonly spare: Spare;
  private readonly leastMs: number;
  private freeAtMs = Number.NEGATIVE_INFINITY;

  /** @param leastMs least time between two */
  constructor(spare: Spare, leastMs: number) {
    this.spare = spare;
    this.leastMs = leastMs;
  }

  due(nowMs: number): boolean {
    return nowMs >= this.freeAtMs;
  }

  /** It was done, and took so long. */
  took(nowMs: number, costMs: number): void {
    const pauseMs = Math.min(LONGEST_MS, costMs / this.spare.share(nowMs));
    this.freeAtMs = nowMs + Math.max(this.leastMs, pauseMs);
  }
}
