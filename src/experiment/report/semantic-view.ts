import { encodeCsi } from '../../sct/allocation/csi-code.ts';
import { reportedChannels } from '../../sct/allocation/effective-snr.ts';
import type { DecodedImage, SfvOutcome } from '../../sct/codec/codec.ts';
import type { SideSplit } from '../../sct/codec/side-info.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { scoreWeight } from '../../sct/importance/scores.ts';
import { type Outline, sfvOutlines } from '../../sct/partition/outlines.ts';
import { cellsToPixels, regionPsnrDb } from '../../sct/quality/regions.ts';
import { CELL_PX } from '../../sct/semantics/feature-map.ts';
import { labelPoints } from '../analyze/overlay.ts';
import { labelName } from '../analyze/record.ts';
import type { Numbers, ReportPicture } from './data.ts';
import { placementOf, type RbShares, rbShares } from './rb-shares.ts';
import type { SemanticData, SemanticPartition } from './semantic-data.ts';
import { sfvColour } from './sfv-colours.ts';

/** What a report draws of a run with SFVs: plain data, everything counted. */
export interface ReportSemantics {
  readonly width: number;
  readonly height: number;
  readonly grid: { readonly rows: number; readonly columns: number; readonly cellPx: number } | null;
  readonly outlines: readonly (readonly Outline[])[]; // [SFV id]
  readonly points: readonly { readonly x: number; readonly y: number; readonly depth: number }[]; // [SFV id], cells
  /** Most important first. */
  readonly sfvs: readonly ReportSfv[];
  /** Under the maps: the source, or what was received where the source is not known. */
  readonly photo: ReportPicture | null;
  readonly before: ReportPicture | null;
  readonly after: ReportPicture | null;
  /** Of each cell, [row][column]; importance against the mean cell, damage 0..1. */
  readonly importance: Numbers | null;
  readonly damage: Numbers | null;
  readonly bursts: readonly ReportBurstMap[];
  readonly sideSplit: SideSplit | null;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly timingsMs: Readonly<Record<string, number>>;
}

/** One SFV at both ends; null where that end is not known or nothing came. */
export interface ReportSfv {
  readonly id: number;
  readonly label: string;
  /** "#rrggbb" */
  readonly colour: string;
  /** Share of the picture's importance. */
  readonly importance: number | null;
  readonly cells: number | null;
  readonly symbols: number;
  readonly rbs: number;
  /** SNR of a flat channel of the same capacity, dB: by the CSI report, and as measured. */
  readonly reportedDb: number | null;
  readonly measuredDb: number | null;
  readonly state: SfvOutcome['state'] | null;
  /** Mean of the error mask over its cells, 0..1. */
  readonly damage: number | null;
  /** PSNR of its area without and with correction, dB; Infinity where nothing differs. */
  readonly beforeDb: number | null;
  readonly afterDb: number | null;
}

/** Who rides where in one burst. */
export interface ReportBurstMap {
  readonly burst: number;
  readonly subbands: number;
  readonly slots: number;
  readonly layout: 'ordered' | 'interleaved';
  /** RE that SFVs may use in an RB that side information leaves whole. */
  readonly rePerRb: number;
  readonly shares: RbShares;
  readonly reportedDb: Numbers | null; // [subband]
  readonly measuredDb: Numbers | null; // [slot][subband], NaN = did not come
}

/** Pictures and channel beside what the link says of the SFVs. */
export interface SemanticInput {
  readonly semantic: SemanticData;
  readonly source: RgbImage | undefined;
  readonly decoded: DecodedImage | undefined;
  /** Of the CSI report, dB [subband]; null without one. */
  readonly reportedDb: readonly number[] | null;
  /** RB SNR of a burst by its number, dB [slot][subband]; undefined when it did not come. */
  measured(burst: number): Float32Array | undefined;
  readonly rePerRb: number;
}

/** Everything but the pictures, which need encoding. */
export function semanticView(input: SemanticInput): Omit<ReportSemantics, 'photo' | 'before' | 'after'> {
  const { semantic, source, decoded } = input;
  const { partition } = semantic;
  const image = source ?? decoded?.image;
  const bursts = semantic.bursts.map((b): ReportBurstMap => {
    const placement = placementOf(b, input.rePerRb);
    const { subbands, slots, burst } = b;
    return {
      burst,
      subbands,
      slots,
      layout: b.map.layout,
      rePerRb: input.rePerRb,
      shares: rbShares(placement, b.map.sfvOrder, subbands * slots),
      reportedDb: input.reportedDb,
      measuredDb: input.measured(burst) ?? null,
    };
  });
  return {
    width: image?.width ?? (partition?.columns ?? 0) * CELL_PX,
    height: image?.height ?? (partition?.rows ?? 0) * CELL_PX,
    grid: partition ? { rows: partition.rows, columns: partition.columns, cellPx: CELL_PX } : null,
    outlines: partition ? sfvOutlines(partition) : [],
    points: partition ? labelPoints(partition) : [],
    sfvs: describeSfvs(input),
    importance: semantic.importance ? semantic.importance.map((v, _, all) => v * all.length) : null,
    damage: decoded?.mask?.damage ?? null,
    bursts,
    sideSplit: semantic.sideSplit ?? null,
    settings: semantic.settings,
    timingsMs: semantic.timingsMs,
  };
}

function describeSfvs(input: SemanticInput): ReportSfv[] {
  const { semantic, decoded } = input;
  const { partition } = semantic;
  const importance = importanceOf(semantic);
  const air = onAir(input);
  const quality = areaQuality(input, partition);
  return orderOf(semantic).map((id, place): ReportSfv => {
    const sfv = partition?.sfvs[id];
    const outcome = decoded?.sfvs?.[id];
    return {
      id,
      label: sfv ? labelName(sfv.label, semantic) : 'label not known',
      colour: sfvColour(place),
      importance: importance?.[id] ?? null,
      cells: sfv?.cells ?? null,
      symbols: air.symbols.get(id) ?? 0,
      rbs: air.rbs.get(id) ?? 0,
      reportedDb: air.reportedDb.get(id) ?? null,
      measuredDb: outcome?.snrDb ?? null,
      state: outcome?.state ?? null,
      damage: outcome?.damage ?? null,
      beforeDb: quality?.before[id] ?? null,
      afterDb: quality?.after[id] ?? null,
    };
  });
}

/** Every SFV that is known of, most important first: the ranking, then the others by score, then by id. */
function orderOf({ partition, ranking, scores, bursts }: SemanticData): number[] {
  const ids = new Set<number>(ranking ?? []);
  const rest = new Set<number>(partition?.sfvs.map((s) => s.id) ?? []);
  for (const b of bursts) for (const id of b.map.sfvOrder) rest.add(id);
  const weight = (id: number) => scoreWeight(scores?.[id] ?? 0);
  for (const id of [...rest].sort((a, b) => weight(b) - weight(a) || a - b)) ids.add(id);
  return [...ids];
}

/** Share of each SFV: sums of the importance map, else what the scores stand for. */
function importanceOf({ partition, importance, scores }: SemanticData): Float64Array | null {
  if (partition && importance) {
    const sums = new Float64Array(partition.sfvs.length);
    partition.sfvOf.forEach((id, at) => {
      sums[id] += importance[at];
    });
    return sums;
  }
  return scores ? Float64Array.from(scores, (code) => scoreWeight(code) / 2 ** 30) : null;
}

/** Symbols, RBs and reported SNR of each SFV over all bursts. */
function onAir({ semantic, reportedDb, rePerRb }: SemanticInput) {
  const symbols = new Map<number, number>();
  const rbs = new Map<number, number>();
  const bits = new Map<number, number>();
  const add = (to: Map<number, number>, id: number, n: number) => to.set(id, (to.get(id) ?? 0) + n);
  for (const b of semantic.bursts) {
    const placement = placementOf(b, rePerRb);
    const { sfvOrder, reCounts } = b.map;
    const csi = reportedDb?.length === b.subbands ? Uint8Array.from(reportedDb, (v) => encodeCsi(v)) : null;
    const channels = csi && reportedChannels(placement, csi, b.subbands);
    const shares = rbShares(placement, sfvOrder, b.subbands * b.slots);
    for (const id of shares.sfv) add(rbs, id, 1);
    sfvOrder.forEach((id, i) => {
      add(symbols, id, reCounts[i]);
      if (channels && reCounts[i] > 0) add(bits, id, reCounts[i] * Math.log2(1 + 10 ** (channels[i].snrDb / 10)));
    });
  }
  const snrDb = new Map(
    [...bits].map(([id, sum]) => [id, 10 * Math.log10(2 ** (sum / symbols.get(id)!) - 1)] as const),
  );
  return { symbols, rbs, reportedDb: snrDb };
}

function areaQuality({ source, decoded }: SemanticInput, partition: SemanticPartition | undefined) {
  const image = decoded?.image;
  if (!source || !image || !partition || image.width !== source.width || image.height !== source.height) return null;
  const { width, height } = source;
  const count = partition.sfvs.length;
  const regions = cellsToPixels(partition.sfvOf, width, height, CELL_PX);
  const of = (shown: RgbImage) => regionPsnrDb(source, shown, regions, count).map((r) => r.psnrDb);
  const after = of(image);
  return { after, before: decoded.uncorrected ? of(decoded.uncorrected) : after };
}
