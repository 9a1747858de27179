import { addBurst, emptyBudget, type SymbolBudget } from '../link/accounting.ts';
import type { HarqOutcome, HarqReceiverCounters } from '../link/harq/receiver-entity.ts';
import type { BurstEvent, LinkEvent } from '../link/receiver.ts';
import { sideReOf } from '../link/resource-map.ts';
import type { RxBack } from '../link/rx-back.ts';
import { encodeStream } from '../link/transport.ts';
import { AIR_INTERFACE_VERSION, EXTENSION_RATES, EXTENSION_UNIT_BYTES } from '../phy/frame/header.ts';
import { powerDbOf } from '../phy/frame/power-level.ts';
import { type ModulationOrder, modulationName } from '../phy/modulation/qam.ts';
import { burstLayout, extensionSymbols } from '../phy/resource-grid.ts';
import type { LossRecord } from '../radio/radio.ts';
import { type BurstStreams, burstStreams } from './semantic-collect.ts';

/** Points of one modulation kept for a picture. */
const MAX_POINTS = 1500;
/** Losses inside one burst that are named one by one. */
const MAX_LOSSES_NAMED = 4;

/** A burst of which only the header was read. */
export interface DroppedBurst extends Pick<BurstTrace, 'burst' | 'session' | 'startSample' | 'lengthSamples'> {}

/** One burst as the receiver saw it; plain data, small enough to keep for every burst of a run. */
export interface BurstTrace {
  readonly use: 'sounding' | 'data' | 'retransmission' | 'reverse';
  readonly burst: number;
  /** Burst whose blocks this one repeats; its own number otherwise. */
  readonly original: number;
  readonly session: number;
  readonly csiNumber: number;
  /**
   * From the end of the sounding that its CSI report was measured on to this burst's start, by the receiver's samples, ms; null without a
   * report, and where the receiver has no report of that number.
   */
  readonly csiAgeMs: number | null;
  /** Device samples: start, and length. */
  readonly startSample: number;
  readonly lengthSamples: number;
  readonly slots: number;
  readonly slotsSent: number;
  readonly cfoHz: number;
  readonly sfoPpm: number;
  readonly detectionRho: number;
  readonly dcDb: number;
  readonly snrDb: number;
  readonly evmDb: number | null;
  readonly rbSnrDb: Float32Array;
  readonly subbandSnrDb: Float32Array;
  readonly subbandSnrErrorDb: Float32Array;
  readonly modulation: readonly number[] | null;
  /** Power of each subband's payload, dB; null for equal power. */
  readonly powerDb: readonly number[] | null;
  /** HARQ process and redundancy version, and what the burst was to the process; null where nothing was made of it. */
  readonly harq: { readonly process: number; readonly redundancyVersion: number; readonly outcome: HarqOutcome } | null;
  /** Channel in the middle slot, [nCarriers][re, im]. */
  readonly channel: Float32Array;
  readonly phase: Float64Array;
  readonly estimator: string;
  /** Of the first burst that has any; empty for the others. */
  readonly constellations: readonly {
    readonly modulation: string;
    readonly qm: ModulationOrder;
    readonly reIm: Float32Array;
  }[];
  /** Blocks of its coded streams after this burst, stream by stream; their bytes, and bits before coding. */
  readonly blocks: readonly {
    stream: number;
    bytes: number;
    infoBits: number;
    ok: boolean;
    attempts: number;
    iterations: number;
    effectiveSnrDb: number;
    codedBits: number;
  }[];
  /** Streams that a data burst carries and where; null for other bursts, and where the extension is lost. */
  readonly carried: BurstStreams | null;
  /** Samples were (or may have been) lost inside or it was cut off: what is wrong, else null. */
  suspect: string | null;
}

/** Collects what a receiver reports over a run. */
export class LinkTrace {
  readonly bursts: BurstTrace[] = [];
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
    return this.dataBursts[0]?.csiAgeMs ?? null;
  }

  /**
   * A sender that gets answers may have set its power by any sounding but the last one before its first data burst: the others say nothing of the
   * channel.
   */
  takeSoundingsForGains(): void {
    const data = this.bursts.findIndex((b) => b.use === 'data');
    if (data < 0) return;
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

/** A data burst's blocks as they stood after the last burst that repeated the streams that they are of. */
export function finalBlocks(burst: BurstTrace, bursts: readonly BurstTrace[]): BurstTrace['blocks'] {
  const repeats = bursts.filter((b) => b.use === 'retransmission' && b.original === burst.burst);
  return [...new Set(burst.blocks.map((b) => b.stream))].flatMap((id) => {
    const ofStream = ({ blocks }: BurstTrace) => blocks.filter((b) => b.stream === id);
    const first = ofStream(burst);
    return repeats.map(ofStream).findLast((later) => later.length === first.length) ?? first;
  });
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
  for (const b of trace.bursts) if (b.suspect) out.push(`burst ${b.burst}: ${b.suspect}`);
  if (clippedSamples > 0) out.push(`${clippedSamples} samples were limited by a converter (they stand at full scale)`);
  if (trace.notNumbers > 0) out.push(`${trace.notNumbers} values were no numbers (or absurdly large) and became 0`);
  if (trace.carriersRemoved > 0) out.push(`carriers taken out of what was received: ${trace.carriersRemoved}`);
  return out;
}

function traceOf(event: BurstEvent, chain: RxBack, withPoints: boolean, measuredAt: number | undefined): BurstTrace {
  const { record } = event;
  const n = chain.receiver.numerology;
  const startSample = chain.deviceIndexOf(record.startSample);
  const lengthSamples = chain.deviceIndexOf(record.startSample + record.lengthSamples) - startSample;
  const nothing = record.slots === 0;
  const middle = 2 * n.nCarriers * Math.max(0, record.slots >> 1);
  return {
    use: event.use,
    burst: record.header.burst,
    original: event.extension?.original ?? record.header.burst,
    session: record.header.session,
    csiNumber: record.header.csiNumber,
    csiAgeMs: measuredAt === undefined ? null : (1e3 * (startSample - measuredAt)) / chain.deviceRateHz,
    startSample,
    lengthSamples,
    slots: record.slots,
    slotsSent: record.header.slots,
    cfoHz: record.cfoHz,
    sfoPpm: record.sfoPpm,
    detectionRho: record.detectionRho,
    dcDb: record.dcDb,
    snrDb: record.snrDb,
    evmDb: evmDb(event),
    rbSnrDb: record.rbSnrDb,
    subbandSnrDb: record.subbandSnrDb,
    subbandSnrErrorDb: record.subbandSnrErrorDb,
    modulation: event.extension?.modulation ?? null,
    powerDb: event.extension?.power?.map(powerDbOf) ?? null,
    harq: harqOf(event),
    channel: nothing ? new Float32Array(0) : record.channel.slice(middle, middle + 2 * n.nCarriers),
    phase: record.phase,
    estimator: record.estimator,
    constellations: withPoints ? constellationsOf(event) : [],
    blocks: event.streams.flatMap(({ entry, decoder: { states, layout } }) => {
      const block = { stream: entry.id, bytes: layout.plan.blockBytes, infoBits: layout.codec.infoBits };
      return states.map((s) => ({ ...block, ...s }));
    }),
    carried: event.use === 'data' && event.extension ? burstStreams(n, event.extension) : null,
    suspect: event.problem,
  };
}

function harqOf({ extension, outcome }: BurstEvent): BurstTrace['harq'] {
  if (!extension || !outcome) return null;
  return { process: extension.process, redundancyVersion: extension.redundancyVersion, outcome };
}

/**
 * Error vector magnitude of a data burst whose blocks all arrived, against the symbols that must have been sent:
 * each RE weighted by its SNR, sum(snr |x - x_ref|^2) / sum(snr), so that fades do not dominate. dB; null otherwise.
 */
function evmDb(event: BurstEvent): number | null {
  const { stream } = event;
  if (event.outcome !== 'new' || !stream) return null;
  const { file, ok } = stream.decoder.file();
  if (!ok) return null;
  const sent = encodeStream(stream.decoder.layout, file, stream.qm);
  let error = 0;
  let weight = 0;
  for (let i = 0; i < stream.positions.length; i++) {
    const snr = stream.snr[i];
    if (!(snr > 0)) continue;
    const gain = (1 + snr) / snr;
    const re = gain * stream.symbols[2 * i] - sent[2 * i];
    const im = gain * stream.symbols[2 * i + 1] - sent[2 * i + 1];
    error += snr * (re * re + im * im);
    weight += snr;
  }
  return weight > 0 ? 10 * Math.log10(error / weight) : null;
}

function constellationsOf(event: BurstEvent): BurstTrace['constellations'] {
  const { stream } = event;
  if (!stream) return [];
  const out: { modulation: string; qm: ModulationOrder; reIm: Float32Array }[] = [];
  for (const qm of [2, 4, 6, 8] as const) {
    let count = 0;
    for (const q of stream.qm) if (q === qm) count++;
    if (count === 0) continue;
    const step = Math.max(1, Math.ceil(count / MAX_POINTS));
    const points: number[] = [];
    let seen = 0;
    for (let i = 0; i < stream.qm.length; i++) {
      if (stream.qm[i] !== qm || seen++ % step !== 0) continue;
      const snr = stream.snr[i];
      if (!(snr > 0.05)) continue;
      const gain = (1 + snr) / snr;
      points.push(gain * stream.symbols[2 * i], gain * stream.symbols[2 * i + 1]);
    }
    out.push({ modulation: modulationName(qm), qm, reIm: Float32Array.from(points) });
  }
  return out;
}
