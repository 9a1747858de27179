import { systemClock, type WaitClock } from '../../common/wait-clock.ts';

/** Longest wait between two looks at the signal, ms. */
const TICK_MS = 50;
/** What is later than this does not hurry to make up for it, ms. */
const LATE_MS = 200;

/** Slowest and fastest pace that may be asked for, s of the model a second. */
export const PACES = { min: 0.001, max: 100 } as const;

/** Holds simulated time back to so many seconds of it a second of the wall clock, so that somebody can watch; what comes of it is the same. */
export class Pace {
  private readonly factor: number;
  private readonly signal: AbortSignal;
  private readonly clock: WaitClock;
  /** Place and time from which the pace is reckoned. */
  private from: { readonly atMs: number; readonly atS: number } | null = null;

  /** @param signal aborted: nothing is held back any more */
  constructor(factor: number, signal: AbortSignal, clock: WaitClock = systemClock) {
    this.factor = factor;
    this.signal = signal;
    this.clock = clock;
  }

  /** Waits until samples of this time are due. */
  async due(timeS: number): Promise<void> {
    const { clock, signal, factor } = this;
    while (!signal.aborted) {
      const nowMs = clock.nowMs();
      this.from ??= { atMs: nowMs, atS: timeS };
      const waitMs = this.from.atMs + (1e3 * (timeS - this.from.atS)) / factor - nowMs;
      if (waitMs < -LATE_MS) this.from = { atMs: nowMs, atS: timeS };
      if (!(waitMs > 0)) return;
      await clock.sleep(Math.min(waitMs, TICK_MS));
    }
  }
}

/** The pace that a run is asked to keep; null for none. */
export function paceOf({ pace, signal }: { readonly pace?: number; readonly signal: AbortSignal }): Pace | null {
  return pace === undefined ? null : new Pace(pace, signal);
}
