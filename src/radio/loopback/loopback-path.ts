import { DeviceError, UsageError } from '../../common/errors.ts';
import { fromFloat, toFloat } from '../format/convert.ts';
import { joinLosses, type LossRecord, type SampleBlock, type SampleData, type SampleFormat } from '../radio.ts';

/**
 * What lies between the two antennas, injected so that this room need not know channel models.
 * `process` gets consecutive stretches of interleaved [sample][re, im] (full scale 1.0) and returns what the receiver
 * hears; its output may be reused by the next call and may be a few samples longer or shorter (another sample clock).
 */
export interface ChannelFn {
  process(samples: Float32Array): Float32Array;
  describe(): string;
}

/** Samples taken out of the received stream, for tests of gap handling. */
export interface LoopbackDrop {
  /** Count of received samples (lost ones included) at which the loss begins. */
  readonly at: number;
  readonly samples: number;
  /** Reported bounds of a loss that the device does not know exactly; absent = exact. */
  readonly bounds?: { readonly min: number; readonly max: number };
}

/** Simulated time of a loopback, in samples since the start; it only moves when somebody moves it. */
export class SimulatedClock {
  now = 0;
}

const CHUNK_SAMPLES = 16_384;

/**
 * One direction of a loopback: converter to the device format (DAC), channel, converter back (ADC). Bursts stand at
 * absolute indices; the silence between them passes through the channel too, so that noise and fading go on.
 * Samples are made only when the receiver asks, up to the clock, so long silences cost no memory.
 */
export class LoopbackPath {
  private readonly channel: ChannelFn;
  private readonly format: SampleFormat;
  private readonly fullScale: number;
  private readonly clock: SimulatedClock;
  private readonly bursts: { start: number; data: SampleData }[] = [];
  private readonly drops: LoopbackDrop[];
  private readonly silence = new Float32Array(2 * CHUNK_SAMPLES);
  private readonly sent = new Float32Array(2 * CHUNK_SAMPLES);
  /** Samples that have passed into the channel. */
  private position = 0;
  /** Samples that came out of it, lost ones included, and the index the device gives them. */
  private heard = 0;
  private index = 0;
  private loss: LossRecord | null = null;
  private readonly ready: SampleBlock[] = [];
  pendingSamples = 0;
  /** What the receiving converter limited or had to zero. */
  adcClippedSamples = 0;
  adcNonFinite = 0;

  constructor(options: {
    channel: ChannelFn;
    format: SampleFormat;
    fullScale: number;
    clock: SimulatedClock;
    drops?: readonly LoopbackDrop[];
  }) {
    this.channel = options.channel;
    this.format = options.format;
    this.fullScale = options.fullScale;
    this.clock = options.clock;
    this.drops = [...(options.drops ?? [])].sort((a, b) => a.at - b.at);
    let free = 0;
    for (const drop of this.drops) {
      const { min, max } = drop.bounds ?? { min: drop.samples, max: drop.samples };
      if (!(drop.at >= free && drop.samples > 0 && min >= 0 && min <= drop.samples && max >= drop.samples)) {
        throw new UsageError('drops need samples > 0, bounds that hold their size, and must not overlap');
      }
      free = drop.at + drop.samples;
    }
  }

  /** First index at which a burst can still be placed. */
  get earliest(): number {
    const last = this.bursts.at(-1);
    return last ? last.start + last.data.length / 2 : this.position;
  }

  /** Converts and queues a burst; the clock moves to its end. Returns what the DAC did to it. */
  queue(reIm: Float32Array, atIndex: number | undefined): { index: number; clippedSamples: number; nonFinite: number } {
    const index = atIndex ?? Math.max(this.clock.now, this.earliest);
    if (!Number.isSafeInteger(index) || index < this.earliest) {
      throw new DeviceError(`a burst at index ${index} is too late: the path is free from ${this.earliest} on`);
    }
    const { data, clippedSamples, nonFinite } = fromFloat(reIm, this.format, this.fullScale);
    if (data.length) this.bursts.push({ start: index, data });
    this.pendingSamples += data.length / 2;
    this.clock.now = Math.max(this.clock.now, index + data.length / 2);
    return { index, clippedSamples, nonFinite };
  }

  /** The next received block, or null when simulated time has not come further. */
  next(blockSamples: number): SampleBlock | null {
    while (this.ready.length === 0 && this.position < this.clock.now) this.step(blockSamples);
    return this.ready.shift() ?? null;
  }

  /** Lets everything up to now pass unheard, as a radio does that is not listening. */
  skip(): void {
    while (this.position < this.clock.now) {
      this.step(CHUNK_SAMPLES);
      this.ready.length = 0;
    }
    this.ready.length = 0;
    this.loss = null;
  }

  /** Sends a stretch into the channel and converts what comes out. */
  private step(blockSamples: number): void {
    const count = Math.min(blockSamples, CHUNK_SAMPLES, this.clock.now - this.position);
    const out = this.channel.process(this.transmitted(count));
    const { data, clippedSamples, nonFinite } = fromFloat(out, this.format, this.fullScale);
    this.adcNonFinite += nonFinite;
    this.adcClippedSamples += clippedSamples;
    this.deliver(data);
  }

  /** The next `count` samples of the transmitter: bursts where there are any, else silence. */
  private transmitted(count: number): Float32Array {
    const start = this.position;
    const end = start + count;
    this.position = end;
    if (!this.bursts.length || this.bursts[0].start >= end) return this.silence.subarray(0, 2 * count);
    const sent = this.sent.subarray(0, 2 * count).fill(0);
    while (this.bursts.length && this.bursts[0].start < end) {
      const { start: burstStart, data } = this.bursts[0];
      const burstEnd = burstStart + data.length / 2;
      const from = Math.max(start, burstStart);
      const to = Math.min(end, burstEnd);
      const part = data.subarray(2 * (from - burstStart), 2 * (to - burstStart)) as SampleData;
      toFloat(part, this.fullScale, sent.subarray(2 * (from - start)));
      this.pendingSamples -= to - from;
      if (burstEnd > end) break;
      this.bursts.shift();
    }
    return sent;
  }

  /** Queues converted samples as blocks with their index, less what a drop takes away. */
  private deliver(data: SampleData): void {
    const begin = this.heard;
    const n = data.length / 2;
    this.heard += n;
    let at = 0;
    while (at < n) {
      const drop = this.drops[0];
      if (drop && drop.at <= begin + at) {
        const dropEnd = drop.at + drop.samples;
        at += Math.min(n - at, dropEnd - begin - at);
        if (begin + at === dropEnd) this.lose(drop);
      } else {
        const end = drop ? Math.min(n, drop.at - begin) : n;
        this.emit((at === 0 && end === n ? data : data.slice(2 * at, 2 * end)) as SampleData);
        at = end;
      }
    }
  }

  private lose(drop: LoopbackDrop): void {
    this.drops.shift();
    const { min, max } = drop.bounds ?? { min: drop.samples, max: drop.samples };
    const from = this.index;
    this.index += min;
    this.loss = joinLosses(this.loss, { min, max, exact: min === max, from, to: this.index });
  }

  private emit(data: SampleData): void {
    const { format, fullScale, index, loss } = this;
    this.ready.push({ data, format, fullScale, index, lostBefore: loss && { ...loss, to: index }, timestampNs: null });
    this.loss = null;
    this.index += data.length / 2;
  }
}
