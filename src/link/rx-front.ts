import { UsageError } from '../common/errors.ts';
import type { BurstReceiver } from '../phy/burst/burst-receiver.ts';
import type { ReceiverRecord } from '../phy/burst/record.ts';
import type { Downconverter } from '../phy/frontend/converter.ts';
import type { DcIqEstimate } from '../phy/frontend/dc-iq.ts';
import type { Frontend } from '../phy/frontend/frontend.ts';
import { allocateNative } from '../radio/format/sample-format.ts';
import type { LossRecord, SampleBlock, SampleData } from '../radio/radio.ts';
import type { FrontRecord } from './front-record.ts';
import { ImbalanceWatch } from './imbalance-watch.ts';

/** A loss longer than this is not bridged with zeros: the receiver starts anew behind it. */
const MAX_BRIDGE_S = 0.5;
/** Device samples processed at a time, whatever blocks arrive in, so that results do not depend on them. */
export const GRAIN = 1 << 12;

/**
 * Front half of a receiver, from native sample blocks to records: conversion, DC and IQ correction at the device rate,
 * down-conversion, burst receiver. Lost samples are bridged with zeros so that sample indices stay times, and told of.
 */
export class RxFront {
  readonly phy: BurstReceiver;
  private readonly frontend: Frontend;
  private readonly sink: (record: FrontRecord) => void;
  private readonly downconverter: Downconverter;
  private readonly imbalanceWatch = new ImbalanceWatch();
  /** Native samples not yet processed: [GRAIN][i, q], made for the format of the first block. */
  private grain: SampleData = new Int8Array(0);
  private fullScale = 1;
  private filled = 0;
  private next: number | null = null;
  private samples = 0;
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
    this.expect(block);
    if (block.lostBefore || gap > 0) {
      this.lost(block.lostBefore ?? { min: gap, max: gap, exact: true, from: this.next, to: block.index });
      if (gap > MAX_BRIDGE_S * this.frontend.deviceRateHz) {
        this.flush();
        this.downconverter.reset();
        this.sink({ type: 'origin', modem: this.phy.position, device: block.index });
      } else this.bridge(gap);
    }
    this.feed(block.data);
    this.samples += block.data.length >> 1;
    this.next = block.index + (block.data.length >> 1);
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
    const { samples, imbalance, phy } = this;
    const nonFiniteSamples = this.downconverter.nonFinite + phy.nonFiniteSamples;
    this.sink({ type: 'progress', samples, nonFiniteSamples, carriersRemoved: phy.carriersRemoved, imbalance });
  }

  /** Makes room for samples of this format; those of another one, which a stream has at most once, go through first. */
  private expect({ format, fullScale, data }: SampleBlock): void {
    if (this.grain.constructor === data.constructor && this.fullScale === fullScale) return;
    this.process(this.filled);
    this.grain = allocateNative(format, GRAIN);
    this.fullScale = fullScale;
  }

  private bridge(samples: number): void {
    for (let left = samples; left > 0; ) {
      const take = Math.min(left, GRAIN - this.filled);
      this.grain.fill(0, 2 * this.filled, 2 * (this.filled + take));
      this.advance(take);
      left -= take;
    }
  }

  private feed(data: SampleData): void {
    const n = data.length >> 1;
    for (let at = 0; at < n; ) {
      const take = Math.min(n - at, GRAIN - this.filled);
      this.grain.set(data.subarray(2 * at, 2 * (at + take)), 2 * this.filled);
      this.advance(take);
      at += take;
    }
  }

  private advance(samples: number): void {
    this.filled += samples;
    if (this.filled === GRAIN) this.process(GRAIN);
  }

  private process(count: number): void {
    if (count === 0) return;
    const { downconverter } = this;
    const { dcIq } = downconverter;
    this.tell(this.phy.push(downconverter.processNative(this.grain.subarray(0, 2 * count), this.fullScale)));
    // Each window's estimate serves the samples after it, which keeps the chain causal and free of cuts.
    if (dcIq.full) {
      this.imbalance = dcIq.estimate();
      // With the LO in the middle the receiver's own blocker takes DC out; a second one would only make it step.
      const dcSignificant = this.imbalance.dcSignificant && this.frontend.loOffsetHz !== 0;
      const iqSignificant = this.imbalanceWatch.takes(this.imbalance);
      downconverter.corrector.update({ ...this.imbalance, dcSignificant, iqSignificant });
      dcIq.clear();
    }
    this.filled = 0;
  }

  private tell(records: readonly ReceiverRecord[]): void {
    for (const record of records) this.sink(record);
  }
}
