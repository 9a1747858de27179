import { IntegratedCodec } from '../../src/sct/codec/integrated.ts';
import { roiPsnrDb } from '../../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../../src/sct/quality/regions.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { roiPictures } from './pictures.ts';
import { sendAwgn } from './send.ts';

type Part = 'validation' | 'test';
type Air = { readonly cbr: number; readonly snrDb: number };

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
