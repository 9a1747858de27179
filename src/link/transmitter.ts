import { FloatRoom } from '../common/float-room.ts';
import { BurstTransmitter, paddingSymbols } from '../phy/burst/transmit.ts';
import { MOST_SNAPSHOTS } from '../phy/channel-est/fading-prediction.ts';
import { captureTimeCode } from '../phy/frame/capture-time.ts';
import { CODEC_IDS, type CodecId, type Extension, encodeExtension } from '../phy/frame/extension.ts';
import { BurstKind } from '../phy/frame/header.ts';
import { powerDbOf } from '../phy/frame/power-level.ts';
import { type Numerology, RB_DATA_RE } from '../phy/numerology.ts';
import { rbMapCrc16 } from '../sct/allocation/rb-map.ts';
import type { RgbImage } from '../sct/image/rgb-image.ts';
import { addBurst, type BurstUse, countedRe, emptyBudget, type SymbolBudget } from './accounting.ts';
import { type BurstPayload, burstPayload } from './burst-payload.ts';
import {
  itemsThatFit,
  leastRepetitionSlots,
  repetitionOf,
  repetitionRe,
  repetitionShape,
  wantedItems,
} from './harq/repetition.ts';
import { type AckVerdict, HarqSender } from './harq/sender-entity.ts';
import { PayloadRoom } from './payload-room.ts';
import { mapOf, mapReason } from './plan/bits-policy.ts';
import { MAX_DATA_SLOTS } from './plan/budget-split.ts';
import { type ChannelKnowledge, type DatedReport, meanSnr, type Sounding } from './plan/channel-knowledge.ts';
import { codedInBudget } from './plan/coded-in-budget.ts';
import { controlRe, controlWarnings, ROBUST_MCS } from './plan/control-part.ts';
import type { PicturePlan } from './plan/picture-plan.ts';
import { applyPower } from './plan/power-loading.ts';
import { sideReOf } from './resource-map.ts';
import type { AckReport, CsiReport } from './reverse/reverse-messages.ts';
import { type EncodedPart, itemsOf, partsOf, type SentPart } from './sent-part.ts';
import type { TransmissionPlan, TransmitBurst } from './transmission.ts';
import {
  type CodecChange,
  type CompleteOptions,
  completeOptions,
  type TransmitterOptions,
} from './transmitter-options.ts';

export type { TransmissionPlan, TransmitBurst } from './transmission.ts';
export type { TransmitterOptions } from './transmitter-options.ts';

/** Slots of a sounding burst: 4 ms of pilots. */
export const SOUNDING_SLOTS = 4;
const NO_ANSWERS = 'no feedback: nothing can be asked for again, so none of the budget is kept for repetitions';

/** Options of one picture that may differ from the session's. */
export interface SendPolicy extends Partial<Pick<CompleteOptions, 'mapping' | 'mappingForced'>> {
  /** When the picture was captured, ms since 1970 (UTC): its bursts say so. Default null: they do not. */
  readonly capturedAtMs?: number | null;
}

/** Part `p` of a picture of several, and what its burst says of the whole. */
interface DataBurst {
  readonly part: EncodedPart;
  readonly p: number;
  readonly parts: number;
  readonly time: number | null;
  readonly planned: PicturePlan;
  readonly mcs: number;
  readonly csi: ChannelKnowledge;
}

/** Makes the bursts of a session: sounding, pictures, repetitions. Holds no clock and does no I/O. */
export class Transmitter {
  readonly numerology: Numerology;
  /** Of the current picture; only `send` replaces them. */
  options: CompleteOptions;
  readonly budget: SymbolBudget = emptyBudget();
  readonly harq: HarqSender;
  private next: CodecChange | null = null;
  private readonly phy: BurstTransmitter;
  /** Payloads live from their making to their modulation. */
  private readonly room = new PayloadRoom();
  /** Of the current picture's analog symbols. */
  private readonly streams = new FloatRoom();
  private burst = 0;
  private image = 0;
  private report: DatedReport | null = null;
  /** Soundings that were made and are not on the air yet, and the latest that were. */
  private readonly sounded = new Set<number>();
  private soundings: Sounding[] = [];
  private parts: SentPart[] = [];
  private budgetRe = 0;
  /** RE limited in magnitude in each burst whose samples were made. */
  private readonly limited = new Map<number, number>();
  /** Counted RE of the session before the current picture. */
  private spentBefore = 0;
  /** Of the current picture. */
  retransmittedBlocks = 0;
  retransmissionBursts = 0;
  /** Streams (SFVs) that these bursts carried, each as often as it was repeated. */
  retransmittedStreams = 0;
  /** RE of these bursts, their control included. */
  retransmittedRe = 0;

  constructor(options: TransmitterOptions) {
    this.numerology = options.numerology;
    this.options = completeOptions(options);
    this.phy = new BurstTransmitter(options.numerology);
    this.harq = new HarqSender(this.options.harq, this.options.ackTimeoutS);
  }

  /** Codes with another model set from the next picture on: what is on the air keeps its own, its repetitions too. */
  change(to: CodecChange): void {
    this.next = to;
  }

  /** A burst of known symbols from which the receiver measures the channel. */
  sounding(): TransmitBurst {
    const n = this.numerology;
    this.sounded.add(this.burst & 1023);
    return this.build('sounding', SOUNDING_SLOTS, 0, ROBUST_MCS, null, () => ({
      payload: paddingSymbols(n, SOUNDING_SLOTS * n.nSubbands * RB_DATA_RE),
      limitedRe: 0,
    }));
  }

  /** Takes a CSI report; `measuredAtS` is when the burst it names was on the air. */
  takeReport(report: CsiReport, measuredAtS: number): void {
    if (report.session !== this.options.session || report.codes.length !== this.numerology.nSubbands) return;
    this.soundings = this.soundings.map((s) => (s.endS === measuredAtS ? { ...s, snr: meanSnr(report) } : s));
    this.report = { report, measuredAtS, soundings: this.soundings.filter((s) => s.endS <= measuredAtS) };
  }

  /** When the latest report was measured, s; null before the first. */
  get measuredAtS(): number | null {
    return this.report?.measuredAtS ?? null;
  }

  /** One that knows the same of the channel and whose bursts nobody sends: what it is asked to code leaves no trace. */
  understudy(): Transmitter {
    const other = new Transmitter({ ...this.options, ...this.next, numerology: this.numerology });
    other.report = this.report;
    return other;
  }

  /**
   * Codes a picture into at most `budgetRe` resource elements, control, side information, padding and repetitions included,
   * and makes its bursts. UsageError when the budget is too small, or larger than a picture can use (codedInBudget).
   *
   * @param referenceIds pictures of both ends that this one may name: first 32 bits of their hashes
   * @param policy what this picture has instead of the transmitter's own options
   */
  async send(
    image: RgbImage,
    budgetRe: number,
    nowS: number,
    referenceIds: readonly number[] = [],
    { capturedAtMs = null, ...policy }: SendPolicy = {},
  ): Promise<TransmissionPlan> {
    const n = this.numerology;
    this.options = { ...this.options, ...this.next };
    this.next = null;
    const options = { ...this.options, ...policy };
    const time = capturedAtMs === null ? null : captureTimeCode(capturedAtMs);
    this.image = (this.image + 1) & 0xff;
    this.parts = [];
    this.budgetRe = budgetRe;
    this.spentBefore = countedRe(this.budget);
    this.retransmittedBlocks = 0;
    this.retransmissionBursts = 0;
    this.retransmittedStreams = 0;
    this.retransmittedRe = 0;
    this.harq.reset();
    const request = { numerology: n, options, image, referenceIds, report: this.report, nowS, timed: time !== null };
    const coded = await codedInBudget(request, budgetRe, options.oneAtATime ? this.streams : undefined);
    const { csi, harq, maxSfvs, source, mcs, planned, encoded } = coded;
    const parts = partsOf(n, planned, encoded, options.codec.name);
    const bursts = parts.map((part, p) => this.dataBurst({ part, p, parts: parts.length, time, planned, mcs, csi }));
    const codedBits = parts.reduce((sum, p) => sum + p.codedBits, 0);
    return {
      map: mapOf(csi, planned.policy),
      mapReason: mapReason(csi, planned.policy, options.mappingForced),
      protectionDb: planned.policy.protectionDb,
      csiNumber: csi.number,
      csiAgeS: csi.ageS,
      loading: csi.loading,
      reportedSnrDb: csi.snrDb,
      powerDb: csi.power?.map(powerDbOf) ?? null,
      payloadBytes: parts.reduce((sum, p) => sum + p.streams.reduce((bytes, s) => bytes + s.bytes, 0), 0),
      sideInfoBytes: encoded.sideInfo.length,
      codeRate: codedBits === 0 ? null : parts[0].infoBits / parts[0].codedBits,
      source,
      grants: planned.grants,
      dropped: planned.dropped,
      warnings: [
        ...controlWarnings(n, bursts, maxSfvs < options.maxSfvs ? maxSfvs : undefined),
        ...(harq < options.harq ? [NO_ANSWERS] : []),
      ],
      settings: encoded.settings,
      timingsMs: { ...source.timingsMs, ...encoded.timingsMs },
      bursts,
      unsent: null,
    };
  }

  /** A burst has been on the air until `endS`: from here on its acknowledgement is waited for. */
  onAir(burst: number, endS: number): void {
    if (this.sounded.delete(burst)) this.soundings = [...this.soundings, { endS, snr: null }].slice(-MOST_SNAPSHOTS);
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

  /** RE of analog streams that were limited to a magnitude of 4, over the session. */
  get limitedRe(): number {
    return [...this.limited.values()].reduce((a, b) => a + b, 0);
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
      const sent = this.parts.find((p) => p.process === process)!;
      const wanted = wantedItems(sent);
      const spent = countedRe(this.budget) - this.spentBefore;
      const left = (this.budgetRe * this.options.repeatBudget - spent) / open--;
      const control = controlRe(this.numerology, repetitionShape(sent, wanted));
      const wish = Math.ceil(repetitionRe(this.numerology, sent, wanted) / perSlot);
      const slots = Math.min(wish, Math.floor((left - control) / perSlot), MAX_DATA_SLOTS);
      const { harqBy } = this.options;
      const items = slots < 1 ? wanted : itemsThatFit(this.numerology, sent, wanted, slots, harqBy);
      if (slots < leastRepetitionSlots(this.numerology, sent, items)) continue;
      const { extension, payload } = repetitionOf(this.numerology, sent, items, slots, harqBy);
      const before = countedRe(this.budget);
      const burst = this.build('retransmission', slots, 0, ROBUST_MCS, extension, payload);
      this.harq.made(process, burst.burst, items);
      this.retransmittedBlocks += items.length;
      this.retransmissionBursts++;
      this.retransmittedStreams += extension.streams.length;
      this.retransmittedRe += countedRe(this.budget) - before;
      bursts.push(burst);
    }
    // Where nothing more can change, what found no room is lost.
    if (bursts.length === 0 && this.harq.nextDueS === null) for (const process of due) this.harq.giveUp(process);
    return bursts;
  }

  private dataBurst({ part, p, parts, time, planned, mcs, csi }: DataBurst): TransmitBurst {
    const { modulation, sideRate } = planned;
    const { map } = part;
    const items = itemsOf(part);
    const ids = new Set(part.streams.map((s) => s.id));
    const process = this.harq.begin(items.length, { side: part.sideInfo.length > 0, ids });
    const ordered = map.layout === 'ordered' && map.subbandOrder.some((s, i) => s !== i);
    const extension: Extension = {
      codec: CODEC_IDS.indexOf(this.options.codec.name as CodecId),
      image: this.image,
      part: p,
      partsLess1: parts - 1,
      time,
      process: process.id,
      redundancyVersion: 0,
      newData: process.newData,
      repeats: 0,
      original: this.burst & 1023,
      sideBytes: part.sideInfo.length,
      sideRate: part.sideInfo.length > 0 ? sideRate : 0,
      interleaved: map.layout === 'interleaved' ? 1 : 0,
      modulation,
      order: ordered ? [...map.subbandOrder] : null,
      power: csi.power,
      earlier: part.earlier,
      later: part.later,
      streams: part.streams,
      blocks: [],
      mapCrc: rbMapCrc16(map),
    };
    const payload = (room: PayloadRoom) =>
      burstPayload(this.numerology, part.slots, extension, part.sideInfo, part.contents, room);
    const burst = this.build('data', part.slots, csi.number, mcs, extension, payload);
    this.harq.made(process, burst.burst, [...items.keys()]);
    this.parts.push({ process, part, extension });
    return burst;
  }

  private build(
    use: BurstUse,
    slots: number,
    csiNumber: number,
    mcs: number,
    extension: Extension | null,
    make: (room: PayloadRoom) => BurstPayload,
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
      extensionMcs: mcs,
    };
    const layout = this.phy.layout(slots, bytes.length, mcs);
    const used = extension ? extension.streams.reduce((a, s) => a + s.re, 0) : 0;
    const side = extension ? sideReOf(n, extension) * n.nSubbands : 0;
    addBurst(this.budget, n, layout, use, used, side);
    const { phy, limited, room } = this;
    const samples = (to?: Float32Array): Float32Array => {
      const { payload, limitedRe } = make(room);
      limited.set(burst, limitedRe);
      if (extension?.power) applyPower(payload, extension.power);
      return phy.build({ header, extension: bytes, payload }, to);
    };
    return {
      use,
      burst,
      get samples() {
        return samples();
      },
      samplesIn: samples,
      layout,
      slots,
      extension,
    };
  }

  describe(): string {
    const { mapping, harq, codec } = this.options;
    return `transmitter: ${codec.describe()}, mapping ${mapping}, HARQ ${harq}`;
  }
}
