import { UsageError } from '../common/errors.ts';
import { BurstTransmitter, paddingSymbols } from '../phy/burst/transmit.ts';
import { payloadBytesAtRate, splitIntoBlocks } from '../phy/fec/transport-plan.ts';
import {
  CODEC_IDS,
  type CodecId,
  type Extension,
  type ExtensionShape,
  encodeExtension,
  extensionBytes,
} from '../phy/frame/extension.ts';
import { BurstKind } from '../phy/frame/header.ts';
import { powerDbOf } from '../phy/frame/power-level.ts';
import { type Numerology, RB_DATA_RE } from '../phy/numerology.ts';
import { allocate, allocateRobust, type Mapping } from '../sct/allocation/allocate.ts';
import { placeSymbols, type RbMap, rbMapCrc16 } from '../sct/allocation/rb-map.ts';
import type { Codec } from '../sct/codec/codec.ts';
import type { RgbImage } from '../sct/image/rgb-image.ts';
import { addBurst, type BurstUse, countedRe, emptyBudget, type SymbolBudget } from './accounting.ts';
import { atLeast, MAX_DATA_SLOTS, reserveRe, splitBudget } from './budget-split.ts';
import { type ChannelKnowledge, channelKnowledge, type DatedReport } from './channel-knowledge.ts';
import type { AckReport, CsiReport } from './csi-report.ts';
import { repetitionOf, repetitionRe, type SentPart } from './harq/repetition.ts';
import { type AckVerdict, ackTimeoutS, HarqSender } from './harq/sender-entity.ts';
import { applyPower } from './power-loading.ts';
import { bitsAt, burstShape, codedBitsOf, positionsOf, scatter } from './resource-map.ts';
import type { TransmissionPlan, TransmitBurst } from './transmission.ts';
import { encodeStream, TransportLayout } from './transport.ts';

export type { TransmissionPlan, TransmitBurst } from './transmission.ts';

/** Slots of a sounding burst: 4 ms of pilots. */
export const SOUNDING_SLOTS = 4;
const EXTENSION_MCS = 0;
/** Way back assumed where none is said: the default CSI delay. */
const DEFAULT_LATENCY_S = 0.02;

export interface TransmitterOptions {
  readonly numerology: Numerology;
  readonly codec: Codec;
  readonly session?: number;
  readonly mapping?: Mapping;
  /** True when --mapping was given: then a stale report does not lead to the robust map. */
  readonly mappingForced?: boolean;
  readonly maxCsiAgeS?: number;
  /** Most repetition rounds; 0 = none. */
  readonly harq?: number;
  /** Channel's Doppler spread if known, Hz: how far a report can be trusted after its age. */
  readonly dopplerHz?: number | null;
  /** SNR assumed when there has never been a report, dB. */
  readonly assumedSnrDb?: number;
  /** Time after a burst's end without an acknowledgement after which it is repeated. */
  readonly ackTimeoutS?: number;
  /** Water-filling over the subbands of a fresh report. */
  readonly powerLoading?: boolean;
  readonly modelSet?: number;
  readonly seed?: number;
}

/** Makes the bursts of a session: sounding, pictures, repetitions. Holds no clock and does no I/O. */
export class Transmitter {
  readonly numerology: Numerology;
  readonly options: Required<Omit<TransmitterOptions, 'dopplerHz'>> & { dopplerHz: number | null };
  readonly budget: SymbolBudget = emptyBudget();
  readonly harq: HarqSender;
  private readonly phy: BurstTransmitter;
  private burst = 0;
  private image = 0;
  private report: DatedReport | null = null;
  private parts: SentPart[] = [];
  private budgetRe = 0;
  /** Counted RE of the session before the current picture. */
  private spentBefore = 0;
  /** Of the current picture. */
  retransmittedBlocks = 0;
  retransmissionBursts = 0;

  constructor(options: TransmitterOptions) {
    this.numerology = options.numerology;
    this.options = {
      session: 1,
      mapping: 'matched',
      mappingForced: false,
      maxCsiAgeS: 0.2,
      harq: 3,
      assumedSnrDb: 5,
      ackTimeoutS: ackTimeoutS(DEFAULT_LATENCY_S),
      powerLoading: false,
      modelSet: 0,
      seed: 1,
      ...options,
      dopplerHz: options.dopplerHz ?? null,
    };
    this.phy = new BurstTransmitter(options.numerology);
    this.harq = new HarqSender(this.options.harq, this.options.ackTimeoutS);
  }

  /** A burst of known symbols from which the receiver measures the channel. */
  sounding(): TransmitBurst {
    const n = this.numerology;
    return this.build('sounding', SOUNDING_SLOTS, 0, null, () =>
      paddingSymbols(n, SOUNDING_SLOTS * n.nSubbands * RB_DATA_RE),
    );
  }

  /** Takes a CSI report; `measuredAtS` is when the burst it names was on the air. */
  takeReport(report: CsiReport, measuredAtS: number): void {
    if (report.session !== this.options.session || report.codes.length !== this.numerology.nSubbands) return;
    this.report = { report, measuredAtS };
  }

  /**
   * Codes a picture into at most `budgetRe` resource elements, control, padding and repetitions included, and makes
   * its bursts. UsageError (splitBudget, codec) when the budget is too small, or larger than a picture can use.
   */
  async send(image: RgbImage, budgetRe: number, nowS: number): Promise<TransmissionPlan> {
    const n = this.numerology;
    const { codec } = this.options;
    this.image = (this.image + 1) & 0xff;
    this.parts = [];
    this.budgetRe = budgetRe;
    this.spentBefore = countedRe(this.budget);
    this.retransmittedBlocks = 0;
    this.retransmissionBursts = 0;
    this.harq.reset();
    const perSlotRe = n.nSubbands * RB_DATA_RE;
    const leastBurstRe = this.controlRe({ power: this.options.powerLoading }) + perSlotRe;
    const csi = channelKnowledge(this.report, nowS, n.nSubbands, {
      ...this.options,
      canSpare: (share) => reserveRe(budgetRe, share, leastBurstRe) > 0,
    });
    const slotsOf = splitBudget({
      budgetRe,
      pixels: image.width * image.height,
      perSlotRe,
      controlRe: this.controlRe({ order: csi.hasOrder, power: csi.power !== null }),
      reserve: csi.reserve,
      loading: csi.loading,
    });
    const partCount = slotsOf.length;

    const plan = await codec.analyse(image);
    if (plan.streams.length !== 1 || plan.streams[0].kind !== 'bits') {
      throw new UsageError(`codec ${codec.name} needs more than this link carries: one stream of bits`);
    }
    const stream = plan.streams[0];
    const maps = slotsOf.map((count) => this.map(count, csi, Uint8Array.of(stream.score)));
    const codes = [...csi.loading.qm].map((q) => q / 2);
    const qms = maps.map((map, p) => bitsAt(n, codes, positionsOf(placeSymbols(map, burstShape(n, slotsOf[p])))));
    const capacity = qms.map((qm) => payloadBytesAtRate(codedBitsOf(qm), csi.loading.codeRate));
    const total = capacity.reduce((a, b) => a + b, 0);
    if (total < stream.minSize)
      throw new UsageError(`${total} bytes fit into this budget; ${codec.name} needs ${stream.minSize}`);
    const encoded = await plan.encode([{ id: stream.id, size: total }]);
    const file = atLeast(partCount, (encoded.streams[0] as { payload: Uint8Array }).payload);

    const bursts: TransmitBurst[] = [];
    let at = 0;
    let filled = 0;
    for (let p = 0; p < partCount; p++) {
      filled += capacity[p];
      const share = Math.round((file.length * filled) / total);
      // At least one byte for this part and each after it.
      const end = Math.min(Math.max(at + 1, share), file.length - (partCount - 1 - p));
      bursts.push(
        this.dataBurst(file.subarray(at, end), p, partCount, slotsOf[p], maps[p], qms[p], codes, csi, stream.score),
      );
      at = end;
    }
    return {
      map: csi.map,
      csiNumber: csi.number,
      csiAgeS: csi.ageS,
      loading: csi.loading,
      reportedSnrDb: csi.snrDb,
      powerDb: csi.power?.map(powerDbOf) ?? null,
      payloadBytes: file.length,
      codeRate: this.parts[0].codeRate,
      settings: encoded.settings,
      bursts,
    };
  }

  /** A burst has been on the air until `endS`: from here on its acknowledgement is waited for. */
  onAir(burst: number, endS: number): void {
    this.harq.onAir(burst, endS);
  }

  /** Takes an acknowledgement: blocks that arrived need not be repeated. */
  takeAck(ack: AckReport): AckVerdict {
    // No session of ours: nothing that it names is known here.
    return this.harq.takeAck(ack.session === this.options.session ? ack : { ...ack, burst: -1 });
  }

  /** Blocks not acknowledged so far. */
  get pendingBlocks(): number {
    return this.harq.pendingBlocks;
  }

  /** Most repetitions of one part of the current picture. */
  get retransmissionRounds(): number {
    return this.parts.reduce((most, { process }) => Math.max(most, process.attempts - 1), 0);
  }

  /**
   * Repeats the blocks that are due by now, in the next redundancy version, as far as the picture's budget goes; at most
   * one burst for each part. Empty when nothing is due, no round is left, or no slot fits any more.
   */
  repeat(nowS: number): TransmitBurst[] {
    const perSlot = this.numerology.nSubbands * RB_DATA_RE;
    const bursts: TransmitBurst[] = [];
    const due = this.harq.due(nowS);
    // Those still waited for may need as much.
    let open = this.harq.open;
    for (const process of due) {
      const part = this.parts.find((p) => p.process === process)!;
      const blocks = [...process.pending];
      const spent = countedRe(this.budget) - this.spentBefore;
      const left = (this.budgetRe - spent) / open--;
      const control = this.controlRe({ power: part.extension.power !== null, blocks: blocks.length });
      const wanted = Math.ceil(repetitionRe(part, blocks.length) / perSlot);
      const slots = Math.min(wanted, Math.floor((left - control) / perSlot), MAX_DATA_SLOTS);
      if (slots < 1) continue;
      const { extension, payload } = repetitionOf(this.numerology, part, blocks, slots);
      const burst = this.build('retransmission', slots, 0, extension, payload);
      this.harq.made(process, burst.burst, blocks);
      this.retransmittedBlocks += blocks.length;
      this.retransmissionBursts++;
      bursts.push(burst);
    }
    // Where nothing more can change, what found no room is lost.
    if (bursts.length === 0 && this.harq.nextDueS === null) for (const process of due) this.harq.giveUp(process);
    return bursts;
  }

  private dataBurst(
    file: Uint8Array,
    part: number,
    parts: number,
    slots: number,
    map: RbMap,
    qm: Uint8Array,
    codes: number[],
    csi: ChannelKnowledge,
    score: number,
  ): TransmitBurst {
    const n = this.numerology;
    const layout = TransportLayout.ofData(file.length, qm);
    const positions = positionsOf(placeSymbols(map, burstShape(n, slots)));
    const process = this.harq.begin(layout.blocks);
    const extension: Extension = {
      codec: CODEC_IDS.indexOf(this.options.codec.name as CodecId),
      image: this.image,
      part,
      partsLess1: parts - 1,
      process: process.id,
      redundancyVersion: 0,
      newData: process.newData,
      repeats: 0,
      original: this.burst & 1023,
      sideBytes: 0,
      sideRate: 0,
      interleaved: map.layout === 'interleaved' ? 1 : 0,
      modulation: codes,
      order: csi.hasOrder ? [...map.subbandOrder] : null,
      power: csi.power,
      earlier: 0,
      later: 0,
      streams: [{ id: 0, analog: 0, baseGraph: layout.baseGraphBit, score, re: positions.length, bytes: file.length }],
      blocks: [],
      mapCrc: rbMapCrc16(map),
    };
    const payloads = splitIntoBlocks(layout.plan, file);
    const payload = () => scatter(n, slots, positions, encodeStream(layout, file, qm));
    const burst = this.build('data', slots, csi.number, extension, payload);
    this.harq.made(process, burst.burst, [...payloads.keys()]);
    const codeRate = (layout.blocks * layout.codec.infoBits) / codedBitsOf(qm);
    this.parts.push({ process, layout, re: positions.length, codeRate, payloads, extension });
    return burst;
  }

  private build(
    use: BurstUse,
    slots: number,
    csiNumber: number,
    extension: Extension | null,
    payload: () => Float32Array,
  ): TransmitBurst {
    const n = this.numerology;
    const bytes = extension ? encodeExtension(n, extension) : new Uint8Array(0);
    const burst = this.burst & 1023;
    this.burst++;
    const header = {
      numerology: n.id,
      session: this.options.session,
      burst,
      kind: BurstKind[use],
      slots,
      csiNumber,
      modelSet: this.options.modelSet,
      extensionMcs: EXTENSION_MCS,
    };
    const layout = this.phy.layout(slots, bytes.length, EXTENSION_MCS);
    const used = extension ? extension.streams.reduce((a, s) => a + s.re, 0) : 0;
    addBurst(this.budget, n, layout, use, used);
    const { phy } = this;
    return {
      use,
      burst,
      get samples() {
        const content = payload();
        if (extension?.power) applyPower(content, extension.power);
        return phy.build({ header, extension: bytes, payload: content });
      },
      layout,
      slots,
      extension,
    };
  }

  /** RE of header and extension of a burst. */
  private controlRe(shape: Pick<ExtensionShape, 'order' | 'power' | 'blocks'>): number {
    const n = this.numerology;
    const most = {
      kind: 'bits',
      largestId: 0,
      scoreSpan: 0,
      largestRe: 2 ** 20 - 1,
      largestBytes: 2 ** 22 - 1,
    } as const;
    const loose = { parts: true, modulations: true, repeats: shape.blocks !== undefined, streams: 1 };
    const bytes = extensionBytes(n.nSubbands, { ...most, ...loose, ...shape });
    return this.phy.layout(1, bytes, EXTENSION_MCS).controlSymbols * n.symbolDataRe;
  }

  private map(slots: number, csi: ChannelKnowledge, scores: Uint8Array): RbMap {
    const shape = burstShape(this.numerology, slots);
    if (csi.map === 'robust') return allocateRobust(shape, scores).map;
    const { report } = this.report!;
    const mapping = csi.hasOrder ? csi.map : 'uniform';
    return allocate({ shape, csi: report.codes, scores, mapping, seed: this.options.seed }).map;
  }

  describe(): string {
    const { mapping, harq, codec } = this.options;
    return `transmitter: ${codec.describe()}, mapping ${mapping}, HARQ ${harq}`;
  }
}
