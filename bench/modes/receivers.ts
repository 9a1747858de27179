import { IntegratedCodec } from '../../src/sct/codec/integrated.ts';
import { agreementWithClean, agreementWithTruth, taskResult } from '../../src/sct/modes/machine-receiver.ts';
import { ConfusionMatrix } from '../../src/sct/quality/confusion.ts';
import { roiPsnrDb } from '../../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../../src/sct/quality/regions.ts';
import { STREET_LABELS } from '../../src/sct/semantics/model-tables.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { roiPictures } from './pictures.ts';
import { overAwgnPlan, sendAwgn } from './send.ts';

type Part = 'validation' | 'test';
type Air = { readonly cbr: number; readonly snrDb: number };

/** The heads on received features against those on the sender's clean ones and against truth, CamVid; one matrix over the set. */
export async function machineFigures(models: SemanticModels, data: string, part: Part, most: number, air: Air) {
  const codec = new IntegratedCodec(models, { analysis: { task: 'machine', labelSpace: 'street' } });
  const matrices = { clean: new ConfusionMatrix(STREET_LABELS), truth: new ConfusionMatrix(STREET_LABELS) };
  const sender = new ConfusionMatrix(STREET_LABELS);
  let [pictures, missed, invented] = [0, 0, 0];
  for await (const { name, image, truth } of roiPictures(data, part, most, ['camvid'])) {
    const budget = Math.floor(3 * image.width * image.height * air.cbr);
    const plan = await codec.analyse(image, { symbols: budget });
    const got = await overAwgnPlan(codec, plan, budget, air.snrDb, name, { view: 'task' });
    const clean = await taskResult(models, plan.analysis.y);
    const agreement = agreementWithClean(got.task!, clean, matrices.clean);
    agreementWithTruth(got.task!, truth!, matrices.truth);
    agreementWithTruth(clean, truth!, sender);
    pictures++;
    missed += agreement.missed.length;
    invented += agreement.invented.length;
  }
  return {
    ...{ pictures, missed: missed / pictures, invented: invented / pictures },
    withClean: matrices.clean.report().mIoU,
    withTruth: matrices.truth.report().mIoU,
    cleanWithTruth: sender.report().mIoU,
  };
}

/**
 * PSNR of SFVs that were lost (every fourth of the ranking), without a reference and with the picture before as one. CamVid's
 * validation part is one drive of 101 pictures, 1/15 s apart: `most` says how far apart those taken are. Pairs of dB, one a picture.
 */
export async function referenceFigures(models: SemanticModels, data: string, part: Part, most: number, air: Air) {
  const out: { without: number; with: number }[] = [];
  let before: Awaited<ReturnType<SemanticModels['analyse']>> | undefined;
  for await (const { name, image } of roiPictures(data, part, most, ['camvid'])) {
    const codec = new IntegratedCodec(models, { referenceId: 1 });
    const budget = Math.floor(3 * image.width * image.height * air.cbr);
    const plan = await codec.analyse(image, { symbols: budget });
    if (before) {
      const reference = before;
      const { received } = await sendAwgn(plan, budget, air.snrDb, name);
      const lost = new Set(plan.parts.ranking.filter((_, i) => i % 4 === 1));
      const source = { ...received, streams: received.streams.filter((s) => !lost.has(s.id)) };
      const hole = cellsToPixels(
        plan.parts.partition.sfvOf.map((id) => (lost.has(id) ? 1 : 0)),
        image.width,
        image.height,
      );
      const db = async (features?: typeof reference) => {
        const got = await codec.decode(source, features ? { reference: async () => features } : {});
        return roiPsnrDb(image, got.image!, hole);
      };
      const [plain, helped] = [await db(), await db(reference)];
      if (plain !== null && helped !== null) out.push({ without: plain, with: helped });
    }
    before = plan.analysis.y;
  }
  return out;
}
