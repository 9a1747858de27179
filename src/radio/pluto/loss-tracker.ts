import { CaptureClock, type LossBounds } from './capture-clock.ts';

/** Board's oscillator (25 ppm), host's, and what the host's is corrected by. */
export const CLOCK_TOLERANCE = 1e-4;

/** Buffers that may be under way beyond the kernel's own: one in the server's hands, one in the network's. */
const BUFFERS_UNDER_WAY = 2;
/** Memory beyond the kernel's buffers that a server may hold, in buffers; IIOD 0.24 holds none. */
const SPARE_BUFFERS = 1;

/** A buffer that arrived. Times are of the host, s. */
export interface ArrivedBuffer {
  readonly samples: number;
  /** When it was asked for, and when all of it was there. */
  readonly requestS: number;
  readonly arrivedS: number;
  /** Overflow bit after it arrived: samples were lost since the bit was read last; null: the board does not say. */
  readonly overflowed: boolean | null;
}

interface PendingLoss {
  /** Position (samples delivered) after which it may have begun. */
  from: number;
  /** Buffers that may still have been filled before the loss. */
  buffersLeft: number;
  /** Something was lost for sure, and nothing of it was said yet. */
  certain: boolean;
  /** Delivered since `from`. */
  samples: number;
  /** Buffers since `from`. */
  buffers: number;
  /** Earliest time of the last of them. */
  earliestS: number;
}

/**
 * Turns overflow bits and times into losses. The bit tells that samples were lost since the last look, not where. At the time of the loss
 * all buffers of the kernel were full, so the buffers under way were filled before it; a loss is said when the first buffer comes that
 * was certainly filled after it, with the whole stretch as its span. How much was lost, CaptureClock bounds.
 */
export class LossTracker {
  /** No bit to rely on. */
  byTimingOnly = false;
  private readonly rateHz: number;
  private readonly kernelBuffers: number;
  private readonly bufferSamples: number;
  private readonly report: (bounds: LossBounds, from: number, to: number) => boolean;
  private readonly clock: CaptureClock;
  /** Samples delivered. */
  private position = 0;
  /** Where the stretch without a loss begins. */
  private unbrokenFrom = 0;
  /** When the last reads were asked for, newest last. */
  private readonly requests: number[] = [];
  private openedS = 0;
  private last = { earliestS: 0, arrivedS: 0 };
  private pending: PendingLoss | null = null;
  /** A loss that found no room. */
  private unsaid: { bounds: LossBounds; from: number } | null = null;

  /** @param report says a loss; false when it found no room and is to be said again */
  constructor(
    config: { readonly rateHz: number; readonly kernelBuffers: number; readonly bufferSamples: number },
    report: (bounds: LossBounds, from: number, to: number) => boolean,
  ) {
    this.rateHz = config.rateHz;
    this.kernelBuffers = config.kernelBuffers;
    this.bufferSamples = config.bufferSamples;
    this.report = report;
    this.clock = new CaptureClock(config.rateHz, CLOCK_TOLERANCE);
  }

  /** The stream was opened: asked for and confirmed at these times. */
  opened(askedS: number, repliedS: number): void {
    this.openedS = askedS;
    this.clock.opened(askedS, repliedS);
  }

  /** The buffer was closed and opened again, at these times: whatever passed meanwhile is lost, and what comes next is new. */
  reopened(askedS: number): void {
    this.openedS = askedS;
    this.requests.length = 0;
    this.suspect(0, false);
    this.pending!.buffersLeft = 1;
  }

  /** The next buffer of a stream. Returns the host's time of its last sample, s. */
  buffer({ samples, requestS, arrivedS, overflowed }: ArrivedBuffer): number {
    const earliestS = this.earliest(samples, requestS);
    this.last = { earliestS, arrivedS };
    if (overflowed) this.suspect(samples, true);
    else if (this.pending) this.settle(this.pending, samples);
    else if (!this.clock.advance(samples, earliestS, arrivedS)) {
      const bounds = this.clock.advanceWithLoss(samples, earliestS, arrivedS, !this.byTimingOnly);
      // Where the bit works it knows better: a board whose clock is off would seem to lose samples all the time.
      if (this.byTimingOnly) this.say(bounds, this.unbrokenFrom);
    }
    if (this.unsaid) this.say({ min: 0, max: 0 }, this.unsaid.from);
    this.position += samples;
    if (samples < this.bufferSamples) this.suspect(0, false);
    return this.pending ? arrivedS : this.clock.lastSampleS;
  }

  /** A buffer that was opened for itself. Returns the host's time of its last sample, s. */
  burst(samples: number, times: { openedS: [number, number]; earliestS: number; latestS: number }): number {
    if (this.position === 0) {
      this.clock.opened(...times.openedS);
      this.clock.advance(samples, times.earliestS, times.latestS);
    } else this.say(this.clock.advanceWithLoss(samples, times.earliestS, times.latestS), this.position);
    this.position += samples;
    return this.clock.lastSampleS;
  }

  /** The stream is over: what is pending lies before its end, or after it. */
  end(): void {
    const { pending } = this;
    this.pending = null;
    if (pending?.samples) {
      this.say(this.clock.advanceWithLoss(pending.samples, pending.earliestS, this.last.arrivedS), pending.from);
    } else if (this.unsaid) this.say({ min: 0, max: 0 }, this.unsaid.from);
  }

  /** Nothing is left to be said. */
  get settled(): boolean {
    return this.pending === null && this.unsaid === null;
  }

  /** Earliest time at which the last sample of the newest buffer can have been captured. */
  private earliest(samples: number, requestS: number): number {
    const ago = this.kernelBuffers - 1 + SPARE_BUFFERS;
    this.requests.push(requestS);
    if (this.requests.length > ago + 1) this.requests.shift();
    // Its memory became free when the server was asked for the buffer after the one that lay there before.
    const freeS = this.requests.length > ago ? this.requests[0] : this.openedS;
    return freeS + (samples / this.rateHz) * (1 - CLOCK_TOLERANCE);
  }

  /** Something may have been lost (certain: was) since the buffers before the newest one. */
  private suspect(samplesOfNewest: number, certain: boolean): void {
    const buffersLeft = this.kernelBuffers + BUFFERS_UNDER_WAY;
    this.pending ??= { from: this.position, buffersLeft, certain: false, samples: 0, buffers: 0, earliestS: -Infinity };
    const { pending } = this;
    // A board that overflows all the time is reported now and then all the same.
    if (samplesOfNewest > 0 && pending.buffers >= 2 * buffersLeft) this.sayStretch(pending, samplesOfNewest, false);
    else {
      if (samplesOfNewest > 0) this.collect(pending, samplesOfNewest);
      pending.certain ||= certain;
    }
    pending.buffersLeft = buffersLeft;
  }

  private settle(pending: PendingLoss, samples: number): void {
    if (--pending.buffersLeft > 0) {
      this.collect(pending, samples);
      return;
    }
    this.pending = null;
    this.sayStretch(pending, samples, pending.certain);
  }

  private collect(pending: PendingLoss, samples: number): void {
    pending.samples += samples;
    pending.buffers++;
    pending.earliestS = this.clock.laterOf(pending.earliestS, samples, this.last.earliestS);
  }

  /**
   * Says what was lost from `pending.from` to the buffer that comes now. What the times say of this stretch holds wherever the losses lie
   * in it. A loss that the bit showed just now may be in it already, or come behind this buffer: of what is left nothing is certain.
   */
  private sayStretch(pending: PendingLoss, samples: number, certain: boolean): void {
    const earliestS = this.clock.laterOf(pending.earliestS, samples, this.last.earliestS);
    const { min, max } = this.clock.advanceWithLoss(pending.samples + samples, earliestS, this.last.arrivedS);
    const least = certain ? Math.max(1, min) : min;
    this.say({ min: least, max: Math.max(least, max) }, pending.from);
    Object.assign(pending, {
      from: this.position + samples,
      samples: 0,
      buffers: 0,
      earliestS: -Infinity,
      certain: false,
    });
  }

  private say(bounds: LossBounds, from: number): void {
    const before = this.unsaid ?? { bounds: { min: 0, max: 0 }, from };
    const all = { min: bounds.min + before.bounds.min, max: bounds.max + before.bounds.max };
    this.unsaid = null;
    this.unbrokenFrom = this.position;
    if (all.max > 0 && !this.report(all, Math.min(from, before.from), this.position)) {
      this.unsaid = { bounds: all, from: Math.min(from, before.from) };
    }
  }
}
