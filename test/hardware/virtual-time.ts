import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { ManualAirClock } from '../../hardware/emulated/clock.ts';

/**
 * One clock for timers, performance.now() and emulated boards, which moves when told: what a driver does in 5 s takes
 * milliseconds, and a busy machine changes nothing. One at a time in a process; `restore()` when done.
 */
export class VirtualTime {
  readonly air = new ManualAirClock();
  private readonly realNow = performance.now;
  private readonly realTimeout = globalThis.setTimeout;
  private readonly running = new Set<unknown>();
  private outside = 0;
  nowMs = this.realNow.call(performance);

  constructor() {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    performance.now = () => this.nowMs;
    this.countTimers();
  }

  /** Timers that were started and have neither fired nor been cleared. */
  get timers(): number {
    return this.running.size;
  }

  /** Lets time pass until the work is done; fails where it never is. */
  async until<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    const startMs = this.nowMs;
    for (let turn = 0; !done; turn++) {
      // Small steps while things happen, larger ones while everybody waits.
      await this.pass(Math.min(100, 2 * 1.1 ** Math.max(0, turn - 60)));
      assert.ok(this.nowMs - startMs < 60_000, 'it hangs');
    }
    return work;
  }

  /** The clock stands still while the work goes on: for what takes time of the real one, such as loading a file. */
  async real<T>(work: Promise<T>): Promise<T> {
    this.outside++;
    try {
      return await work;
    } finally {
      this.outside--;
    }
  }

  async pass(ms: number): Promise<void> {
    while (this.outside > 0) await new Promise((resolve) => this.realTimeout(resolve, 1));
    await this.air.advance(ms / 1000);
    this.nowMs += ms;
    mock.timers.tick(ms);
  }

  restore(): void {
    mock.timers.reset();
    performance.now = this.realNow;
  }

  /** Around the timers of the mock, which `restore` takes away with it. */
  private countTimers(): void {
    const { running } = this;
    const { setTimeout: start, clearTimeout: clear, setInterval: every, clearInterval: end } = globalThis;
    globalThis.setTimeout = ((act: (...words: unknown[]) => void, ms?: number, ...words: unknown[]) => {
      const timer = start(() => {
        running.delete(timer);
        act(...words);
      }, ms);
      running.add(timer);
      return timer;
    }) as typeof setTimeout;
    globalThis.setInterval = ((act: (...words: unknown[]) => void, ms?: number, ...words: unknown[]) => {
      const timer = every(act, ms, ...words);
      running.add(timer);
      return timer;
    }) as typeof setInterval;
    const cleared = (clearOne: (timer: never) => void) => (timer: never) => {
      running.delete(timer);
      if (timer !== undefined && timer !== null) clearOne(timer);
    };
    globalThis.clearTimeout = cleared(clear) as typeof clearTimeout;
    globalThis.clearInterval = cleared(end) as typeof clearInterval;
  }
}
