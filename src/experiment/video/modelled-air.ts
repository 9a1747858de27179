import { AwgnStage } from '../../phy/channel/awgn.ts';
import type { ScenarioChannel } from '../../phy/channel/scenario.ts';
import { ChannelChain } from '../../phy/channel/stage.ts';
import { fromFloat } from '../../radio/format/convert.ts';
import { allocateNative } from '../../radio/format/sample-format.ts';
import type { SampleBlock, SampleData, SampleFormat } from '../../radio/radio.ts';
import { freeWaveform } from './waveform-slots.ts';

/** Most samples that go through the channel at a time. */
const CHUNK_SAMPLES = 4096;
/** Most samples of a block that is heard. */
const BLOCK_SAMPLES = 16384;

interface QueuedBurst {
  readonly start: number;
  readonly reIm: Float32Array; // [sample][re, im]
}

/**
 * A modelled channel that runs along with time: bursts at absolute samples of the transmitter's clock, and what the receiver
 * hears of them, without a gap. Between bursts multipath and offsets are not computed but stepped over, to the last bit as if
 * they had been (`ChannelChain.skip`); the receiver's noise is there all the time.
 */
export class ModelledAir {
  private readonly signal: ChannelChain;
  private readonly receiver: ChannelChain;
  private readonly queue: QueuedBurst[] = [];
  private readonly format: SampleFormat;
  private readonly fullScale: number;
  private readonly silence = new Float32Array(2 * CHUNK_SAMPLES);
  private readonly sent = new Float32Array(2 * CHUNK_SAMPLES);
  /** Sample of the transmitter up to which the air is computed, and of the receiver up to which it was heard. */
  private position = 0;
  private heard = 0;
  /** Heard, and not handed on yet. */
  private readonly block: SampleData;
  private gathered = 0;
  /** Zeros that went through the channel since the last burst. */
  private quiet = 0;

  /**
   * @param channel used from its beginning, and by nobody else
   * @param format of the receiver's converter
   */
  constructor(channel: ScenarioChannel, format: SampleFormat = 'cf32_le', fullScale = 1) {
    this.format = format;
    this.fullScale = fullScale;
    this.block = allocateNative(format, BLOCK_SAMPLES);
    const noise = channel.stages.findIndex((stage) => stage instanceof AwgnStage);
    const cut = noise < 0 ? channel.stages.length : noise;
    this.signal = new ChannelChain(channel.stages.slice(0, cut));
    this.receiver = new ChannelChain(channel.stages.slice(cut));
  }

  /** Next sample that has not been computed yet. */
  get now(): number {
    return this.position;
  }

  /** First sample at which another burst may begin. */
  get freeAt(): number {
    const last = this.queue.at(-1);
    return last ? last.start + (last.reIm.length >> 1) : this.position;
  }

  /** Queues a burst, which is kept, not copied, until its last sample is on the air (`freeWaveform`); false where its place is past or taken. */
  send(reIm: Float32Array, start: number): boolean {
    if (!Number.isSafeInteger(start) || start < Math.max(this.position, this.freeAt)) return false;
    this.queue.push({ start, reIm });
    return true;
  }

  /** Where the burst that is on the air ends, or the next one; null where none waits. */
  get endOfBurst(): number | null {
    const next = this.queue[0];
    return next ? next.start + (next.reIm.length >> 1) : null;
  }

  /** Lets time pass up to sample `to`, and hands on what is heard meanwhile in blocks that are as long as can be, each valid until `take` returns. */
  advance(to: number, take: (block: SampleBlock) => void): void {
    while (this.position < to) {
      const next = this.queue[0];
      const silent = Math.min(to, next?.start ?? to) - this.position;
      if (silent > 0) this.pass(silent, take);
      else this.carry(next, to, take);
    }
    this.handOn(take);
  }

  /** One piece of silence. */
  private pass(samples: number, take: (block: SampleBlock) => void): void {
    const count = Math.min(samples, CHUNK_SAMPLES);
    this.position += count;
    if (this.quiet < this.signal.silentAfter) {
      this.quiet += count;
      this.hear(this.signal.process(this.silence.subarray(0, 2 * count)), take);
      return;
    }
    for (let left = this.signal.skip(count); left > 0; left -= CHUNK_SAMPLES) {
      this.hear(this.silence.subarray(0, 2 * Math.min(left, CHUNK_SAMPLES)), take);
    }
  }

  /** One piece of the burst that is on the air. */
  private carry(burst: QueuedBurst, to: number, take: (block: SampleBlock) => void): void {
    const from = this.position - burst.start;
    const length = burst.reIm.length >> 1;
    const count = Math.min(CHUNK_SAMPLES, to - this.position, length - from);
    const piece = this.sent.subarray(0, 2 * count);
    piece.set(burst.reIm.subarray(2 * from, 2 * (from + count)));
    this.position += count;
    this.quiet = 0;
    if (from + count === length) {
      this.queue.shift();
      freeWaveform(burst.reIm);
    }
    this.hear(this.signal.process(piece), take);
  }

  private hear(samples: Float32Array, take: (block: SampleBlock) => void): void {
    if (samples.length === 0) return;
    const { format, fullScale } = this;
    const heard = this.receiver.process(samples);
    for (let at = 0; at < heard.length; ) {
      const room = this.block.subarray(2 * this.gathered);
      const part = heard.subarray(at, at + room.length);
      fromFloat(part, format, fullScale, room);
      this.gathered += part.length >> 1;
      at += part.length;
      if (this.gathered === BLOCK_SAMPLES) this.handOn(take);
    }
  }

  private handOn(take: (block: SampleBlock) => void): void {
    if (this.gathered === 0) return;
    const { format, fullScale, heard: index, gathered } = this;
    this.gathered = 0;
    this.heard += gathered;
    take({ data: this.block.subarray(0, 2 * gathered), format, fullScale, index, lostBefore: null, timestampNs: null });
  }
}
