import { IntegratedCodec } from '../../src/sct/codec/integrated.ts';
import { fitSideParts } from '../../src/sct/codec/side-budget.ts';
import type { Task } from '../../src/sct/importance/importance-map.ts';
import { type Order, sfvOrder, sfvSums } from '../../src/sct/importance/scores.ts';
import { DEFAULT_TASK_CLASSES } from '../../src/sct/importance/task-classes.ts';
import { mostImportant, variation } from '../../src/sct/modes/mode-choice.ts';
import { psnrDb, roiPsnrDb } from '../../src/sct/quality/psnr.ts';
import { choiceForBudget } from '../../src/sct/rate/class-choice.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { type RoiPicture, roiPictures } from './pictures.ts';
import { overAwgnPlan } from './send.ts';

/** One way of sending one picture. */
export interface AutoRow {
  readonly name: string;
  readonly data: RoiPicture['data'];
  readonly cv: number;
  /** `overall`, or order and share of what is kept. */
  readonly how: string;
  readonly roiPsnrDb: number;
  readonly psnrDb: number;
  /** Share of the cells that are kept. */
  readonly cells: number;
  readonly sideBytes: number;
}

/** Overall against selective with several shares and orders of what is kept, every picture over AWGN. */
export async function* autoRows(
  models: SemanticModels,
  data: string,
  part: 'validation' | 'test',
  most: number,
  ways: readonly { readonly order: Order; readonly share: number }[],
  {
    cbr,
    snrDb,
    task,
    favour,
  }: { readonly cbr: number; readonly snrDb: number; readonly task: Task; readonly favour: boolean },
): AsyncGenerator<AutoRow> {
  const codec = new IntegratedCodec(models, { analysis: { task, favour: favour ? DEFAULT_TASK_CLASSES : [] } });
  for await (const { name, data: set, image, roi } of roiPictures(data, part, most)) {
    const budget = Math.floor(3 * image.width * image.height * cbr);
    const plain = await codec.analyse(image, { symbols: budget });
    const { analysis } = plain;
    const choice = choiceForBudget(budget / (analysis.y.rows * analysis.y.columns));
    const cv = variation(analysis.importance);
    const row = async (how: string, plan: typeof plain): Promise<AutoRow> => {
      const got = await overAwgnPlan(codec, plan, budget, snrDb, name);
      const { partition, streams } = plan.parts;
      const cells = partition.sfvs.slice(0, streams).reduce((sum, s) => sum + s.cells, 0) / partition.sfvOf.length;
      const [whole, inside] = [psnrDb(image, got.image!), roiPsnrDb(image, got.image!, roi)!];
      return { name, data: set, cv, how, roiPsnrDb: inside, psnrDb: whole, cells, sideBytes: plan.sideInfoBytes };
    };
    yield await row('overall', plain);
    for (const { order, share } of ways) {
      const parts = fitSideParts('integrated', analysis, { choice }, models.tables, undefined, {
        choose: (partition, scores) => ({
          kept: mostImportant(sfvSums(analysis.importance, partition), sfvOrder(scores, partition, order), share),
          rectangle: undefined,
        }),
      });
      yield await row(`${order} ${share}`, codec.planOf(analysis, parts, plain.decision));
    }
  }
}
