import { BUFFER_BYTES, DMA_BYTES, EXCHANGE_BYTES } from './firmware.ts';
import { M0Mode } from './m0.ts';
import { PacedStream } from './paced-stream.ts';
import type { SampleClock } from './sample-clock.ts';
import type { StreamParts } from './stream.ts';
import type { OutPipe } from './usb-pipes.ts';

/** Most bytes that M0 exchanges in one step. */
const STEP_BYTES = 0x2000;

/** Samples of TX: puts what the converter got from this time on the air. `reIm` is null for zeros. */
export type Sender = (startS: number, samples: number, bytes: Int8Array | null, clock: SampleClock) => void;

/**
 * Transmission: bulk endpoint, buffers, M0, converter. The converter starts when 32 KiB have come; from then on it wants a sample
 * at every tick and gets zeros where there is none, which is a shortfall.
 */
export class TxStream extends PacedStream {
  readonly kind = 'tx';
  private readonly pipe: OutPipe;
  private readonly send: Sender;
  private readonly ring = new Int8Array(BUFFER_BYTES);
  private readonly sampleBytes = new Uint8Array(this.ring.buffer);
  private readonly bulk = new Uint8Array(BUFFER_BYTES);
  private usbStarted = 0;
  private usbCompleted = 0;
  private chunkLeft = 0;
  private dmaStarted = 0;
  private filled = false;
  private draining = false;

  constructor(parts: StreamParts, pipe: OutPipe, send: Sender, startS: number) {
    super(parts, startS);
    this.pipe = pipe;
    this.send = send;
  }

  /** 32 KiB have come. Before that leaving TX throws everything away, and newer firmware forgets to answer the request. */
  get prefilled(): boolean {
    return this.filled;
  }

  /** After `drain`: everything that came is on the air. */
  get drained(): boolean {
    const { m0 } = this.parts;
    return this.usbCompleted - m0.m4Count < 4 && m0.m4Count - m0.m0Count < EXCHANGE_BYTES;
  }

  /** Takes no more from the host and goes on until all is on the air. */
  drain(): void {
    // What came of the armed transfer counts; its rest does not.
    const { chunkBytes } = this.parts.firmware;
    if (this.chunkLeft > 0) this.usbCompleted += chunkBytes - this.chunkLeft;
    this.draining = true;
    this.chunkLeft = 0;
    this.carry(0);
  }

  wakeS(nowS: number): number | null {
    const { m0 } = this.parts;
    if (this.busyUntilS < Number.POSITIVE_INFINITY) return Math.max(this.busyUntilS, nowS);
    if (!this.clock || m0.activeMode === M0Mode.idle) return null;
    if (this.draining) return nowS + Math.max(this.usbCompleted - m0.m0Count, EXCHANGE_BYTES) / (2 * this.rateHz);
    if (this.pipe.empty) return null;
    // Room comes when M0 passes a multiple of 8 KiB.
    return this.clock.timeOf(this.taken + (STEP_BYTES - (m0.m0Count % STEP_BYTES)) / 2) + 1e-9;
  }

  override trigger(nowS: number): void {
    if (this.filled) super.trigger(nowS);
  }

  protected convertSome(bytes: number, startS: number, clock: SampleClock): number {
    const { m0 } = this.parts;
    if (m0.activeMode === M0Mode.idle) {
      this.send(startS, bytes / 2, null, clock);
      return bytes;
    }
    const held = m0.m4Count - m0.m0Count;
    const ready = held - (held % EXCHANGE_BYTES);
    if (ready === 0) {
      const missing = m0.shortfall(bytes);
      this.losses.add(m0.m0Count / 2, missing / 2, startS);
      this.send(startS, missing / 2, null, clock);
      return missing;
    }
    const at = m0.m0Count % BUFFER_BYTES;
    const passed = Math.min(bytes, ready, STEP_BYTES - (at % STEP_BYTES));
    m0.activeMode = M0Mode.txRun;
    this.send(startS, passed / 2, this.ring.subarray(at, at + passed), clock);
    m0.exchange(passed);
    return passed;
  }

  protected pump(): void {
    const { firmware, m0 } = this.parts;
    if (firmware.dma && this.filled) while (this.dma()) {}
    if (this.draining || this.busyBytes > 0) return;
    if (this.chunkLeft === 0) {
      const base = !this.filled ? 0 : firmware.dma ? m0.m4Count : m0.m0Count;
      if (this.usbStarted - base > BUFFER_BYTES - firmware.chunkBytes) return;
      this.chunkLeft = firmware.chunkBytes;
      this.usbStarted += firmware.chunkBytes;
    }
    // A short packet may be empty, so a transfer that waits counts even if nothing is in it.
    if (this.pipe.empty) return;
    this.carry(Math.max(this.pipe.ready(this.chunkLeft), 1));
  }

  private dma(): boolean {
    const { m0 } = this.parts;
    const data = this.usbCompleted - this.dmaStarted;
    const size = this.draining && data < DMA_BYTES ? data - (data % 4) : DMA_BYTES;
    const held = m0.m4Count - m0.m0Count;
    if (size === 0 || data < size || size > BUFFER_BYTES - held) return false;
    const half = BUFFER_BYTES / 2;
    const sameHalf = m0.m0Count % BUFFER_BYTES < half === this.dmaStarted % BUFFER_BYTES < half;
    if (sameHalf && held >= half) return false;
    const at = this.dmaStarted % BUFFER_BYTES;
    this.sampleBytes.set(this.bulk.subarray(at, Math.min(at + size, BUFFER_BYTES)), at);
    this.dmaStarted += size;
    m0.m4Count += size;
    return true;
  }

  protected transferDone(busBytes: number): void {
    const { firmware, m0 } = this.parts;
    const toSamples = !firmware.dma || !this.filled;
    const at = this.usbStarted - this.chunkLeft;
    const { bytes, short } = this.pipe.take(busBytes, toSamples ? this.sampleBytes : this.bulk, at);
    this.chunkLeft -= bytes;
    if (this.chunkLeft > 0 && !short) return;
    const got = firmware.chunkBytes - this.chunkLeft;
    this.chunkLeft = 0;
    this.usbCompleted += got;
    if (!firmware.dma) m0.m4Count += got;
    if (this.filled) return;
    // Newer firmware waits until as many bytes as armed have come, older until exactly 32 KiB have: a short packet
    // before that is the end.
    if (this.usbCompleted !== BUFFER_BYTES) return;
    this.filled = true;
    if (firmware.dma) {
      this.dmaStarted = BUFFER_BYTES;
      m0.m4Count = BUFFER_BYTES;
    }
    if (!this.parts.waitForTrigger) this.begin(this.timeS);
  }
}
