import { BUFFER_BYTES, DMA_BYTES, EXCHANGE_BYTES } from './firmware.ts';
import { M0Mode } from './m0.ts';
import { PacedStream } from './paced-stream.ts';
import type { SampleClock } from './sample-clock.ts';
import type { Converter, StreamParts } from './stream.ts';
import type { InPipe } from './usb-pipes.ts';

/** Most bytes that M0 exchanges in one step, so that what waits for a fill level is looked at often enough. */
const STEP_BYTES = 0x2000;

/**
 * Reception: converter, M0, buffers, bulk endpoint. M0 writes to a buffer of 32 KiB; when that is full, new samples are
 * thrown away and counted as a shortfall. The other core arms transfers of 8 KiB (firmware until 2026.01: straight from
 * that buffer) or of 16 KiB (later: from a second buffer, filled by DMA), one after the other.
 */
export class RxStream extends PacedStream {
  readonly kind = 'rx';
  private readonly pipe: InPipe;
  private readonly convert: Converter;
  private readonly ring = new Int8Array(BUFFER_BYTES);
  /** What USB reads from: the same memory, or the second buffer. */
  private readonly outRing: Uint8Array;
  private usbStarted = 0;
  private usbCompleted = 0;
  private chunkLeft = 0;

  constructor(parts: StreamParts, pipe: InPipe, convert: Converter, startS: number) {
    super(parts, startS);
    this.pipe = pipe;
    this.convert = convert;
    this.outRing = parts.firmware.dma ? new Uint8Array(BUFFER_BYTES) : new Uint8Array(this.ring.buffer);
    if (!parts.waitForTrigger) this.begin(startS);
  }

  wakeS(nowS: number): number | null {
    const { m0, firmware, busBytesPerS } = this.parts;
    const wanted = this.pipe.firstRoom;
    if (wanted === null || !this.clock) return null;
    const chunks = Math.ceil(Math.max(wanted - this.chunkLeft, 0) / firmware.chunkBytes) * firmware.chunkBytes;
    const missing = this.usbStarted + chunks - m0.m0Count;
    if (missing > 0 && m0.activeMode !== M0Mode.rx)
      return this.busyUntilS < Number.POSITIVE_INFINITY ? this.busyUntilS : null;
    // The bus works while samples come in: what is left after the last of them is one armed transfer.
    const lastBytes = missing > 0 ? Math.min(wanted, firmware.chunkBytes) : wanted;
    return nowS + Math.max(missing, 0) / (2 * this.rateHz) + lastBytes / busBytesPerS;
  }

  protected convertSome(bytes: number, startS: number, clock: SampleClock): number {
    const { m0 } = this.parts;
    if (m0.activeMode !== M0Mode.rx) return bytes;
    const free = BUFFER_BYTES - (m0.m0Count - m0.m4Count);
    if (free < EXCHANGE_BYTES) {
      const lost = m0.shortfall(bytes);
      this.losses.add(m0.m0Count / 2, lost / 2, startS);
      return lost;
    }
    const at = m0.m0Count % BUFFER_BYTES;
    const passed = Math.min(bytes, free, STEP_BYTES - (at % STEP_BYTES));
    this.convert(startS, this.taken, this.ring.subarray(at, at + passed), clock);
    m0.exchange(passed);
    return passed;
  }

  /** Starts what can be started now: DMA, and the next transfer of the bulk endpoint. */
  protected pump(): void {
    const { firmware, m0 } = this.parts;
    if (firmware.dma) while (this.dma()) {}
    if (this.busyBytes > 0) return;
    const available = firmware.dma ? m0.m4Count : m0.m0Count;
    if (this.chunkLeft === 0 && available - this.usbStarted >= firmware.chunkBytes) {
      this.chunkLeft = firmware.chunkBytes;
      this.usbStarted += firmware.chunkBytes;
    }
    if (this.chunkLeft > 0) this.carry(Math.min(this.chunkLeft, this.pipe.room));
  }

  protected transferDone(bytes: number): void {
    const { firmware, m0 } = this.parts;
    this.chunkLeft -= this.pipe.deliver(this.outRing, this.usbStarted - this.chunkLeft, bytes);
    if (this.chunkLeft > 0) return;
    this.usbCompleted += firmware.chunkBytes;
    if (!firmware.dma) m0.m4Count += firmware.chunkBytes;
  }

  /**
   * One DMA transfer, which takes no time here; it keeps out of the half that M0 writes to as long as there is room in
   * the other.
   */
  private dma(): boolean {
    const { m0 } = this.parts;
    const started = m0.m4Count;
    const data = m0.m0Count - started;
    if (data < DMA_BYTES || BUFFER_BYTES - (started - this.usbCompleted) < DMA_BYTES) return false;
    const half = BUFFER_BYTES / 2;
    const sameHalf = m0.m0Count % BUFFER_BYTES < half === started % BUFFER_BYTES < half;
    if (sameHalf && BUFFER_BYTES - data >= half) return false;
    const at = started % BUFFER_BYTES;
    this.outRing.set(this.ring.subarray(at, at + DMA_BYTES), at);
    m0.m4Count += DMA_BYTES;
    return true;
  }
}
