import { UsageError } from '../../src/common/errors.ts';
import type { AirClock } from './air.ts';

/** Longest sleep of a timer, ms; longer waits are made of several. */
const LONGEST_SLEEP_MS = 60_000;

/** Slowest and fastest emulation against the wall clock. */
const SPEED_RANGE = { min: 1e-4, max: 1000 } as const;

/** The wall clock times `speed`. Its zero is the moment it was made. */
export class WallAirClock implements AirClock {
  readonly speed: number;
  private readonly zeroMs = performance.now();

  constructor(speed = 1) {
    if (!(speed >= SPEED_RANGE.min && speed <= SPEED_RANGE.max)) {
      throw new UsageError(`speed ${speed} is out of range: allowed ${SPEED_RANGE.min} to ${SPEED_RANGE.max}`);
    }
    this.speed = speed;
  }

  nowS(): number {
    return ((performance.now() - this.zeroMs) / 1000) * this.speed;
  }

  /** Timers are good to about a millisecond of the wall clock; never early. */
  at(timeS: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const wait = () => {
        const leftMs = ((timeS - this.nowS()) / this.speed) * 1000;
        if (leftMs <= 0 || signal?.aborted) end();
        else timer = setTimeout(wait, Math.min(Math.ceil(leftMs), LONGEST_SLEEP_MS));
      };
      signal?.addEventListener('abort', end);
      wait();
    });
  }
}

/** A clock that only moves when told, for tests: everything on it happens in one order. */
export class ManualAirClock implements AirClock {
  readonly speed = 1;
  private now: number;
  private readonly waiting: { readonly timeS: number; readonly order: number; readonly wake: () => void }[] = [];
  private count = 0;

  constructor(startS = 0) {
    this.now = startS;
  }

  nowS(): number {
    return this.now;
  }

  at(timeS: number, signal?: AbortSignal): Promise<void> {
    if (timeS <= this.now || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const aborted = () => {
        const at = this.waiting.indexOf(entry);
        if (at >= 0) this.waiting.splice(at, 1);
        resolve();
      };
      const wake = () => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      };
      const entry = { timeS, order: this.count++, wake };
      this.waiting.push(entry);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /**
   * Moves time on by so many seconds, stopping at every moment somebody waits for, in order, and giving what was woken
   * the chance to run (and to wait again) before time goes on.
   */
  async advance(seconds: number): Promise<void> {
    if (!(seconds >= 0)) throw new UsageError(`time cannot advance by ${seconds} s`);
    const end = this.now + seconds;
    await settle();
    for (;;) {
      const next = this.waiting.reduce<(typeof this.waiting)[number] | null>(
        (first, w) =>
          !first || w.timeS < first.timeS || (w.timeS === first.timeS && w.order < first.order) ? w : first,
        null,
      );
      if (!next || next.timeS > end) break;
      this.now = Math.max(this.now, next.timeS);
      this.waiting.splice(this.waiting.indexOf(next), 1);
      next.wake();
      await settle();
    }
    this.now = end;
    await settle();
  }
}

/** Lets every promise that can go on do so. */
async function settle(): Promise<void> {
  // One turn of the event loop empties the queue of promises, however long; two, since the first may have queued immediates.
  await new Promise<void>((resolve) => setImmediate(resolve));
  await new Promise<void>((resolve) => setImmediate(resolve));
}
