import { M0Error, M0Mode } from './m0.ts';
import { SampleClock } from './sample-clock.ts';
import { ShortfallLog } from './shortfall-log.ts';
import { HIGHEST_M0_RATE_HZ, type SampleStream, type StreamParts } from './stream.ts';

/** What reception, transmission and sweep have in common: the converter's clock, and a bus that carries one transfer at a time. */
export abstract class PacedStream implements SampleStream {
  abstract readonly kind: SampleStream['kind'];
  readonly losses = new ShortfallLog();
  protected readonly parts: StreamParts;
  /** Null before the converter starts. */
  protected clock: SampleClock | null = null;
  protected rateHz: number;
  /** Samples that passed the converter. */
  protected taken = 0;
  /** Up to here everything has happened, s of the air. */
  protected timeS: number;
  /** Bytes that the bus carries now, 0 none, and when it is done with them. */
  protected busyBytes = 0;
  protected busyUntilS = Number.POSITIVE_INFINITY;
  private stopped = false;

  constructor(parts: StreamParts, startS: number) {
    this.parts = parts;
    this.timeS = startS;
    this.rateHz = parts.rateHz;
  }

  advance(nowS: number): void {
    this.pump();
    while (!this.stopped) {
      const stopS = Math.min(nowS, this.busyUntilS);
      const waits = this.sampleUntil(stopS);
      if (waits) this.timeS = Math.max(this.timeS, stopS);
      const done = waits && this.busyUntilS <= stopS;
      if (done) {
        const bytes = this.busyBytes;
        this.carry(0);
        this.transferDone(bytes);
      }
      this.pump();
      if (waits && !done) break;
    }
  }

  abstract wakeS(nowS: number): number | null;

  changeRate(rateHz: number): void {
    this.rateHz = rateHz;
    this.clock?.changeRate(rateHz, this.taken);
    this.checkRate();
  }

  trigger(nowS: number): void {
    if (!this.clock) this.begin(nowS);
  }

  stop(): void {
    this.stopped = true;
  }

  /** Moves data where it can be moved now, and lets the bus begin with the next transfer. */
  protected abstract pump(): void;

  /** The bus is done with so many bytes. */
  protected abstract transferDone(bytes: number): void;

  /**
   * The converter gives or takes samples from this time on.
   *
   * @returns bytes of them that passed; less than `bytes` where transfers must be looked at before the rest
   */
  protected abstract convertSome(bytes: number, startS: number, clock: SampleClock): number;

  /** The converter starts. */
  protected begin(startS: number): void {
    this.timeS = startS;
    this.clock = new SampleClock(startS, this.rateHz);
    this.checkRate();
  }

  /** The bus carries so many bytes from now on; 0: nothing. */
  protected carry(bytes: number): void {
    this.busyBytes = bytes;
    this.busyUntilS = bytes > 0 ? this.timeS + bytes / this.parts.busBytesPerS : Number.POSITIVE_INFINITY;
  }

  private checkRate(): void {
    const { m0 } = this.parts;
    if (this.clock && this.rateHz > HIGHEST_M0_RATE_HZ && m0.activeMode !== M0Mode.idle)
      m0.fail(M0Error.missedDeadline);
  }

  /** Lets M0 run; true: up to that time; false: it stopped where transfers must be looked at before. */
  private sampleUntil(stopS: number): boolean {
    const { clock } = this;
    if (!clock) return true;
    const bytes = (clock.samplesAt(stopS) - this.taken) * 2;
    if (bytes <= 0) return true;
    const passed = this.convertSome(bytes, clock.timeOf(this.taken), clock);
    this.taken += passed / 2;
    if (passed === bytes) return true;
    this.timeS = clock.timeOf(this.taken);
    return false;
  }
}
