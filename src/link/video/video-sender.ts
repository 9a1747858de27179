import type { DeadlinePolicy } from './deadline.ts';

/** A frame on its way into the air. */
export interface CapturedFrame {
  readonly number: number;
  /** ms of the session's clock. */
  readonly capturedMs: number;
}

/** A frame as its burst, or bursts. */
export interface CodedFrame<F extends CapturedFrame> {
  readonly frame: F;
  /** Time that it takes on the air, silence between its bursts included. */
  readonly airMs: number;
}

/** Codes one frame at a time. */
export interface FrameCoder<F extends CapturedFrame, C extends CodedFrame<F>> {
  code(frame: F): Promise<C>;
}

/** Where bursts go. */
export interface FrameAir<C> {
  /**
   * Puts a frame on the air as soon as it can begin, but not after `latestMs`; resolves with the time at which it begins, or null
   * where that would be too late. Times in ms of the session's clock.
   */
  place(coded: C, latestMs: number): Promise<number | null>;
}

/** Why a frame never reached the air. */
export type DropReason = 'superseded' | 'no-time-to-code' | 'missed-its-slot';

export interface VideoSenderOptions<F extends CapturedFrame, C extends CodedFrame<F>> {
  readonly policy: DeadlinePolicy;
  readonly coder: FrameCoder<F, C>;
  readonly air: FrameAir<C>;
  nowMs(): number;
  sent(coded: C, startMs: number): void;
  dropped(frame: F, reason: DropReason): void;
  failed(error: unknown): void;
}

/**
 * The sending end of a video: codes frame by frame and puts each on the air at once, or not at all. Nothing queues up: while one
 * frame is coded at most one waits, and a newer one takes its place.
 */
export class VideoSender<F extends CapturedFrame, C extends CodedFrame<F>> {
  private readonly options: VideoSenderOptions<F, C>;
  private waiting: F | null = null;
  private coding: Promise<void> | null = null;
  private readonly placing = new Set<Promise<void>>();
  /** Time on the air of the last frame; of the next it is assumed. */
  private airMs: number;
  readonly counts = { captured: 0, sent: 0, dropped: 0 };

  /** @param airMs of a usual frame */
  constructor(options: VideoSenderOptions<F, C>, airMs: number) {
    this.options = options;
    this.airMs = airMs;
  }

  /** Takes a frame that was just captured; returns at once. */
  offer(frame: F): void {
    this.counts.captured++;
    if (this.waiting) this.drop(this.waiting, 'superseded');
    this.waiting = frame;
    this.coding ??= this.work().finally(() => {
      this.coding = null;
    });
  }

  /** Resolves when nothing is being coded, and all that was coded is on the air or dropped. */
  async idle(): Promise<void> {
    while (this.coding || this.placing.size > 0) await Promise.all([this.coding, ...this.placing]);
  }

  /** Forgets what waits: nothing more is coded. */
  stop(): void {
    if (this.waiting) this.drop(this.waiting, 'superseded');
    this.waiting = null;
  }

  private async work(): Promise<void> {
    const { policy, coder, nowMs, failed } = this.options;
    while (this.waiting) {
      const frame = this.waiting;
      this.waiting = null;
      const startedMs = nowMs();
      if (!policy.canCode(frame.capturedMs, this.airMs, startedMs)) {
        this.drop(frame, 'no-time-to-code');
        continue;
      }
      try {
        const coded = await coder.code(frame);
        policy.coding.add(nowMs() - startedMs);
        this.airMs = coded.airMs;
        // The next one is coded meanwhile.
        const placing = this.place(coded).catch(failed);
        this.placing.add(placing);
        void placing.finally(() => this.placing.delete(placing));
      } catch (error) {
        failed(error);
        return;
      }
    }
  }

  private async place(coded: C): Promise<void> {
    const { policy, air, sent } = this.options;
    const { frame, airMs } = coded;
    const startMs = await air.place(coded, policy.onAirBy(frame.capturedMs, airMs));
    if (startMs === null) {
      this.drop(frame, 'missed-its-slot');
      return;
    }
    this.counts.sent++;
    sent(coded, startMs);
  }

  private drop(frame: F, reason: DropReason): void {
    this.counts.dropped++;
    if (reason !== 'superseded') this.options.policy.gaveUp();
    this.options.dropped(frame, reason);
  }
}
