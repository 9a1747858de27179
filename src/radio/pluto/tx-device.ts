import type { Ad936xPath } from './ad936x-parts.ts';
import type { IiodClient } from './iiod-client.ts';
import { IiodError } from './iiod-error.ts';
import { StatusBit, UNDERFLOW_BIT } from './status-register.ts';

/** Kernel buffers of a transmission: one that is played, one that the server can hold meanwhile. */
const KERNEL_BUFFERS = 2;
/** What the DMA's own memory may still hold when the time of a buffer is over. */
const DRAIN_S = 0.005;
/** How long before the end of a buffer its underflow bit is read, s of the board. */
const LOOK_BEFORE_END_S = 0.05;
const SHORTEST_LOOKED_AT_S = 0.1;
const CLOCK_TOLERANCE = 1e-4;

/** Host time, s, and waiting for it; seconds of the board pass at `speed` (an emulated board may be slow). */
export interface TxClock {
  nowS(): number;
  sleepS(seconds: number): Promise<void>;
  readonly speed: number;
}

/** The transmit buffer of a Pluto on a connection of its own: closing that connection ends every transmission. */
export class TxDevice {
  private readonly client: IiodClient;
  private readonly path: Ad936xPath;
  private readonly rateHz: number;
  private readonly clock: TxClock;
  private status: StatusBit | null;
  /** Why underruns are not counted; null where they are. */
  warning: string | null = null;

  constructor(client: IiodClient, path: Ad936xPath, rateHz: number, clock: TxClock) {
    this.client = client;
    this.path = path;
    this.rateHz = rateHz;
    this.clock = clock;
    this.status = path.registers ? new StatusBit(client, path.registers, UNDERFLOW_BIT) : null;
  }

  get usable(): boolean {
    return this.client.usable;
  }

  /**
   * Plays one buffer. `started` is called once the board has it; the promise resolves when it is over and the buffer is closed, to whether
   * the board ran out of samples inside it (looked at only in buffers of more than 100 ms).
   *
   * @param iq [sample][i, q], an even number of samples
   */
  async play(iq: Int16Array, started: (atS: number) => void): Promise<{ underrun: boolean }> {
    const { clock } = this;
    const lengthS = iq.length / 2 / (this.rateHz * clock.speed);
    const handedOverS = await this.openAndFill(iq, false);
    const startedS = clock.nowS();
    started(startedS);
    const endS = startedS + lengthS * (1 + CLOCK_TOLERANCE) + DRAIN_S / clock.speed;
    let underrun = false;
    if (lengthS * clock.speed >= SHORTEST_LOOKED_AT_S) {
      // It began no sooner than it was handed over, so until here it is not over: behind its end the bit is always set.
      const notOverS = handedOverS + lengthS * (1 - CLOCK_TOLERANCE);
      await this.clearStatus();
      await clock.sleepS(notOverS - LOOK_BEFORE_END_S / clock.speed - clock.nowS());
      const set = (await this.status?.takeSet()) === true;
      underrun = set && clock.nowS() < notOverS;
    }
    await clock.sleepS(endS - clock.nowS());
    await this.closeBuffer();
    return { underrun };
  }

  /** Repeats a buffer until `halt`. */
  async repeat(iq: Int16Array): Promise<void> {
    await this.openAndFill(iq, true);
    await this.clearStatus();
  }

  /** Ends a repetition; whether the board ran out of samples inside it. */
  async halt(): Promise<{ underrun: boolean }> {
    const underrun = (await this.status?.takeSet()) === true;
    await this.closeBuffer();
    return { underrun };
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** Cuts the connection: the server closes the buffer. */
  async abort(): Promise<void> {
    await this.client.abort();
  }

  /** Returns the time at which the samples began to leave this host. */
  private async openAndFill(iq: Int16Array, cyclic: boolean): Promise<number> {
    const { id } = this.path.core;
    await unlessRefused(this.client.setBuffersCount(id, KERNEL_BUFFERS));
    await this.client.open(id, iq.length / 2, this.path.mask, cyclic);
    const handedOverS = this.clock.nowS();
    await this.client.writeBuffer(id, new Uint8Array(iq.buffer, iq.byteOffset, iq.byteLength));
    return handedOverS;
  }

  /**
   * Forgets what stood in the register before. A bit that is set again at once, with a whole buffer in the board, tells nothing
   * (analogdevicesinc/plutosdr-fw#107).
   */
  private async clearStatus(): Promise<void> {
    if ((await this.status?.takeSet()) !== true || (await this.status?.takeSet()) !== true) return;
    this.status = null;
    this.warning = "the board's underflow bit is stuck: whether it ran out of samples is not known";
  }

  private async closeBuffer(): Promise<void> {
    await unlessRefused(this.client.closeBuffer(this.path.core.id));
  }
}

async function unlessRefused(command: Promise<unknown>): Promise<void> {
  try {
    await command;
  } catch (error) {
    if (!(error instanceof IiodError && error.kind === 'errno')) throw error;
  }
}
