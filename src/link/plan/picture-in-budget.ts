import { UsageError } from '../../common/errors.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { CompleteOptions } from '../transmitter-options.ts';
import { reserveRe } from './budget-split.ts';
import { channelKnowledge, type DatedReport } from './channel-knowledge.ts';
import { controlRe, extensionMcs, mostStreams, shapeOf } from './control-part.ts';
import { planPicture } from './picture-plan.ts';
import { reserveOf } from './side-reserve.ts';

export interface PictureRequest {
  readonly numerology: Numerology;
  readonly options: CompleteOptions;
  readonly image: RgbImage;
  /** First 32 bits of the hashes of pictures that both ends have. */
  readonly referenceIds: readonly number[];
  /** The latest CSI report. */
  readonly report: DatedReport | null;
  readonly nowS: number;
  /** Whether the bursts say when the picture was captured. */
  readonly timed: boolean;
}

/**
 * Analyses a picture and plans its bursts within `budgetRe` resource elements; codes nothing and leaves no trace, so that other
 * budgets can be tried.
 *
 * @throws BudgetTooSmall, UsageError (planPicture, codec)
 */
export async function pictureInBudget(request: PictureRequest, budgetRe: number) {
  const { numerology: n, options, image, referenceIds, report, nowS, timed } = request;
  const { codec, powerLoading, seed, protectionDb, oneMcs, mappingForced, answers } = options;
  const leastBurstRe = controlRe(n, { power: powerLoading, time: timed }) + n.nSubbands * RB_DATA_RE;
  // What nobody can ask for is not kept room for.
  const harq = answers ? options.harq : 0;
  const spare = budgetRe * (options.repeatBudget - 1);
  const csi = channelKnowledge(report, nowS, n.nSubbands, {
    ...options,
    harq,
    airS: ((budgetRe / (n.nSubbands * RB_DATA_RE)) * n.slotLength) / n.sampleRateHz,
    canSpare: (share) => reserveRe(budgetRe, share, leastBurstRe) > 0,
  });
  const maxSfvs = mostStreams(n, budgetRe, csi, options.maxSfvs);
  const source = await codec.analyse(image, { symbols: budgetRe, maxSfvs, referenceIds });
  const overheadOf = (budget: number) => {
    const shape = shapeOf(n, source, csi, budget, timed);
    const mcs = extensionMcs(n, shape, budget, csi);
    const reserve = Math.max(0, reserveOf(n, source, csi, harq, budget, leastBurstRe, timed) - spare);
    return { mcs, reserve, controlRe: controlRe(n, shape, mcs) };
  };
  const { mcs, ...overhead } = overheadOf(budgetRe);
  const planned = planPicture({
    ...{ numerology: n, source, csi, seed, budgetRe, protectionDb, oneMcs, mappingForced, answers, ...overhead },
    pixels: image.width * image.height,
    overheadRe: (budget) => {
      const o = overheadOf(budget);
      return o.controlRe + o.reserve;
    },
  });
  const [stream] = source.streams;
  if (source.streams.length === 1 && stream.kind === 'bits' && planned.grants[0].size < stream.minSize) {
    throw new UsageError(`${planned.grants[0].size} bytes fit into this budget; ${codec.name} needs ${stream.minSize}`);
  }
  return { csi, harq, maxSfvs, source, mcs, planned };
}
