import type { AirClock } from '../air.ts';

/** The cable between host and board: so many bytes a second for all connections together, one after the other. */
export class HostLink {
  private readonly clock: AirClock;
  private readonly bytesPerS: number;
  private freeS = 0;

  constructor(clock: AirClock, bytesPerS: number) {
    this.clock = clock;
    this.bytesPerS = bytesPerS;
  }

  /** Resolves when so many bytes have passed, or `signal` is aborted. */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.bytesPerS === Number.POSITIVE_INFINITY) return;
    this.freeS = Math.max(this.freeS, this.clock.nowS()) + bytes / this.bytesPerS;
    await this.clock.at(this.freeS, signal);
  }
}
