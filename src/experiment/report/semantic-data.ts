import type { RbMap } from '../../sct/allocation/rb-map.ts';
import type { SideSplit } from '../../sct/codec/side-info.ts';
import type { Partition } from '../../sct/partition/partition.ts';

/**
 * What the link hands to the report of a run with SFVs, besides the pictures and outcomes that `DecodedImage` has. Everything
 * that only the other end knows is undefined: a receiver alone knows no importance map, a run without a single burst no map.
 */
export interface SemanticData {
  /** Labels of the model set both ends use (tables.labels): names of the street classes, colours of all labels [label][r, g, b]. */
  readonly labels: { readonly names: readonly string[]; readonly palette: Uint8Array };
  /** The sender's own, else as it came with the side information; undefined when that is lost too. */
  readonly partition: Partition | undefined;
  /** Importance as sent, codes of `encodeScore`; from the sender, else from the bursts' extensions; [SFV id]. */
  readonly scores: Uint8Array | undefined;
  /** Ids in the order of placement, most important first, as far as known. */
  readonly ranking: readonly number[] | undefined;
  /** Importance of each cell, sums to 1, [row][column]; known to the sender only. */
  readonly importance: Float32Array | undefined;
  /** Data bursts of the picture in the order of transmission, no repetitions. */
  readonly bursts: readonly PlacedBurst[];
  /** Bytes of the side information by part. */
  readonly sideSplit: SideSplit | undefined;
  /** What the codec chose (`EncodedSource.settings`); empty at a receiver alone. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Milliseconds of each step of the codec, both ends as far as known. */
  readonly timingsMs: Readonly<Record<string, number>>;
}

/** Where the SFVs of one burst ride. Measured SNR comes from the trace by the burst's number, the report from TransmitFacts. */
export interface PlacedBurst {
  readonly burst: number;
  readonly subbands: number;
  readonly slots: number;
  /** Payload RE that side information takes in each subband before the first SFV (`reserveLeading`). */
  readonly reservedRe: number;
  /** `sfvOrder` are SFV ids (stream ids). */
  readonly map: RbMap;
}
