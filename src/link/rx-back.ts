import type { DcIqEstimate } from '../phy/frontend/dc-iq.ts';
import type { Frontend } from '../phy/frontend/frontend.ts';
import type { LossRecord } from '../radio/radio.ts';
import type { FrontRecord } from './front-record.ts';
import type { LinkEvent, Receiver } from './receiver.ts';

/**
 * Back half of a receiver, from the front half's records to link events: channel decoding, HARQ, pictures, reports. It
 * belongs to the thread that owns the `Receiver`, and knows of the stream what the records say.
 */
export class RxBack {
  readonly receiver: Receiver;
  protected readonly frontend: Frontend;
  private readonly inputIndexOf: (outputIndex: number) => number;
  /** Where the modem's sample count started (anew after a long gap), and the device index that belongs to it. */
  private readonly origins: { readonly modem: number; readonly device: number }[] = [];
  readonly losses: LossRecord[] = [];
  /** Device samples received, and lost on the way to the receiver. */
  samples = 0;
  lostSamples = 0;
  /** Values that were no numbers (or absurdly large) and became 0. */
  nonFiniteSamples = 0;
  carriersRemoved = 0;
  /** Bursts whose payload was dropped for want of time. */
  droppedBursts = 0;
  /** Last DC and IQ estimate at the device. */
  imbalance: DcIqEstimate | null = null;

  constructor(frontend: Frontend, receiver: Receiver) {
    this.frontend = frontend;
    this.receiver = receiver;
    const downconverter = frontend.downconverter();
    this.inputIndexOf = (index) => downconverter.inputIndexOf(index);
  }

  get deviceRateHz(): number {
    return this.frontend.deviceRateHz;
  }

  /** Takes the next record of the front half; what it means to the link, or null where that is nothing. */
  take(record: FrontRecord): LinkEvent | null {
    switch (record.type) {
      case 'origin':
        this.origins.push({ modem: record.modem, device: record.device });
        return null;
      case 'loss':
        this.losses.push(record.loss);
        if (!record.loss.deaf) this.lostSamples += record.loss.max;
        return null;
      case 'progress':
        this.samples = record.samples;
        this.nonFiniteSamples = record.nonFiniteSamples;
        this.carriersRemoved = record.carriersRemoved;
        this.imbalance = record.imbalance;
        return null;
      case 'skip':
        this.droppedBursts++;
        return this.receiver.take(record);
      default:
        return this.receiver.take(record);
    }
  }

  /** Device index (fractional) of a sample of the modem's stream. */
  deviceIndexOf(modemIndex: number): number {
    const origin = this.origins.findLast((o) => o.modem <= modemIndex) ?? this.origins[0] ?? { modem: 0, device: 0 };
    return origin.device + this.inputIndexOf(modemIndex - origin.modem);
  }

  describe(): string {
    return `${this.frontend.describe()}; ${this.receiver.describe()}`;
  }
}
