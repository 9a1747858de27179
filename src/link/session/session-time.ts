import { ExitCode, SctError } from '../../common/errors.ts';

/** Time of a session in real time. */
export interface SessionTime {
  readonly nowS: number;
  /**
   * Resolves when what the session hears up to this time has been heard, or as soon as `enough`. Rejects when the receiver fails or the session
   * is aborted.
   */
  until(timeS: number, enough?: () => boolean): Promise<void>;
  /** Something has come: those who wait look again. */
  nudge(): void;
}

/** How often somebody who waits looks again without being told, ms. */
const POLL_MS = 10;

/** Those who wait for a condition, told of every change. */
export class Waiters {
  private readonly waiting = new Set<() => void>();

  nudge(): void {
    for (const look of this.waiting) look();
  }

  /** Resolves when `done`, which is asked at every change and every 10 ms; rejects with what it throws. */
  until(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearInterval(timer);
        this.waiting.delete(look);
      };
      const look = (): void => {
        try {
          if (!done()) return;
          stop();
          resolve();
        } catch (error) {
          stop();
          reject(error);
        }
      };
      const timer = setInterval(look, POLL_MS);
      this.waiting.add(look);
      look();
    });
  }
}

/** Wall time, for an end that does not receive. */
export class WallTime implements SessionTime {
  private readonly waiters = new Waiters();
  private readonly wallS: () => number;
  private readonly signal: AbortSignal | undefined;
  private readonly startS: number;

  constructor(wallS: () => number, signal?: AbortSignal) {
    this.wallS = wallS;
    this.signal = signal;
    this.startS = wallS();
  }

  get nowS(): number {
    return this.wallS() - this.startS;
  }

  until(timeS: number, enough?: () => boolean): Promise<void> {
    return this.waiters.until(() => {
      checkAborted(this.signal);
      return enough?.() === true || this.nowS >= timeS;
    });
  }

  nudge(): void {
    this.waiters.nudge();
  }
}

/** Throws an interruption where the signal is aborted. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SctError('interrupted: the transmitter is off', ExitCode.interrupted);
}
