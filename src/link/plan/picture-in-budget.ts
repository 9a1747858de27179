import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import { DoesNotFit } from '../../sct/codec/does-not-fit.ts';
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

/** What is known of the channel that a budget of so many resource elements is spent on. */
export function knownOfChannel({ numerology: n, options, report, nowS, timed }: PictureRequest, budgetRe: number) {
  const leastBurstRe = controlRe(n, { power: options.powerLoading, time: timed }) + n.nSubbands * RB_DATA_RE;
  // What nobody can ask for is not kept room for.
  const harq = options.answers ? options.harq : 0;
  const csi = channelKnowledge(report, nowS, n.nSubbands, {
    ...options,
    harq,
    airS: ((budgetRe / (n.nSubbands * RB_DATA_RE)) * n.slotLength) / n.sampleRateHz,
    canSpare: (share) => reserveRe(budgetRe, share, leastBurstRe) > 0,
  });
  return { csi, harq, leastBurstRe };
}

/**
 * Analyses a picture and plans its bursts within `budgetRe` resource elements; codes nothing and leaves no trace, so that other
 * budgets can be tried.
 *
 * @throws DoesNotFit, UsageError (planPicture, codec)
 */
export async function pictureInBudget(request: PictureRequest, budgetRe: number) {
  const { numerology: n, options, image, referenceIds, timed } = request;
  const { codec, seed, protectionDb, oneMcs, mappingForced, answers } = options;
  const { csi, harq, leastBurstRe } = knownOfChannel(request, budgetRe);
  const spare = budgetRe * (options.repeatBudget - 1);
  const maxSfvs = mostStreams(n, budgetRe, csi, options.maxSfvs);
  const source = await codec.analyse(image, { symbols: budgetRe, maxSfvs, referenceIds });
  const overheadOf = (budget: number) => {
    const shape = shapeOf(n, source, csi, budget, timed);
    const mcs = extensionMcs(n, shape, budget, csi);
    const reserve = Math.max(0, reserveOf(n, source, csi, harq, budget, leastBurstRe, timed) - spare);
    return { mcs, reserve, controlRe: controlRe(n, shape, mcs) };
  };
  const { mcs, ...overhead } = overheadOf(budgetRe);
  const plan = (keepsReserve: boolean) => {
    const planned = planPicture({
      numerology: n,
      source,
      csi,
      seed,
      budgetRe,
      protectionDb,
      oneMcs,
      mappingForced,
      answers,
      controlRe: overhead.controlRe,
      reserve: keepsReserve ? overhead.reserve : 0,
      pixels: source.budgetIn === 'symbols' ? null : image.width * image.height,
      overheadRe: (budget) => overheadOf(budget).controlRe,
    });
    const [stream] = source.streams;
    if (source.streams.length === 1 && stream.kind === 'bits' && planned.grants[0].size < stream.minSize) {
      const message = `${planned.grants[0].size} bytes fit into this budget; ${codec.name} needs ${stream.minSize}`;
      throw new DoesNotFit(message, source.budgetIn === 'symbols' ? 'give more --symbols' : undefined);
    }
    return planned;
  };
  return { csi, harq, maxSfvs, source, mcs, planned: withoutReserveIfNeedBe(plan, overhead.reserve) };
}

/** A picture that fits only where nothing is kept for repetitions is sent without. */
function withoutReserveIfNeedBe<T>(plan: (keepsReserve: boolean) => T, reserve: number): T {
  try {
    return plan(true);
  } catch (error) {
    if (reserve === 0 || !(error instanceof DoesNotFit)) throw error;
    return plan(false);
  }
}
