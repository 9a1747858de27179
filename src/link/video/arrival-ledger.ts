/** Pictures are numbered modulo 256 on the air; a gap of half of that and more cannot be told from none. */
const NUMBERS = 256;
const LARGEST_GAP = NUMBERS / 2;
/** Half of the numbers take longer than this at any frame rate. */
const SILENCE_MS = 1000;

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
    // After a silence every number is a new one.
    if ((step === 0 || step >= LARGEST_GAP) && atMs - this.lastAtMs < SILENCE_MS) return null;
    const next = step === 0 ? NUMBERS : step;
    // Time says how often the numbers went round meanwhile.
    const elapsed = periodMs === null ? next : (atMs - this.lastAtMs) / periodMs;
    const gap = next - 1 + NUMBERS * Math.max(0, Math.round((elapsed - next) / NUMBERS));
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
