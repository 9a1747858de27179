import { CAPACITY_BY_CSI } from '../../sct/allocation/capacity-table.ts';
import { encodeCsi } from '../../sct/allocation/csi-code.ts';
import { effectiveSnrDb } from '../../sct/allocation/effective-snr.ts';
import type { DecodedImage, ErrorMask } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { scoreWeight } from '../../sct/importance/scores.ts';
import { sfvOutlines } from '../../sct/partition/outlines.ts';
import type { Partition } from '../../sct/partition/partition.ts';
import { psnrDb, roiPsnrDb } from '../../sct/quality/psnr.ts';
import { cellsToPixels, regionPsnrDb } from '../../sct/quality/regions.ts';
import { CELL_PX } from '../../sct/semantics/feature-map.ts';
import { labelPoints } from '../analyze/overlay.ts';
import { labelName } from '../analyze/record.ts';
import type { ReportBurstMap, ReportCorrection, ReportSemantics, ReportSfv } from './data.ts';
import { placementOf, rbShares, shapeOf } from './rb-shares.ts';
import type { SemanticData } from './semantic-data.ts';
import { sfvColour } from './sfv-colours.ts';

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
    const { subbands, slots, burst } = b;
    return {
      burst,
      subbands,
      slots,
      layout: b.map.layout,
      rePerRb: input.rePerRb,
      sideRe: shapeOf(b, input.rePerRb).firstRe ?? null,
      shares: rbShares(placementOf(b, input.rePerRb), b.map.sfvOrder, subbands * slots),
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
    sfvs: describeSfvs(input, bursts),
    importance: semantic.importance ? semantic.importance.map((v, _, all) => v * all.length) : null,
    damage: damageOf(decoded?.mask, partition),
    task: decoded?.task ? { ...decoded.task, palette: semantic.labels.palette } : null,
    bursts,
    correction: correctionOf(input),
    sideSplit: semantic.sideSplit ?? null,
    settings: semantic.settings,
    timingsMs: semantic.timingsMs,
  };
}

function describeSfvs(input: SemanticInput, bursts: readonly ReportBurstMap[]): ReportSfv[] {
  const { semantic, decoded } = input;
  const { partition } = semantic;
  const importance = importanceOf(semantic);
  const air = onAir(bursts);
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
      // What did not arrive, and coded bits, have the SNR of their blocks.
      measuredDb: outcome?.snrDb ?? air.measuredDb.get(id) ?? null,
      bytes: outcome?.bytes ?? null,
      state: outcome?.state ?? null,
      damage: outcome?.damage ?? null,
      beforeDb: quality?.before[id] ?? null,
      afterDb: quality?.after[id] ?? null,
    };
  });
}

/** The error mask where it is one of this partition's grid. */
function damageOf(mask: ErrorMask | undefined, partition: Partition | undefined): Float32Array | null {
  return mask && mask.rows === partition?.rows && mask.columns === partition.columns ? mask.damage : null;
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

/** Symbols, RBs, and the SNR of its blocks by report and measurement, of each SFV over all bursts. */
function onAir(bursts: readonly ReportBurstMap[]) {
  const symbols = new Map<number, number>();
  const rbs = new Map<number, number>();
  const reported = new Map<number, number>();
  const measured = new Map<number, number>();
  const add = (to: Map<number, number>, id: number, n: number) => to.set(id, (to.get(id) ?? 0) + n);
  const capacity = (db: number) => CAPACITY_BY_CSI[encodeCsi(db)];
  for (const { shares, subbands, slots, reportedDb, measuredDb } of bursts) {
    const perRe = reportedDb?.length === subbands ? Array.from(reportedDb, capacity) : null;
    for (let rb = 0; rb < slots * subbands; rb++) {
      const seen = measuredDb?.[rb];
      const came = seen !== undefined && Number.isFinite(seen) ? capacity(seen) : 0;
      for (let e = shares.first[rb]; e < shares.first[rb + 1]; e++) {
        const re = shares.re[e];
        add(symbols, shares.sfv[e], re);
        add(rbs, shares.sfv[e], 1);
        if (perRe) add(reported, shares.sfv[e], re * perRe[rb % subbands]);
        if (measuredDb) add(measured, shares.sfv[e], re * came);
      }
    }
  }
  const snrDb = (sums: ReadonlyMap<number, number>) =>
    new Map([...sums].flatMap(([id, sum]) => (sum > 0 ? [[id, effectiveSnrDb(sum, symbols.get(id)!)] as const] : [])));
  return { symbols, rbs, reportedDb: snrDb(reported), measuredDb: snrDb(measured) };
}

/** Source, picture with and picture without correction; null where one is not known or sizes differ. */
function pairOf({ source, decoded }: SemanticInput) {
  const after = decoded?.image;
  if (!source || !after || after.width !== source.width || after.height !== source.height) return null;
  return { source, after, before: decoded.uncorrected ?? after };
}

function areaQuality(input: SemanticInput, partition: Partition | undefined) {
  const pair = pairOf(input);
  if (!pair || !partition) return null;
  const { source, before, after } = pair;
  const regions = cellsToPixels(partition.sfvOf, source.width, source.height, CELL_PX);
  const of = (shown: RgbImage) =>
    regionPsnrDb(source, shown, regions, partition.sfvs.length).map((region) => region.psnrDb);
  const corrected = of(after);
  return { after: corrected, before: before === after ? corrected : of(before) };
}

function correctionOf(input: SemanticInput): ReportCorrection | null {
  const pair = pairOf(input);
  const mask = input.decoded?.mask;
  if (!pair || !mask) return null;
  const { source, before, after } = pair;
  const hit = Uint8Array.from(mask.damage, (d) => (d > 0 ? 1 : 0));
  const damaged = cellsToPixels(hit, source.width, source.height, mask.cellPx);
  return {
    damagedCells: hit.reduce((sum, v) => sum + v, 0),
    beforeDb: psnrDb(source, before),
    afterDb: psnrDb(source, after),
    damagedBeforeDb: roiPsnrDb(source, before, damaged),
    damagedAfterDb: roiPsnrDb(source, after, damaged),
  };
}
