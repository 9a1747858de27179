import type { TxStream } from '../../radio/radio.ts';
import type { TxChain } from '../chains.ts';
import type { TransmitBurst } from '../transmission.ts';
import type { Air, OnAir, Spacing } from './air.ts';
import { type BurstRun, burstRuns } from './burst-run.ts';
import type { SessionTime } from './session-time.ts';

/** A burst that was sent: where it stands in the transmitted stream, device samples, and its end by the session's clock. */
export interface SentBurst {
  readonly burst: number;
  readonly use: TransmitBurst['use'];
  readonly index: number;
  readonly samples: number;
  readonly endS: number;
}

/** The way to a transmitter: open for good, or (half-duplex) opened for each sending. */
export interface TransmitPort {
  /** Ready to send; a half-duplex radio stops receiving. */
  ready(): Promise<{ readonly chain: TxChain; readonly tx: TxStream }>;
  /** Everything is in the air; a half-duplex radio goes back to receiving. */
  done(): Promise<void>;
}

export interface LiveAirOptions {
  readonly port: TransmitPort;
  readonly time: SessionTime;
  readonly modemRateHz: number;
  readonly deviceRateHz: number;
  /**
   * True where nothing moves by itself (a file): silence is sent for the time that is to pass.
   */
  readonly fill?: boolean;
}

/** Silence that is written at once where nothing moves by itself, s. */
const SILENCE_S = 10e-3;

/** A radio in real time. Each sending is one run of samples, so that distances of bursts are exact. */
export class LiveAir implements Air {
  readonly sent: SentBurst[] = [];
  /** End of what has been written, s of the transmitted stream. */
  private writtenS = 0;
  private readonly options: LiveAirOptions;

  constructor(options: LiveAirOptions) {
    this.options = options;
  }

  get nowS(): number {
    return this.options.fill ? this.writtenS : this.options.time.nowS;
  }

  async send(bursts: Iterable<TransmitBurst>, spacing: Spacing, onAir: OnAir): Promise<void> {
    const { modemRateHz } = this.options;
    let dueS = 0;
    for (const run of burstRuns(bursts, spacing, modemRateHz)) {
      if (dueS > this.nowS) await this.pass(dueS - this.nowS);
      const startS = await this.run(run, onAir);
      dueS = startS + run.next / modemRateHz;
    }
    if (spacing.kind === 'period' && dueS > this.nowS) await this.pass(dueS - this.nowS);
  }

  async pass(seconds: number, enough?: () => boolean): Promise<void> {
    const { time, fill } = this.options;
    const dueS = this.nowS + seconds;
    if (!fill) return time.until(dueS, enough);
    // Silence piece by piece: what is enough is heard before more time has gone by.
    while (!enough?.() && dueS - this.nowS > 1e-9) {
      await this.silence(Math.min(enough ? SILENCE_S : seconds, dueS - this.nowS));
      await time.until(this.nowS, enough);
    }
  }

  /** Sends one run; returns when it began, s. */
  private async run({ bursts, samples }: BurstRun, onAir: OnAir): Promise<number> {
    const { port, modemRateHz, deviceRateHz } = this.options;
    const { chain, tx } = await port.ready();
    const placed = await chain.send(samples);
    await tx.drain();
    this.writtenS = (placed.index + placed.samples) / deviceRateHz;
    const endS = this.nowS;
    await port.done();
    const lengthS = placed.samples / deviceRateHz;
    const ratio = deviceRateHz / modemRateHz;
    for (const { burst, start, length } of bursts) {
      const burstEndS = endS - lengthS + (start + length) / modemRateHz;
      const index = placed.index + Math.round(start * ratio);
      this.sent.push({
        burst: burst.burst,
        use: burst.use,
        index,
        samples: Math.round(length * ratio),
        endS: burstEndS,
      });
      onAir(burst, burstEndS);
    }
    return endS - lengthS;
  }

  private async silence(seconds: number): Promise<void> {
    const { port, deviceRateHz } = this.options;
    const { tx } = await port.ready();
    const placed = await tx.write(new Float32Array(2 * Math.ceil(seconds * deviceRateHz)));
    await tx.drain();
    // Not beyond the time that was asked for, though a part of a sample more was sent.
    this.writtenS = Math.min(this.writtenS + seconds, (placed.index + placed.samples) / deviceRateHz);
    await port.done();
  }
}
