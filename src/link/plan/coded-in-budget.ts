import type { FloatRoom } from '../../common/float-room.ts';
import { powerDbOf } from '../../phy/frame/power-level.ts';
import { CSI_MAX_CODE, decodeCsi } from '../../sct/allocation/csi-code.ts';
import { DoesNotFit } from '../../sct/codec/does-not-fit.ts';
import type { TransmissionPlan } from '../transmission.ts';
import { bitsPolicy, mapOf, mapReason } from './bits-policy.ts';
import { BudgetTooSmall, withTriedHint } from './budget-split.ts';
import { knownOfChannel, type PictureRequest, pictureInBudget } from './picture-in-budget.ts';

/**
 * The budget would carry this picture over the best channel that a report can tell of, and does not over this one. A sender that wants it on the air
 * is refused; an experiment counts it as lost (`unsentOf`).
 */
export class ChannelTooPoor extends DoesNotFit {
  /** What was decided for the picture. */
  readonly plan: TransmissionPlan;
  constructor({ message, hint, leastBytes }: DoesNotFit, plan: TransmissionPlan) {
    super(message, hint, leastBytes);
    this.plan = plan;
  }
}

/** What `sending` decides for a picture; one that is kept back because of its channel has a plan without bursts. */
export async function unsentOf(sending: Promise<TransmissionPlan>): Promise<TransmissionPlan> {
  try {
    return await sending;
  } catch (error) {
    if (error instanceof ChannelTooPoor) return error.plan;
    throw error;
  }
}

/**
 * A picture's plan within `budgetRe` resource elements and its code.
 *
 * @param room where analog symbols stand, until it is used again
 * @throws ChannelTooPoor, DoesNotFit where no channel is good enough for this budget, UsageError (planPicture, codec)
 */
export async function codedInBudget(request: PictureRequest, budgetRe: number, room?: FloatRoom) {
  try {
    const within = await pictureInBudget(request, budgetRe);
    return { ...within, encoded: await within.source.encode(within.planned.grants, room) };
  } catch (error) {
    if (!(error instanceof DoesNotFit)) throw error;
    const tried =
      error instanceof BudgetTooSmall
        ? await withTriedHint(error, (budget) => pictureInBudget(request, budget))
        : error;
    const plan = await unsentPlan(request, budgetRe, tried);
    throw plan ? new ChannelTooPoor(tried, plan) : tried;
  }
}

/** The same request where the channel is as good as a report can say, as old as it is. */
function atItsBest(request: PictureRequest): PictureRequest {
  const { report: dated, options } = request;
  const snrDb = decodeCsi(CSI_MAX_CODE);
  if (!dated) return { ...request, options: { ...options, assumedSnrDb: snrDb } };
  const { report, soundings } = dated;
  const best = {
    ...dated,
    report: { ...report, codes: new Uint8Array(report.codes.length).fill(CSI_MAX_CODE) },
    ...(soundings ? { soundings: soundings.map((s) => ({ ...s, snr: 10 ** (snrDb / 10) })) } : {}),
  };
  return { ...request, report: best };
}

/** What stands for a picture that only a better channel would carry; null where none does. */
async function unsentPlan(
  request: PictureRequest,
  budgetRe: number,
  { message, hint, leastBytes }: DoesNotFit,
): Promise<TransmissionPlan | null> {
  const { options } = request;
  let source: TransmissionPlan['source'];
  try {
    const best = await pictureInBudget(atItsBest(request), budgetRe);
    source = best.source;
    const { grants } = best.planned;
    if (leastBytes === null) await source.encode(grants);
    else if (grants[0].size < leastBytes) return null;
  } catch (error) {
    if (error instanceof DoesNotFit) return null;
    throw error;
  }
  const { csi } = knownOfChannel(request, budgetRe);
  const policy = bitsPolicy(source, csi, options);
  return {
    map: mapOf(csi, policy),
    mapReason: mapReason(csi, policy, options.mappingForced),
    protectionDb: policy.protectionDb,
    csiNumber: csi.number,
    csiAgeS: csi.ageS,
    loading: csi.loading,
    reportedSnrDb: csi.snrDb,
    powerDb: csi.power?.map(powerDbOf) ?? null,
    payloadBytes: 0,
    sideInfoBytes: 0,
    codeRate: null,
    source,
    grants: [],
    dropped: source.streams.map(({ id }) => id),
    warnings: [],
    settings: source.settings ?? {},
    timingsMs: { ...source.timingsMs },
    bursts: [],
    unsent: { reason: 'budget', why: hint === undefined ? message : `${message} (${hint})` },
  };
}
