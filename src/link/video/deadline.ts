import { inRange } from '../../common/errors.ts';

/** Weight of the newest duration in a running mean, and how many mean deviations above it count as usual. */
const NEWEST = 0.1;
const DEVIATIONS = 2;
/** What takes longer than so many times the usual counts as that long. */
const OUTLIER = 2;

/** What a step of a frame's way usually takes at most: mean and twice its mean deviation, both running, ms. */
export class UsualTime {
  private mean: number;
  private deviation = 0;
  private known = false;

  /** @param firstMs what holds until something was measured */
  constructor(firstMs: number) {
    this.mean = firstMs;
  }

  add(measuredMs: number): void {
    if (!Number.isFinite(measuredMs) || measuredMs < 0) return;
    // One outlier (a pause of the machine) says little of the next frame.
    const ms = this.known ? Math.min(measuredMs, OUTLIER * this.ms) : measuredMs;
    const weight = this.known ? NEWEST : 1;
    this.deviation += weight * ((this.known ? Math.abs(ms - this.mean) : 0) - this.deviation);
    this.mean += weight * (ms - this.mean);
    this.known = true;
  }

  /** Nothing was measured because of what was expected: the expectation wears off, so that it is tried again. */
  relax(): void {
    this.mean *= 1 - NEWEST;
    this.deviation *= 1 - NEWEST;
  }

  get ms(): number {
    return this.mean + DEVIATIONS * this.deviation;
  }
}

/** What a frame still has to go through once its first sample is on the air, before it has been measured: demodulation, decoding. */
const FIRST_RECEIVE_MS = 25;
const FIRST_CODING_MS = 25;

/**
 * How long a frame may take at each step if it is to be shown by its deadline. Steps at the other end are known from what comes back;
 * where nothing does, by a guess on the careful side.
 */
export class DeadlinePolicy {
  readonly deadlineMs: number;
  readonly coding = new UsualTime(FIRST_CODING_MS);
  /** From the last sample on the air to the frame on the screen. */
  readonly receiving = new UsualTime(FIRST_RECEIVE_MS);

  /** @param deadlineMs from capture to screen */
  constructor(deadlineMs: number) {
    this.deadlineMs = inRange('deadline', deadlineMs, 20, 10_000, 'ms');
  }

  /** Latest time at which a burst of `airMs` may begin. */
  onAirBy(captureMs: number, airMs: number): number {
    return captureMs + this.deadlineMs - airMs - this.receiving.ms;
  }

  /** Whether coding it still makes sense: by the usual times it would be on the screen by its deadline. */
  canCode(captureMs: number, airMs: number, nowMs: number): boolean {
    return nowMs + this.coding.ms <= this.onAirBy(captureMs, airMs);
  }

  /** A frame was left out for want of time. */
  gaveUp(): void {
    this.coding.relax();
    this.receiving.relax();
  }

  isLate(captureMs: number, nowMs: number): boolean {
    return nowMs - captureMs > this.deadlineMs;
  }
}
