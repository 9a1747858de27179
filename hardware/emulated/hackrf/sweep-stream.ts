import { SWEEP_BLOCK_BYTES } from './firmware.ts';
import { M0Error, M0Mode } from './m0.ts';
import type { SweepPlan } from './requests.ts';
import { SampleClock } from './sample-clock.ts';
import { ShortfallLog } from './shortfall-log.ts';
import { type Converter, HIGHEST_M0_RATE_HZ, type SampleStream, type StreamParts } from './stream.ts';
import type { InPipe } from './usb-pipes.ts';

/** Blocks that are thrown away while the radio tunes. */
const THROWN_BLOCKS = 2;

/**
 * Sweep: M0 takes one block of 16 KiB and counts two more without taking them, while the radio tunes; so on for every
 * block. A block begins with 7f 7f and its frequency (u64, little endian, Hz). A block can only be taken when the one
 * before it has left over USB; what goes by until then is a shortfall.
 */
export class SweepStream implements SampleStream {
  readonly kind = 'sweep';
  readonly losses = new ShortfallLog();
  private readonly parts: StreamParts;
  private readonly pipe: InPipe;
  private readonly convert: Converter;
  private readonly plan: SweepPlan;
  private readonly tune: (frequencyHz: number) => void;
  private readonly block = new Int8Array(SWEEP_BLOCK_BYTES);
  private readonly wire = new Uint8Array(this.block.buffer);
  private clock: SampleClock | null = null;
  private rateHz: number;
  private taken = 0;
  private timeS: number;
  private inUsb = 0;
  private busyBytes = 0;
  private busyUntilS = Number.POSITIVE_INFINITY;
  private range = 0;
  private frequencyHz: number;
  private odd = true;
  private blocksHere = 0;
  private stopped = false;

  constructor(
    parts: StreamParts,
    pipe: InPipe,
    convert: Converter,
    plan: SweepPlan,
    tune: (frequencyHz: number) => void,
    startS: number,
  ) {
    this.parts = parts;
    this.pipe = pipe;
    this.convert = convert;
    this.plan = plan;
    this.tune = tune;
    this.timeS = startS;
    this.rateHz = parts.rateHz;
    this.frequencyHz = plan.rangesMhz[0][0] * 1e6;
    parts.m0.threshold = SWEEP_BLOCK_BYTES;
    parts.m0.nextMode = M0Mode.wait;
    if (!parts.waitForTrigger) this.begin(startS);
  }

  advance(nowS: number): void {
    while (!this.stopped) {
      if (this.inUsb > 0 && this.busyBytes === 0 && this.pipe.room > 0) {
        this.busyBytes = Math.min(this.inUsb, this.pipe.room);
        this.busyUntilS = this.timeS + this.busyBytes / this.parts.busBytesPerS;
      }
      const stopS = Math.min(nowS, this.busyUntilS);
      if (!this.sampleUntil(stopS)) continue;
      this.timeS = Math.max(this.timeS, stopS);
      if (this.busyUntilS <= stopS) this.transferDone();
      else break;
    }
  }

  wakeS(nowS: number): number | null {
    if (this.pipe.firstRoom === null || !this.clock) return null;
    if (this.busyUntilS < Number.POSITIVE_INFINITY) return Math.max(nowS, this.busyUntilS);
    if (this.parts.m0.activeMode === M0Mode.idle) return null;
    const left = this.blockEnd - this.parts.m0.m0Count;
    return nowS + Math.max(left, 32) / (2 * this.rateHz);
  }

  changeRate(rateHz: number): void {
    this.rateHz = rateHz;
    this.clock?.changeRate(rateHz, this.taken);
  }

  trigger(nowS: number): void {
    if (!this.clock) this.begin(nowS);
  }

  stop(): void {
    this.stopped = true;
  }

  private begin(startS: number): void {
    this.timeS = startS;
    this.clock = new SampleClock(startS, this.rateHz);
    if (this.rateHz > HIGHEST_M0_RATE_HZ) this.parts.m0.fail(M0Error.missedDeadline);
  }

  /** Count at which the block that is being taken, or comes next, is complete. */
  private get blockEnd(): number {
    const period = SWEEP_BLOCK_BYTES * (1 + THROWN_BLOCKS);
    return Math.floor(this.parts.m0.m0Count / period) * period + SWEEP_BLOCK_BYTES;
  }

  private sampleUntil(stopS: number): boolean {
    const { clock } = this;
    if (!clock) return true;
    const bytes = (clock.samplesAt(stopS) - this.taken) * 2;
    if (bytes <= 0) return true;
    const { m0 } = this.parts;
    let passed = bytes;
    if (m0.activeMode === M0Mode.rx) {
      if (this.inUsb > 0) {
        passed = m0.shortfall(bytes);
        this.losses.add(m0.m0Count / 2, passed / 2, clock.timeOf(this.taken));
      } else {
        passed = Math.min(bytes, this.blockEnd - m0.m0Count);
        const at = SWEEP_BLOCK_BYTES - (this.blockEnd - m0.m0Count);
        this.convert(clock.timeOf(this.taken), this.taken, this.block.subarray(at, at + passed), clock);
        m0.exchange(passed);
        if (m0.m0Count % SWEEP_BLOCK_BYTES === 0) this.blockTaken();
      }
    } else if (m0.activeMode === M0Mode.wait) {
      passed = Math.min(bytes, m0.threshold - m0.m0Count);
      m0.exchange(passed);
      if (m0.m0Count === m0.threshold) {
        m0.activeMode = M0Mode.rx;
        m0.threshold += SWEEP_BLOCK_BYTES;
        m0.nextMode = M0Mode.wait;
      }
    }
    this.taken += passed / 2;
    if (passed === bytes) return true;
    this.timeS = clock.timeOf(this.taken);
    return false;
  }

  private blockTaken(): void {
    const { m0 } = this.parts;
    m0.activeMode = M0Mode.wait;
    m0.threshold += SWEEP_BLOCK_BYTES * THROWN_BLOCKS;
    m0.nextMode = M0Mode.rx;
    this.wire[0] = 0x7f;
    this.wire[1] = 0x7f;
    new DataView(this.wire.buffer).setBigUint64(2, BigInt(this.frequencyHz), true);
    this.inUsb = SWEEP_BLOCK_BYTES;
    if (++this.blocksHere < this.plan.blocksPerStep) return;
    this.blocksHere = 0;
    this.frequencyHz = this.nextFrequency();
    this.tune(this.frequencyHz + this.plan.offsetHz);
  }

  /** A step on in the range, or the start of the next range. Interleaved steps are a quarter and three quarters in turn. */
  private nextFrequency(): number {
    const { stepHz, interleaved, rangesMhz } = this.plan;
    const atEnd = this.frequencyHz + stepHz >= rangesMhz[this.range][1] * 1e6;
    const wasOdd = this.odd;
    if (interleaved) this.odd = !this.odd;
    if (atEnd && !(interleaved && wasOdd)) {
      this.range = (this.range + 1) % rangesMhz.length;
      return rangesMhz[this.range][0] * 1e6;
    }
    if (!interleaved) return this.frequencyHz + stepHz;
    return this.frequencyHz + (wasOdd ? Math.floor(stepHz / 4) : Math.floor((3 * stepHz) / 4));
  }

  private transferDone(): void {
    const sent = this.pipe.deliver(this.wire, SWEEP_BLOCK_BYTES - this.inUsb, this.busyBytes);
    this.inUsb -= sent;
    this.busyBytes = 0;
    this.busyUntilS = Number.POSITIVE_INFINITY;
    if (this.inUsb === 0) this.parts.m0.m4Count += SWEEP_BLOCK_BYTES * (1 + THROWN_BLOCKS);
  }
}
