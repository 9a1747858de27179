import type { DecodedImage, ErrorMask } from '../../../sct/codec/codec.ts';
import type { SideParts } from '../../../sct/codec/side-budget.ts';
import { flatImage, type RgbImage } from '../../../sct/image/rgb-image.ts';
import { msSsim, msSsimDb } from '../../../sct/quality/ms-ssim.ts';
import { psnrDb, roiPsnrDb } from '../../../sct/quality/psnr.ts';
import { cellsToPixels } from '../../../sct/quality/regions.ts';
import { PSNR_CEILING_DB } from '../../../sct/quality/report.ts';
import type { BenchPicture } from './data.ts';
import type { Sent } from './over-link.ts';
import type { Measure, Trial } from './series.ts';

/** MS-SSIM of identical pictures is written as this, dB, so that means stay finite. */
const MS_SSIM_CEILING_DB = 60;
/** A cell with at least so much of the error mask is damaged. */
const DAMAGED = 0.5;

export interface Wanted {
  readonly msSsim?: boolean;
  /** What the sender's plan was made of: then damage is told by importance. */
  readonly parts?: SideParts | undefined;
}

/** The picture as it is shown and scored: flat mid-grey where nothing could be decoded. */
export function shownImage(decoded: DecodedImage | undefined, source: RgbImage): RgbImage {
  const { image } = decoded ?? {};
  const usable = decoded?.decodable && image && image.width === source.width && image.height === source.height;
  return usable ? image : flatImage(source.width, source.height);
}

/** Everything that is measured of one received picture. */
export function measured(
  picture: BenchPicture,
  seed: number,
  sent: Pick<Sent, 'decoded' | 'countedSymbols'>,
  wanted: Wanted = {},
): Trial {
  const { image, roi } = picture;
  const shown = shownImage(sent.decoded, image);
  const values: Partial<Record<Measure, number>> = {
    psnrDb: finite(psnrDb(image, shown)),
    cbr: sent.countedSymbols / (3 * image.width * image.height),
    outage: sent.decoded?.decodable ? 0 : 1,
  };
  const ofRoi = roi && roiPsnrDb(image, shown, roi);
  if (ofRoi !== null) values.roiPsnrDb = finite(ofRoi);
  const structure = wanted.msSsim ? msSsim(image, shown) : null;
  if (structure !== null) values.msSsimDb = Math.min(MS_SSIM_CEILING_DB, msSsimDb(structure));
  Object.assign(values, damage(image, sent.decoded, wanted.parts));
  if (wanted.parts) {
    values.sideInfoBytes = wanted.parts.split.total;
    values.labelMapBytes = wanted.parts.split.partition;
  }
  return { picture: picture.name, seed, values };
}

/**
 * Share of damaged cells, share of the damage that lies in the less important half of the cells, and what correction brought
 * where it is damaged. A codec without a mask is damaged nowhere or, when it cannot be decoded, everywhere.
 */
function damage(
  image: RgbImage,
  decoded: DecodedImage | undefined,
  parts: SideParts | undefined,
): Partial<Record<Measure, number>> {
  const mask = decoded?.mask;
  if (!mask) return { damagedShare: decoded?.decodable ? 0 : 1 };
  const damaged = Uint8Array.from(mask.damage, (v) => (v >= DAMAGED ? 1 : 0));
  const count = damaged.reduce((a, b) => a + b, 0);
  const out: Partial<Record<Measure, number>> = { damagedShare: count / damaged.length };
  if (count === 0) return out;
  if (parts && parts.partition.sfvOf.length === damaged.length) {
    const low = lessImportantHalf(parts);
    out.damagedLowShare = damaged.reduce((sum, d, at) => sum + d * low[at], 0) / count;
  }
  const { uncorrected, image: shown } = decoded;
  if (uncorrected && shown && decoded.decodable && shown.width === image.width && shown.height === image.height) {
    const region = pixelsOf(mask, damaged, image);
    const [corrected, plain] = [shown, uncorrected].map((picture) => roiPsnrDb(image, picture, region));
    if (corrected !== null && plain !== null) out.correctionGainDb = finite(corrected) - finite(plain);
  }
  return out;
}

function pixelsOf(mask: ErrorMask, damaged: Uint8Array, { width, height }: RgbImage): Uint8Array {
  return cellsToPixels(damaged, width, height, mask.cellPx);
}

/**
 * How much of each cell belongs to the less important half of the picture's cells: SFVs from the last of the ranking until half of the cells
 * are taken; of the one that the boundary falls into each cell belongs in part. SFVs that are not sent come last. [cell], 0..1
 */
export function lessImportantHalf(parts: Pick<SideParts, 'partition' | 'ranking'>): Float64Array {
  const { sfvOf, sfvs } = parts.partition;
  const named = new Set(parts.ranking);
  const fromLast = [...sfvs.map((s) => s.id).filter((id) => !named.has(id)), ...[...parts.ranking].reverse()];
  const share = new Float64Array(sfvs.length);
  let left = sfvOf.length / 2;
  for (const id of fromLast) {
    const taken = Math.min(left, sfvs[id].cells);
    share[id] = sfvs[id].cells > 0 ? taken / sfvs[id].cells : 0;
    left -= taken;
  }
  return Float64Array.from(sfvOf, (id) => share[id]);
}

function finite(db: number): number {
  return Math.min(PSNR_CEILING_DB, db);
}
