import type { FloatRoom } from '../../common/float-room.ts';
import type { FrameMemory } from '../correction/frame-memory.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import type { TaskResult } from '../modes/machine-receiver.ts';
import type { Partition } from '../partition/partition.ts';
import type { FeatureMap } from '../semantics/feature-map.ts';

/**
 * What every codec is to the link. A codec works in two steps because budgets depend on the channel: `analyse` says
 * which streams there are and how much each matters; the link allocates resource blocks from those scores and the CSI
 * report; `encode` then fills exactly what each stream was granted. One stream is one SFV; the classical codec has one.
 */
export interface Codec {
  readonly name: string;
  /** One line for logs and run.json. */
  describe(): string;
  /** Looks at a picture once; the plan may be encoded several times, for other grants. */
  analyse(image: RgbImage, hints?: AnalyseHints): Promise<SourcePlan>;
  /** Rebuilds the picture from what came over the air alone. Never throws for damaged input. */
  decode(received: ReceivedSource, options?: DecodeOptions): Promise<DecodedImage>;
}

/** What is known of the budget before a picture is looked at. */
export interface AnalyseHints {
  /** Complex symbols that the whole picture may take, side information included; undefined when not known yet. */
  readonly symbols?: number | undefined;
  /** Most SFVs that are to be made of it; undefined for the codec's own bound. */
  readonly maxSfvs?: number | undefined;
  /** Reference pictures that may be named to the receiver, by the first 32 bits of their hashes; default none. */
  readonly referenceIds?: readonly number[] | undefined;
}

/** What is made of what was received: the picture, what the heads see in its features, or both. */
export const VIEWS = ['picture', 'task', 'both'] as const;
export type DecodeView = (typeof VIEWS)[number];

/** The receiver's own choices; a codec without such a choice ignores it. */
export interface DecodeOptions {
  /** Restore damaged places and make up lost ones; default true. */
  readonly correction?: boolean | undefined;
  /** Sharper, lower PSNR, where the model set can; default false. */
  readonly perceptual?: boolean | undefined;
  /** Also the picture as it would be without correction, for reports; default false. */
  readonly uncorrected?: boolean | undefined;
  /** Default picture. With `task` no picture is made: `image` is undefined though `decodable` is true. */
  readonly view?: DecodeView | undefined;
  /** A picture that both ends hold, by the first 32 bits of its hash as the side information names it; its feature map. */
  readonly reference?: ((id: number) => Promise<FeatureMap | undefined>) | undefined;
  /** Of a stream of frames: what was shown before restores what is damaged, and this frame is kept in turn. In order, each once. */
  readonly memory?: FrameMemory | undefined;
}

/** The streams of one picture and what they need. */
export interface SourcePlan {
  readonly streams: readonly StreamPlan[]; // [stream id]
  /** Stream ids in the order of placement, most important first; default by score, ties by id. */
  readonly ranking?: readonly number[] | undefined;
  /** Upper bound of the side information in bytes; 0 for none. */
  readonly sideInfoBytes: number;
  /** What its user gives a budget in, for hints; default symbols a pixel. */
  readonly budgetIn?: 'symbols' | undefined;
  /** What is known of EncodedSource.settings before anything is coded. */
  readonly settings?: EncodedSource['settings'] | undefined;
  /** Milliseconds of each step of the analysis. */
  readonly timingsMs?: Readonly<Record<string, number>> | undefined;
  /**
   * Codes the picture for these grants.
   *
   * @param room where analog symbols stand, until it is used again; default memory of their own
   * @throws DoesNotFit saying what would fit when a grant is too small
   */
  encode(grants: readonly StreamGrant[], room?: FloatRoom): Promise<EncodedSource>;
}

/** One stream before its budget is known. */
export interface StreamPlan {
  readonly id: number; // 0..254, index in SourcePlan.streams
  readonly kind: StreamKind;
  /** Importance as sent, 0..255: decides the share, and the order where no ranking is given. */
  readonly score: number;
  /** Below this the stream is worthless: bytes for `bits`, complex symbols for `analog`. */
  readonly minSize: number;
  /** Grid cells of the SFV; undefined for a codec without a grid. */
  readonly cells?: number | undefined;
}

/** `bits`: bytes that are channel-coded and mapped by the link. `analog`: complex symbols sent as they are. */
export type StreamKind = 'bits' | 'analog';

/** What the allocation gave to one stream; a stream without a grant is not sent. */
export interface StreamGrant {
  readonly id: number;
  /** Most bytes (`bits`) or exact complex symbols (`analog`). */
  readonly size: number;
  /** Effective SNR of its resource elements by the CSI report, dB; undefined without a report. */
  readonly snrDb?: number | undefined;
}

/** A coded picture. */
export interface EncodedSource {
  /** Sent with the robust code over the whole band; empty when there is none. */
  readonly sideInfo: Uint8Array;
  readonly streams: readonly EncodedStream[]; // at most one for each grant, in the order of the grants
  /** What the codec chose, for run.json and reports. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Milliseconds of each step. */
  readonly timingsMs?: Readonly<Record<string, number>> | undefined;
}

export type EncodedStream =
  | { readonly id: number; readonly kind: 'bits'; readonly payload: Uint8Array }
  /** Unit mean power over the symbols of the stream. */
  | { readonly id: number; readonly kind: 'analog'; readonly symbolsReIm: Float32Array }; // [symbol][re, im]

/** Bytes [from, to) that did not arrive; their content in the payload means nothing. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

export type ReceivedStream =
  | {
      readonly id: number;
      readonly kind: 'bits';
      /** As long as it was sent, whatever is missing. */
      readonly payload: Uint8Array;
      /** Ascending, disjoint; empty when everything arrived. */
      readonly missing: readonly ByteRange[];
      /** Importance as sent, 0..255, from the burst's extension. */
      readonly score?: number | undefined;
    }
  | {
      readonly id: number;
      readonly kind: 'analog';
      /** Equalised and MMSE-weighted: snr / (1 + snr) x y / h. */
      readonly symbolsReIm: Float32Array; // [symbol][re, im]
      /** Measured SNR of each symbol's resource block, dB; -Infinity for a symbol that did not arrive. */
      readonly snrDb: Float32Array; // [symbol]
      /** Importance as sent, 0..255, from the burst's extension. */
      readonly score?: number | undefined;
    };

/** Everything that came over the air for one picture. */
export interface ReceivedSource {
  /** undefined when its blocks failed: an outage. */
  readonly sideInfo: Uint8Array | undefined;
  readonly streams: readonly ReceivedStream[];
}

/** How much each cell of the picture is damaged. */
export interface ErrorMask {
  readonly cellPx: number;
  readonly columns: number;
  readonly rows: number;
  readonly damage: Float32Array; // [row][column], 0 intact .. 1 lost
}

/**
 * What became of an SFV. `received`: shown as it came. `repaired`: came in part, restored. `synthesised`: nothing of it came
 * (or none was sent); made up from label and context. `lost`: nothing came and nothing was made up.
 */
export const SFV_STATES = ['received', 'repaired', 'synthesised', 'lost'] as const;
export type SfvState = (typeof SFV_STATES)[number];

/** One SFV at the receiver. */
export interface SfvOutcome {
  readonly id: number;
  readonly label: number; // 0..42
  readonly cells: number;
  readonly state: SfvState;
  /** False when the sender gave it no symbols. */
  readonly sent: boolean;
  /** Complex symbols that came; 0 when lost, and for a codec of coded bits, which does not see symbols. */
  readonly symbols: number;
  /** Bytes that came, for a codec of coded bits; 0 when lost. */
  readonly bytes?: number | undefined;
  /** Capacity-equivalent SNR over its symbols, dB; null when none came. */
  readonly snrDb: number | null;
  /** Mean of the error mask over its cells, before correction. */
  readonly damage: number;
}

/** A picture as the receiver shows it. */
export interface DecodedImage {
  /** undefined when nothing is known, not even the size (scored as flat mid-grey at the original's size), or none was asked for. */
  readonly image: RgbImage | undefined;
  /** False when the picture is only a stand-in. */
  readonly decodable: boolean;
  /** True when every part of it arrived. */
  readonly complete: boolean;
  /** undefined when the codec cannot tell where the damage is. */
  readonly mask: ErrorMask | undefined;
  /** One line that says why, when not complete. */
  readonly note: string | undefined;
  /** What became of each SFV, [id]; undefined for a codec without SFVs or when the side information is lost. */
  readonly sfvs?: readonly SfvOutcome[] | undefined;
  /** Who is where, as it came with the side information; undefined like `sfvs`. */
  readonly partition?: Partition | undefined;
  /** What the heads see in the received features, where `view` asked for it. */
  readonly task?: TaskResult | undefined;
  /** The picture without correction, where `uncorrected` asked for it and correction changed something. */
  readonly uncorrected?: RgbImage | undefined;
  /** Share of the damaged cells that the last frame helped to restore; undefined without damage, correction or `memory`. */
  readonly fromMemory?: number | undefined;
  /** Milliseconds of each step. */
  readonly timingsMs?: Readonly<Record<string, number>> | undefined;
}
