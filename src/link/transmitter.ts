import { UsageError } from '../common/errors.ts';
import { BurstTransmitter, paddingSymbols } from '../phy/burst/transmit.ts';
import type { RedundancyVersion } from '../phy/fec/rate-matching.ts';
import { payloadBytesAtRate, splitIntoBlocks } from '../phy/fec/transport-plan.ts';
import {
  CODEC_IDS,
  type CodecId,
  type Extension,
  encodeExtension,
  extensionBytes,
  nameBlocks,
} from '../phy/frame/extension.ts';
import { BurstKind } from '../phy/frame/header.ts';
import { type Numerology, RB_DATA_RE } from '../phy/numerology.ts';
import { allocate, allocateRobust, type Mapping } from '../sct/allocation/allocate.ts';
import { placeSymbols, type RbMap, rbMapCrc16 } from '../sct/allocation/rb-map.ts';
import type { Codec } from '../sct/codec/codec.ts';
import type { RgbImage } from '../sct/image/rgb-image.ts';
import { addBurst, type BurstUse, countedRe, emptyBudget, type SymbolBudget } from './accounting.ts';
import { atLeast, MAX_DATA_SLOTS, reserveRe, splitBudget } from './budget-split.ts';
import { type ChannelKnowledge, channelKnowledge, type DatedReport } from './channel-knowledge.ts';
import type { AckReport, CsiReport } from './csi-report.ts';
import { bitsAt, burstShape, codedBitsOf, positionsOf, scatter } from './resource-map.ts';
import type { TransmissionPlan, TransmitBurst } from './transmission.ts';
import { encodeBlocks, encodeStream, TransportLayout } from './transport.ts';

export type { TransmissionPlan, TransmitBurst } from './transmission.ts';

/** Slots of a sounding burst: 4 ms of pilots. */
export const SOUNDING_SLOTS = 4;
const EXTENSION_MCS = 0;
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
  readonly modelSet?: number;
  readonly seed?: number;
}

interface SentPart {
  readonly burst: number;
  readonly layout: TransportLayout;
  /** RE of the first transmission. */
  readonly re: number;
  readonly codeRate: number;
  readonly payloads: readonly Uint8Array[];
  readonly extension: Extension;
  pending: Set<number>;
  attempts: number;
}

/** Makes the bursts of a session: sounding, pictures, repetitions. Holds no clock and does no I/O. */
export class Transmitter {
  readonly numerology: Numerology;
  readonly options: Required<Omit<TransmitterOptions, 'dopplerHz'>> & { dopplerHz: number | null };
  readonly budget: SymbolBudget = emptyBudget();
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
  retransmissionRounds = 0;

  constructor(options: TransmitterOptions) {
    this.numerology = options.numerology;
    this.options = {
      session: 1,
      mapping: 'matched',
      mappingForced: false,
      maxCsiAgeS: 0.2,
      harq: 3,
      assumedSnrDb: 5,
      modelSet: 0,
      seed: 1,
      ...options,
      dopplerHz: options.dopplerHz ?? null,
    };
    this.phy = new BurstTransmitter(options.numerology);
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
    this.retransmissionRounds = 0;
    const perSlotRe = n.nSubbands * RB_DATA_RE;
    const leastBurstRe = this.controlRe(false, 1) + perSlotRe;
    const csi = channelKnowledge(this.report, nowS, n.nSubbands, {
      ...this.options,
      canSpare: (share) => reserveRe(budgetRe, share, leastBurstRe) > 0,
    });
    const slotsOf = splitBudget({
      budgetRe,
      pixels: image.width * image.height,
      perSlotRe,
      controlRe: this.controlRe(csi.hasOrder, 1),
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
      payloadBytes: file.length,
      codeRate: this.parts[0].codeRate,
      settings: encoded.settings,
      bursts,
    };
  }

  /** Takes an acknowledgement: blocks that arrived need not be repeated. */
  takeAck(ack: AckReport): void {
    if (ack.session !== this.options.session || !ack.extensionOk) return;
    const part = this.parts.find((p) => p.burst === ack.burst);
    ack.blocks.forEach((ok, r) => {
      if (ok) part?.pending.delete(r);
    });
  }

  /** Blocks not acknowledged so far. */
  get pendingBlocks(): number {
    return this.parts.reduce((n, p) => n + p.pending.size, 0);
  }

  /**
   * Repeats the blocks still missing, in the next redundancy version, as far as the picture's budget goes; at most one
   * burst for each part. Empty when nothing is missing, no round is left, or no slot fits any more.
   */
  repeat(): TransmitBurst[] {
    const n = this.numerology;
    if (this.retransmissionRounds >= this.options.harq || this.pendingBlocks === 0) return [];
    this.retransmissionRounds++;
    const perSlot = n.nSubbands * RB_DATA_RE;
    const bursts: TransmitBurst[] = [];
    const waiting = this.parts.filter((p) => p.pending.size > 0);
    for (const [i, part] of waiting.entries()) {
      const blocks = [...part.pending].sort((a, b) => a - b);
      const spent = countedRe(this.budget) - this.spentBefore;
      const left = (this.budgetRe - spent) / (waiting.length - i);
      const control = this.controlRe(part.extension.hasOrder === 1, 1, blocks.length);
      // As many RE as the blocks had at first, if they are to be had.
      const wanted = Math.ceil((part.re * blocks.length) / part.layout.blocks / perSlot);
      const slots = Math.min(wanted, Math.floor((left - control) / perSlot), MAX_DATA_SLOTS);
      if (slots < 1) continue;
      part.attempts++;
      const rv = ([0, 2, 3, 1] as const)[part.attempts % 4] as RedundancyVersion;
      const map = allocateRobust(burstShape(n, slots), Uint8Array.of(255)).map;
      const positions = positionsOf(placeSymbols(map, burstShape(n, slots)));
      const codes = [...part.extension.modulation];
      const qm = bitsAt(n, codes, positions);
      const payload = () => scatter(n, slots, positions, encodeBlocks(part.layout, part.payloads, blocks, qm, rv));
      const extension: Extension = {
        ...part.extension,
        redundancyVersion: rv,
        interleaved: 1,
        hasOrder: 0,
        order: null,
        streams: [{ ...part.extension.streams[0], re: positions.length }],
        blockCount: blocks.length,
        blocks: nameBlocks([blocks]),
        mapCrc: rbMapCrc16(map),
      };
      this.retransmittedBlocks += blocks.length;
      bursts.push(this.build('retransmission', slots, 0, extension, payload));
    }
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
    const extension: Extension = {
      codec: CODEC_IDS.indexOf(this.options.codec.name as CodecId),
      image: this.image,
      part,
      partsLess1: parts - 1,
      process: part & 15,
      redundancyVersion: 0,
      newData: this.image & 1,
      original: this.burst & 1023,
      interleaved: map.layout === 'interleaved' ? 1 : 0,
      modulation: codes,
      hasOrder: csi.hasOrder ? 1 : 0,
      order: csi.hasOrder ? [...map.subbandOrder] : null,
      hasPower: 0,
      power: null,
      streamCount: 1,
      streams: [{ id: 0, analog: 0, baseGraph: layout.baseGraphBit, score, re: positions.length, bytes: file.length }],
      blockCount: 0,
      blocks: [],
      mapCrc: rbMapCrc16(map),
    };
    const payloads = splitIntoBlocks(layout.plan, file);
    const payload = () => scatter(n, slots, positions, encodeStream(layout, file, qm));
    const burst = this.build('data', slots, csi.number, extension, payload);
    this.parts.push({
      burst: burst.burst,
      layout,
      re: positions.length,
      codeRate: (layout.blocks * layout.codec.infoBits) / codedBitsOf(qm),
      payloads,
      extension,
      pending: new Set(payloads.keys()),
      attempts: 0,
    });
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
        return phy.build({ header, extension: bytes, payload: payload() });
      },
      layout,
      slots,
      extension,
    };
  }

  /** RE of header and extension of a burst with so many streams (and repeated blocks). */
  private controlRe(hasOrder: boolean, streams: number, blocks = 0): number {
    const n = this.numerology;
    const bytes = extensionBytes(n, { order: hasOrder, streams, blocks });
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
