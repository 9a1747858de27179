import { FormatError, UsageError } from '../common/errors.ts';
import { BurstReceiver } from '../phy/burst/burst-receiver.ts';
import type { BurstRecord, MissRecord, ReceiverRecord, SkipRecord } from '../phy/burst/record.ts';
import type { EstimatorName } from '../phy/channel-est/estimator.ts';
import { CODEC_IDS, type CodecId, decodeExtension, type Extension } from '../phy/frame/extension.ts';
import type { Header } from '../phy/frame/header.ts';
import type { Numerology } from '../phy/numerology.ts';
import { encodeCsiReport } from '../sct/allocation/csi-code.ts';
import type { Codec, DecodedImage, DecodeOptions } from '../sct/codec/codec.ts';
import { PieceReader } from './burst-pieces.ts';
import { FloatStack } from './float-stack.ts';
import { type Asking, type AskingOptions, askedStreams, askingOf } from './harq/asking.ts';
import { grantedSnrDb } from './harq/granted.ts';
import type { ReceivedPart } from './harq/received-part.ts';
import { type HarqOutcome, HarqReceiver } from './harq/receiver-entity.ts';
import { isComplete, PictureStore, type ReceivedPicture, sourceOf } from './received-picture.ts';
import { CsiHistory, type PredictionOptions } from './reverse/csi-history.ts';
import { type AckReport, type CsiReport, MAX_ASKED } from './reverse/reverse-messages.ts';
import type { TransportDecoder } from './transport.ts';

export { isComplete, type ReceivedPicture } from './received-picture.ts';

/** What the link makes of a burst. */
export interface BurstEvent {
  readonly type: 'burst';
  readonly record: BurstRecord;
  readonly use: 'sounding' | 'data' | 'retransmission' | 'reverse';
  readonly extension: Extension | null;
  /** Why nothing was made of it, or null. */
  readonly problem: string | null;
  /** The first coded stream, for EVM and constellations; null without one. */
  readonly stream: BurstStream | null;
  /** All coded streams, in the order in which the burst carries them. */
  readonly streams: readonly BurstStream[];
  /** What the burst was to its HARQ process; null when nothing was made of it. */
  readonly outcome: HarqOutcome | null;
  /** The picture that it belongs to; null when nothing was made of it. */
  readonly picture: ReceivedPicture | null;
  readonly csi: CsiReport;
  readonly ack: AckReport | null;
}

/** A coded stream's RE in one burst. */
export interface BurstStream {
  readonly entry: { readonly id: number };
  /** Payload RE, [re]. */
  readonly positions: Uint32Array;
  /** Bits of each, [re]. */
  readonly qm: Uint8Array;
  /** As the MMSE equaliser gives them, power levels divided out, [re][re, im]; and their SNR, linear, [re]. */
  readonly symbols: Float32Array;
  readonly snr: Float32Array;
  readonly decoder: TransportDecoder;
}

export interface MissEvent {
  readonly type: 'miss';
  readonly record: MissRecord;
}

/** A burst of which only the header was read, because the receiver could not keep up. */
export interface SkipEvent {
  readonly type: 'skip';
  readonly record: SkipRecord;
}

export type LinkEvent = BurstEvent | MissEvent | SkipEvent;

/** Finds a codec by what a burst says of it. */
export interface CodecFinder {
  /**
   * @param modelSet first 32 bits of the hash of the sender's model set; 0 for none
   * @throws UsageError that says what the sender used and what is here
   */
  find(name: CodecId, modelSet: number): Promise<Codec>;
}

export interface ReceiverOptions {
  readonly numerology: Numerology;
  /** A list is taken as it is, whatever model set a burst names: both ends are in one process. */
  readonly codecs: readonly Codec[] | CodecFinder;
  readonly estimator?: EstimatorName;
  /** What CSI reports are predicted by; absent: they say what was measured. */
  readonly prediction?: PredictionOptions | undefined;
  /** Bound of the soft buffers of all HARQ processes. */
  readonly maxSoftBytes?: number;
  /** True: positions, symbols and SNRs of an event's streams are valid until the next burst is taken, which saves their memory. Default false. */
  readonly passing?: boolean;
  /** What is asked for again; default: what is damaged, by importance. null: nobody repeats anything, so acknowledgements name no streams. */
  readonly asking?: AskingOptions | null;
  /** Told of every picture that is given up for a new session or for want of room, before it is forgotten. */
  readonly retire?: (picture: ReceivedPicture) => void;
}

/** Kept for pictures that are decoded at a time. */
const MOST_ROOMS = 2;

/**
 * From samples at the modem rate to pictures, knowing only what came over the air. Holds no clock and does no I/O:
 * reports and acknowledgements come out as events for the feedback channel.
 *
 * What a burst can make it allocate is bounded by the header's slots, never by what its extension claims: placeExtension
 * refuses more RE than those slots have (at most 128 x 50 x 154 = 985 600, 10 MB of positions) before any array is made,
 * TransportLayout more bytes than the RE can carry (936 kB) or more than 255 blocks, soft buffers come one by one and
 * are bounded over all HARQ processes, analog symbols over all pictures.
 */
export class Receiver {
  readonly numerology: Numerology;
  private readonly estimator: EstimatorName;
  private ownPhy: BurstReceiver | null = null;
  private readonly codecs: readonly Codec[] | CodecFinder;
  private readonly pictures: PictureStore;
  readonly harq: HarqReceiver;
  private readonly told = new WeakSet<ReceivedPicture>();
  /** Pictures that have become complete so far. */
  completed = 0;
  private readonly asking: Asking | null;
  private readonly history: CsiHistory | null;
  private csiNumber = 0;
  /** Codes of the latest reports by their numbers, 1..63. */
  private readonly reports = new Map<number, Uint8Array>();
  private session: number | null = null;
  private readonly pieces: PieceReader;
  /** For what pictures are decoded from. */
  private readonly rooms: FloatStack[] = [];

  constructor(options: ReceiverOptions) {
    this.numerology = options.numerology;
    this.codecs = options.codecs;
    this.pictures = new PictureStore(options.retire);
    this.harq = new HarqReceiver(options.maxSoftBytes);
    this.asking = options.asking === null ? null : askingOf(options.asking);
    this.history = options.prediction ? new CsiHistory(options.numerology, options.prediction) : null;
    this.estimator = options.estimator ?? 'lmmse';
    this.pieces = new PieceReader(options.numerology, options.passing);
  }

  /** The modem's receiver in this thread; not made where records come from another one. */
  get phy(): BurstReceiver {
    this.ownPhy ??= new BurstReceiver(this.numerology, { estimator: this.estimator });
    return this.ownPhy;
  }

  /** Takes the next samples, [n][re, im]. */
  push(samples: Float32Array): LinkEvent[] {
    return this.phy.push(samples).map((record) => this.take(record));
  }

  /** The stream ended or broke: what there is of a burst in progress is still decoded. */
  flush(): LinkEvent[] {
    return this.phy.flush().map((record) => this.take(record));
  }

  /** Pictures of which something has come, oldest first. */
  get received(): ReceivedPicture[] {
    return this.pictures.all;
  }

  /**
   * Decodes a picture from what has arrived; never throws for what the air has done to it. The codec has the analog symbols until it has
   * decoded them.
   *
   * @throws UsageError (CodecFinder) where the sender's codec or model set is not here
   */
  async picture(picture: ReceivedPicture, options: DecodeOptions = {}): Promise<DecodedImage> {
    const { codecs } = this;
    const codec = isList(codecs)
      ? codecs.find((c) => c.name === picture.codec)
      : await codecs.find(picture.codec, picture.modelSet);
    if (!codec) {
      const known = (codecs as readonly Codec[]).map((c) => c.name).join(', ');
      const note = `the burst names codec ${picture.codec}, which this receiver lacks; it has ${known}`;
      return { image: undefined, decodable: false, complete: false, mask: undefined, note };
    }
    const room = this.rooms.pop() ?? new FloatStack();
    try {
      return await codec.decode(sourceOf(picture, room), options);
    } finally {
      room.clear();
      if (this.rooms.length < MOST_ROOMS) this.rooms.push(room);
    }
  }

  /** Takes the next record of a burst receiver, in this thread or another one. */
  take(record: ReceiverRecord): LinkEvent {
    if (record.type === 'miss') return { type: 'miss', record };
    if (record.type === 'skip') return { type: 'skip', record };
    const n = this.numerology;
    const { header } = record;
    const use = (['sounding', 'data', 'retransmission', 'reverse'] as const)[header.kind];
    this.csiNumber = (this.csiNumber % 63) + 1;
    const expectedDb = use === 'sounding' && this.history ? this.history.take(record) : record.subbandSnrDb;
    const csi: CsiReport = {
      number: this.csiNumber,
      session: header.session,
      burst: header.burst,
      // What could not be measured is as good as nothing.
      codes: encodeCsiReport(expectedDb.map((db) => (Number.isNaN(db) ? Number.NEGATIVE_INFINITY : db))),
    };
    this.reports.set(csi.number, csi.codes);
    const nothing = {
      extension: null,
      problem: null,
      stream: null,
      streams: [],
      outcome: null,
      picture: null,
      ack: null,
    };
    const event = { type: 'burst', record, use, csi, ...nothing } as const;
    if (use !== 'data' && use !== 'retransmission') return event;
    const refusal = refusalOf(header);
    if (!record.extension) {
      const problem = record.truncated ? 'cut off before its extension ended' : 'its extension could not be decoded';
      return { ...event, problem, ack: refusal };
    }
    let extension: Extension | null = null;
    try {
      extension = decodeExtension(n, record.extension, header.burst);
      // Only now, behind a CRC-24: a false header (CRC-16) must not cost the pictures of the session.
      if (this.session !== header.session) this.begin(header.session);
      const { streams, outcome, picture, blocks, asked } = this.content(record, extension, use);
      const { process, newData } = extension;
      const ack = { session: header.session, burst: header.burst, extensionOk: true, process, newData, blocks, asked };
      const problem = record.truncated ? `cut off after ${record.slots} of ${header.slots} slots` : null;
      return { ...event, extension, stream: streams[0] ?? null, streams, outcome, picture, ack, problem };
    } catch (error) {
      // Everything in an extension is untrusted: what contradicts itself is refused by name.
      if (error instanceof FormatError || error instanceof UsageError) {
        return { ...event, extension, problem: error.message, ack: refusal };
      }
      throw error;
    }
  }

  /** Begins a session: pictures and processes of the one before are done with, whatever their numbers. */
  private begin(session: number): void {
    this.session = session;
    this.pictures.clear();
    this.harq.reset();
  }

  /** Hands what a burst brought to its HARQ process; returns what became of it, in the order in which the burst carried it. */
  private content(record: BurstRecord, e: Extension, use: 'data' | 'retransmission') {
    const codec = CODEC_IDS[e.codec];
    const { side, streams } = this.pieces.read(record, e, use === 'retransmission');
    const analog = streams.reduce((sum, p) => sum + (p.entry.analog ? p.entry.re : 0), 0);
    if (analog + e.earlier + e.later > 0) this.pictures.makeRoom(analog + e.earlier + e.later, e.image);
    let known = this.pictures.partOf(e, codec);
    // Two senders in a row may have drawn the same session. A repetition that contradicts is refused instead.
    if (use === 'data' && known?.isOf(e) && known.contradicts(streams, side)) {
      this.begin(record.header.session);
      known = null;
    }
    const { part, outcome } = this.harq.take(use, record.header.burst, e, streams, known, side);
    const picture = this.pictures.put(e, codec, record.header, part);
    if (isComplete(picture) && !this.told.has(picture)) {
      this.told.add(picture);
      this.completed++;
    }
    if (this.asking && use === 'data' && analog > 0 && part.granted.size === 0) {
      const codes = this.reports.get(record.header.csiNumber) ?? null;
      part.granted = grantedSnrDb(this.numerology, record.header.slots, e, streams, codes);
    }
    const blocks: boolean[] = side ? [part.side!.ok] : [];
    const coded: BurstStream[] = [];
    for (const piece of streams) {
      const state = part.streams.get(piece.entry.id);
      if (state?.kind !== 'bits') continue;
      coded.push({ ...piece, decoder: state.decoder });
      for (const b of piece.blocks ?? state.decoder.states.keys()) blocks.push(state.decoder.states[b].ok);
    }
    const asked = this.asking ? this.askedOf(part, picture, this.asking) : undefined;
    return { streams: coded, outcome, picture, blocks, asked };
  }

  /** What to ask for of a part, by what is known of the whole picture. */
  private askedOf(part: ReceivedPart, { parts }: ReceivedPicture, asking: Asking): number[] {
    let [before, total] = [0, 0];
    for (const other of parts) {
      if (other === part) before = total;
      for (const { weight } of other?.standing() ?? []) total += weight;
    }
    return askedStreams(part.standing(), before, total, asking, MAX_ASKED);
  }

  describe(): string {
    const codecs = isList(this.codecs) ? this.codecs.map((c) => c.name).join(', ') : 'by what bursts name';
    const { nSubbands } = this.numerology;
    return `receiver: ${nSubbands} subbands, ${this.estimator} channel estimate, codecs ${codecs}`;
  }
}

function isList(codecs: readonly Codec[] | CodecFinder): codecs is readonly Codec[] {
  return Array.isArray(codecs);
}

/** Of a burst whose content could not be told: only its number is known. */
function refusalOf(header: Header): AckReport {
  return {
    session: header.session,
    burst: header.burst,
    extensionOk: false,
    process: 0,
    newData: 0,
    blocks: [],
  };
}
