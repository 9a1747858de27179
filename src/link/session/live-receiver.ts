import { DeviceError } from '../../common/errors.ts';
import { blockLength, type RxStream, type SampleBlock } from '../../radio/radio.ts';
import { checkAborted, type SessionTime, Waiters } from './session-time.ts';
import { StreamClock, wallClockS } from './stream-clock.ts';

export interface LiveReceiverOptions {
  readonly rx: RxStream;
  /** Takes every block, in order. */
  hear(block: SampleBlock): void | Promise<void>;
  readonly signal?: AbortSignal;
  /** True: time begins with the first block, whatever its index; default with the stream's sample 0. */
  readonly fromFirst?: boolean;
  /** A monotonic clock, s; default the process's. */
  readonly wallS?: () => number;
  /** A stream that delivers nothing for so long has failed, s of wall time. Default 10. */
  readonly stallS?: number;
}

/**
 * Reads a radio's stream in the background, and is the session's clock by its samples: whoever waits until a time waits until everything
 * up to it has been heard, however slow this machine is. What was planned by that clock is as old as the board says.
 */
export class LiveReceiver implements SessionTime {
  private readonly options: LiveReceiverOptions;
  private readonly clock: StreamClock;
  private readonly waiters = new Waiters();
  private readonly wallS: () => number;
  private readonly running: Promise<void>;
  private heardAtS: number;
  private failure: Error | null = null;
  private over = false;
  /** End of what has been heard, stream time in s. */
  heardS = 0;

  constructor(options: LiveReceiverOptions) {
    this.options = options;
    this.wallS = options.wallS ?? wallClockS;
    this.clock = new StreamClock(options.rx.settings.rateHz, this.wallS);
    this.heardAtS = this.wallS();
    this.running = this.run();
  }

  get nowS(): number {
    return this.clock.nowS;
  }

  until(timeS: number, enough?: () => boolean): Promise<void> {
    const { signal, stallS = 10, rx } = this.options;
    return this.waiters.until(() => {
      checkAborted(signal);
      if (this.failure) throw this.failure;
      if (enough?.() || this.heardS >= timeS) return true;
      if (this.over) throw new DeviceError(`${rx.describe()}: the stream ended in the middle of a session`);
      if (this.wallS() - this.heardAtS <= stallS) return false;
      throw new DeviceError(`${rx.describe()}: no samples for ${stallS} s`, 'is the board still there?');
    });
  }

  nudge(): void {
    this.waiters.nudge();
  }

  /** Stops the stream; resolves when the last block has been heard. What went wrong before is thrown. */
  async close(): Promise<void> {
    await this.options.rx.close();
    await this.running;
    if (this.failure) throw this.failure;
  }

  private async run(): Promise<void> {
    const { rx, hear } = this.options;
    const { rateHz } = rx.settings;
    let origin = this.options.fromFirst ? null : 0;
    try {
      for await (const block of rx) {
        origin ??= block.index;
        const endIndex = block.index + blockLength(block) - origin;
        const takenS =
          block.timestampNs === null ? undefined : Number(block.timestampNs) / 1e9 + blockLength(block) / rateHz;
        this.clock.observe(endIndex, takenS);
        await hear(block);
        this.heardS = endIndex / rateHz;
        this.heardAtS = this.wallS();
        this.waiters.nudge();
        // Sockets, timers and signals get their turn though the stream may always have a block ready.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.failure = error as Error;
    } finally {
      this.over = true;
      this.waiters.nudge();
    }
  }
}
