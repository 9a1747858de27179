import { IntegratedCodec } from '../../src/sct/codec/integrated.ts';
import { semanticSettings } from '../../src/sct/modes/semantic-options.ts';
import { borderGradientRatio, gradientEnergyRatio } from '../../src/sct/quality/gradient.ts';
import { psnrDb, roiPsnrDb } from '../../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../../src/sct/quality/regions.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { type RoiPicture, roiPictures } from './pictures.ts';
import { overAwgnPlan } from './send.ts';

/** One way of sending one picture. */
export interface SelectiveRow {
  readonly name: string;
  readonly data: RoiPicture['data'];
  readonly how: 'overall' | 'selective';
  readonly roiPsnrDb: number;
  readonly psnrDb: number;
  /** Share of the cells that are sent. */
  readonly cells: number;
  /** Share of the ROI's pixels that are. */
  readonly covered: number;
  readonly sideBytes: number;
  readonly partitionBytes: number;
  /** Of what is made up: border gradient against the interior, received and source; gradient energy against the source. */
  readonly border: number | null;
  readonly sourceBorder: number | null;
  readonly energy: number | null;
}

const KEEP = 'sign,car,pedestrian,bicyclist';

/**
 * Overall against selective over AWGN. What is kept: of CamVid the classes of the ROI as the label head sees them, of ECSSD the
 * rectangle around the object (a user's choice).
 */
export async function* selectiveRows(
  models: SemanticModels,
  data: string,
  part: 'validation' | 'test',
  most: number,
  { cbr, snrDb }: { readonly cbr: number; readonly snrDb: number },
): AsyncGenerator<SelectiveRow> {
  for await (const picture of roiPictures(data, part, most)) {
    const { image, roi } = picture;
    const { width, height } = image;
    const { x, y, width: w, height: h } = boundingBox(roi, width, height);
    const chosen = picture.data === 'camvid' ? { keep: KEEP, task: 'machine' } : { roi: `${x},${y},${w},${h}` };
    const settings = semanticSettings(chosen, models.tables.labels.names);
    const budget = Math.floor(3 * width * height * cbr);
    for (const how of ['overall', 'selective'] as const) {
      const codec = new IntegratedCodec(models, {
        ...(how === 'overall' ? {} : { mode: settings.mode }),
        analysis: {
          ...(how === 'overall' ? { task: settings.analysis.task } : settings.analysis),
          ...(picture.data === 'camvid' ? { labelSpace: 'street' as const } : {}),
        },
      });
      const plan = await codec.analyse(image, { symbols: budget }).catch((error: unknown) => {
        if (error instanceof Error && error.message.startsWith('nothing to keep')) return null;
        throw error;
      });
      if (!plan) continue;
      const got = (await overAwgnPlan(codec, plan, budget, snrDb, picture.name)).image!;
      const { partition, streams, split } = plan.parts;
      const made = cellsToPixels(
        partition.sfvOf.map((id) => (id < streams ? 0 : 1)),
        width,
        height,
      );
      const inside = roi.reduce((a, b) => a + b, 0);
      const covered = roi.reduce((sum, r, p) => sum + (r && !made[p] ? 1 : 0), 0) / inside;
      yield {
        name: picture.name,
        data: picture.data,
        how,
        covered,
        roiPsnrDb: roiPsnrDb(image, got, roi)!,
        psnrDb: psnrDb(image, got),
        cells: 1 - made.reduce((a, b) => a + b, 0) / made.length,
        sideBytes: split.total,
        partitionBytes: split.partition,
        border: borderGradientRatio(got, made),
        sourceBorder: borderGradientRatio(image, made),
        energy: gradientEnergyRatio(image, got, made),
      };
    }
  }
}

function boundingBox(
  mask: Uint8Array,
  width: number,
  height: number,
): { x: number; y: number; width: number; height: number } {
  let [left, top, right, bottom] = [width, height, 0, 0];
  mask.forEach((m, p) => {
    if (!m) return;
    const [x, y] = [p % width, Math.floor(p / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
