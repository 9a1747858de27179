/** Between two looks at the clock, ms, where nobody waits: each computes the air since the last and wakes the thread that demodulates. */
const IDLE_MS = 5;
/** The same where somebody does. */
const HASTE_MS = 1;
/**
 * When a modelled air is computed on. Whoever waits for a burst waits for its end: in the middle of one, and between them, there is no haste.
 */
export class AirPace {
  /** End of the burst that was on the air, or next, when it was last asked. */
  private endsMs: number | null = null;
  private waitedUntilMs = Number.NEGATIVE_INFINITY;
  private readonly behindMs: number;

  /** @param behindMs how long after its end a burst is waited for: what channel and receiver hold back */
  constructor(behindMs: number) {
    this.behindMs = behindMs;
  }

  /**
   * When to look at the clock next, ms.
   *
   * @param endsMs when the burst ends that is on the air now, or comes next; null: there is none
   */
  next(nowMs: number, endsMs: number | null): number {
    const ended = endsMs === null || endsMs > nowMs ? this.endsMs : endsMs;
    if (ended !== null && ended <= nowMs) this.waitedUntilMs = ended + this.behindMs;
    this.endsMs = endsMs;
    const laterMs = nowMs + (nowMs < this.waitedUntilMs ? HASTE_MS : IDLE_MS);
    return endsMs !== null && endsMs > nowMs ? Math.min(laterMs, endsMs) : laterMs;
  }
}
