/** Pictures are numbered modulo 256 on the air; a gap of half of that and more cannot be told from none. */
const NUMBERS = 256;
const LARGEST_GAP = NUMBERS / 2;

/**
 * Which frames never came, by the numbers of those that did. Numbers on the air are 8 bits, so a gap is known as long as it
 * is shorter than 128 frames (4 s at 30 frames a second); across a longer one the time tells, where frames carry it.
 */
export class ArrivalLedger {
  private last: number | null = null;
  private lastAtMs = 0;
  private readonly periodMs: number | null;
  missing = 0;

  /** @param periodMs of the frames, where it is known: bridges gaps of 128 frames and more */
  constructor(periodMs: number | null = null) {
    this.periodMs = periodMs;
  }

  /**
   * A frame came; returns how many before it did not. A number that stands behind the last one came again or too late: null.
   *
   * @param number as the air has it, 0 to 255
   * @param atMs when it was captured, or else when it came
   */
  arrived(number: number, atMs: number): number | null {
    const { last, periodMs } = this;
    if (last === null) {
      this.take(number, atMs);
      return 0;
    }
    const step = (number - last + NUMBERS) % NUMBERS;
    // Time says how often the numbers went round meanwhile.
    const elapsed = periodMs === null ? step : Math.round((atMs - this.lastAtMs) / periodMs);
    if (elapsed < LARGEST_GAP && (step === 0 || step >= LARGEST_GAP)) return null;
    const rounds = periodMs === null ? 0 : Math.max(0, Math.round((elapsed - step) / NUMBERS));
    const gap = Math.max(0, step - 1 + NUMBERS * rounds);
    this.take(number, atMs);
    this.missing += gap;
    return gap;
  }

  /** A new session: its numbers begin anew. */
  reset(): void {
    this.last = null;
  }

  private take(number: number, atMs: number): void {
    this.last = number;
    this.lastAtMs = atMs;
  }
}
