import { BUFFER_BYTES, DMA_BYTES, EXCHANGE_BYTES } from './firmware.ts';
import { M0Error, M0Mode } from './m0.ts';
import { SampleClock } from './sample-clock.ts';
import { ShortfallLog } from './shortfall-log.ts';
import { HIGHEST_M0_RATE_HZ, type SampleStream, type StreamParts } from './stream.ts';
import type { OutPipe } from './usb-pipes.ts';

/** Most bytes that M0 exchanges in one step. */
const STEP_BYTES = 0x2000;

/** Samples of TX: puts what the converter got from this time on the air. `reIm` is null for zeros. */
export type Sender = (startS: number, samples: number, bytes: Int8Array | null, clock: SampleClock) => void;

/**
 * Transmission: bulk endpoint, buffers, M0, converter. The converter starts when 32 KiB have come; from then on it wants a sample
 * at every tick and gets zeros where there is none, which is a shortfall.
 */
export class TxStream implements SampleStream {
  readonly kind = 'tx';
  readonly losses = new ShortfallLog();
  private readonly parts: StreamParts;
  private readonly pipe: OutPipe;
  private readonly send: Sender;
  private readonly ring = new Int8Array(BUFFER_BYTES);
  private readonly sampleBytes = new Uint8Array(this.ring.buffer);
  private readonly bulk = new Uint8Array(BUFFER_BYTES);
  private clock: SampleClock | null = null;
  private taken = 0;
  private timeS: number;
  private rateHz: number;
  private usbStarted = 0;
  private usbCompleted = 0;
  private chunkLeft = 0;
  private busyBytes = 0;
  private busyUntilS = Number.POSITIVE_INFINITY;
  private dmaStarted = 0;
  private filled = false;
  private draining = false;
  private stopped = false;

  constructor(parts: StreamParts, pipe: OutPipe, send: Sender, startS: number) {
    this.parts = parts;
    this.pipe = pipe;
    this.send = send;
    this.timeS = startS;
    this.rateHz = parts.rateHz;
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
    this.busyBytes = 0;
    this.busyUntilS = Number.POSITIVE_INFINITY;
  }

  advance(nowS: number): void {
    this.pump();
    while (!this.stopped) {
      const stopS = Math.min(nowS, this.busyUntilS);
      const waits = this.sampleUntil(stopS);
      if (waits) this.timeS = Math.max(this.timeS, stopS);
      const done = waits && this.busyUntilS <= stopS;
      if (done) this.transferDone();
      this.pump();
      if (waits && !done) break;
    }
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

  changeRate(rateHz: number): void {
    this.rateHz = rateHz;
    this.clock?.changeRate(rateHz, this.taken);
    this.checkRate();
  }

  trigger(nowS: number): void {
    if (this.filled && !this.clock) this.begin(nowS);
  }

  stop(): void {
    this.stopped = true;
  }

  private begin(startS: number): void {
    this.timeS = startS;
    this.clock = new SampleClock(startS, this.rateHz);
    this.checkRate();
  }

  private checkRate(): void {
    const { m0 } = this.parts;
    if (this.clock && this.rateHz > HIGHEST_M0_RATE_HZ && m0.activeMode !== M0Mode.idle)
      m0.fail(M0Error.missedDeadline);
  }

  private sampleUntil(stopS: number): boolean {
    const { clock } = this;
    if (!clock) return true;
    const bytes = (clock.samplesAt(stopS) - this.taken) * 2;
    if (bytes <= 0) return true;
    const { m0 } = this.parts;
    let passed = bytes;
    if (m0.activeMode === M0Mode.idle) {
      this.send(clock.timeOf(this.taken), bytes / 2, null, clock);
    } else {
      const held = m0.m4Count - m0.m0Count;
      const ready = held - (held % EXCHANGE_BYTES);
      const startS = clock.timeOf(this.taken);
      if (ready > 0) {
        const at = m0.m0Count % BUFFER_BYTES;
        passed = Math.min(bytes, ready, STEP_BYTES - (at % STEP_BYTES));
        m0.activeMode = M0Mode.txRun;
        this.send(startS, passed / 2, this.ring.subarray(at, at + passed), clock);
        m0.exchange(passed);
      } else {
        passed = m0.shortfall(bytes);
        this.losses.add(m0.m0Count / 2, passed / 2, startS);
        this.send(startS, passed / 2, null, clock);
      }
    }
    this.taken += passed / 2;
    if (passed === bytes) return true;
    this.timeS = clock.timeOf(this.taken);
    return false;
  }

  private pump(): void {
    const { firmware, m0, busBytesPerS } = this.parts;
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
    this.busyBytes = Math.max(this.pipe.ready(this.chunkLeft), 1);
    this.busyUntilS = this.timeS + this.busyBytes / busBytesPerS;
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

  private transferDone(): void {
    const { firmware, m0 } = this.parts;
    const toSamples = !firmware.dma || !this.filled;
    const at = this.usbStarted - this.chunkLeft;
    const { bytes, short } = this.pipe.take(this.busyBytes, toSamples ? this.sampleBytes : this.bulk, at);
    this.busyBytes = 0;
    this.busyUntilS = Number.POSITIVE_INFINITY;
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
