import type { RandomStream } from '../../../src/common/random.ts';
import type { M0Poll } from '../../../src/radio/hackrf/loss-tracker.ts';

/**
 * A model of the M0 core in RX of its own, byte for byte (sgpio_m0.s), with a host that stalls now and then: the truth that bounds are tested
 * against. One step is one exchange of 32 bytes.
 */
export class M0Model {
  /** [position in the delivered stream, bytes discarded there], merged. */
  readonly truth: { readonly atByte: number; bytes: number }[] = [];
  steps = 0;
  private m0 = 0;
  private m4 = 0;
  private shortfalls = 0;
  private longest = 0;
  private current = 0;
  private stalledUntil = 0;
  private readonly random: RandomStream;
  private readonly stallEvery: number;
  private readonly stallSteps: number;
  private readonly dmaBytes: number;

  constructor(random: RandomStream, options: { stallEvery: number; stallSteps: number; dmaBytes: number }) {
    this.random = random;
    this.stallEvery = options.stallEvery;
    this.stallSteps = options.stallSteps;
    this.dmaBytes = options.dmaBytes;
  }

  get discardedBytes(): number {
    return this.truth.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  step(count: number): void {
    for (let i = 0; i < count; i++) this.one();
  }

  private one(): void {
    this.steps++;
    if (this.steps >= this.stalledUntil) {
      if (this.random.uniform() < 1 / this.stallEvery) {
        this.stalledUntil = this.steps + 1 + this.random.integer(this.stallSteps);
      } else if (this.m0 - this.m4 >= this.dmaBytes) this.m4 += this.dmaBytes;
    }
    if (this.m4 + 32_768 - 32 - this.m0 < 0) {
      if (this.current === 0) this.shortfalls++;
      this.current += 32;
      this.longest = Math.max(this.longest, this.current);
      const last = this.truth.at(-1);
      if (last?.atByte === this.m0) last.bytes += 32;
      else this.truth.push({ atByte: this.m0, bytes: 32 });
    } else {
      this.m0 += 32;
      this.current = 0;
    }
  }

  /** A reading whose request and reply take some steps, during which the core goes on. */
  poll(secondsAStep: number, delays: { before: number; after: number }, offsetBytes = 0): M0Poll {
    const hostBytes = this.m4;
    const sentS = this.steps * secondsAStep;
    this.step(delays.before);
    const state = {
      requestedMode: 2,
      requestFlag: 0,
      activeMode: 'rx',
      m0Count: (this.m0 + offsetBytes) % 2 ** 32,
      m4Count: (this.m4 + offsetBytes) % 2 ** 32,
      shortfalls: this.shortfalls,
      longestShortfallBytes: this.longest,
      shortfallLimitBytes: 0,
      threshold: 0,
      nextMode: 2,
      error: 'none',
    } as const;
    this.step(delays.after);
    return {
      state,
      sentS,
      receivedS: this.steps * secondsAStep,
      hostBytes: hostBytes + offsetBytes,
      hostBytesAfter: this.m4 + offsetBytes,
    };
  }
}
