import { UsageError } from '../common/errors.ts';
import type { BurstReceiver } from '../phy/burst/burst-receiver.ts';
import type { ReceiverRecord } from '../phy/burst/record.ts';
import type { Downconverter } from '../phy/frontend/converter.ts';
import { DcIqCorrector, type DcIqEstimate, estimateDcIq } from '../phy/frontend/dc-iq.ts';
import type { Frontend } from '../phy/frontend/frontend.ts';
import { toFloat } from '../radio/format/convert.ts';
import type { LossRecord, SampleBlock } from '../radio/radio.ts';
import type { FrontRecord } from './front-record.ts';
import { ImbalanceWatch } from './imbalance-watch.ts';

/** A loss longer than this is not bridged with zeros: the receiver starts anew behind it. */
const MAX_BRIDGE_S = 0.5;
/** Device samples processed at a time, whatever blocks arrive in, so that results do not depend on them. */
const GRAIN = 1 << 12;
/** Device samples over which DC and IQ imbalance are estimated. */
export const IQ_WINDOW = 1 << 16;

/**
 * Front half of a receiver, from native sample blocks to records: conversion, DC and IQ correction at the device rate,
 * down-conversion, burst receiver. Lost samples are bridged with zeros so that sample indices stay times, and told of.
 */
export class RxFront {
  readonly phy: BurstReceiver;
  private readonly frontend: Frontend;
  private readonly sink: (record: FrontRecord) => void;
  private readonly downconverter: Downconverter;
  private readonly corrector = new DcIqCorrector();
  private readonly imbalanceWatch = new ImbalanceWatch();
  private readonly iqWindow = new Float32Array(2 * IQ_WINDOW);
  private iqFilled = 0;
  private readonly floats = new Float32Array(2 * GRAIN);
  private readonly grain = new Float32Array(2 * GRAIN);
  private filled = 0;
  private next: number | null = null;
  private samples = 0;
  private nonFinite = 0;
  private imbalance: DcIqEstimate | null = null;

  /** @param sink told of everything, in order */
  constructor(frontend: Frontend, phy: BurstReceiver, sink: (record: FrontRecord) => void) {
    this.frontend = frontend;
    this.phy = phy;
    this.sink = sink;
    this.downconverter = frontend.downconverter();
  }

  /** Takes the next block of a stream. UsageError for one that overlaps the one before. */
  push(block: SampleBlock): void {
    if (this.next === null) {
      this.next = block.index - (block.lostBefore?.min ?? 0);
      this.sink({ type: 'origin', modem: 0, device: this.next });
    }
    const gap = block.index - this.next;
    if (gap < 0)
      throw new UsageError(`sample block at index ${block.index} overlaps the one before, which ended at ${this.next}`);
    if (block.lostBefore || gap > 0) {
      this.lost(block.lostBefore ?? { min: gap, max: gap, exact: true, from: this.next, to: block.index });
      if (gap > MAX_BRIDGE_S * this.frontend.deviceRateHz) {
        this.flush();
        this.downconverter.reset();
        this.sink({ type: 'origin', modem: this.phy.position, device: block.index });
      } else this.bridge(gap);
    }
    const { data, fullScale } = block;
    for (let at = 0; at < data.length; at += this.floats.length) {
      const part = data.subarray(at, Math.min(data.length, at + this.floats.length));
      const { reIm, nonFinite } = toFloat(part, fullScale, this.floats.subarray(0, part.length));
      this.nonFinite += nonFinite;
      this.feed(reIm);
    }
    this.samples += data.length >> 1;
    this.next = block.index + (data.length >> 1);
  }

  /** Samples that are known to be lost with none behind them. */
  lost(loss: LossRecord): void {
    this.sink({ type: 'loss', loss });
  }

  /** The stream ended: what is left is processed and a burst in progress read as far as it goes. */
  flush(): void {
    this.process(this.filled);
    const tail = new Float32Array(2 * Math.ceil(this.downconverter.tailInputSamples));
    this.tell(this.phy.push(this.downconverter.process(tail)));
    this.tell(this.phy.flush());
  }

  /** Tells how far the stream has come. */
  progress(): void {
    const { samples, nonFinite, imbalance, phy } = this;
    const nonFiniteSamples = nonFinite + phy.nonFiniteSamples;
    this.sink({ type: 'progress', samples, nonFiniteSamples, carriersRemoved: phy.carriersRemoved, imbalance });
  }

  private bridge(samples: number): void {
    for (let left = samples; left > 0; left -= GRAIN) {
      const count = 2 * Math.min(left, GRAIN);
      this.feed(this.floats.fill(0, 0, count).subarray(0, count));
    }
  }

  private feed(reIm: Float32Array): void {
    const n = reIm.length >> 1;
    for (let at = 0; at < n; ) {
      const take = Math.min(n - at, GRAIN - this.filled);
      this.grain.set(reIm.subarray(2 * at, 2 * (at + take)), 2 * this.filled);
      this.filled += take;
      at += take;
      if (this.filled === GRAIN) this.process(GRAIN);
    }
  }

  private process(count: number): void {
    if (count === 0) return;
    const samples = this.grain.subarray(0, 2 * count);
    // Each window's estimate serves the samples after it, which keeps the chain causal and free of cuts.
    if (this.iqFilled + count > IQ_WINDOW) this.iqFilled = 0;
    this.iqWindow.set(samples, 2 * this.iqFilled);
    this.iqFilled += count;
    this.corrector.apply(samples, samples);
    this.tell(this.phy.push(this.downconverter.process(samples)));
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

  private tell(records: readonly ReceiverRecord[]): void {
    for (const record of records) this.sink(record);
  }
}
