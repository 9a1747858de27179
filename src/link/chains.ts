import { UsageError } from '../common/errors.ts';
import type { Downconverter, Upconverter } from '../phy/frontend/converter.ts';
import { DcIqCorrector, type DcIqEstimate, estimateDcIq } from '../phy/frontend/dc-iq.ts';
import type { Frontend } from '../phy/frontend/frontend.ts';
import { toFloat } from '../radio/format/convert.ts';
import type { LossRecord, SampleBlock, TxStream } from '../radio/radio.ts';
import { ImbalanceWatch } from './imbalance-watch.ts';
import type { LinkEvent, Receiver } from './receiver.ts';

/** From bursts at the modem rate to a transmitter at the device rate. */
export class TxChain {
  private readonly upconverter: Upconverter;
  private readonly tx: TxStream;

  constructor(frontend: Frontend, tx: TxStream) {
    this.upconverter = frontend.upconverter();
    this.tx = tx;
  }

  /** Sends one burst; returns the device index of its first sample and its length in device samples. */
  async send(samples: Float32Array, atIndex?: number): Promise<{ index: number; samples: number }> {
    const { upconverter } = this;
    upconverter.reset();
    const tail = new Float32Array(2 * Math.ceil(upconverter.tailInputSamples));
    const main = upconverter.process(samples).slice();
    const rest = upconverter.process(tail);
    const out = new Float32Array(main.length + rest.length);
    out.set(main);
    out.set(rest, main.length);
    return this.tx.write(out, atIndex);
  }
}

/** A loss longer than this is not bridged with zeros: the receiver starts anew behind it. */
const MAX_BRIDGE_S = 0.5;
/** Device samples processed at a time, whatever blocks arrive in, so that results do not depend on them. */
const GRAIN = 1 << 12;
/** Device samples over which DC and IQ imbalance are estimated. */
export const IQ_WINDOW = 1 << 16;

/**
 * From native sample blocks to link events: conversion, DC and IQ correction at the device rate, down-conversion,
 * receiver. Lost samples are bridged with zeros so that sample indices stay times, counted, and located.
 */
export class RxChain {
  readonly receiver: Receiver;
  private readonly frontend: Frontend;
  private readonly downconverter: Downconverter;
  private readonly corrector = new DcIqCorrector();
  private readonly imbalanceWatch = new ImbalanceWatch();
  private readonly iqWindow = new Float32Array(2 * IQ_WINDOW);
  private iqFilled = 0;
  private floats = new Float32Array(0);
  private readonly grain = new Float32Array(2 * GRAIN);
  private filled = 0;
  /** Where the modem's sample count started (anew after a long gap), and the device index that belongs to it. */
  private readonly origins = [{ modem: 0, device: 0 }];
  private next: number | null = null;
  readonly losses: LossRecord[] = [];
  samples = 0;
  lostSamples = 0;
  nonFiniteSamples = 0;
  /** Last DC and IQ estimate at the device. */
  imbalance: DcIqEstimate | null = null;

  constructor(frontend: Frontend, receiver: Receiver) {
    this.frontend = frontend;
    this.downconverter = frontend.downconverter();
    this.receiver = receiver;
  }

  get deviceRateHz(): number {
    return this.frontend.deviceRateHz;
  }

  /** Takes the next block of a stream. */
  push(block: SampleBlock): LinkEvent[] {
    const events: LinkEvent[] = [];
    if (this.next === null) {
      this.next = block.index - (block.lostBefore?.min ?? 0);
      this.origins[0] = { modem: 0, device: this.next };
    }
    const gap = block.index - this.next;
    if (gap < 0)
      throw new UsageError(`sample block at index ${block.index} overlaps the one before, which ended at ${this.next}`);
    if (block.lostBefore || gap > 0) {
      const loss = block.lostBefore ?? { min: gap, max: gap, exact: true, from: this.next, to: block.index };
      this.losses.push(loss);
      if (!loss.deaf) this.lostSamples += loss.max;
      if (gap > MAX_BRIDGE_S * this.frontend.deviceRateHz) {
        events.push(...this.flush());
        this.downconverter.reset();
        this.origins.push({ modem: this.receiver.phy.position, device: block.index });
      } else this.feed(new Float32Array(2 * gap), events);
    }
    const { length } = block.data;
    if (this.floats.length < length) this.floats = new Float32Array(length);
    const { reIm, nonFinite } = toFloat(block.data, block.fullScale, this.floats.subarray(0, length));
    this.nonFiniteSamples += nonFinite;
    this.samples += reIm.length >> 1;
    this.feed(reIm, events);
    this.next = block.index + (reIm.length >> 1);
    return events;
  }

  /** The stream ended: what is left is processed and a burst in progress decoded as far as it goes. */
  flush(): LinkEvent[] {
    const events: LinkEvent[] = [];
    this.process(this.filled, events);
    const tail = new Float32Array(2 * Math.ceil(this.downconverter.tailInputSamples));
    events.push(...this.receiver.push(this.downconverter.process(tail)));
    events.push(...this.receiver.flush());
    return events;
  }

  /** Device index (fractional) of a sample of the modem's stream. */
  deviceIndexOf(modemIndex: number): number {
    const origin = this.origins.findLast((o) => o.modem <= modemIndex) ?? this.origins[0];
    return origin.device + this.downconverter.inputIndexOf(modemIndex - origin.modem);
  }

  private feed(reIm: Float32Array, events: LinkEvent[]): void {
    const n = reIm.length >> 1;
    for (let at = 0; at < n; ) {
      const take = Math.min(n - at, GRAIN - this.filled);
      this.grain.set(reIm.subarray(2 * at, 2 * (at + take)), 2 * this.filled);
      this.filled += take;
      at += take;
      if (this.filled === GRAIN) this.process(GRAIN, events);
    }
  }

  private process(count: number, events: LinkEvent[]): void {
    if (count === 0) return;
    const samples = this.grain.subarray(0, 2 * count);
    // Each window's estimate serves the samples after it, which keeps the chain causal and free of cuts.
    if (this.iqFilled + count > IQ_WINDOW) this.iqFilled = 0;
    this.iqWindow.set(samples, 2 * this.iqFilled);
    this.iqFilled += count;
    this.corrector.apply(samples, samples);
    events.push(...this.receiver.push(this.downconverter.process(samples)));
    if (this.iqFilled === IQ_WINDOW) {
      this.imbalance = estimateDcIq(this.iqWindow);
      // With the LO in the middle the receiver's own blocker takes DC out; a second one would only make it step.
      const dcSignificant = this.imbalance.dcSignificant && this.frontend.loOffsetHz !== 0;
      const iqSignificant = this.imbalanceWatch.takes(this.imbalance, this.iqWindow);
      this.corrector.update({ ...this.imbalance, dcSignificant, iqSignificant });
      this.iqFilled = 0;
    }
    this.filled = 0;
  }

  describe(): string {
    return `${this.frontend.describe()}; ${this.receiver.describe()}`;
  }
}
