import type { StreamSettings, TxCounters, TxStream } from '../radio.ts';
import { AirtimeBudget } from './airtime.ts';
import {
  checkTransmission,
  type Transmission,
  type TransmitPermission,
  type TransmitRules,
} from './transmit-permission.ts';

export interface PermittedTxOptions {
  /** What may be sent and by which rules: as given to checkTransmission. */
  readonly transmission: Transmission;
  readonly rules: TransmitRules;
  /** A clock that runs on, s; default the process's. */
  readonly nowS?: () => number;
}

/**
 * A transmitter that stays within its permission: it was checked before the first sample, every change of gains is checked before it is made, and where the band has a duty cycle every write is
 * booked against the hour (as long as the samples last, zeros included; from the end of what is queued) and refused beyond it. TransmitRefused, UsageError. The hour is that of this
 * process: a new one begins with an empty book.
 */
export class PermittedTx implements TxStream {
  readonly permission: TransmitPermission;
  private readonly tx: TxStream;
  private readonly options: PermittedTxOptions;
  private readonly airtime: AirtimeBudget | null;
  private readonly nowS: () => number;
  private busyUntilS = Number.NEGATIVE_INFINITY;
  readonly setGains?: (gainsDb: Readonly<Record<string, number>>) => Promise<Readonly<Record<string, number>>>;

  /** @param tx owned from here on */
  constructor(tx: TxStream, options: PermittedTxOptions) {
    this.tx = tx;
    this.options = options;
    this.nowS = options.nowS ?? (() => performance.now() / 1000);
    this.permission = this.check(options.transmission.gainsDb);
    const duty = this.permission.kind === 'band' ? this.permission.band.maxDutyCycle : null;
    this.airtime = duty === null ? null : new AirtimeBudget(duty);
    if (tx.setGains) {
      this.setGains = async (gainsDb) => {
        this.check({ ...this.settings.gainsDb, ...gainsDb });
        return tx.setGains!(gainsDb);
      };
    }
  }

  get settings(): StreamSettings {
    return this.tx.settings;
  }

  get counters(): Readonly<TxCounters> {
    return this.tx.counters;
  }

  async write(reIm: Float32Array, atIndex?: number): Promise<{ index: number; samples: number }> {
    this.book(reIm.length / 2 / this.settings.rateHz);
    return atIndex === undefined ? this.tx.write(reIm) : this.tx.write(reIm, atIndex);
  }

  drain(): Promise<void> {
    return this.tx.drain();
  }

  close(): Promise<void> {
    return this.tx.close();
  }

  describe(): string {
    return this.tx.describe();
  }

  /** Seconds to wait until a transmission of this length may begin; 0 where the band has no duty cycle. */
  waitS(durationS: number): number {
    if (!this.airtime) return 0;
    const startS = Math.max(this.nowS(), this.busyUntilS);
    return startS - this.nowS() + this.airtime.waitS(startS, durationS);
  }

  private book(durationS: number): void {
    if (!this.airtime) return;
    const startS = Math.max(this.nowS(), this.busyUntilS);
    this.airtime.book(startS, durationS);
    this.busyUntilS = startS + durationS;
  }

  private check(gainsDb: Readonly<Record<string, number>>): TransmitPermission {
    const { transmission, rules } = this.options;
    return checkTransmission({ ...transmission, gainsDb }, rules);
  }
}
