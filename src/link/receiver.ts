import { FormatError, UsageError } from '../common/errors.ts';
import { BurstReceiver } from '../phy/burst/burst-receiver.ts';
import type { BurstRecord, MissRecord } from '../phy/burst/record.ts';
import type { EstimatorName } from '../phy/channel-est/estimator.ts';
import type { RedundancyVersion } from '../phy/fec/rate-matching.ts';
import { blocksOfStreams, CODEC_IDS, type CodecId, decodeExtension, type Extension } from '../phy/frame/extension.ts';
import { BurstKind } from '../phy/frame/header.ts';
import { type Numerology, RB_DATA_RE } from '../phy/numerology.ts';
import { encodeCsiReport } from '../sct/allocation/csi-code.ts';
import type { Codec, DecodedImage } from '../sct/codec/codec.ts';
import type { AckReport, CsiReport } from './csi-report.ts';
import { bitsAt, placeExtension } from './resource-map.ts';
import { TransportDecoder, TransportLayout } from './transport.ts';

/** Pictures kept at once; an older one is given up when a new one begins. */
const MAX_IMAGES = 4;
/**
 * Soft buffers of lost blocks kept for combining, over all pictures: about 1300 blocks of the largest size. With one
 * burst more (255 blocks, 26 MB) this bounds what a stream of bad bursts can make the receiver hold.
 */
export const MAX_SOFT_BYTES = 1 << 27;

/** What the link makes of a burst. */
export interface BurstEvent {
  readonly type: 'burst';
  readonly record: BurstRecord;
  readonly use: 'sounding' | 'data' | 'retransmission' | 'reverse';
  readonly extension: Extension | null;
  /** Why nothing was made of it, or null. */
  readonly problem: string | null;
  /** Payload RE of the (first) stream and their bits, for EVM and constellations; null without one. */
  readonly stream: {
    readonly positions: Uint32Array;
    readonly qm: Uint8Array;
    readonly decoder: TransportDecoder;
  } | null;
  readonly csi: CsiReport;
  readonly ack: AckReport | null;
}

export interface MissEvent {
  readonly type: 'miss';
  readonly record: MissRecord;
}

export type LinkEvent = BurstEvent | MissEvent;

interface PartState {
  readonly extension: Extension;
  readonly burst: number;
  readonly decoder: TransportDecoder;
}

/** One picture as far as it has come. */
export interface ReceivedPicture {
  readonly image: number;
  readonly codec: CodecId;
  readonly parts: (PartState | null)[];
}

/** Whether every block of every part has arrived. */
export function isComplete(picture: ReceivedPicture): boolean {
  return picture.parts.every((part) => part?.decoder.states.every((s) => s.ok) === true);
}

export interface ReceiverOptions {
  readonly numerology: Numerology;
  readonly codecs: readonly Codec[];
  readonly estimator?: EstimatorName;
}

/**
 * From samples at the modem rate to pictures, knowing only what came over the air. Holds no clock and does no I/O:
 * reports and acknowledgements come out as events for the feedback channel.
 *
 * What a burst can make it allocate is bounded by the header's slots, never by what its extension claims: placeExtension
 * refuses more RE than those slots have (at most 128 x 50 x 154 = 985 600, 10 MB of positions) before any array is made,
 * TransportLayout more bytes than the RE can carry (936 kB) or more than 255 blocks, soft buffers come one by one.
 */
export class Receiver {
  readonly numerology: Numerology;
  readonly phy: BurstReceiver;
  private readonly codecs: readonly Codec[];
  private readonly pictures = new Map<number, ReceivedPicture>();
  private readonly told = new WeakSet<ReceivedPicture>();
  private csiNumber = 0;
  private session: number | null = null;

  constructor(options: ReceiverOptions) {
    this.numerology = options.numerology;
    this.codecs = options.codecs;
    this.phy = new BurstReceiver(options.numerology, { estimator: options.estimator ?? 'lmmse' });
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
    return [...this.pictures.values()];
  }

  /** Whether a picture has become complete since the last call (each is told once). */
  takeCompleted(): boolean {
    const fresh = this.received.filter((p) => isComplete(p) && !this.told.has(p));
    for (const picture of fresh) this.told.add(picture);
    return fresh.length > 0;
  }

  /** Decodes a picture from the blocks that have arrived; never throws for what the air has done to them. */
  async picture(picture: ReceivedPicture): Promise<DecodedImage> {
    const codec = this.codecs.find((c) => c.name === picture.codec);
    if (!codec) {
      const known = this.codecs.map((c) => c.name).join(', ');
      const note = `the burst names codec ${picture.codec}, which this receiver lacks; it has ${known}`;
      return { image: undefined, decodable: false, complete: false, mask: undefined, note };
    }
    const { file, missing } = assemble(picture);
    return codec.decode({ sideInfo: new Uint8Array(0), streams: [{ id: 0, kind: 'bits', payload: file, missing }] });
  }

  private take(record: BurstRecord | MissRecord): LinkEvent {
    if (record.type === 'miss') return { type: 'miss', record };
    const n = this.numerology;
    const { header } = record;
    const use = (['sounding', 'data', 'retransmission', 'reverse'] as const)[header.kind];
    this.csiNumber = (this.csiNumber % 63) + 1;
    const csi: CsiReport = {
      number: this.csiNumber,
      session: header.session,
      burst: header.burst,
      codes: encodeCsiReport(record.subbandSnrDb),
    };
    const event = { type: 'burst', record, use, csi, extension: null, problem: null, stream: null, ack: null } as const;
    if (header.kind !== BurstKind.data && header.kind !== BurstKind.retransmission) return event;
    const nothing = { session: header.session, burst: header.burst, extensionOk: false, blocks: [] };
    if (!record.extension) {
      const problem = record.truncated ? 'cut off before its extension ended' : 'its extension could not be decoded';
      return { ...event, problem, ack: nothing };
    }
    let extension: Extension | null = null;
    try {
      extension = decodeExtension(n, record.extension);
      // Only now, behind a CRC-24: a false header (CRC-16) must not cost the pictures of the session.
      if (this.session !== header.session) {
        this.session = header.session;
        this.pictures.clear();
      }
      const stream = header.kind === BurstKind.data ? this.data(record, extension) : this.repeated(record, extension);
      const ack = {
        session: header.session,
        burst: extension.original,
        extensionOk: true,
        blocks: stream.decoder.acknowledged,
      };
      const problem = record.truncated ? `cut off after ${record.slots} of ${header.slots} slots` : null;
      return { ...event, extension, stream, ack, problem };
    } catch (error) {
      // Everything in an extension is untrusted: what contradicts itself is refused by name.
      if (error instanceof FormatError || error instanceof UsageError) {
        return { ...event, extension, problem: error.message, ack: nothing };
      }
      throw error;
    }
  }

  private data(record: BurstRecord, e: Extension): NonNullable<BurstEvent['stream']> {
    const n = this.numerology;
    const codec = CODEC_IDS[e.codec];
    if (e.streams.length !== 1 || e.streams[0].analog) throw new FormatError('streams', 'are not one stream of bits');
    const { positions } = placeExtension(n, record.header.slots, e);
    const qm = bitsAt(n, e.modulation, positions);
    const decoder = new TransportDecoder(
      TransportLayout.ofData(e.streams[0].bytes, qm, e.streams[0].baseGraph ? 2 : 1),
    );
    const picture = this.pictureFor(e, codec);
    const { symbols, snr } = gather(record, positions);
    decoder.add([...decoder.states.keys()], qm, symbols, snr, e.redundancyVersion as RedundancyVersion);
    picture.parts[e.part] = { extension: e, burst: record.header.burst, decoder };
    this.limitSoftBuffers();
    return { positions, qm, decoder };
  }

  private repeated(record: BurstRecord, e: Extension): NonNullable<BurstEvent['stream']> {
    const n = this.numerology;
    const part = this.pictures.get(e.image)?.parts[e.part];
    if (!part || part.burst !== e.original) {
      throw new FormatError('original', `burst ${e.original}, whose blocks this one repeats, was not received`);
    }
    const blocks = e.streams.length === 1 ? (blocksOfStreams(e)[0] ?? []) : [];
    if (blocks.length === 0 || blocks.some((b) => b >= part.decoder.layout.blocks)) {
      throw new FormatError('blocks', `name blocks outside 0 to ${part.decoder.layout.blocks - 1}`);
    }
    if (e.streams.length !== 1 || e.streams[0].bytes !== part.extension.streams[0].bytes) {
      throw new FormatError('streams', 'differ from those of the burst repeated');
    }
    const { positions } = placeExtension(n, record.header.slots, e);
    const qm = bitsAt(n, e.modulation, positions);
    const { symbols, snr } = gather(record, positions);
    part.decoder.add(blocks, qm, symbols, snr, e.redundancyVersion as RedundancyVersion);
    this.limitSoftBuffers();
    return { positions, qm, decoder: part.decoder };
  }

  /** Gives up the soft buffers of the oldest parts where all together are too large. */
  private limitSoftBuffers(): void {
    const decoders = this.received.flatMap((p) => p.parts.flatMap((part) => (part ? [part.decoder] : [])));
    let total = decoders.reduce((bytes, d) => bytes + d.softBytes, 0);
    for (const decoder of decoders) {
      if (total <= MAX_SOFT_BYTES) return;
      total -= decoder.softBytes;
      decoder.releaseSoft();
    }
  }

  private pictureFor(e: Extension, codec: CodecId): ReceivedPicture {
    const known = this.pictures.get(e.image);
    if (known && known.parts.length === e.partsLess1 + 1 && known.codec === codec) return known;
    this.pictures.delete(e.image);
    if (this.pictures.size >= MAX_IMAGES) this.pictures.delete(this.pictures.keys().next().value!);
    const picture: ReceivedPicture = { image: e.image, codec, parts: new Array(e.partsLess1 + 1).fill(null) };
    this.pictures.set(e.image, picture);
    return picture;
  }

  describe(): string {
    return `receiver: ${this.phy.describe()}, codecs ${this.codecs.map((c) => c.name).join(', ')}`;
  }
}

/** Symbols and SNRs of payload positions; slots that never came have SNR 0. */
function gather(record: BurstRecord, positions: Uint32Array): { symbols: Float32Array; snr: Float32Array } {
  const symbols = new Float32Array(2 * positions.length);
  const snr = new Float32Array(positions.length);
  for (let i = 0; i < positions.length; i++) {
    const p = positions[i];
    if (p >= record.payloadSnr.length) continue;
    symbols[2 * i] = record.payload[2 * p];
    symbols[2 * i + 1] = record.payload[2 * p + 1];
    snr[i] = record.payloadSnr[p];
  }
  return { symbols, snr };
}

/** All bytes of a picture in order; a part that never came is one missing range up to what follows. */
function assemble(picture: ReceivedPicture): { file: Uint8Array; missing: { from: number; to: number }[] } {
  const chunks: Uint8Array[] = [];
  const missing: { from: number; to: number }[] = [];
  let at = 0;
  for (const part of picture.parts) {
    if (!part) {
      // Its length is unknown; one byte stands for it, so that nothing behind it counts as intact.
      chunks.push(new Uint8Array(1));
      missing.push({ from: at, to: at + 1 });
      at += 1;
      continue;
    }
    const { file, missing: gaps } = part.decoder.file();
    chunks.push(file);
    for (const gap of gaps) missing.push({ from: at + gap.from, to: at + gap.to });
    at += file.length;
  }
  const file = new Uint8Array(at);
  let offset = 0;
  for (const chunk of chunks) {
    file.set(chunk, offset);
    offset += chunk.length;
  }
  return { file, missing };
}

/** Slots' worth of RE that a payload position belongs to. */
export function slotOf(n: Numerology, position: number): number {
  return Math.floor(position / (n.nSubbands * RB_DATA_RE));
}
