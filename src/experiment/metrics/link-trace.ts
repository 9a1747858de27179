import { addBurst, emptyBudget, type SymbolBudget } from '../../link/accounting.ts';
import type { HarqReceiverCounters } from '../../link/harq/receiver-entity.ts';
import type { BurstEvent, LinkEvent } from '../../link/receiver.ts';
import { sideReOf } from '../../link/resource-map.ts';
import type { RxBack } from '../../link/rx-back.ts';
import { AIR_INTERFACE_VERSION, EXTENSION_RATES, EXTENSION_UNIT_BYTES } from '../../phy/frame/header.ts';
import { burstLayout, extensionSymbols } from '../../phy/resource-grid.ts';
import type { LossRecord } from '../../radio/radio.ts';
import { BurstSums } from './burst-sums.ts';
import { type BurstTrace, type DroppedBurst, traceOf } from './burst-trace.ts';

/** Losses inside one burst that are named one by one. */
const MAX_LOSSES_NAMED = 4;

/** Collects what a receiver reports over a run. */
export class LinkTrace {
  /** In order; without those that left. */
  readonly bursts: BurstTrace[] = [];
  /** Bursts that left (`letGo`) and what the metrics take from them: data bursts, and others that gains were not set by. */
  readonly leftData = new BurstSums();
  readonly leftOthers = new BurstSums();
  left = 0;
  /** How many of the first bursts were soundings by which gains were set: what they say of the channel was measured with other gains. */
  forGains = 0;
  private lossesSeen = 0;
  /** Device sample at which the sounding of each report ended, by the report's number. */
  private readonly measuredAt = new Map<number, number>();
  /** Losses of a burst so far and what else is wrong with it. */
  private readonly damage = new Map<
    BurstTrace,
    { losses: number; samples: number; texts: string[]; other: string | null }
  >();
  /** Values that were not finite and became 0, and carriers that were taken out of what was received. */
  notNumbers = 0;
  carriersRemoved = 0;
  misses = 0;
  /** Strongest coherence of the preambles behind which no header could be read, 0 to 1. */
  missRho = 0;
  /** Bursts that were heard and not decoded for want of time; counted over the stream. */
  private dropped: DroppedBurst[] = [];
  /** Headers of other versions of the air interface: how many of each. */
  readonly otherVersions = new Map<number, number>();
  /** The receiver's HARQ processes after the last burst. */
  harq: HarqReceiverCounters | null = null;
  /** First transmissions: blocks and how many of them failed. */
  firstBlocks = 0;
  firstFailures = 0;
  /** RE of the bursts that were received, by use. */
  readonly budget: SymbolBudget = emptyBudget();

  add(event: LinkEvent, chain: RxBack): BurstTrace | null {
    if (event.type === 'miss') {
      this.misses++;
      const { version, detectionRho } = event.record;
      this.missRho = Math.max(this.missRho, detectionRho);
      if (version !== null) this.otherVersions.set(version, (this.otherVersions.get(version) ?? 0) + 1);
      return null;
    }
    if (event.type === 'skip') {
      const { startSample: from, lengthSamples: count, header } = event.record;
      const startSample = chain.deviceIndexOf(from);
      const lengthSamples = chain.deviceIndexOf(from + count) - startSample;
      this.dropped.push({ burst: header.burst, session: header.session, startSample, lengthSamples });
      return null;
    }
    this.harq = { ...chain.receiver.harq.counters };
    const withPoints = !this.bursts.some((b) => b.constellations.length > 0);
    const measuredAt = this.measuredAt.get(event.record.header.csiNumber);
    const trace = traceOf(event, chain, withPoints, measuredAt);
    // Numbers are used again: one that a sounding does not have any more stands for no report.
    if (event.use === 'sounding') this.measuredAt.set(event.csi.number, trace.startSample + trace.lengthSamples);
    else this.measuredAt.delete(event.csi.number);
    for (const loss of chain.losses.slice(0, this.lossesSeen)) this.markLoss(trace, loss);
    this.share(trace, event, chain);
    this.markLosses(chain);
    // A loss that is known explains what the receiver wonders about.
    const { suspect } = event.record;
    if (suspect && trace.suspect === event.problem)
      trace.suspect = event.problem ? `${suspect}; ${event.problem}` : suspect;
    return trace;
  }

  /** Takes a burst that another trace made of its event: both hold and count it. */
  share(trace: BurstTrace, event: BurstEvent, chain: RxBack): void {
    this.count(event, chain);
    if (event.outcome === 'new') {
      this.firstBlocks += trace.blocks.length;
      this.firstFailures += trace.blocks.filter((b) => !b.ok).length;
    }
    this.bursts.push(trace);
  }

  /** Of more bursts than `most` the earliest leave, so that memory is bounded; what they say goes into the sums. Returns them. */
  letGo(most: number): BurstTrace[] {
    if (this.bursts.length <= most) return [];
    const gone = this.bursts.splice(0, this.bursts.length - most);
    for (const burst of gone) {
      if (burst.use === 'data') this.leftData.add(burst);
      else if (this.forGains === 0) this.leftOthers.add(burst);
      else this.forGains--;
      this.damage.delete(burst);
    }
    this.left += gone.length;
    return gone;
  }

  /** Marks the bursts that losses known by now may have hit; called again once the stream has ended. */
  markLosses(chain: RxBack): void {
    for (; this.lossesSeen < chain.losses.length; this.lossesSeen++) {
      for (const burst of this.bursts) this.markLoss(burst, chain.losses[this.lossesSeen]);
    }
    this.notNumbers = chain.nonFiniteSamples;
    this.carriersRemoved = chain.carriersRemoved;
  }

  private count(event: BurstEvent, chain: RxBack): void {
    const n = chain.receiver.numerology;
    const { header } = event.record;
    const bytes = header.extensionUnits * EXTENSION_UNIT_BYTES;
    const symbols = extensionSymbols(n, bytes, EXTENSION_RATES[header.extensionMcs]);
    const used = event.extension?.streams.reduce((sum, s) => sum + s.re, 0) ?? 0;
    const side = event.extension ? sideReOf(n, event.extension) * n.nSubbands : 0;
    addBurst(this.budget, n, burstLayout(n, header.slots, symbols), event.use, used, side);
  }

  /** Says of a burst what was lost inside it: the first losses one by one, further ones as a sum. */
  private markLoss(burst: BurstTrace, loss: LossRecord): void {
    if (loss.from >= burst.startSample + burst.lengthSamples || loss.to <= burst.startSample) return;
    const known = this.damage.get(burst) ?? { losses: 0, samples: 0, texts: [], other: burst.suspect };
    this.damage.set(burst, known);
    known.losses++;
    known.samples += loss.max;
    if (known.losses <= MAX_LOSSES_NAMED)
      known.texts.push(`${loss.exact ? '' : 'up to '}${loss.max} samples lost inside`);
    const more = known.losses - MAX_LOSSES_NAMED;
    const rest = more > 0 ? [`${more} more losses inside, ${known.samples} samples in all`] : [];
    burst.suspect = [...known.texts, ...rest, ...(known.other ? [known.other] : [])].join('; ');
  }

  /** Age of the report that the first data burst was made by, ms; null without one. */
  get csiAgeMs(): number | null {
    return this.leftData.count > 0 ? this.leftData.firstCsiAgeMs : (this.dataBursts[0]?.csiAgeMs ?? null);
  }

  /**
   * A sender that gets answers may have set its power by any sounding but the last one before its first data burst: the others say nothing of the
   * channel.
   */
  takeSoundingsForGains(): void {
    const data = this.bursts.findIndex((b) => b.use === 'data');
    if (data < 0 || this.leftData.count > 0) return;
    this.forGains = Math.max(
      0,
      this.bursts.slice(0, data).findLastIndex((b) => b.use === 'sounding'),
    );
  }

  get droppedBursts(): readonly DroppedBurst[] {
    return this.dropped;
  }

  /** Of a picture's trace: dropped bursts are known of the stream alone. */
  takeDropped({ droppedBursts }: LinkTrace): void {
    this.dropped = [...droppedBursts];
  }

  get dataBursts(): BurstTrace[] {
    return this.bursts.filter((b) => b.use === 'data');
  }
}

/**
 * SNR that a preamble's coherence speaks of, dB: its halves share S of S + N, rho = S / (S + N), over the whole band of the receiver. Null where
 * rho says nothing.
 */
export function snrOfRhoDb(rho: number): number | null {
  return rho > 0 && rho < 1 ? 10 * Math.log10(rho / (1 - rho)) : null;
}

/** What a report should warn of, from the receiver's side. */
export function traceWarnings(trace: LinkTrace, clippedSamples: number): string[] {
  const out: string[] = [];
  if (trace.misses > 0) out.push(`${trace.misses} preambles were seen whose header could not be decoded`);
  const [first] = trace.droppedBursts;
  if (first) {
    const from = `from sample ${Math.round(first.startSample)} on (marked in the capture)`;
    out.push(`${trace.droppedBursts.length} bursts were dropped whole because the receiver could not keep up, ${from}`);
  }
  for (const [version, count] of trace.otherVersions) {
    out.push(`${count} headers are of air interface version ${version}; this program speaks ${AIR_INTERFACE_VERSION}`);
  }
  if (trace.left > 0) {
    const shown = `lists and pictures show the last ${trace.bursts.length}, means and counts are of all`;
    out.push(`${trace.left + trace.bursts.length} bursts came: ${shown}`);
  }
  for (const b of trace.bursts) if (b.suspect) out.push(`burst ${b.burst}: ${b.suspect}`);
  if (clippedSamples > 0) out.push(`${clippedSamples} samples were limited by a converter (they stand at full scale)`);
  if (trace.notNumbers > 0) out.push(`${trace.notNumbers} values were no numbers (or absurdly large) and became 0`);
  if (trace.carriersRemoved > 0) out.push(`carriers taken out of what was received: ${trace.carriersRemoved}`);
  return out;
}
