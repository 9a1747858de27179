import type { PictureEvent, SourceEvent } from '../../link/telemetry.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { encodeJpeg, resizeImage } from '../../sct/image/save.ts';
import { sfvOutlines } from '../../sct/partition/outlines.ts';
import { CELL_PX } from '../../sct/semantics/feature-map.ts';
import { labelName } from '../analyze/record.ts';
import { scoreShare } from '../metrics/sfv-metrics.ts';
import type { SemanticData } from '../report/semantic-data.ts';
import { sfvColour } from '../report/sfv-colours.ts';

/** A page shows no more pixels than this, either way; files have all of them. */
const WIDEST_PX = 1024;
const JPEG_QUALITY = 88;

/** The picture, its objects and what matters in it. Outlines are in pixels of the whole picture. */
export async function sourceTelemetry(
  title: string,
  image: RgbImage,
  semantic: SemanticData | undefined,
): Promise<SourceEvent> {
  const partition = semantic?.partition;
  const outlines = partition ? sfvOutlines(partition) : [];
  const symbols = new Map<number, number>();
  for (const { map } of semantic?.bursts ?? []) {
    map.sfvOrder.forEach((id, i) => {
      symbols.set(id, (symbols.get(id) ?? 0) + map.reCounts[i]);
    });
  }
  return {
    topic: 'source',
    title,
    width: image.width,
    height: image.height,
    mediaType: 'image/jpeg',
    bytes: await shownJpeg(image),
    grid: partition ? { rows: partition.rows, columns: partition.columns, cellPx: CELL_PX } : null,
    importance: (semantic?.importance ?? new Float32Array(0)).map((share, _, all) => share * all.length),
    sfvs: (semantic?.ranking ?? []).map((id, place) => ({
      id,
      label: partition ? labelName(partition.sfvs[id].label, semantic!) : `SFV ${id}`,
      colour: sfvColour(place),
      importance: scoreShare(semantic?.scores?.[id] ?? 0),
      symbols: symbols.get(id) ?? 0,
      outline: (outlines[id] ?? []).map((ring) => pointsOf(ring)),
    })),
  };
}

/** The received picture: as it came, and corrected where there is one so far. */
export async function picturesOf(
  decoded: Pick<DecodedImage, 'image' | 'uncorrected'> | undefined,
  quality: { readonly psnrDb: number | null; readonly msSsim: number | null } = { psnrDb: null, msSsim: null },
): Promise<PictureEvent[]> {
  const { image, uncorrected } = decoded ?? {};
  const shown = async (picture: RgbImage) => {
    const { width, height } = picture;
    return { topic: 'picture', width, height, mediaType: 'image/jpeg', bytes: await shownJpeg(picture) } as const;
  };
  const after = image && {
    ...(await shown(image)),
    stage: 'after' as const,
    psnrDb: quality.psnrDb,
    msSsim: quality.msSsim,
  };
  // Where nothing was to be corrected they are the same.
  const before = uncorrected ? await shown(uncorrected) : after;
  return [
    ...(before ? [{ ...before, stage: 'before' as const, psnrDb: null, msSsim: null }] : []),
    ...(after ? [after] : []),
  ];
}

/** A picture as a file for the page, no larger than it shows. */
export async function shownJpeg(image: RgbImage): Promise<Uint8Array> {
  const scale = Math.min(1, WIDEST_PX / Math.max(image.width, image.height));
  const size = (px: number) => Math.max(1, Math.round(px * scale));
  return encodeJpeg(scale < 1 ? await resizeImage(image, size(image.width), size(image.height)) : image, JPEG_QUALITY);
}

/** Corners of a ring of cells, pixels. */
function pointsOf(ring: readonly number[]): [number, number][] {
  const points: [number, number][] = [];
  for (let i = 0; i + 1 < ring.length; i += 2) points.push([ring[i] * CELL_PX, ring[i + 1] * CELL_PX]);
  return points;
}
