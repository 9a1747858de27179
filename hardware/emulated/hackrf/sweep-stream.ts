import { EXCHANGE_BYTES, SWEEP_BLOCK_BYTES } from './firmware.ts';
import { M0Mode } from './m0.ts';
import { PacedStream } from './paced-stream.ts';
import type { SweepPlan } from './requests.ts';
import type { SampleClock } from './sample-clock.ts';
import type { Converter, StreamParts } from './stream.ts';
import type { InPipe } from './usb-pipes.ts';

/** Blocks that are thrown away while the radio tunes. */
const THROWN_BLOCKS = 2;

/**
 * Sweep: M0 takes one block of 16 KiB and counts two more without taking them, while the radio tunes; so on for every
 * block. A block begins with 7f 7f and its frequency (u64, little endian, Hz). A block can only be taken when the one
 * before it has left over USB; what goes by until then is a shortfall.
 */
export class SweepStream extends PacedStream {
  readonly kind = 'sweep';
  private readonly pipe: InPipe;
  private readonly convert: Converter;
  private readonly plan: SweepPlan;
  private readonly tune: (frequencyHz: number) => void;
  private readonly block = new Int8Array(SWEEP_BLOCK_BYTES);
  private readonly wire = new Uint8Array(this.block.buffer);
  /** Bytes of the block that are still to leave over USB. */
  private inUsb = 0;
  private range = 0;
  private frequencyHz: number;
  private odd = true;
  private blocksHere = 0;

  constructor(
    parts: StreamParts,
    pipe: InPipe,
    convert: Converter,
    plan: SweepPlan,
    tune: (frequencyHz: number) => void,
    startS: number,
  ) {
    super(parts, startS);
    this.pipe = pipe;
    this.convert = convert;
    this.plan = plan;
    this.tune = tune;
    this.frequencyHz = plan.rangesMhz[0][0] * 1e6;
    parts.m0.threshold = SWEEP_BLOCK_BYTES;
    parts.m0.nextMode = M0Mode.wait;
    if (!parts.waitForTrigger) this.begin(startS);
  }

  wakeS(nowS: number): number | null {
    if (this.pipe.firstRoom === null || !this.clock) return null;
    if (this.busyUntilS < Number.POSITIVE_INFINITY) return Math.max(nowS, this.busyUntilS);
    if (this.parts.m0.activeMode === M0Mode.idle) return null;
    const left = this.blockEnd - this.parts.m0.m0Count;
    return nowS + Math.max(left, EXCHANGE_BYTES) / (2 * this.rateHz);
  }

  /** Count at which the block that is being taken, or comes next, is complete. */
  private get blockEnd(): number {
    const period = SWEEP_BLOCK_BYTES * (1 + THROWN_BLOCKS);
    return Math.floor(this.parts.m0.m0Count / period) * period + SWEEP_BLOCK_BYTES;
  }

  protected convertSome(bytes: number, startS: number, clock: SampleClock): number {
    const { m0 } = this.parts;
    if (m0.activeMode === M0Mode.wait) return this.pass(Math.min(bytes, m0.threshold - m0.m0Count));
    if (m0.activeMode !== M0Mode.rx) return bytes;
    if (this.inUsb > 0) {
      const lost = m0.shortfall(bytes);
      this.losses.add(m0.m0Count / 2, lost / 2, startS);
      return lost;
    }
    const left = this.blockEnd - m0.m0Count;
    const passed = Math.min(bytes, left);
    const at = SWEEP_BLOCK_BYTES - left;
    this.convert(startS, this.taken, this.block.subarray(at, at + passed), clock);
    m0.exchange(passed);
    if (m0.m0Count % SWEEP_BLOCK_BYTES === 0) this.blockTaken();
    return passed;
  }

  protected pump(): void {
    if (this.inUsb > 0 && this.busyBytes === 0) this.carry(Math.min(this.inUsb, this.pipe.room));
  }

  protected transferDone(bytes: number): void {
    this.inUsb -= this.pipe.deliver(this.wire, SWEEP_BLOCK_BYTES - this.inUsb, bytes);
    if (this.inUsb === 0) this.parts.m0.m4Count += SWEEP_BLOCK_BYTES * (1 + THROWN_BLOCKS);
  }

  /** Counts samples without taking them; after the last of them comes the next block. */
  private pass(bytes: number): number {
    const { m0 } = this.parts;
    m0.exchange(bytes);
    if (m0.m0Count === m0.threshold) {
      m0.activeMode = M0Mode.rx;
      m0.threshold += SWEEP_BLOCK_BYTES;
      m0.nextMode = M0Mode.wait;
    }
    return bytes;
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
}
