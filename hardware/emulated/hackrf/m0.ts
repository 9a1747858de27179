import { EXCHANGE_BYTES } from './firmware.ts';

export const M0Mode = { idle: 0, wait: 1, rx: 2, txStart: 3, txRun: 4 } as const;
export type M0Mode = (typeof M0Mode)[keyof typeof M0Mode];

export const M0Error = { none: 0, rxTimeout: 1, txTimeout: 2, missedDeadline: 3 } as const;
export type M0Error = (typeof M0Error)[keyof typeof M0Error];

/**
 * State and counters of the small core that moves samples between converter and buffer, 32 bytes at a time (firmware
 * hackrf_usb/sgpio_m0.s). A shortfall is a stretch without room (RX) or data (TX): while it lasts m0_count stands still.
 */
export class M0 {
  requestedMode: number = M0Mode.idle;
  activeMode: number = M0Mode.idle;
  /** Bytes exchanged with the buffer; on the wire modulo 2^32. */
  m0Count = 0;
  /** Bytes that the other core has taken from the buffer, or put there. */
  m4Count = 0;
  numShortfalls = 0;
  longestShortfall = 0;
  shortfallLimit = 0;
  threshold = 0;
  nextMode: number = M0Mode.idle;
  error: number = M0Error.none;
  private shortfallBytes = 0;
  private previousLongest = 0;

  /** What the other core asks for. A shortfall that lasts just then is taken for one of the shutdown and forgotten. */
  setMode(mode: M0Mode): void {
    if (this.activeMode !== M0Mode.idle && this.activeMode !== M0Mode.wait && this.shortfallBytes > 0) {
      this.longestShortfall = this.previousLongest;
      this.numShortfalls--;
    }
    this.shortfallBytes = 0;
    this.requestedMode = mode;
    this.activeMode = mode;
    this.nextMode = mode;
    if (mode === M0Mode.idle) return;
    this.m0Count = 0;
    this.m4Count = 0;
    this.numShortfalls = 0;
    this.longestShortfall = 0;
    this.threshold = 0;
    this.previousLongest = 0;
    this.error = M0Error.none;
  }

  /** So many bytes went through the buffer. */
  exchange(bytes: number): void {
    this.m0Count += bytes;
    this.shortfallBytes = 0;
  }

  /**
   * So many bytes found no room or no data. Ends the operation at the limit, if there is one.
   *
   * @returns bytes until M0 gave up, or all of them
   */
  shortfall(bytes: number): number {
    if (this.shortfallBytes === 0) {
      this.numShortfalls++;
      this.previousLongest = this.longestShortfall;
    }
    const limit = Math.ceil(this.shortfallLimit / EXCHANGE_BYTES) * EXCHANGE_BYTES;
    const passed =
      this.shortfallLimit > 0 ? Math.min(bytes, Math.max(limit - this.shortfallBytes, EXCHANGE_BYTES)) : bytes;
    this.shortfallBytes += passed;
    this.longestShortfall = Math.max(this.longestShortfall, this.shortfallBytes);
    if (this.shortfallLimit > 0 && this.shortfallBytes >= this.shortfallLimit) this.fail(this.activeMode >> 1);
    return passed;
  }

  /** Stops with an error; counters keep their values. */
  fail(error: number): void {
    this.error = error;
    this.activeMode = M0Mode.idle;
    this.shortfallBytes = 0;
  }

  /** Reply to GET_M0_STATE: 40 bytes, little endian. */
  bytes(): Uint8Array {
    const view = new DataView(new ArrayBuffer(40));
    view.setUint16(0, this.requestedMode, true);
    view.setUint16(2, 0, true);
    const words = [
      ...[this.activeMode, this.m0Count, this.m4Count, this.numShortfalls, this.longestShortfall],
      ...[this.shortfallLimit, this.threshold, this.nextMode, this.error],
    ];
    // Numbers beyond 2^32 wrap, as the counters do.
    words.forEach((word, i) => {
      view.setUint32(4 + 4 * i, word % 2 ** 32, true);
    });
    return new Uint8Array(view.buffer);
  }
}
